//! Banks one signs in to at their own page.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Mx, guid};

/// Makes a member; its path, and where its person signs in.
async fn begin(mx: &Mx, user: &str, more: Value) -> (String, String) {
    let mut body = json!({ "member": { "institution_code": "mx_bank_oauth", "is_oauth": true, "credentials": [] } });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let (status, answer) = mx
        .ask(Method::POST, &format!("/users/{user}/members"), body)
        .await;
    assert_eq!(
        (status, &answer["member"]["connection_status"]),
        (200, &json!("PENDING")),
        "{answer}"
    );
    let text = |name: &str| answer["member"][name].as_str().unwrap().to_owned();
    (
        format!("/users/{user}/members/{}", text("guid")),
        text("oauth_window_uri"),
    )
}

async fn decide(mx: &Mx, uri: &str, fields: &str) -> reqwest::Response {
    let path = uri
        .strip_prefix(&format!("{}/mx", mx.bank.sandbox.url()))
        .unwrap();
    let request = mx
        .request(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded");
    request.body(fields.to_owned()).send().await.unwrap()
}

#[tokio::test]
async fn who_agrees_is_connected_and_the_address_is_used_up() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let (member, uri) = begin(&mx, &ana, json!({})).await;
    assert!(mx.bank.page_at(&uri).await.contains("Share your accounts?"));
    assert_eq!(mx.status(&member).await["is_being_aggregated"], false);
    let done = decide(&mx, &uri, "action=allow").await;
    assert!(
        done.text()
            .await
            .unwrap()
            .contains("mx/oauthComplete/success")
    );
    assert_eq!(decide(&mx, &uri, "action=allow").await.status(), 410);
    mx.step(&member, 4).await;
    assert_eq!(mx.status(&member).await["connection_status"], "CONNECTED");
    assert_eq!(
        mx.get(&member).await["member"]["oauth_window_uri"],
        Value::Null
    );
    assert_eq!(mx.oracle(&member).await.len(), 180);
}

#[tokio::test]
async fn an_app_gets_its_person_back_with_the_outcome() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let app = json!({ "referral_source": "APP", "client_redirect_url": "app://back" });
    let outcomes = [
        ("allow", "status=success", "CREATED"),
        ("deny", "status=error&error_reason=DENIED", "DENIED"),
        ("cancel", "status=error&error_reason=CANCELLED", "PENDING"),
    ];
    for (action, outcome, status) in outcomes {
        let (member, uri) = begin(&mx, &ana, app.clone()).await;
        let back = decide(&mx, &uri, &format!("action={action}")).await;
        let wanted = format!("app://back?{outcome}&member_guid={}", guid(&member));
        assert_eq!(
            (
                back.status().as_u16(),
                back.headers()["location"].to_str().unwrap()
            ),
            (303, &*wanted)
        );
        assert_eq!(mx.status(&member).await["connection_status"], status);
    }
}

#[tokio::test]
async fn a_new_address_takes_the_place_of_the_old_and_reconnects() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let (member, old) = begin(&mx, &ana, json!({})).await;
    let new = mx.get(&format!("{member}/oauth_window_uri")).await["member"]["oauth_window_uri"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(decide(&mx, &old, "action=allow").await.status(), 410);
    decide(&mx, &new, "action=allow&password=options").await;
    mx.step(&member, 1).await;
    mx.answer(&member, "correct").await;
    mx.step(&member, 4).await;
    let again = mx.get(&format!("{member}/oauth_window_uri")).await["member"]["oauth_window_uri"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(mx.status(&member).await["connection_status"], "CONNECTED");
    decide(&mx, &again, "action=allow").await;
    assert_eq!(mx.status(&member).await["connection_status"], "RECONNECTED");
    let ordinary = mx.linked(&ana).await;
    assert_eq!(
        mx.refused(
            Method::GET,
            &format!("{ordinary}/oauth_window_uri"),
            Value::Null
        )
        .await,
        422
    );
}
