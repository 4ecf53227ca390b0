//! What a subscription tells first, and what it goes on with.

use async_graphql::Request;
use entity::{feed_event::EventKind, item, sync_job};
use futures_util::StreamExt;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};
use secrecy::ExposeSecret;
use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::{
    app::testing::{TestApp, everywhere},
    database::Database,
    feed,
    viewer::Viewer,
};

/// A bank of a person's with a sync that waits to begin.
async fn linked(app: &TestApp, viewer: Viewer) -> (Uuid, Uuid) {
    let (now, id) = (app.clock.now(), Uuid::now_v7());
    let item = item::ActiveModel {
        id: Set(id),
        user_id: Set(viewer.user_id),
        provider: Set(item::Provider::Plaid),
        provider_item_id: Set(id.to_string()),
        access_token: Set(b"sealed".to_vec()),
        link_status: Set(item::LinkStatus::Success),
        transactions_status: Set(item::TransactionsStatus::Downloading),
        new_accounts: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let item = item.insert(app.db.migrate()).await.unwrap();
    let trigger = sync_job::SyncTrigger::Link;
    let mut txn = app.db.begin().await.unwrap();
    let job = crate::sync::request(&mut txn, app, &item, trigger).await;
    txn.commit().await.unwrap();
    (id, job.unwrap())
}

/// Both begin and end, in one transaction of somebody else's.
async fn change(db: Database, viewer: Viewer, item: Uuid, job: Uuid) {
    let mut txn = db.begin().await.unwrap();
    for sql in [
        "UPDATE sync_jobs SET status = 'running'",
        "UPDATE items SET link_status = 'error'",
    ] {
        txn.execute_unprepared(sql).await.unwrap();
    }
    let changes = [(EventKind::Item, item), (EventKind::SyncJob, job)];
    let at = chrono::DateTime::UNIX_EPOCH;
    feed::publish(&mut txn, viewer.user_id, at, &changes)
        .await
        .unwrap();
    txn.commit().await.unwrap();
}

#[tokio::test]
async fn a_change_between_position_and_snapshot_is_told_once() {
    everywhere(async |app| {
        let schema = build(app, Auth::new(app.app.clone()).unwrap());
        for (name, document, before, after) in [
            (
                "sync",
                "subscription { event: syncJobUpdated { cursor it: syncJob { is: status } } }",
                "QUEUED",
                "RUNNING",
            ),
            (
                "item",
                "subscription { event: itemUpdated { cursor it: item { is: linkStatus } } }",
                "SUCCESS",
                "ERROR",
            ),
        ] {
            let viewer = app.person(name).await;
            let (item, job) = linked(app, viewer).await;
            app.meanwhile("\"feeds\"", move |db| change(db, viewer, item, job));
            let mut events = schema.execute_stream(Request::new(document).data(viewer));
            let mut told = Vec::new();
            for _ in 0..2 {
                let event = events.next().await.unwrap();
                assert!(event.errors.is_empty(), "{:?}", event.errors);
                let event: Value = event.data.into_json().unwrap();
                told.push(event["event"]["it"]["is"].clone());
            }
            assert_eq!(told, [before, after], "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_sockets_of_a_person_read_an_event_and_what_it_is_about_once() {
    everywhere(async |app| {
        let schema = build(app, Auth::new(app.app.clone()).unwrap());
        let viewer = app.person("ana").await;
        let (item, job) = linked(app, viewer).await;
        for document in [
            "subscription { event: syncJobUpdated { it: syncJob { status } } }",
            "subscription { event: itemUpdated { it: item { linkStatus } } }",
        ] {
            let open = (0..20).map(|_| {
                let request = Request::new(document).data(viewer);
                schema.execute_stream(request)
            });
            let mut open: Vec<_> = open.collect();
            for events in &mut open {
                events.next().await.unwrap();
            }
            let elsewhere = Database::connect(app.config.database_url.expose_secret());
            change(elsewhere.await.unwrap(), viewer, item, job).await;
            app.take_statements();
            app.followers.catch_up(&app.db).await.unwrap();
            let mut told = Vec::new();
            for events in &mut open {
                told.push(events.next().await.unwrap().data);
            }
            assert!(told.iter().all(|event| *event == told[0]), "{told:?}");
            let asked = app.take_statements();
            assert_eq!(
                asked.len(),
                3,
                "the position, the events, the thing: {asked:?}"
            );
        }
    })
    .await;
}
