//! Filters, orders, pages, and how many statements they take.

use async_graphql::{EmptyMutation, EmptySubscription, Schema, Value, value};
use sea_orm::ActiveValue::Set;
use serde_json::json;

use super::{account, api, ask, data, each, item, movement, refusal, store, transaction_id};
use crate::{
    accounts::AccountsQuery,
    app::testing::everywhere,
    graphql::{self, id},
};

#[tokio::test]
async fn filters_join_and_nothing_in_a_text_is_a_wildcard() {
    const LIST: &str =
        "query($f: TransactionFilter) { transactions(filter: $f) { totalCount nodes { name } } }";
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let item = item(app, ana).await;
        let checking = account(app, &item, "Checking").await;
        let card = account(app, &item, "Card").await;
        let mut coffee = movement(&checking, 10, "-4.5", "Café COFFEE 100%_\\");
        coffee.category_primary = Set(Some("FOOD".to_owned()));
        coffee.category_detailed = Set(Some("FOOD_COFFEE".to_owned()));
        let mut tea = movement(&card, 11, "-12.49", "Tea");
        tea.pending = Set(true);
        tea.category_primary = Set(Some("FOOD".to_owned()));
        store(
            app,
            vec![coffee, tea, movement(&checking, 12, "2500", "Pay")],
        )
        .await;
        let card = id::encode(id::ACCOUNT, card.id).to_string();
        let item = id::encode(id::ITEM, item.id).to_string();
        for (filter, names) in [
            (value!(null), "PTC"),
            (value!({ "text": "cAFÉ coffee" }), "C"),
            (value!({ "text": "%" }), "C"),
            (value!({ "text": "0%_\\" }), "C"),
            (value!({ "text": "T_a" }), ""),
            (value!({ "text": "' OR 1=1 --" }), ""),
            (value!({ "text": "" }), "PTC"),
            (value!({ "pending": true }), "T"),
            (value!({ "categories": ["FOOD"] }), "TC"),
            (value!({ "categories": ["FOOD_COFFEE", "x"] }), "C"),
            (value!({ "categories": [] }), ""),
            (value!({ "amount": { "max": "-4.50" } }), "TC"),
            (
                value!({ "amount": { "min": "-4.50", "max": "2500.000" } }),
                "PC",
            ),
            (value!({ "date": { "from": "2026-01-11" } }), "PT"),
            (
                value!({ "date": { "from": "2026-01-11", "to": "2026-01-11" } }),
                "T",
            ),
            (value!({ "accountIds": [card.clone(), "acct_x"] }), "T"),
            (value!({ "accountIds": ["acct_x", "", "\u{0}"] }), ""),
            (value!({ "accountIds": [] }), ""),
            (
                value!({ "itemIds": [item.clone()], "pending": false }),
                "PC",
            ),
            (
                value!({ "itemIds": [item], "accountIds": [card], "pending": false }),
                "",
            ),
        ] {
            let asked = format!("{filter}");
            let answer = data(&api, ana, LIST, value!({ "f": filter })).await;
            let list = &answer["transactions"];
            let found: String = each(list, "name").iter().map(|name| &name[..1]).collect();
            assert_eq!(found, names, "{asked}");
            assert_eq!(list["totalCount"], json!(names.len()), "{asked}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_order_pages_both_ways_without_gap_or_repeat() {
    const PAGE: &str = "query($o: TransactionOrder, $first: Int, $after: String, $last: Int, $before: String) { \
        transactions(orderBy: $o, first: $first, after: $after, last: $last, before: $before) { \
        nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let account = account(app, &item(app, ana).await, "Checking").await;
        let amounts = ["-100", "-12.5", "-12.5", "-0.01", "0", "9.99", "10"];
        let rows: Vec<_> = (0..23_u32)
            .map(|n| movement(&account, 1 + n % 5, amounts[n as usize % 7], "x"))
            .collect();
        store(app, rows.clone()).await;
        for order in ["DATE_DESC", "DATE_ASC", "AMOUNT_DESC", "AMOUNT_ASC"] {
            let mut expected = rows.clone();
            expected.sort_by_key(|row| {
                let sort = if order.starts_with("DATE") { row.date.as_ref().to_string() } else { row.amount.as_ref().clone() };
                (sort, *row.id.as_ref())
            });
            if order.ends_with("DESC") {
                expected.reverse();
            }
            let expected: Vec<_> = expected.iter().map(transaction_id).collect();
            let order = Value::Enum(async_graphql::Name::new(order));
            let page = async |first: Option<i32>, after: Value, last: Option<i32>, before: Value| {
                let variables = value!({ "o": order.clone(), "first": first, "after": after, "last": last, "before": before });
                data(&api, ana, PAGE, variables).await["transactions"].take()
            };
            let (mut forth, mut after) = (Vec::new(), Value::Null);
            loop {
                let list = page(Some(4), after, None, Value::Null).await;
                forth.extend(each(&list, "id"));
                after = value!(list["pageInfo"]["endCursor"].as_str().unwrap());
                if list["pageInfo"]["hasNextPage"] == json!(false) {
                    break;
                }
            }
            assert_eq!(forth, expected);
            let (mut back, mut before) = (Vec::new(), Value::Null);
            loop {
                let list = page(None, Value::Null, Some(4), before).await;
                back.splice(0..0, each(&list, "id"));
                before = value!(list["pageInfo"]["startCursor"].as_str().unwrap());
                if list["pageInfo"]["hasPreviousPage"] == json!(false) {
                    break;
                }
            }
            assert_eq!(back, expected);
            let all = page(Some(100), Value::Null, None, Value::Null).await;
            let cursor = |n: usize| value!(all["edges"][n]["cursor"].as_str().unwrap());
            let between = page(Some(100), cursor(3), None, cursor(9)).await;
            assert_eq!(each(&between, "id"), expected[4..9]);
            let between = page(None, cursor(3), Some(2), cursor(9)).await;
            assert_eq!(each(&between, "id"), expected[7..9]);
            assert_eq!(between["pageInfo"]["hasPreviousPage"], json!(true));
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_is_two_statements_and_lists_in_lists_are_no_more() {
    const FIELDS: &str = "id amount { amount currency } direction date name merchantName pending \
        category { primary } createdAt account { id name item { id linkStatus } }";
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let item = item(app, ana).await;
        let mut rows = Vec::new();
        for name in ["A", "B", "C"] {
            let account = account(app, &item, name).await;
            rows.extend((1..40).map(|day| movement(&account, day, "-1", name)));
        }
        store(app, rows).await;
        let counted = async |query: &str, statements: usize| {
            app.take_statements();
            let answer = data(&api, ana, query, Value::Null).await;
            let taken = app.take_statements();
            assert_eq!(taken.len(), statements, "{query}: {taken:#?}");
            answer
        };
        let fields = FIELDS.replace(" item { id linkStatus }", "");
        let answer = counted(&format!("{{ transactions(first: 50) {{ nodes {{ {fields} }} }} }}"), 2).await;
        assert_eq!(each(&answer["transactions"], "date").len(), 50);
        counted(&format!("{{ transactions(first: 50) {{ totalCount edges {{ node {{ {FIELDS} }} }} }} }}"), 4).await;
        let answer = counted("{ accounts { nodes { name transactions(first: 10) { totalCount nodes { name date } } } } }", 3).await;
        for account in answer["accounts"]["nodes"].as_array().unwrap() {
            let list = &account["transactions"];
            assert_eq!(each(list, "name"), vec![account["name"].as_str().unwrap(); 10]);
            assert_eq!((&list["nodes"][0]["date"], &list["nodes"][9]["date"]), (&json!("2026-02-08"), &json!("2026-01-30")));
            assert_eq!(list["totalCount"], json!(39));
        }
        counted("{ items { nodes { institution { name } accounts { id } latestSyncJob { id } requiredAction { __typename } } } }", 3).await;
    })
    .await;
}

#[tokio::test]
async fn lists_in_lists_page_on_by_themselves() {
    const PAGE: &str = "query($o: TransactionOrder, $after: String) { accounts { nodes { name \
        transactions(first: 2, orderBy: $o, after: $after, filter: {date: {from: \"2026-01-02\"}}) { \
        nodes { date } pageInfo { hasNextPage endCursor } } } } }";
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let item = item(app, ana).await;
        let account = account(app, &item, "A").await;
        store(app, (1..=6).map(|day| movement(&account, day, "-1", "x")).collect()).await;
        let (mut dates, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = value!({ "o": Value::Enum(async_graphql::Name::new("DATE_ASC")), "after": after });
            let answer = data(&api, ana, PAGE, variables).await;
            let list = &answer["accounts"]["nodes"][0]["transactions"];
            dates.extend(each(list, "date").iter().map(|date| date[8..].to_owned()));
            after = value!(list["pageInfo"]["endCursor"].as_str().unwrap());
            if list["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
        }
        assert_eq!(dates.join(" "), "02 03 04 05 06");
        // The cursor of one account's list is not one of the list of all.
        let variables = value!({ "after": after });
        let query = "query($after: String) { transactions(after: $after, orderBy: DATE_ASC) { nodes { id } } }";
        let response = ask(&api, ana, query, variables).await;
        assert!(response.errors[0].message.contains("`after` is not a cursor"));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_by_name() {
    let app = crate::app::testing::app().await;
    let (ana, api) = (app.person("ana").await, api(&app));
    for (arguments, word) in [
        ("first: 101", "`first` is 101"),
        ("first: 0", "`first` is 0"),
        ("first: -1", "`first` is -1"),
        ("first: 1, last: 1", "not both"),
        ("after: \"x\"", "`after`"),
        (
            "filter: {date: {from: \"2026-02-01\", to: \"2026-01-01\"}}",
            "filter.date.from",
        ),
        (
            "filter: {amount: {min: \"1\", max: \"0.99\"}}",
            "filter.amount.min",
        ),
    ] {
        let query = format!("{{ transactions({arguments}) {{ nodes {{ id }} }} }}");
        let (code, message) = refusal(&api, ana, &query).await;
        assert!(message.contains(word), "{arguments}: {message}");
        assert_eq!(code, "\"BAD_USER_INPUT\"");
    }
    let many = (0..101).map(|_| "\"x\"").collect::<Vec<_>>().join(",");
    let (_, message) = refusal(&api, ana, &format!("{{ nodes(ids: [{many}]) {{ id }} }}")).await;
    assert!(message.contains("at most 100"));
    let (_, message) = refusal(
        &api,
        ana,
        "{ transactionChanges(first: 501) { nodes { __typename } } }",
    )
    .await;
    assert!(message.contains("1 to 500"));
}

#[tokio::test]
async fn lists_in_lists_weigh_what_they_may_return() {
    let app = crate::app::testing::app().await;
    let ana = app.person("ana").await;
    let schema = Schema::build(AccountsQuery, EmptyMutation, EmptySubscription);
    let api = graphql::equip(schema, &app).finish();
    let cheap = "{ accounts(first: 40) { nodes { transactions(first: 50) { nodes { id } } } } }";
    data(&api, ana, cheap, Value::Null).await;
    let whole = "{ transactionChanges(first: 500) { nodes { ... on TransactionUpserted { transaction { \
        id name merchantName pending date amount { amount currency } account { id } category { primary } } } } } }";
    data(&api, ana, whole, Value::Null).await;
    let dear = "{ accounts(first: 100) { nodes { transactions(first: 100) { nodes { id } } } } }";
    assert_eq!(refusal(&api, ana, dear).await.0, "\"QUERY_TOO_COMPLEX\"");
}
