//! Users and institutions.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::Mx;

#[tokio::test]
async fn one_id_makes_one_user() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    mx.user("ben").await;
    let again = json!({ "user": { "id": "ana" } });
    assert_eq!(mx.refused(Method::POST, "/users", again).await, 409);
    let found = mx.get("/users?id=ana").await;
    assert_eq!(found["users"][0]["guid"], ana);
    assert_eq!(found["pagination"]["total_entries"], 1);

    let path = format!("/users/{ana}");
    let change = json!({ "user": { "email": "ana@example.com", "is_disabled": true } });
    let (_, changed) = mx.ask(Method::PUT, &path, change).await;
    assert_eq!(
        (&changed["user"]["id"], &changed["user"]["is_disabled"]),
        (&json!("ana"), &json!(true))
    );
    assert_eq!(
        mx.get("/users?email=ana@example.com&is_disabled=true")
            .await["users"][0]["guid"],
        ana
    );

    let taken = json!({ "user": { "id": "ben" } });
    assert_eq!(mx.refused(Method::PUT, &path, taken).await, 409);
    assert_eq!(mx.ask(Method::DELETE, &path, Value::Null).await.0, 204);
    assert_eq!(mx.refused(Method::GET, &path, Value::Null).await, 404);
}

#[tokio::test]
async fn a_user_takes_members_along_when_deleted() {
    let mx = Mx::open().await;
    let (ana, ben) = (mx.user("ana").await, mx.user("ben").await);
    let member = mx.linked(&ana).await;
    let kept = mx.linked(&ben).await;
    mx.ask(Method::DELETE, &format!("/users/{ana}"), Value::Null)
        .await;
    assert_eq!(mx.refused(Method::GET, &member, Value::Null).await, 404);
    mx.get(&kept).await;
}

#[tokio::test]
async fn banks_are_found_by_name_and_read_by_code() {
    let mx = Mx::open().await;
    let found = mx.get("/institutions?name=mx+bank").await;
    let codes: Vec<&Value> = found["institutions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bank| &bank["code"])
        .collect();
    assert_eq!(codes, ["mxbank", "mx_bank_oauth"]);
    assert_eq!(
        mx.get("/institutions/mxbank").await["institution"]["name"],
        "MX Bank"
    );
    assert_eq!(
        mx.get("/institutions/mx_bank_oauth").await["institution"]["supports_oauth"],
        true
    );
    let fields = mx.get("/institutions/mxbank/credentials").await["credentials"].clone();
    let shown: Vec<_> = fields
        .as_array()
        .unwrap()
        .iter()
        .map(|field| {
            (
                field["field_name"].as_str().unwrap(),
                field["field_type"].as_str().unwrap(),
                field["display_order"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(shown, [("LOGIN", "TEXT", 1), ("PASSWORD", "PASSWORD", 2)]);
    assert_eq!(
        mx.get("/institutions?iso_country_code=CA").await["institutions"][0]["code"],
        "tartan_dominion"
    );
    assert_eq!(
        mx.refused(Method::GET, "/institutions/nowhere", Value::Null)
            .await,
        404
    );
}

#[tokio::test]
async fn countries_may_be_several() {
    let mx = Mx::open().await;
    let both = mx
        .get("/institutions?iso_country_code=US&iso_country_code=CA")
        .await;
    assert_eq!(both["pagination"]["total_entries"], 162);
}

#[tokio::test]
async fn a_page_too_long_is_silently_the_usual_one() {
    let mx = Mx::open().await;
    let sizes = [
        ("100", 100),
        ("101", 25),
        ("10", 10),
        ("3", 10),
        ("many", 25),
        ("", 25),
    ];
    for (asked, size) in sizes {
        let page = mx
            .get(&format!("/institutions?records_per_page={asked}"))
            .await;
        assert_eq!(page["pagination"]["per_page"], size, "{asked}");
    }
    let last = mx.get("/institutions?page=7").await;
    let pagination =
        json!({ "current_page": 7, "per_page": 25, "total_entries": 162, "total_pages": 7 });
    assert_eq!(last["pagination"], pagination);
    assert_eq!(last["institutions"].as_array().unwrap().len(), 12);
    assert_eq!(
        mx.get("/institutions?page=8").await["institutions"],
        json!([])
    );
}
