//! Mirrors of the delta feed hold what the table holds.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use async_graphql::{Value, value};
use entity::{account as accounts, removed_transaction, transaction};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::json;
use uuid::Uuid;

use super::{Api, account, api, data, item, movement};
use crate::{
    app::testing::{TestApp, everywhere},
    feed,
    graphql::id,
    viewer::Viewer,
};

const PAGE: &str = "query($after: String, $first: Int) { transactionChanges(after: $after, first: $first) { \
    totalCount nodes { __typename ... on TransactionUpserted { transaction { id name } } \
    ... on TransactionRemoved { id replacedById } } pageInfo { hasNextPage endCursor } } }";

/// A client that keeps a copy.
#[derive(Default)]
struct Mirror {
    rows: BTreeMap<String, String>,
    cursor: Value,
    changes: usize,
}

impl Mirror {
    /// Takes one page; says whether there are more.
    async fn step(&mut self, api: &Api, viewer: Viewer, first: u64) -> bool {
        let variables = value!({ "after": self.cursor.clone(), "first": first });
        let list = data(api, viewer, PAGE, variables).await["transactionChanges"].take();
        for change in list["nodes"].as_array().unwrap() {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            self.changes += 1;
            if change["__typename"] == json!("TransactionUpserted") {
                let row = &change["transaction"];
                self.rows.insert(text(&row["id"]), text(&row["name"]));
            } else {
                self.rows.remove(&text(&change["id"]));
            }
        }
        self.cursor = value!(list["pageInfo"]["endCursor"].as_str().unwrap());
        list["pageInfo"]["hasNextPage"] == json!(true)
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Changes a few rows in one transaction, as a sync does.
async fn change(app: &TestApp, account: &accounts::Model, dice: &mut Dice) {
    let mut txn = app.db.begin().await.unwrap();
    let seq = feed::next(&mut txn, account.user_id).await.unwrap();
    for _ in 0..=dice.roll(3) {
        let rows = transaction::Entity::find()
            .filter(transaction::Column::UserId.eq(account.user_id))
            .all(&*txn)
            .await
            .unwrap();
        let gone = removed_transaction::Entity::find()
            .filter(removed_transaction::Column::UserId.eq(account.user_id))
            .all(&*txn)
            .await
            .unwrap();
        let name = format!("{seq}-{}", dice.roll(1000));
        let pick = |len: usize, dice: &mut Dice| usize::try_from(dice.roll(len as u64)).unwrap();
        match dice.roll(6) {
            0 | 1 if !rows.is_empty() => {
                let mut row = rows[pick(rows.len(), dice)].clone().into_active_model();
                (row.name, row.seq) = (Set(name), Set(seq));
                row.update(&*txn).await.unwrap();
            }
            2 if !rows.is_empty() => {
                let row = &rows[pick(rows.len(), dice)];
                transaction::Entity::delete_by_id(row.id)
                    .exec(&*txn)
                    .await
                    .unwrap();
                let tombstone = removed_transaction::ActiveModel {
                    id: Set(row.id),
                    user_id: Set(row.user_id),
                    item_id: Set(row.item_id),
                    provider_transaction_id: Set(row.provider_transaction_id.clone()),
                    replaced_by_id: Set(None),
                    seq: Set(seq),
                    removed_at: Set(row.created_at),
                };
                tombstone.insert(&*txn).await.unwrap();
            }
            back => {
                let mut row = movement(account, 1, "-1", &name);
                row.seq = Set(seq);
                if back == 3 && !gone.is_empty() {
                    // It comes back under the id it had.
                    let id = gone[pick(gone.len(), dice)].id;
                    removed_transaction::Entity::delete_by_id(id)
                        .exec(&*txn)
                        .await
                        .unwrap();
                    row.id = Set(id);
                }
                row.insert(&*txn).await.unwrap();
            }
        }
    }
    txn.commit().await.unwrap();
}

async fn table(app: &TestApp, viewer: Viewer) -> BTreeMap<String, String> {
    let rows = transaction::Entity::find().filter(transaction::Column::UserId.eq(viewer.user_id));
    let rows = rows.all(app.db.read()).await.unwrap().into_iter();
    rows.map(|row| (id::encode(id::TRANSACTION, row.id).to_string(), row.name))
        .collect()
}

#[tokio::test]
async fn a_mirror_that_pages_while_rows_change_ends_with_the_table() {
    everywhere(async |app| {
        let api = api(app);
        for seed in 1..=6 {
            let viewer = app.person("ana").await;
            let account = account(app, &item(app, viewer).await, "A").await;
            let (mut dice, mut mirror) = (Dice(seed * 0x9e37_79b9), Mirror::default());
            for _ in 0..25 {
                change(app, &account, &mut dice).await;
                if dice.roll(3) > 0 {
                    mirror.step(&api, viewer, 1 + dice.roll(4)).await;
                }
            }
            while mirror.step(&api, viewer, 1 + dice.roll(4)).await {}
            assert_eq!(mirror.rows, table(app, viewer).await, "seed {seed}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_mirror_that_pages_while_others_commit_misses_nothing() {
    everywhere(async |app| {
        let (api, viewer) = (api(app), app.person("ana").await);
        let account = account(app, &item(app, viewer).await, "A").await;
        let writing = AtomicUsize::new(3);
        let write = async |seed: u64| {
            let mut dice = Dice(seed * 0x9e37_79b9);
            for _ in 0..25 {
                change(app, &account, &mut dice).await;
            }
            writing.fetch_sub(1, Ordering::SeqCst);
        };
        let mut mirror = Mirror::default();
        let follow = async {
            while writing.load(Ordering::SeqCst) > 0 {
                mirror.step(&api, viewer, 500).await;
            }
        };
        tokio::join!(write(1), write(2), write(3), follow);
        while mirror.step(&api, viewer, 50).await {}
        assert_eq!(mirror.rows, table(app, viewer).await);
    })
    .await;
}

#[tokio::test]
async fn each_change_comes_once_and_the_place_is_kept_where_nothing_is_new() {
    everywhere(async |app| {
        let (api, viewer, other) = (api(app), app.person("ana").await, app.person("bob").await);
        let mut mirror = Mirror::default();
        assert!(!mirror.step(&api, viewer, 2).await);
        let beginning = mirror.cursor.clone();
        let account = account(app, &item(app, viewer).await, "A").await;
        let mut txn = app.db.begin().await.unwrap();
        let seq = feed::next(&mut txn, viewer.user_id).await.unwrap();
        for n in 0..5 {
            let mut row = movement(&account, 1, "-1", &n.to_string());
            row.seq = Set(seq);
            row.insert(&*txn).await.unwrap();
        }
        let gone = removed_transaction::ActiveModel {
            id: Set(Uuid::now_v7()),
            user_id: Set(viewer.user_id),
            item_id: Set(account.item_id),
            provider_transaction_id: Set("gone".to_owned()),
            replaced_by_id: Set(Some(Uuid::nil())),
            seq: Set(seq),
            removed_at: Set(account.created_at),
        };
        gone.insert(&*txn).await.unwrap();
        txn.commit().await.unwrap();
        while mirror.step(&api, viewer, 2).await {}
        assert_eq!((mirror.changes, mirror.rows.len()), (6, 5));
        let end = mirror.cursor.clone();
        assert_ne!(end, beginning);
        assert!(!mirror.step(&api, viewer, 2).await);
        assert_eq!((mirror.changes, &mirror.cursor), (6, &end));
        let whole = data(&api, viewer, PAGE, Value::Null).await["transactionChanges"].take();
        assert_eq!(whole["totalCount"], json!(6));
        let replaced = id::encode(id::TRANSACTION, Uuid::nil());
        assert_eq!(whole["nodes"][5]["replacedById"], json!(replaced.as_str()));
        let theirs = data(&api, other, PAGE, Value::Null).await["transactionChanges"].take();
        assert_eq!(
            (&theirs["totalCount"], &theirs["nodes"]),
            (&json!(0), &json!([]))
        );
    })
    .await;
}
