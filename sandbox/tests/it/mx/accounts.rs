//! Accounts, and whose they are.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Mx, guid};

#[tokio::test]
async fn a_member_belongs_to_its_user_alone() {
    let mx = Mx::open().await;
    let (ana, ben) = (mx.user("ana").await, mx.user("ben").await);
    let member = mx.linked(&ana).await;
    let account = mx.get(&format!("{member}/accounts")).await["accounts"][0]["guid"]
        .as_str()
        .unwrap()
        .to_owned();
    for rest in ["", "/status", "/accounts", "/transactions", "/challenges"] {
        let path = format!("/users/{ben}/members/{}{rest}", guid(&member));
        assert_eq!(
            mx.refused(Method::GET, &path, Value::Null).await,
            404,
            "{path}"
        );
    }
    for rest in ["", "/transactions"] {
        let path = format!("/users/{ben}/accounts/{account}{rest}");
        assert_eq!(
            mx.refused(Method::GET, &path, Value::Null).await,
            404,
            "{path}"
        );
    }
    assert_eq!(
        mx.get(&format!("/users/{ben}/members")).await["members"],
        json!([])
    );
    assert_eq!(
        mx.get(&format!("/users/{ben}/transactions")).await["transactions"],
        json!([])
    );
}

#[tokio::test]
async fn accounts_are_told_once_the_bank_has() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.link(&ana, "any").await;
    let accounts = format!("{member}/accounts");
    assert_eq!(mx.get(&accounts).await["accounts"], json!([]));
    mx.step(&member, 2).await;
    let told = mx.get(&accounts).await["accounts"].clone();
    let types: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "CHECKING",
            "SAVINGS",
            "CREDIT_CARD",
            "SAVINGS",
            "INVESTMENT",
            "INVESTMENT",
            "LOAN",
            "MORTGAGE"
        ]
    );
    let card = &told[2];
    assert_eq!(
        (
            card["balance"].to_string(),
            card["available_credit"].to_string()
        ),
        ("410".into(), "1590".into())
    );
    assert_eq!(
        told[5]["balance"].to_string(),
        "23631.9805",
        "exact to the digit"
    );
    let one = mx
        .get(&format!(
            "/users/{ana}/accounts/{}",
            card["guid"].as_str().unwrap()
        ))
        .await;
    assert_eq!(one["account"], *card);
}

#[tokio::test]
async fn accounts_come_change_and_go_by_order() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let accounts = async || {
        mx.get(&format!("{member}/accounts")).await["accounts"]
            .as_array()
            .unwrap()
            .clone()
    };
    let path = format!("/members/{}/accounts", guid(&member));
    let first = accounts().await[0]["guid"].clone();
    let second = accounts().await[1]["guid"].clone();
    let order = json!({
        "add": [{ "name": "New", "type": "SOMETHING_NEW", "balance": null }],
        "modify": [{ "guid": first, "balance": -3.25, "is_closed": true }],
        "remove": [second],
    });
    let added = mx.bank.control(&path, order).await["added"][0].clone();
    let now = accounts().await;
    assert_eq!(now.len(), 8);
    assert_eq!(
        (now[0]["balance"].to_string(), &now[0]["is_closed"]),
        ("-3.25".to_owned(), &json!(true))
    );
    assert_eq!(
        (&now[7]["guid"], &now[7]["type"], &now[7]["balance"]),
        (&added, &json!("SOMETHING_NEW"), &Value::Null)
    );
    assert!(now.iter().all(|account| account["guid"] != second));
}
