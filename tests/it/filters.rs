//! Filters: what they find, and what they cannot mean.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn filters_that_mean_nothing_are_refused_with_the_argument_named() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let ids = vec!["\"item_01arz3ndektsv4rrffq69g5fav\""; 251].join(",");
    for filter in [
        "date: {from: \"2026-02-30\"}".to_owned(),
        "date: {from: \"2026-13-01\"}".to_owned(),
        "date: {from: \"31.01.2026\"}".to_owned(),
        "date: {from: \"\"}".to_owned(),
        "date: {from: \"99999-01-01\"}".to_owned(),
        "date: {from: \"2026-1-05\"}".to_owned(),
        "date: {from: \"2026-02-02\", to: \"2026-02-01\"}".to_owned(),
        "amount: {min: \"1\", max: \"0\"}".to_owned(),
        "amount: {min: \"NaN\"}".to_owned(),
        "amount: {min: \"1e400\"}".to_owned(),
        format!("amount: {{min: \"{}\"}}", "9".repeat(200)),
        "amount: {min: \"\"}".to_owned(),
        format!("text: \"{}\"", "x".repeat(201)),
        "text: \"a\\u0000\"".to_owned(),
        format!("itemIds: [{ids}]"),
    ] {
        let document = format!("{{ transactions(filter: {{{filter}}}) {{ nodes {{ id }} }} }}");
        let (code, shown) = (
            ana.error(&document, json!({})).await,
            &filter[..filter.len().min(60)],
        );
        assert_eq!(code, "BAD_USER_INPUT", "{shown}");
    }
}

#[tokio::test]
async fn a_search_finds_the_text_itself_and_nothing_by_accident() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let names = ["100% Cotton", "under_score", "back\\slash", "Café 🏦 ÄÖ"];
    let rows: Vec<_> = names.map(|name| json!({"name": name, "amount": 1})).into();
    let more = json!({"add": rows, "notify": false});
    app.bank.change(&there, more).await;
    ana.sync(&item).await;
    let document = "query($text: String!) { transactions(filter: {text: $text}) { totalCount nodes { name } } }";
    for (text, found) in [
        ("%", Some("100% Cotton")),
        ("0% cOTT", Some("100% Cotton")),
        ("_", Some("under_score")),
        ("\\", Some("back\\slash")),
        ("CAFÉ 🏦 Ä", Some("Café 🏦 ÄÖ")),
        ("%' OR 1=1 --", None),
        ("under%score", None),
        ("1__%", None),
    ] {
        let mut list = ana.ask(document, json!({"text": text})).await["transactions"].take();
        let wanted: Vec<_> = found.iter().map(|name| json!({"name": name})).collect();
        assert_eq!(list["nodes"].take(), json!(wanted), "{text}");
        assert_eq!(list["totalCount"], wanted.len(), "{text}");
        let stranger = bob.ask(document, json!({"text": text})).await;
        assert_eq!(stranger["transactions"]["totalCount"], 0, "{text}");
    }
}
