//! The queries on both databases, through a schema of these roots alone.

mod changes;
mod isolation;
mod lists;
mod plans;
mod transactions;

use async_graphql::{
    EmptyMutation, EmptySubscription, Request, Response, Schema, Value, Variables,
};
use chrono::NaiveDate;
use entity::{account, item, sync_job, transaction};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use uuid::Uuid;

use super::AccountsQuery;
use crate::{
    app::testing::TestApp,
    graphql::{self, id},
    money::to_key,
    viewer::Viewer,
};

type Api = Schema<AccountsQuery, EmptyMutation, EmptySubscription>;

fn api(app: &TestApp) -> Api {
    let schema = Schema::build(AccountsQuery, EmptyMutation, EmptySubscription);
    graphql::equip(schema, app).finish()
}

async fn ask(api: &Api, viewer: Viewer, query: &str, variables: Value) -> Response {
    let variables = Variables::from_value(variables);
    api.execute(Request::new(query).variables(variables).data(viewer))
        .await
}

/// The data of a query that must succeed, as JSON.
async fn data(api: &Api, viewer: Viewer, query: &str, variables: Value) -> serde_json::Value {
    let response = ask(api, viewer, query, variables).await;
    assert!(response.errors.is_empty(), "{query}: {:?}", response.errors);
    response.data.into_json().unwrap()
}

/// The code and text of the first error of a query that must fail.
async fn refusal(api: &Api, viewer: Viewer, query: &str) -> (String, String) {
    let response = ask(api, viewer, query, Value::Null).await;
    let error = response.errors.first().expect("an error").clone();
    let code = error
        .extensions
        .as_ref()
        .and_then(|values| values.get("code").cloned());
    (code.unwrap_or_default().to_string(), error.message)
}

/// The texts at one place of each node of a list.
fn each(list: &serde_json::Value, field: &str) -> Vec<String> {
    let nodes = list["nodes"].as_array().unwrap();
    let text = |node: &serde_json::Value| node[field].as_str().unwrap_or_default().to_owned();
    nodes.iter().map(text).collect()
}

async fn item(app: &TestApp, viewer: Viewer) -> item::Model {
    let now = app.clock.now();
    let row = item::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(viewer.user_id),
        provider: Set(item::Provider::Plaid),
        provider_item_id: Set(Uuid::new_v4().to_string()),
        access_token: Set(b"sealed".to_vec()),
        link_status: Set(item::LinkStatus::Success),
        transactions_status: Set(item::TransactionsStatus::Complete),
        new_accounts: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    row.insert(app.db.migrate()).await.unwrap()
}

async fn account(app: &TestApp, item: &item::Model, name: &str) -> account::Model {
    let now = app.clock.now();
    let row = account::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(item.user_id),
        item_id: Set(item.id),
        provider_account_id: Set(Uuid::new_v4().to_string()),
        name: Set(name.to_owned()),
        kind: Set(account::AccountKind::Depository),
        currency: Set(Some("USD".to_owned())),
        balance_current: Set(Some("110.5".to_owned())),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    row.insert(app.db.migrate()).await.unwrap()
}

async fn sync_job(app: &TestApp, item: &item::Model) -> sync_job::Model {
    let row = sync_job::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(item.user_id),
        item_id: Set(item.id),
        trigger: Set(sync_job::SyncTrigger::Manual),
        status: Set(sync_job::SyncJobStatus::Queued),
        pages: Set(0),
        added: Set(0),
        modified: Set(0),
        removed: Set(0),
        attempt: Set(0),
        max_attempts: Set(5),
        error_retryable: Set(false),
        created_at: Set(app.clock.now()),
        ..Default::default()
    };
    row.insert(app.db.migrate()).await.unwrap()
}

/// A transaction on a day of 2026, with the number 1 of the feed.
fn movement(
    account: &account::Model,
    day: u32,
    amount: &str,
    name: &str,
) -> transaction::ActiveModel {
    let date = NaiveDate::from_yo_opt(2026, day).unwrap();
    transaction::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(account.user_id),
        item_id: Set(account.item_id),
        account_id: Set(account.id),
        provider_transaction_id: Set(Uuid::new_v4().to_string()),
        amount: Set(to_key(amount.parse().unwrap())),
        currency: Set("USD".to_owned()),
        date: Set(date),
        name: Set(name.to_owned()),
        search: Set(name.to_lowercase()),
        pending: Set(false),
        seq: Set(1),
        created_at: Set(account.created_at),
        updated_at: Set(account.created_at),
        ..Default::default()
    }
}

async fn store(app: &TestApp, rows: Vec<transaction::ActiveModel>) {
    for rows in rows.chunks(500) {
        transaction::Entity::insert_many(rows.to_vec())
            .exec_without_returning(app.db.migrate())
            .await
            .unwrap();
    }
}

fn transaction_id(row: &transaction::ActiveModel) -> String {
    id::encode(id::TRANSACTION, *row.id.as_ref()).to_string()
}
