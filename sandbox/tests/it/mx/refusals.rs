//! What MX refuses, and how.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Mx, VERSION};

#[tokio::test]
async fn any_keys_will_do_but_there_must_be_some() {
    let mx = Mx::open().await;
    let plain = || mx.request(Method::GET, "/users").header("accept", VERSION);
    let keys = [("", "key"), ("client", "")];
    assert_eq!(plain().send().await.unwrap().status(), 401);
    assert_eq!(
        plain().bearer_auth("token").send().await.unwrap().status(),
        401
    );
    for (client, key) in keys {
        assert_eq!(
            plain()
                .basic_auth(client, Some(key))
                .send()
                .await
                .unwrap()
                .status(),
            401
        );
    }
    assert_eq!(
        plain()
            .basic_auth("any", Some("thing"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn the_version_is_named_by_the_accept_header() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let ask = |accept: &'static str, version: Option<&'static str>, path: &str| {
        let request = mx
            .request(Method::GET, path)
            .basic_auth("client", Some("key"))
            .header("accept", accept);
        match version {
            Some(version) => request.header("accept-version", version),
            None => request,
        }
    };
    let cases = [
        (VERSION, None, 200),
        ("application/vnd.mx.api.v1+json;q=0.9, */*", None, 200),
        ("application/json", None, 406),
        ("*/*", None, 406),
        ("application/vnd.mx.api.v9+json", None, 406),
        ("application/json", Some("v20250224"), 200),
        ("application/json", Some("v1999"), 406),
    ];
    for (accept, version, status) in cases {
        let answer = ask(accept, version, "/users").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{accept} {version:?}");
    }
    // The later version takes our own ids for the guids.
    let by_id = ask("application/json", Some("v20250224"), "/users/ana")
        .send()
        .await
        .unwrap();
    assert_eq!(by_id.json::<Value>().await.unwrap()["user"]["guid"], ana);
    assert_eq!(
        ask(VERSION, None, "/users/ana")
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

#[tokio::test]
async fn a_member_is_refused_that_is_incomplete_or_there_already() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let path = format!("/users/{ana}/members");
    let right = mx.credentials("mxbank", &["mxuser", "any"]).await;
    let elsewhere = mx.credentials("hazel_bank", &["mxuser", "any"]).await;
    let half = mx.credentials("mxbank", &["mxuser"]).await;
    let no_pin = mx.credentials("houndstooth_bank", &["mxuser", "any"]).await;
    let refused = [
        (json!({}), 400),
        (json!({ "member": { "credentials": right } }), 400),
        (json!({ "member": { "institution_code": "mxbank" } }), 400),
        (
            json!({ "member": { "institution_code": "mxbank", "credentials": half } }),
            400,
        ),
        (
            json!({ "member": { "institution_code": "houndstooth_bank", "credentials": no_pin } }),
            400,
        ),
        (
            json!({ "member": { "institution_code": "mxbank", "credentials": elsewhere } }),
            400,
        ),
        (
            json!({ "member": { "institution_code": "nowhere", "credentials": right } }),
            404,
        ),
        (
            json!({ "member": { "institution_code": "mx_bank_oauth", "credentials": right } }),
            422,
        ),
        (
            json!({ "member": { "institution_code": "mxbank", "is_oauth": true } }),
            422,
        ),
    ];
    for (body, status) in refused {
        assert_eq!(
            mx.refused(Method::POST, &path, body.clone()).await,
            status,
            "{body}"
        );
    }
    let member = |id: &str, credentials: &Value| json!({ "member": { "institution_code": "mxbank", "id": id, "credentials": credentials } });
    assert_eq!(
        mx.ask(Method::POST, &path, member("first", &right)).await.0,
        202
    );
    assert_eq!(
        mx.refused(Method::POST, &path, member("second", &right))
            .await,
        409
    );
    let other = mx.credentials("mxbank", &["mxuser_10", "any"]).await;
    assert_eq!(
        mx.refused(Method::POST, &path, member("first", &other))
            .await,
        409
    );
    assert_eq!(
        mx.ask(Method::POST, &path, member("second", &other))
            .await
            .0,
        202
    );
    let bens = format!("/users/{}/members", mx.user("ben").await);
    assert_eq!(
        mx.ask(Method::POST, &bens, member("first", &right)).await.0,
        202
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let mx = Mx::open().await;
    assert_eq!(mx.refused(Method::GET, "/nothing", Value::Null).await, 404);
    assert_eq!(mx.refused(Method::PATCH, "/users", Value::Null).await, 405);
    let wrong = mx
        .request(Method::POST, "/users")
        .basic_auth("c", Some("k"))
        .header("accept", VERSION)
        .body("{");
    assert_eq!(wrong.send().await.unwrap().status(), 400);
}
