//! What the source of exchange rates allows, and every way it says no.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Bank, Person, TestApp};

const REFRESH: &str = "mutation { refreshExchangeRate(input: {base: \"BTC\", quote: \"USD\"}) { exchangeRate { \
                       rate } userErrors { code message retryable retryAfterSeconds } } }";
const NEWEST: &str = "{ exchangeRate(base: \"BTC\", quote: \"USD\") { rate } }";
const KEY: (&str, &str) = ("ALPHAVANTAGE_API_KEY", "CANARY7KEY8OF9OURS");

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

async fn refresh(person: &Person) -> Value {
    let mut data = person.ask(REFRESH, json!({})).await;
    data["refreshExchangeRate"].take()
}

/// The code and the wait of a refusal.
async fn refused(person: &Person) -> (String, Option<u64>) {
    let told = refresh(person).await;
    assert!(told["exchangeRate"].is_null(), "{told}");
    let text = told.to_string();
    assert!(
        !text.contains("CANARY") && !text.contains("premium"),
        "{text}"
    );
    let error = &told["userErrors"][0];
    assert_eq!(
        error["retryable"],
        error["retryAfterSeconds"].is_u64(),
        "{error}"
    );
    let code = error["code"].as_str().unwrap().to_owned();
    (code, error["retryAfterSeconds"].as_u64())
}

/// Waits until the poller has nothing to do, and returns how often the source was asked.
async fn settled(app: &TestApp) -> usize {
    app.until("jobs", "kind = 'rates.poll' AND state = 'succeeded'")
        .await;
    app.until("jobs", "kind = 'rates.poll' AND state = 'queued'")
        .await;
    app.bank.rate_calls().await
}

/// Waits as `settled` does, for a day that has just begun: calls are counted by the day, and at any hour that
/// these stories are told it may end.
async fn settled_early(app: &TestApp) -> usize {
    settled(app).await;
    let tomorrow = app.clock.now().date_naive().succ_opt().unwrap();
    let early = tomorrow.and_hms_opt(2, 0, 0).unwrap().and_utc();
    app.rates_looked_at((early - app.clock.now()).to_std().unwrap())
        .await;
    settled(app).await
}

#[tokio::test]
async fn a_restart_costs_no_call() {
    let mut app = TestApp::with(&[KEY]).await;
    assert_eq!(settled(&app).await, 1);
    let ana = app.person("ana").await;
    let rate = ana.ask(NEWEST, json!({})).await;
    for _ in 0..2 {
        app = app.restart().await;
        assert_eq!(settled(&app).await, 1);
    }
    let app = app.crash().await;
    assert_eq!(ana.ask(NEWEST, json!({})).await, rate);
    assert_eq!(app.bank.rate_calls().await, 1);
}

