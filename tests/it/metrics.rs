//! What those who watch the server are told, and what they are not.

use serde_json::json;

use crate::support::TestApp;

const WATCHED: [(&str, &str); 1] = [("METRICS_LISTEN", "127.0.0.1:0")];

/// The value of a series; nothing if it is not there.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series));
    line.map(|line| line.trim().parse().unwrap())
}

#[tokio::test]
async fn the_numbers_are_those_of_what_happened() {
    let app = TestApp::with(&WATCHED).await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_good").await;
    let there = app.bank.item_id().await;
    let mut watch = ana
        .watch("subscription { itemUpdated { cursor } }", json!({}))
        .await;
    watch.next().await;
    let body = json!({"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": there});
    let mut webhook = app.bank.signed(body).await;
    assert_eq!(app.deliver(&webhook).await, 200);
    webhook.body.push(b' ');
    assert_eq!(app.deliver(&webhook).await, 401);
    app.idle().await;

    let text = app.metrics().await;
    let rows = ana.transactions().await.len();
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    let rows = rows as f64;
    let exchanged = "passbook_provider_calls_total{provider=\"plaid\",endpoint=\"/item/public_token/exchange\",outcome=\"ok\"}";
    for (series, wanted) in [
        ("passbook_password_hashes_total", 1.0),
        ("passbook_websockets", 1.0),
        ("passbook_subscriptions", 1.0),
        ("passbook_transactions_synced_total{change=\"added\"}", rows),
        (exchanged, 1.0),
        ("passbook_database_up", 1.0),
        (
            "passbook_webhooks_total{provider=\"plaid\",outcome=\"forged\"}",
            1.0,
        ),
        (
            "passbook_http_requests_total{route=\"/webhooks/plaid\",status=\"401\"}",
            1.0,
        ),
    ] {
        assert_eq!(value(&text, series), Some(wanted), "{series} in\n{text}");
    }
    for series in [
        "passbook_webhooks_total{provider=\"plaid\",outcome=\"kept\"}",
        "passbook_job_attempts_total{kind=\"sync.item\",outcome=\"succeeded\"}",
        "passbook_graphql_operations_total{type=\"mutation\",outcome=\"ok\"}",
        "passbook_http_request_duration_seconds_count{route=\"/graphql\"}",
        "passbook_job_attempt_duration_seconds_count{kind=\"sync.item\"}",
        // The sweeps that come again and again by themselves.
        "passbook_jobs{kind=\"sync.sweep\",state=\"queued\"}",
    ] {
        assert!(value(&text, series) >= Some(1.0), "{series} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn nobody_is_named_and_no_stranger_makes_a_series() {
    let app = TestApp::with(&WATCHED).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let there = app.bank.item_id().await;
    let http = reqwest::Client::builder().build().unwrap();
    for path in ["/xyzzy", "/xyzzy/1", "/graphql/xyzzy"] {
        let answer = http.get(format!("{}{path}", app.url)).send().await;
        assert_eq!(answer.unwrap().status(), 404);
    }
    let strange = http.request("BREW".parse().unwrap(), format!("{}/graphql", app.url));
    assert_eq!(strange.send().await.unwrap().status(), 405);
    let text = app.metrics().await;
    for word in [
        "ana",
        "@",
        item.as_str(),
        there.as_str(),
        "xyzzy",
        "BREW",
        "access-",
    ] {
        assert!(!text.contains(word), "{word} in\n{text}");
    }
    let none = "passbook_http_requests_total{route=\"none\",status=\"404\"}";
    assert_eq!(value(&text, none), Some(3.0), "{text}");
}

#[tokio::test]
async fn who_comes_to_the_api_finds_no_metrics() {
    let app = TestApp::with(&WATCHED).await;
    let answer = reqwest::get(format!("{}/metrics", app.url)).await.unwrap();
    assert_eq!(answer.status(), 404);
}
