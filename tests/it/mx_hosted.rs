//! Banks that are linked and repaired on MX's own page, of whose end nobody tells: what is mistyped, what
//! others link meanwhile, and what is finished late.

use std::time::Duration;

use serde_json::json;

use crate::support::{TestApp, patiently};

const BANK: &[(&str, &str)] = &[("institution_code", "mxbank")];
const WATCH: &str = "kind = 'linking.watch_session'";

/// Lets time pass until there are so many items.
async fn items_are(app: &TestApp, count: i64, pace: Duration) {
    let found = async {
        while app.count("SELECT count(*) FROM items").await < count {
            app.clock.advance(pace);
            app.settles().await;
        }
    };
    patiently(found).await;
    assert_eq!(app.count("SELECT count(*) FROM items").await, count);
}

/// Lets the page be looked at once.
async fn is_looked_at(app: &TestApp) {
    app.until("jobs", &format!("{WATCH} AND state = 'queued'"))
        .await;
    app.clock.advance(Duration::from_secs(11));
    app.until(
        "jobs",
        &format!("{WATCH} AND state IN ('waiting', 'succeeded')"),
    )
    .await;
}

#[tokio::test]
async fn what_was_mistyped_is_corrected_on_the_same_page() {
    for (wrong, status) in [("DENIED", "INVALID_CREDENTIALS"), ("LOCKED", "ERROR")] {
        let app = TestApp::start().await;
        let (ana, bob) = (app.person("ana").await, app.person("bob").await);
        let page = ana.widget(&app.bank).await;
        app.bank.fill(&page, BANK).await;
        app.bank.types(&page, wrong).await;
        is_looked_at(&app).await;
        let item = ana.only_item().await;
        app.stands(&ana, &item, status).await;
        app.bank.types(&page, "any").await;
        app.stands(&ana, &item, "SUCCESS").await;
        let member = app.bank.member().await;
        assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
        assert!(bob.transactions().await.is_empty());
        let from =
            "SELECT count(*) FROM activities WHERE kind = 'item_linked' AND address = '127.0.0.1'";
        assert_eq!(app.count(from).await, 1, "where the page was asked for");
    }
}

#[tokio::test]
async fn what_is_mistyped_in_a_repair_is_corrected_on_the_same_page() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "DENIED").await;
    app.stands(&ana, &item, "INVALID_CREDENTIALS").await;
    let address = ana.hosted_link(Some(&item)).await;
    let page = app.bank.opened(&address).await;
    app.bank.types(&page, "LOCKED").await;
    is_looked_at(&app).await;
    app.stands(&ana, &item, "ERROR").await;
    app.bank.types(&page, "any").await;
    app.stands(&ana, &item, "SUCCESS").await;
    // It works, and the page is watched no more.
    app.until("jobs", &format!("{WATCH} AND state = 'succeeded'"))
        .await;
    let member = app.bank.member().await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
}

#[tokio::test]
async fn every_bank_of_every_page_is_found_though_others_come_first() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let (first, second) = (ana.widget(&app.bank).await, ana.widget(&app.bank).await);
    ana.link_mx(&app, "mxuser").await;
    is_looked_at(&app).await;
    for (page, bank, count) in [
        (&second, "hazel_bank", 2),
        (&second, "holly_bank", 3),
        (&first, "laurel_bank", 4),
    ] {
        app.bank.fill(page, &[("action", "back")]).await;
        app.bank.fill(page, &[("institution_code", bank)]).await;
        app.bank.types(page, "any").await;
        items_are(&app, count, Duration::from_secs(3)).await;
    }
    let document = "{ items { totalCount } }";
    let hers = ana.ask(document, json!({})).await;
    assert_eq!(hers["items"]["totalCount"], 4);
    assert_eq!(bob.ask(document, json!({})).await["items"]["totalCount"], 0);
}

#[tokio::test]
async fn a_page_that_is_finished_late_is_found_within_hours() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let ana = app.person("ana").await;
    let page = ana.widget(&app.bank).await;
    is_looked_at(&app).await;
    for _ in 0..4 {
        app.clock.advance(Duration::from_mins(30));
        app.settles().await;
    }
    app.bank.fill(&page, BANK).await;
    app.bank.types(&page, "any").await;
    items_are(&app, 1, Duration::from_mins(5)).await;
    let item = ana.only_item().await;
    app.stands(&ana, &item, "SUCCESS").await;
}

#[tokio::test]
async fn a_watch_ends_after_a_day() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.widget(&app.bank).await;
    is_looked_at(&app).await;
    for _ in 0..32 {
        app.clock.advance(Duration::from_hours(1));
        app.settles().await;
    }
    let open = format!("SELECT count(*) FROM jobs WHERE {WATCH} AND state <> 'succeeded'");
    app.becomes(&open, 0).await;
    // Ever less often: an hour apart at first, six at last.
    let looks = "GET /mx/users/{user_guid}/members";
    let looked = app.bank.calls(looks).await.len();
    assert!((6..20).contains(&looked), "{looked}");
}

#[tokio::test]
async fn credentials_that_were_corrected_elsewhere_are_found_in_a_day() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "DENIED").await;
    app.stands(&ana, &item, "INVALID_CREDENTIALS").await;
    let member = app.bank.member().await;
    app.bank
        .set_member(&member, json!({"password": "any"}))
        .await;
    let path = format!("/control/members/{member}/aggregate");
    app.bank.ask(&path, json!({})).await;
    app.passes(Duration::from_hours(25), "sync.sweep").await;
    app.stands(&ana, &item, "SUCCESS").await;
    // Nobody tried the wrong ones at the bank again.
    let aggregate = "POST /mx/users/{user_guid}/members/{member_guid}/aggregate";
    assert!(app.bank.calls(aggregate).await.is_empty());
}

#[tokio::test]
async fn the_banks_own_page_leads_back_to_the_app() {
    const APP: &str = "https://app.example.com/linked";
    let app = TestApp::with(&[("REDIRECT_URIS", APP)]).await;
    let ana = app.person("ana").await;
    let document = "mutation($to: String!) { createLinkToken(input: {provider: MX, completionRedirectUri: $to}) { \
                    hostedLinkUrl userErrors { code field } } }";
    let strange = json!({"to": "https://else.example.com/"});
    let refused = ana.ask(document, strange).await;
    assert_eq!(
        refused["createLinkToken"]["userErrors"],
        json!([{"code": "INVALID_INPUT", "field": ["completionRedirectUri"]}])
    );
    let link = ana.ask(document, json!({"to": APP})).await;
    let address = link["createLinkToken"]["hostedLinkUrl"].as_str().unwrap();
    let page = app.bank.opened(address).await;
    let oauth = [("institution_code", "mx_bank_oauth")];
    app.bank.fill(&page, &oauth).await;
    let window = app.bank.leads(&page, &[("action", "oauth")]).await;
    let back = app.bank.leads(&window, &[("action", "allow")]).await;
    assert!(back.starts_with(&format!("{APP}?status=success")), "{back}");
}
