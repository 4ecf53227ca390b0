//! What the databases do with the statements the API really sends: every list walks an index in
//! order, so that its first page costs the same whether a person has ten rows or a million.

use async_graphql::Value;
use entity::account as accounts;
use sea_orm::ConnectionTrait;

use super::{account, api, data, item, movement, store};
use crate::{
    app::testing::{TestApp, everywhere},
    graphql::id,
    viewer::Viewer,
};

/// Enough rows of two people for a planner to care.
async fn full(app: &TestApp) -> (Viewer, accounts::Model) {
    let mut last = None;
    for name in ["bob", "ana"] {
        let viewer = app.person(name).await;
        let item = item(app, viewer).await;
        for name in ["A", "B"] {
            let account = account(app, &item, name).await;
            let row = |n: i32| {
                let mut row = movement(
                    &account,
                    1 + n.unsigned_abs() % 360,
                    &format!("{}.5", n % 400 - 200),
                    name,
                );
                row.seq = sea_orm::ActiveValue::Set(i64::from(n));
                row
            };
            store(app, (0..1500).map(row).collect()).await;
            last = Some((viewer, account));
        }
    }
    let numbers = "UPDATE feeds SET seq = 1500";
    app.db.migrate().execute_unprepared(numbers).await.unwrap();
    app.db
        .migrate()
        .execute_unprepared("ANALYZE")
        .await
        .unwrap();
    last.unwrap()
}

fn assert_walks_an_index(sql: &str, plan: &str) {
    for step in [
        "Sort",
        "Seq Scan",
        "TEMP B-TREE",
        "SCAN transactions",
        "SCAN removed",
    ] {
        assert!(!plan.contains(step), "{step} in\n{sql}\n{plan}");
    }
    assert!(plan.contains("ix_"), "no index in\n{sql}\n{plan}");
}

#[tokio::test]
async fn lists_of_transactions_walk_an_index_in_order() {
    everywhere(async |app| {
        let (ana, account) = full(app).await;
        let api = api(app);
        let account = id::encode(id::ACCOUNT, account.id).to_string();
        let mut lists = Vec::new();
        for order in ["DATE_DESC", "DATE_ASC", "AMOUNT_DESC", "AMOUNT_ASC"] {
            lists.push(format!("transactions(orderBy: {order}, CURSOR first: 50)"));
        }
        lists.push("transactions(CURSOR last: 50)".to_owned());
        lists.push("transactions(CURSOR filter: {date: {from: \"2026-02-01\", to: \"2026-03-01\"}})".to_owned());
        lists.push("transactions(CURSOR orderBy: AMOUNT_ASC, filter: {amount: {min: \"-50\", max: \"7.25\"}})".to_owned());
        lists.push(format!("transactions(CURSOR filter: {{accountIds: [\"{account}\"]}})"));
        lists.push("transactionChanges(CURSOR first: 100)".to_owned());
        for list in lists {
            let first = format!("{{ list: {} {{ edges {{ cursor }} }} }}", list.replace("CURSOR", ""));
            app.take_statements();
            let page = data(&api, ana, &first, Value::Null).await;
            let cursor = page["list"]["edges"][9]["cursor"].as_str().unwrap();
            let next = list.replace("CURSOR", &format!("after: \"{cursor}\","));
            data(&api, ana, &format!("{{ list: {next} {{ edges {{ cursor }} }} }}"), Value::Null).await;
            for statement in app.take_statements() {
                if statement.sql.contains("transactions") {
                    assert_walks_an_index(&statement.sql, &app.plan(&statement, true).await);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_list_of_an_account_walks_the_accounts_own_index() {
    everywhere(async |app| {
        let (ana, account) = full(app).await;
        let api = api(app);
        let account = id::encode(id::ACCOUNT, account.id).to_string();
        let query = format!(
            "{{ account(id: \"{account}\") {{ transactions(first: 10) {{ nodes {{ id }} }} }} }}"
        );
        app.take_statements();
        data(&api, ana, &query, Value::Null).await;
        data(
            &api,
            ana,
            "{ accounts { nodes { transactions(first: 10) { nodes { id } } } } }",
            Value::Null,
        )
        .await;
        for statement in app.take_statements() {
            if statement.sql.contains("\"transactions\"") {
                let plan = app.plan(&statement, true).await;
                assert_walks_an_index(&statement.sql, &plan);
                assert!(
                    plan.contains("ix_transactions_account_id_user_id_date_id"),
                    "{plan}"
                );
            }
        }
    })
    .await;
}
