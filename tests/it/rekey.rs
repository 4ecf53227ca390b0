//! A new secret key: what is sealed under the old one moves over, and the old one is not needed then.

use passbook::seal::{Keys, hex};
use sea_orm::DbBackend;
use serde_json::json;

use crate::support::{
    Bank, Person, Place, Program, TestApp,
    social::{APP, Browser, Spa},
};

const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "ins_109509";
const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[tokio::test]
async fn banks_go_on_without_the_old_key_once_everything_is_under_the_new_one() {
    let app = TestApp::with(&[("SECRET_KEY", OLD)]).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    ana.hosted_link(None).await;
    app.idle().await;
    let both = format!("{NEW},{OLD}");
    let app = app.restart_with(&[("SECRET_KEY", &both)]).await;
    // What is signed in stays signed in.
    ana.ask("{ viewer { id } }", json!({})).await;
    app.passes(std::time::Duration::from_hours(1), "secrets.rekey")
        .await;
    let app = app.restart_with(&[("SECRET_KEY", NEW)]).await;
    let ana = app.device("ana").await;
    assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
    drop(app);
}

#[tokio::test]
async fn without_the_move_a_new_key_opens_nothing() {
    let app = TestApp::with(&[("SECRET_KEY", OLD)]).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    app.idle().await;
    let app = app.restart_with(&[("SECRET_KEY", NEW)]).await;
    let ana = app.device("ana").await;
    let ended = ana.sync(&item).await;
    assert_eq!(ended["error"]["code"], "SERVER_ERROR", "{ended}");
    drop(app);
}

/// Two servers of a round of restarts, each with the other key in front.
#[tokio::test]
async fn replicas_that_know_both_keys_open_each_others_secrets_whichever_is_in_front() {
    let app = TestApp::with(&[("SECRET_KEY", OLD)]).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    app.idle().await;
    // First every replica gets to know the new key, and goes on with the old one.
    let mut first = app
        .restart_with(&[("SECRET_KEY", &format!("{OLD},{NEW}"))])
        .await;
    assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
    let new_first = format!("{NEW},{OLD}");
    let Some(mut second) = first.replica_with(&[("SECRET_KEY", &new_first)]).await else {
        return;
    };
    // Tokens of either are taken by the other: for a request, to refresh, and for both.
    let (at_first, at_second) = (first.device("ana").await, second.device("ana").await);
    for person in [&at_first.at(&second.url), &at_second.at(&first.url)] {
        person.ask("{ viewer { id } }", json!({})).await;
        let refresh =
            "mutation($t: String!) { refreshSession(input: {refreshToken: $t}) { accessToken } }";
        let told = person
            .ask(refresh, json!({"t": person.refresh_token}))
            .await;
        assert!(told["refreshSession"]["accessToken"].is_string(), "{told}");
    }
    // What the one has sealed, the other works with alone.
    let theirs = at_second.link_at(&second.bank, OTHER, "user_good").await;
    second.idle().await;
    second.end().await;
    let at_first = first.device("ana").await;
    for item in [&item, &theirs] {
        assert_eq!(at_first.sync(item).await["status"], "SUCCEEDED");
    }
    let third = first
        .replica_with(&[("SECRET_KEY", &new_first)])
        .await
        .unwrap();
    first.end().await;
    let at_third = third.device("ana").await;
    for item in [&item, &theirs] {
        assert_eq!(at_third.sync(item).await["status"], "SUCCEEDED");
    }
}

#[tokio::test]
async fn a_key_is_retired_beside_a_running_server() {
    let (place, bank) = (Place::make().await, Bank::open().await);
    let serve = async |keys: &str| {
        Program::serve(&[
            ("LISTEN", "127.0.0.1:0"),
            ("METRICS_LISTEN", "127.0.0.1:0"),
            ("DATABASE_URL", place.url()),
            ("SECRET_KEY", keys),
            ("PLAID_ENV", "sandbox"),
            ("PLAID_CLIENT_ID", "client"),
            ("PLAID_SECRET", "secret"),
            ("PLAID_BASE_URL", &bank.url()),
        ])
        .await
    };
    let program = serve(OLD).await;
    let ana = Person::register(&program.url, "ana").await;
    let item = ana.link(&bank, "user_good").await;
    // A key that no server has begun with seals nothing beside one.
    let early = program
        .says_with("rekey", &[("SECRET_KEY", &format!("{NEW},{OLD}"))])
        .await;
    let early = String::from_utf8(early).unwrap();
    assert!(early.contains("no server has begun with"), "{early}");
    assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
    drop(program);
    let program = serve(&format!("{NEW},{OLD}")).await;
    let said = String::from_utf8(program.says("rekey").await).unwrap();
    assert!(
        said.contains("nothing is sealed under another key"),
        "{said}"
    );
    let ana = Person::sign_in(&program.url, "ana").await;
    assert_eq!(
        ana.sync(&item).await["status"],
        "SUCCEEDED",
        "the server goes on"
    );
    drop(program);
    let program = serve(NEW).await;
    let ana = Person::sign_in(&program.url, "ana").await;
    assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
}

