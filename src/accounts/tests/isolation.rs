//! Nobody sees what is somebody else's, nor that it is there.

use async_graphql::{Request, Value, value};
use entity::{activity, item as items};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use uuid::Uuid;

use super::{account, api, ask, data, item, movement, store, sync_job, transaction_id};
use crate::{
    app::testing::{TestApp, everywhere},
    graphql::id,
    viewer::Viewer,
};

/// One of everything, by the field that finds it.
async fn one_of_each(app: &TestApp, viewer: Viewer) -> Vec<(&'static str, String)> {
    let item = item(app, viewer).await;
    let account = account(app, &item, "Checking").await;
    let job = sync_job(app, &item).await;
    let movement = movement(&account, 1, "-1", "x");
    store(app, vec![movement.clone()]).await;
    let entry = activity::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(viewer.user_id),
        kind: Set(activity::ActivityKind::ItemLinked),
        item_id: Set(Some(item.id)),
        at: Set(app.clock.now()),
        ..Default::default()
    };
    let entry = entry.insert(app.db.migrate()).await.unwrap();
    vec![
        ("item", id::encode(id::ITEM, item.id).to_string()),
        ("account", id::encode(id::ACCOUNT, account.id).to_string()),
        ("transaction", transaction_id(&movement)),
        ("syncJob", id::encode(id::SYNC_JOB, job.id).to_string()),
        ("node", id::encode(id::ACTIVITY, entry.id).to_string()),
    ]
}

