//! What is left until every provider has let go, and that it is not more and not for longer.

use std::time::Duration;

use serde_json::json;

use super::{REMOVE, is_gone, is_out, leave, traces};
use crate::support::TestApp;

/// What rows of somebody who is leaving do not tell any more.
const TOLD: [(&str, &str); 15] = [
    ("users", "deleted_at IS NOT NULL AND email <> ''"),
    (
        "users",
        "deleted_at IS NOT NULL AND email_verified_at IS NOT NULL",
    ),
    ("users", "deleted_at IS NOT NULL AND password_hash <> ''"),
    ("users", "deleted_at IS NOT NULL AND role <> 'user'"),
    ("users", "deleted_at IS NOT NULL AND first_name IS NOT NULL"),
    ("users", "deleted_at IS NOT NULL AND last_name IS NOT NULL"),
    ("users", "deleted_at IS NOT NULL AND birth_date IS NOT NULL"),
    ("users", "email_key = 'ana@example.com'"),
    ("items", "removed_at IS NULL"),
    ("items", "link_status <> 'disconnected'"),
    ("items", "institution_id IS NOT NULL"),
    ("items", "link_error IS NOT NULL"),
    ("items", "link_message IS NOT NULL"),
    ("items", "sync_cursor IS NOT NULL"),
    ("items", "sync_due_at IS NOT NULL"),
];

#[tokio::test]
async fn while_a_provider_is_down_only_what_it_has_to_hear_of_is_kept() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_100").await;
    app.bank.webhooks_settled().await;
    app.idle().await;
    let profile = "mutation { updateProfile(input: {firstName: \"Ana\", lastName: \"Lima\", birthDate: \"1990-01-31\"}) \
        { user { birthDate } } }";
    ana.ask(profile, json!({})).await;
    // As an administrator with a bank that has its troubles.
    for sql in [
        "UPDATE users SET role = 'admin', email_verified_at = created_at",
        "UPDATE items SET link_error = 'X', link_message = 'Ask the bank.'",
    ] {
        assert_eq!(app.meddle(sql).await, 1);
    }
    app.administrator("eve").await;
    let fault = json!({"kind": "error", "code": "PLANNED_MAINTENANCE", "endpoint": REMOVE});
    app.bank.faults(json!([fault])).await;
    let id = leave(&app, &ana).await;
    assert!(is_out(&ana).await);
    app.until("jobs", "kind = 'deletion.finish' AND state = 'waiting'")
        .await;
    app.until("jobs", "kind = 'linking.remove' AND state = 'waiting'")
        .await;
    let mut kept = traces(&app, &id).await;
    kept.sort();
    assert_eq!(kept, ["feeds", "items", "jobs", "sessions", "users"]);
    let mut told = Vec::new();
    for (table, condition) in TOLD {
        let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
        if app.count(&sql).await > 0 {
            told.push(condition);
        }
    }
    assert!(told.is_empty(), "{told:?}");
    let devices = format!(
        "SELECT count(*) FROM sessions WHERE {} = '{id}' \
         AND coalesce(user_agent, address, network, first_network) IS NOT NULL",
        app.hex("user_id")
    );
    assert_eq!(app.count(&devices).await, 0);
    for _ in 0..3 {
        app.clock.advance(Duration::from_hours(7));
        app.settles().await;
    }
    assert_eq!(app.bank.item().await["removed"], false);
    assert_eq!(
        app.count("SELECT count(*) FROM items WHERE length(access_token) > 0")
            .await,
        1
    );
    app.bank.faults(json!([])).await;
    is_gone(&app).await;
    assert_eq!(app.bank.items().await[0]["removed"], true);
    assert_eq!(traces(&app, &id).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_deletion_goes_on_after_every_crash_and_when_its_job_is_lost() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_100").await;
    let id = leave(&app, &ana).await;
    let app = app.crash().await.crash().await;
    assert!(is_out(&ana).await, "a restart does not forget");
    // As a job ends under which the third worker died.
    app.settles().await;
    app.meddle("UPDATE jobs SET state = 'dead', finished_at = 1 WHERE kind = 'deletion.finish'")
        .await;
    app.passes(Duration::from_mins(11), "deletion.sweep").await;
    is_gone(&app).await;
    assert_eq!(traces(&app, &id).await, Vec::<String>::new());
    assert_eq!(app.bank.items().await[0]["removed"], true);
}

#[tokio::test]
async fn a_bank_that_is_linked_while_its_person_leaves_is_given_up() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let webhook = format!("{}/webhooks/plaid", app.url);
    let token = app.bank.public_token("user_good", &webhook).await;
    let slow = json!({"kind": "latency", "ms": 1_500, "endpoint": "/item/public_token/exchange"});
    app.bank.faults(json!([slow])).await;
    let offer = "mutation($t: String!) { exchangePublicToken(input: {publicToken: $t}) { item { id } userErrors { code } } }";
    let leaving = async {
        app.until("exchanges", "started_at IS NOT NULL").await;
        leave(&app, &ana).await
    };
    let (told, id) = tokio::join!(ana.answer(offer, json!({"t": token})), leaving);
    assert!(
        told["data"]["exchangePublicToken"]["item"].is_null(),
        "{told}"
    );
    is_gone(&app).await;
    assert_eq!(app.bank.items().await[0]["removed"], true);
    assert_eq!(traces(&app, &id).await, Vec::<String>::new());
}

#[tokio::test]
async fn while_mx_does_not_forget_a_person_her_name_there_is_kept_and_it_is_asked_again() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link_mx(&app, "mxuser").await;
    app.idle_but_waiting().await;
    let fault =
        json!({"kind": "status", "status": 503, "endpoint": "DELETE /mx/users/{user_guid}"});
    app.bank.faults(json!([fault])).await;
    let id = leave(&app, &ana).await;
    app.until("jobs", "kind = 'deletion.finish' AND state = 'waiting'")
        .await;
    let kept = traces(&app, &id).await;
    assert!(kept.contains(&"provider_users".to_owned()), "{kept:?}");
    assert_eq!(app.bank.mx_users().await, 1);
    app.bank.faults(json!([])).await;
    is_gone(&app).await;
    assert_eq!(app.bank.mx_users().await, 0);
    assert_eq!(traces(&app, &id).await, Vec::<String>::new());
}