/// Every column of sealed secrets.
const SEALED: [&str; 7] = [
    "items.access_token",
    "exchanges.access_token",
    "link_tokens.token",
    "data_export_chunks.body",
    "login_attempts.sealed",
    "totps.secret",
    "webhooks.body",
];

/// Leaves two rows in each of them, as people do.
async fn fill(app: &TestApp, people: [&Person; 2]) {
    for person in people {
        person.link(&app.bank, "user_good").await;
        person.hosted_link(None).await;
        let enable =
            "mutation { enableTotp(input: {password: \"correct horse battery\"}) { secret } }";
        person.ask(enable, json!({})).await;
        let export = "mutation { exportData { userErrors { code } } }";
        person.ask(export, json!({})).await;
        Browser::open()
            .get(&Spa::open().start(&person.stranger(), false).await)
            .await;
    }
    for item in ["one", "another"] {
        // Nobody's yet, so that they wait.
        let body = json!({"webhook_type": "ITEM", "webhook_code": "ERROR", "item_id": item, "error": null});
        let signed = app.bank.signed(body).await;
        assert_eq!(app.deliver(&signed).await, 200);
    }
    app.settles().await;
    // Logins that could not be stored wait where they were exchanged.
    let webhook = format!("{}/webhooks/plaid", app.url);
    let mut tokens = Vec::new();
    for _ in people {
        // At another bank, or it would be the login that is there.
        let token = app.bank.public_token_at(OTHER, "user_good", &webhook);
        tokens.push(token.await);
    }
    app.meddle("ALTER TABLE sync_jobs RENAME TO elsewhere")
        .await;
    let offer =
        "mutation($t: String!) { exchangePublicToken(input: {publicToken: $t}) { item { id } } }";
    for (person, token) in people.into_iter().zip(tokens) {
        let failed = person.error(offer, json!({"t": token})).await;
        assert_eq!(failed, "INTERNAL_SERVER_ERROR");
    }
    app.meddle("ALTER TABLE elsewhere RENAME TO sync_jobs")
        .await;
}

/// How many secrets of a column there are, and how many of them are under this key.
async fn under(app: &TestApp, column: &str, key: &str) -> (i64, i64) {
    let (table, column) = column.split_once('.').unwrap();
    let head = hex(&Keys::parse(key).unwrap().head().unwrap());
    let shown = match app.backend() {
        DbBackend::Postgres => format!("encode({column}, 'hex')"),
        _ => format!("lower(hex({column}))"),
    };
    let all = format!("SELECT count(*) FROM {table} WHERE length({column}) > 0");
    let these = format!("{all} AND {shown} LIKE '{head}%'");
    (app.count(&all).await, app.count(&these).await)
}

#[tokio::test]
async fn every_secret_moves_to_a_new_key_and_opens_in_no_other_row() {
    let app = TestApp::with(&[("SECRET_KEY", OLD), ("REDIRECT_URIS", APP)]).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    fill(&app, [&ana, &bob]).await;
    for column in SEALED {
        let (all, old) = under(&app, column, OLD).await;
        assert!(all >= 2 && all == old, "{column}: {old} of {all}");
    }
    let done = app.rekey(&format!("{NEW},{OLD}")).await;
    assert_eq!(done.broken, 0);
    for column in SEALED {
        let (all, new) = under(&app, column, NEW).await;
        assert!(all >= 2 && all == new, "{column}: {new} of {all}");
    }
    for column in SEALED {
        let (table, column) = column.split_once('.').unwrap();
        for sql in [
            format!(
                "CREATE TABLE two_of_{table} AS SELECT id, {column} AS secret FROM {table} \
                     WHERE length({column}) > 0 ORDER BY id LIMIT 2"
            ),
            format!(
                "UPDATE {table} SET {column} = (SELECT secret FROM two_of_{table} other \
                     WHERE other.id <> {table}.id) WHERE id IN (SELECT id FROM two_of_{table})"
            ),
        ] {
            app.meddle(&sql).await;
        }
    }
    let done = app.rekey(&format!("{OLD},{NEW}")).await;
    assert_eq!(done.broken, 2 * SEALED.len() as u64);
    for column in SEALED {
        let (_, stayed) = under(&app, column, NEW).await;
        assert_eq!(stayed, 2, "{column}");
    }
}

#[test]
fn no_sealed_column_is_left_out_here() {
    let source = include_str!("../../src/secrets/rekey/mod.rs");
    let names = source.split("name: \"").skip(1);
    let names: Vec<&str> = names
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .collect();
    assert_eq!(names, SEALED);
}