#[tokio::test]
async fn a_foreign_a_random_and_a_malformed_id_answer_the_same() {
    everywhere(async |app| {
        let (ana, bob, api) = (app.person("ana").await, app.person("bob").await, api(app));
        let hers = one_of_each(app, ana).await;
        for (field, id) in &hers {
            for field in [field, "node"] {
                let query = format!("query($id: ID!) {{ it: {field}(id: $id) {{ id }} }}");
                let answer = async |viewer, id: &str| {
                    let response = ask(&api, viewer, &query, value!({ "id": id })).await;
                    serde_json::to_string(&response).unwrap()
                };
                assert!(answer(ana, id).await.contains(id.as_str()), "{field}");
                let (prefix, _) = id.split_once('_').unwrap();
                let random = id::encode(prefix, Uuid::now_v7()).to_string();
                let nothing = answer(bob, &random).await;
                assert!(nothing.contains("null") && !nothing.contains("errors"));
                for id in [
                    id.as_str(),
                    "",
                    "1",
                    "item_",
                    "\u{0}",
                    &id[..id.len() - 1],
                    &"é".repeat(9999),
                ] {
                    assert_eq!(answer(bob, id).await, nothing, "{field} {id}");
                }
            }
        }
        let all: Vec<_> = hers.iter().map(|(_, id)| value!(id.as_str())).collect();
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
        let ids = value!({ "ids": Value::List(all) });
        let hers = data(&api, ana, query, ids.clone()).await;
        let types: Vec<_> = hers["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["__typename"].clone())
            .collect();
        assert_eq!(
            types,
            ["Item", "Account", "Transaction", "SyncJob", "Activity"]
        );
        assert_eq!(
            data(&api, bob, query, ids).await["nodes"],
            serde_json::json!([null, null, null, null, null])
        );
    })
    .await;
}

#[tokio::test]
async fn lists_and_filters_show_only_ones_own() {
    everywhere(async |app| {
        let (ana, bob, api) = (app.person("ana").await, app.person("bob").await, api(app));
        let hers = one_of_each(app, ana).await;
        let count = async |viewer, list: &str| {
            let query = format!("{{ list: {list} {{ totalCount edges {{ cursor }} }} }}");
            let list = data(&api, viewer, &query, Value::Null).await["list"].take();
            let (total, rows) = (list["totalCount"].as_u64().unwrap(), list["edges"].as_array().unwrap().len());
            assert_eq!(total, rows as u64);
            rows
        };
        let (item, account) = (&hers[0].1, &hers[1].1);
        for list in [
            "items".to_owned(),
            "accounts".to_owned(),
            format!("accounts(filter: {{itemIds: [\"{item}\"]}})"),
            "transactions".to_owned(),
            format!("transactions(filter: {{itemIds: [\"{item}\"]}})"),
            format!("transactions(filter: {{accountIds: [\"{account}\"]}})"),
            "transactions(filter: {text: \"x\"}, orderBy: AMOUNT_ASC)".to_owned(),
            "syncJobs".to_owned(),
            format!("syncJobs(filter: {{itemIds: [\"{item}\"], statuses: [QUEUED], triggers: [MANUAL]}})"),
            "activity".to_owned(),
        ] {
            assert_eq!((count(ana, &list).await, count(bob, &list).await), (1, 0), "{list}");
        }
    })
    .await;
}

#[tokio::test]
async fn another_persons_cursor_is_refused_like_a_made_up_one() {
    everywhere(async |app| {
        let (ana, bob, api) = (app.person("ana").await, app.person("bob").await, api(app));
        one_of_each(app, ana).await;
        let lists = [
            "items",
            "accounts",
            "transactions",
            "syncJobs",
            "activity",
            "transactionChanges",
        ];
        for list in lists {
            let cursor = format!("{{ list: {list} {{ pageInfo {{ endCursor }} }} }}");
            let cursor = data(&api, ana, &cursor, Value::Null).await;
            let cursor = cursor["list"]["pageInfo"]["endCursor"].as_str().unwrap();
            let query = format!(
                "query($after: String) {{ list: {list}(after: $after) {{ edges {{ cursor }} }} }}"
            );
            let answer = async |viewer, cursor: &str| {
                let response = ask(&api, viewer, &query, value!({ "after": cursor })).await;
                serde_json::to_string(&response).unwrap()
            };
            assert!(!answer(ana, cursor).await.contains("errors"));
            let refused = answer(bob, "made up").await;
            assert!(refused.contains("BAD_USER_INPUT"));
            assert_eq!(answer(bob, cursor).await, refused);
            assert_eq!(answer(ana, &format!("{cursor}AA")).await, refused);
        }
    })
    .await;
}

#[tokio::test]
async fn strangers_learn_nothing_but_that_they_are() {
    let app = crate::app::testing::app().await;
    let api = api(&app);
    for field in [
        "node(id: \"x\") { id }",
        "nodes(ids: [\"x\"]) { id }",
        "nodes(ids: []) { id }",
        "items { totalCount }",
        "item(id: \"x\") { id }",
        "accounts { totalCount }",
        "account(id: \"x\") { id }",
        "transactions(filter: {text: \"\\u0000\"}) { totalCount }",
        "transaction(id: \"x\") { id }",
        "transactionChanges(first: 0) { totalCount }",
        "syncJobs { totalCount }",
        "syncJob(id: \"x\") { id }",
        "activity { totalCount }",
    ] {
        let response = api.execute(Request::new(format!("{{ {field} }}"))).await;
        let response = serde_json::to_string(&response).unwrap();
        assert!(response.contains("UNAUTHENTICATED"), "{field}: {response}");
    }
}

#[tokio::test]
async fn people_are_nodes_to_themselves_alone() {
    everywhere(async |app| {
        let (ana, bob, api) = (app.person("ana").await, app.person("bob").await, api(app));
        let id = id::encode(id::USER, ana.user_id).to_string();
        let query = "query($id: ID!) { node(id: $id) { __typename id } }";
        let found = data(&api, ana, query, value!({ "id": id.as_str() })).await;
        assert_eq!(
            found["node"],
            serde_json::json!({ "__typename": "User", "id": id })
        );
        let found = data(&api, bob, query, value!({ "id": id.as_str() })).await;
        assert_eq!(found["node"], serde_json::Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_removed_item_is_gone_from_every_place_that_named_it() {
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let hers = one_of_each(app, ana).await;
        let row = id::decode(id::ITEM, &hers[0].1).unwrap();
        let gone = items::ActiveModel {
            id: Set(row),
            removed_at: Set(Some(app.clock.now())),
            ..Default::default()
        };
        gone.update(app.db.migrate()).await.unwrap();
        let query = "query($id: ID!) { item(id: $id) { id } node(id: $id) { id } items { totalCount } \
            syncJobs { nodes { item { id } } } activity { nodes { item { id } } } }";
        let nothing = serde_json::json!({ "item": null, "node": null, "items": { "totalCount": 0 },
            "syncJobs": { "nodes": [{ "item": null }] }, "activity": { "nodes": [{ "item": null }] } });
        let found = data(&api, ana, query, value!({ "id": hers[0].1.as_str() })).await;
        assert_eq!(found, nothing);
    })
    .await;
}
