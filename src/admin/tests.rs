//! What the databases do with the statements of administrators: every list walks an index in its order,
//! whatever its filter, and nothing counts a table.

use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema};
use entity::user::{self, Role};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, sea_query::Expr};
use serde_json::Value;

use super::AdminQuery;
use crate::{
    app::testing::{TestApp, everywhere},
    graphql::{equip, id},
    viewer::Viewer,
};

type Api = Schema<AdminQuery, EmptyMutation, EmptySubscription>;

/// An administrator in a database with a past, and somebody whose account is locked.
async fn full(app: &TestApp) -> (Api, Viewer) {
    app.fill().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    change(app, ana, user::Column::Role, Expr::value(Role::Admin)).await;
    let now = Expr::value(app.clock.now());
    change(app, bob, user::Column::LockedAt, now).await;
    let past = "INSERT INTO activities (id, user_id, kind, at) SELECT id, user_id, \
                CASE WHEN attempt = 7 THEN 'demoted' ELSE 'signed_in' END, '2026-01-01T00:00:00+00:00' FROM jobs \
                WHERE user_id IS NOT NULL";
    let accesses = "INSERT INTO admin_accesses (id, admin_id, action, arguments, user_id, at) \
                    SELECT id, user_id, 'users', '{}', user_id, '2026-01-01T00:00:00+00:00' FROM jobs";
    for sql in [past, accesses, "ANALYZE"] {
        app.db.migrate().execute_unprepared(sql).await.unwrap();
    }
    let schema = Schema::build(AdminQuery, EmptyMutation, EmptySubscription);
    (equip(schema, app).finish(), ana)
}

async fn change(app: &TestApp, who: Viewer, column: user::Column, value: Expr) {
    user::Entity::update_many()
        .col_expr(column, value)
        .filter(user::Column::Id.eq(who.user_id))
        .exec(app.db.migrate())
        .await
        .unwrap();
}

async fn ask(api: &Api, viewer: Viewer, query: &str) -> Value {
    let answer = api.execute(Request::new(query).data(viewer)).await;
    assert!(answer.errors.is_empty(), "{query}: {:?}", answer.errors);
    answer.data.into_json().unwrap()
}

/// The lists with their filters, and the index each is to walk: SQLite has no name for one on a primary
/// key, and any index in order will do where most rows are in the list.
const LISTS: [(&str, &str, &str); 26] = [
    ("users", "search: \"p1\"", "ix_users_email_key"),
    ("users", "role: ADMIN", "ix_users_admin"),
    ("users", "locked: true", "ix_users_locked"),
    ("users", "", "ix_users_email_key"),
    ("items", "", ""),
    ("items", "userId: USER", "ix_items_user_id_id"),
    (
        "items",
        "linkStatus: LOGIN_REQUIRED",
        "ix_items_link_status_id",
    ),
    ("items", "provider: MX", "ix_items_provider_id"),
    ("jobs", "", ""),
    ("jobs", "status: SUCCEEDED", ""),
    ("jobs", "status: DEAD", "ix_jobs_dead_id"),
    ("jobs", "status: CANCELLED", "ix_jobs_cancelled_id"),
    ("jobs", "status: QUEUED", "ix_jobs_under_way_id"),
    ("jobs", "status: RUNNING", "ix_jobs_under_way_id"),
    ("jobs", "status: WAITING", "ix_jobs_under_way_id"),
    ("jobs", "kind: \"auth.prune\"", "ix_jobs_kind_id"),
    ("webhookDeliveries", "", ""),
    (
        "webhookDeliveries",
        "status: PARKED",
        "ix_webhooks_unapplied",
    ),
    (
        "webhookDeliveries",
        "status: EXPIRED",
        "ix_webhooks_unapplied",
    ),
    (
        "webhookDeliveries",
        "provider: MX",
        "ix_webhooks_provider_id",
    ),
    ("activity", "", ""),
    ("activity", "userId: USER", "ix_activities_user_id_id"),
    ("activity", "kind: DEMOTED", "ix_activities_kind_id"),
    ("auditLog", "", ""),
    ("auditLog", "adminId: USER", "ix_admin_accesses_admin_id_id"),
    ("auditLog", "userId: USER", "ix_admin_accesses_user_id_id"),
];

/// Asserts that the list of a table among the statements walked an index in order.
async fn assert_walks(app: &TestApp, list: &str, index: &str) {
    let mut walked = 0;
    for statement in app.take_statements() {
        let lists = statement.sql.starts_with("SELECT") && statement.sql.contains("ORDER BY");
        if !lists {
            continue;
        }
        let plan = app.plan(&statement, true).await;
        for step in ["Sort", "Seq Scan", "TEMP B-TREE"] {
            assert!(
                !plan.contains(step),
                "{list}: {step} in\n{}\n{plan}",
                statement.sql
            );
        }
        assert!(
            plan.contains(index),
            "{list}: not by {index}\n{}\n{plan}",
            statement.sql
        );
        let whole = |line: &str| line.contains("SCAN ") && !line.contains("USING");
        assert!(!plan.lines().any(whole), "{list}: {plan}");
        walked += 1;
    }
    assert_eq!(walked, 1, "{list}");
}

#[tokio::test]
async fn every_list_of_administrators_walks_an_index_in_its_order() {
    everywhere(async |app| {
        let (api, ana) = full(app).await;
        let user = format!("{:?}", id::encode(id::USER, ana.user_id).as_str());
        app.take_statements();
        for (name, filter, index) in LISTS {
            let filter = filter.replace("USER", &user);
            let list = |after: &str| {
                format!("{{ admin {{ list: {name}(filter: {{{filter}}}{after}) {{ edges {{ cursor }} }} }} }}")
            };
            let page = ask(&api, ana, &list("")).await;
            assert_walks(app, &filter, index).await;
            let cursor = &page["admin"]["list"]["edges"][0]["cursor"];
            if cursor.is_string() {
                ask(&api, ana, &list(&format!(", after: {cursor}"))).await;
                assert_walks(app, &filter, index).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_administrators_views_add_is_loaded_together_and_by_index() {
    everywhere(async |app| {
        let (api, ana) = full(app).await;
        app.take_statements();
        let query = "{ admin { overview { overdueSeconds deadJobs backlog { kind status count } troubledItems { linkStatus count } } \
                     users(first: 3) { nodes { email role lockedAt lastSignedInAt itemCount } } \
                     items(first: 3) { nodes { itemId user { email itemCount } institution { name } linkStatus } } \
                     jobs(first: 3) { nodes { jobId kind user { email } progress { added } syncError { code } } } \
                     webhookDeliveries(first: 3) { nodes { code user { email } } } \
                     activity(first: 3) { nodes { kind user { email } } } \
                     auditLog(first: 3) { nodes { action admin { email } user { email } } } } }";
        ask(&api, ana, query).await;
        let statements = app.statements.lock().unwrap().len();
        // The door, seven accesses in transactions, six lists, the numbers, and a handful of loads.
        assert!(statements < 60, "{statements} statements");
        // The lists themselves stop after a page.
        let is_list = |sql: &str| sql.contains("ORDER BY") && sql.contains("LIMIT");
        let lists = |seen: &mut Vec<Statement>| seen.retain(|one| !is_list(&one.sql));
        lists(&mut app.statements.lock().unwrap());
        app.assert_no_scans().await;
    })
    .await;
}