#[tokio::test]
async fn people_and_the_server_cannot_use_up_each_others_calls() {
    // Five a day: one for people, four for the server, which therefore asks every six hours.
    let app = TestApp::with(&[KEY, ("RATE_DAILY_LIMIT", "5")]).await;
    app.bank.rates(json!({"daily_limit": 5})).await;
    assert_eq!(settled(&app).await, 1);
    let ana = app.person("ana").await;
    // What was told half a minute ago costs nobody a call.
    assert_eq!(refresh(&ana).await["userErrors"], json!([]));
    assert_eq!(app.bank.rate_calls().await, 1);
    app.rates_looked_at(HOUR * 3).await;
    let ana = app.device("ana").await;
    assert_eq!(refresh(&ana).await["userErrors"], json!([]));
    app.clock.advance(MINUTE);
    let (code, wait) = refused(&ana).await;
    assert!(
        code == "RATE_LIMITED" && (1..=86_400).contains(&wait.unwrap()),
        "{wait:?}"
    );
    assert_eq!(app.bank.rate_calls().await, 2);
    // The refresh did for the next fetch, too: none after six hours, one after nine.
    app.rates_looked_at(HOUR * 3).await;
    assert_eq!(app.bank.rate_calls().await, 2);
    app.rates_looked_at(HOUR * 3).await;
    assert_eq!(app.bank.rate_calls().await, 3);
    let stranger = app.device("ana").await.stranger();
    assert_eq!(stranger.error(REFRESH, json!({})).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn one_person_does_not_get_all_that_people_have() {
    // Five of the day are people's: three are half of them, and one is half of the other two.
    let app = TestApp::with(&[KEY]).await;
    let before = settled_early(&app).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    for (person, times) in [(&ana, 3), (&bob, 1)] {
        for _ in 0..times {
            app.clock.advance(MINUTE);
            assert_eq!(refresh(person).await["userErrors"], json!([]));
            // Twice at once is once.
            assert_eq!(refresh(person).await["userErrors"], json!([]));
        }
        app.clock.advance(MINUTE);
        let (code, wait) = refused(person).await;
        assert!(code == "RATE_LIMITED" && wait.is_some(), "{code}");
    }
    assert_eq!(app.bank.rate_calls().await, before + 4);
    let stranger = ana.stranger();
    assert_eq!(stranger.error(REFRESH, json!({})).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_limit_that_leaves_people_nothing_says_so() {
    let app = TestApp::with(&[KEY, ("RATE_DAILY_LIMIT", "1")]).await;
    settled(&app).await;
    let ana = app.person("ana").await;
    app.clock.advance(MINUTE);
    assert_eq!(
        refused(&ana).await,
        ("PROVIDER_MISCONFIGURED".to_owned(), None)
    );
    assert_eq!(app.bank.rate_calls().await, 1);
    let stranger = ana.stranger();
    assert_eq!(stranger.error(REFRESH, json!({})).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn what_is_refused_for_all_pairs_is_told_of_each() {
    let pairs = ("RATE_PAIRS", "BTC/USD,ETH/USD");
    let app = TestApp::with(&[KEY, pairs]).await;
    app.becomes("SELECT count(*) FROM exchange_rates", 2).await;
    let ana = app.person("ana").await;
    app.clock.advance(MINUTE);
    for (says, code) in [
        ("daily_limit", "RATE_LIMITED"),
        ("invalid_key", "PROVIDER_MISCONFIGURED"),
    ] {
        app.meddle("DELETE FROM rate_quotas").await;
        let before = app.bank.rate_calls().await;
        app.bank.rates(json!({"next": [says]})).await;
        assert_eq!(refused(&ana).await.0, code);
        let other = REFRESH.replace("BTC", "ETH");
        let told = ana.ask(&other, json!({})).await["refreshExchangeRate"].take();
        let error = &told["userErrors"][0];
        assert_eq!(error["code"], code, "{error}");
        assert!(
            says == "invalid_key" || error["message"].as_str().unwrap().contains("used up"),
            "{error}"
        );
        assert_eq!(app.bank.rate_calls().await, before + 1);
    }
    let stranger = ana.stranger();
    assert_eq!(stranger.error(REFRESH, json!({})).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn calls_come_no_faster_than_the_key_is_good_for() {
    let bank = Bank::open().await;
    bank.rates(json!({"one_a_second": true})).await;
    let pairs = ("RATE_PAIRS", "BTC/USD,ETH/USD,EUR/USD");
    let app = TestApp::beside(&bank, &[KEY, pairs]).await;
    app.becomes("SELECT count(*) FROM exchange_rates", 3).await;
    assert_eq!(bank.rate_calls().await, 3);
    assert_eq!(
        app.count("SELECT count(failed_at) FROM rate_checks").await,
        0
    );
}

#[tokio::test]
async fn every_way_of_saying_no_is_told_from_the_others() {
    let app = TestApp::with(&[KEY, ("RATE_DAILY_LIMIT", "500")]).await;
    settled(&app).await;
    let ana = app.person("ana").await;
    let newest = ana.ask(NEWEST, json!({})).await;
    app.clock.advance(Duration::from_secs(31));
    for (says, code, wait) in [
        ("note", "RATE_LIMITED", Some(60..=61)),
        ("too_fast", "RATE_LIMITED", Some(2..=3)),
        ("daily_limit", "RATE_LIMITED", Some(1..=86_401)),
        ("empty", "PROVIDER_UNAVAILABLE", Some(60..=60)),
        ("unavailable", "PROVIDER_UNAVAILABLE", Some(60..=60)),
        ("page", "PROVIDER_UNAVAILABLE", Some(60..=60)),
        ("invalid_call", "PROVIDER_MISCONFIGURED", None),
        ("invalid_key", "PROVIDER_MISCONFIGURED", None),
        ("demo", "PROVIDER_MISCONFIGURED", None),
        ("premium", "PROVIDER_MISCONFIGURED", None),
    ] {
        let before = app.bank.rate_calls().await;
        app.bank.rates(json!({"next": [says]})).await;
        let told = refused(&ana).await;
        assert_eq!(told.0, code, "{says}");
        assert_eq!(told.1.is_some(), wait.is_some(), "{says}");
        assert!(
            wait.is_none_or(|wait| wait.contains(&told.1.unwrap())),
            "{says}: {told:?}"
        );
        assert_eq!(app.bank.rate_calls().await, before + 1, "{says}");
        // What holds for longer than this call is not found out by asking again.
        if !["empty", "unavailable", "page"].contains(&says) {
            assert_eq!(refused(&ana).await.0, code, "{says}");
            assert_eq!(app.bank.rate_calls().await, before + 1, "{says}");
        }
        assert_eq!(ana.ask(NEWEST, json!({})).await, newest, "{says}");
        app.meddle("DELETE FROM rate_quotas").await;
        app.meddle("UPDATE rate_checks SET fault = NULL, failures = 0")
            .await;
    }
}

#[tokio::test]
async fn a_day_that_is_used_up_ends_with_the_day() {
    let app = TestApp::with(&[KEY, ("RATE_DAILY_LIMIT", "0")]).await;
    let before = settled_early(&app).await;
    app.bank.rates(json!({"always": "daily_limit"})).await;
    app.rates_rest(Duration::from_mins(1)).await;
    app.until("rate_checks", "fault = 'daily_limit'").await;
    assert_eq!(settled(&app).await, before + 1);
    let tomorrow = app.clock.now().date_naive().succ_opt().unwrap();
    let left = tomorrow.and_hms_opt(0, 0, 0).unwrap().and_utc() - app.clock.now();
    let left = left.to_std().unwrap();
    app.rates_looked_at(left.saturating_sub(Duration::from_secs(30)))
        .await;
    assert_eq!(app.bank.rate_calls().await, before + 1, "not before");
    app.bank.rates(json!({"always": null})).await;
    app.rates_rest(Duration::from_mins(1)).await;
    app.bank.rates_asked(before + 2).await;
    app.until("rate_checks", "fault IS NULL").await;
}

#[tokio::test]
async fn what_is_refused_for_good_is_asked_for_another_day() {
    for says in ["invalid_call", "invalid_key", "premium"] {
        let app = TestApp::with(&[KEY, ("RATE_DAILY_LIMIT", "0")]).await;
        settled(&app).await;
        app.bank.rates(json!({"always": says})).await;
        app.rates_rest(Duration::from_mins(2)).await;
        app.until("rate_checks", "failures = 1").await;
        app.rates_looked_at(HOUR * 23).await;
        assert_eq!(app.bank.rate_calls().await, 2, "{says}");
        app.rates_rest(Duration::from_hours(2)).await;
        app.bank.rates_asked(3).await;
    }
}

#[tokio::test]
async fn what_was_refused_is_asked_for_at_once_with_another_key() {
    let app = TestApp::with(&[KEY]).await;
    settled(&app).await;
    app.bank.rates(json!({"always": "invalid_key"})).await;
    app.rates_rest(Duration::from_hours(2)).await;
    app.until("rate_checks", "fault = 'key'").await;
    app.bank.rates(json!({"always": null})).await;
    let other = ("ALPHAVANTAGE_API_KEY", "ANOTHER7KEY8OF9OURS");
    let app = app.restart_with(&[other]).await;
    app.until("rate_checks", "fault IS NULL").await;
    assert_eq!(app.bank.rate_calls().await, 3);
}

#[tokio::test]
async fn a_source_that_is_away_is_asked_less_and_less_often() {
    let app = TestApp::with(&[KEY]).await;
    settled(&app).await;
    app.bank.rates(json!({"always": "unavailable"})).await;
    app.rates_rest(Duration::from_mins(72)).await;
    for (failures, minutes) in [(1, 18), (2, 36), (3, 72), (4, 72)] {
        let so = format!("failures = {failures}");
        app.until("rate_checks", &so).await;
        app.rates_looked_at(Duration::from_mins(minutes / 2)).await;
        assert_eq!(app.bank.rate_calls().await, 1 + failures, "not before");
        app.rates_rest(Duration::from_mins(minutes / 2)).await;
    }
    app.until("rate_checks", "failures = 5").await;
    app.bank.rates(json!({"always": null})).await;
    app.rates_rest(Duration::from_mins(72)).await;
    app.until("rate_checks", "fault IS NULL AND failures = 0")
        .await;
}
