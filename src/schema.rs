//! The roots of the schema, merged from the slices.

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, SchemaBuilder};

use crate::{
    accounts::AccountsQuery,
    app::App,
    auth::{Auth, AuthMutation, AuthQuery},
    graphql::equip,
    linking::{LinkingMutation, LinkingSubscription},
    sync::{SyncMutation, SyncSubscription},
};

/// What can be asked. Everything is the viewer's own: another person's id answers as an unknown one.
#[derive(Debug, Default, MergedObject)]
pub struct Query(AuthQuery, AccountsQuery);

/// What can be done. Every answer has `userErrors`, for what a person can act on.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(AuthMutation, LinkingMutation, SyncMutation);

/// What can be followed. Every event has a cursor: pass the last one as `after` to miss nothing.
#[derive(Debug, Default, MergedSubscription)]
pub struct Subscription(SyncSubscription, LinkingSubscription);

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Builds the schema.
pub fn build(app: &App, auth: Auth) -> Schema {
    equip(bare(), app).data(auth).finish()
}

/// The schema in its own language: what `schema.graphql` holds, but for the newline at its end.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .include_specified_by()
        .prefer_single_line_descriptions()
        .sorted_enum_items()
        .use_space_ident()
        .indent_width(2);
    bare()
        .finish()
        .sdl_with_options(options)
        .trim_end()
        .to_owned()
}

fn bare() -> SchemaBuilder<Query, Mutation, Subscription> {
    async_graphql::Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
}

#[cfg(test)]
mod tests {
    use async_graphql::Request;
    use entity::{feed_event::EventKind, item, sync_job};
    use futures_util::StreamExt;
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait};
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
}
