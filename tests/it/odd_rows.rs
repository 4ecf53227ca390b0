//! Rows of a bank that are odd, or cannot be true.

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

/// An item of a hundred rows: its id here and there.
async fn linked(app: &TestApp, ana: &Person) -> (String, String) {
    let item = ana.link(&app.bank, "user_transactions_100").await;
    (item, app.bank.item_id().await)
}

/// Two rows more, and a fault planted on their way.
async fn plant(app: &TestApp, there: &str, fault: Value) {
    app.bank.faults(json!([fault])).await;
    let more = json!({"add": [{"name": "Odd", "amount": 5}, {"name": "Even", "amount": 6}], "notify": false});
    app.bank.change(there, more).await;
}

#[tokio::test]
async fn an_odd_row_costs_no_other() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    for (name, odd) in [
        ("unknown_account", true),
        ("huge_amount", true),
        ("negative_zero_amount", true),
        ("half_cent_amount", true),
        ("exponent_amount", true),
        ("unknown_words", true),
        ("nul_name", true),
        ("long_name", true),
        ("right_to_left_name", true),
        ("first_date", true),
        ("last_date", true),
        ("no_currency", true),
        ("unknown_currency", true),
        ("same_id_twice", true),
        ("remove_unknown", true),
        ("modify_unknown", true),
        ("endless_amount", false),
        ("null_amount", false),
        ("text_amount", false),
        ("no_date", false),
    ] {
        let known = ana.transactions().await.len();
        plant(&app, &there, json!({"kind": "anomaly", "name": name})).await;
        let job = ana.sync(&item).await;
        assert_eq!(job["status"], "SUCCEEDED", "{name}: {job}");
        let rows = ana.transactions().await;
        let came = 1 + usize::from(odd) + usize::from(name == "modify_unknown");
        assert_eq!(rows.len(), known + came, "{name}");
        assert!(
            rows.iter()
                .any(|row| row["name"] == "Even" && row["amount"]["amount"] == "-6.00"),
            "{name}"
        );
        let shown = ana.item(&item).await;
        assert_eq!(
            (&shown["linkStatus"], &shown["transactionsStatus"]),
            (&json!("SUCCESS"), &json!("COMPLETE"))
        );
    }
}

#[tokio::test]
async fn an_odd_amount_is_exact() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    for (name, amount) in [
        ("huge_amount", "-1000000000000000.00"),
        ("half_cent_amount", "-0.005"),
        ("exponent_amount", "-1000.00"),
        ("negative_zero_amount", "0.00"),
    ] {
        plant(&app, &there, json!({"kind": "anomaly", "name": name})).await;
        ana.sync(&item).await;
        let rows = ana.transactions().await;
        let same = |row: &&Value| row["name"] == "Odd" && row["amount"]["amount"] == amount;
        let odd = rows.iter().find(same);
        let odd = odd.unwrap_or_else(|| panic!("{name}: no row of {amount}"));
        let document = "query($a: Decimal) { transactions(filter: {amount: {min: $a, max: $a}, text: \"odd\"}) { nodes { id } } }";
        let found = ana.ask(document, json!({"a": amount})).await;
        assert_eq!(found["transactions"]["nodes"][0]["id"], odd["id"], "{name}");
    }
}

#[tokio::test]
async fn an_odd_text_is_shown_as_far_as_it_can_be() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    let mut seen: Vec<Value> = ana.transactions().await;
    for (name, field, shown) in [
        ("nul_name", "/name", json!("NULINNAME")),
        ("long_name", "/name", json!("long ".repeat(820)[..4096])),
        (
            "right_to_left_name",
            "/name",
            json!("\u{202e}متجر\u{2066} שלום \u{200f}🏦"),
        ),
        ("no_currency", "/amount/currency", json!("XXX")),
        ("unknown_currency", "/amount/currency", json!("XXX")),
        ("first_date", "/date", json!("0001-01-01")),
        ("last_date", "/date", json!("9999-12-31")),
        ("unknown_words", "/category/primary", json!("UNHEARD_OF")),
        ("unknown_words", "/paymentChannel", json!("by pigeon")),
        ("unknown_account", "/account/name", json!("Account")),
        ("same_id_twice", "/name", json!("THE SAME ID AGAIN")),
    ] {
        plant(&app, &there, json!({"kind": "anomaly", "name": name})).await;
        ana.sync(&item).await;
        let rows = ana.transactions().await;
        let new = |row: &&Value| seen.iter().all(|old| old["id"] != row["id"]);
        let mut new = rows.iter().filter(new).map(|row| row.pointer(field));
        assert!(new.any(|told| told == Some(&shown)), "{name}: {shown}");
        seen = rows;
    }
}
