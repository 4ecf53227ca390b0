//! Rates as rows: which are news, which are kept, by which something is converted, and what the
//! databases do with the statements.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sea_orm::{EntityTrait, PaginatorTrait};

use super::{
    PollRates, PruneRates,
    fetch::backoff,
    quota::{self, Caller, Turn},
    store,
};
use crate::{
    app::testing::{SmallDesk, TestApp, everywhere},
    config::Config,
    graphql::conversion::{Wanted, conversions},
    jobs::{Claim, Job},
    money::Pair,
    providers::rates::{Quote, RateFault},
    ticker,
};

fn btc_usd() -> Pair {
    Pair::new("BTC", "USD")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Keeps a rate as if the source had told it; its number.
async fn keep(app: &TestApp, moment: &str, rate: i64) -> i64 {
    let quote = Quote {
        rate: rate.into(),
        bid: None,
        ask: None,
        at: at(moment),
    };
    let desk = SmallDesk::default();
    let kept = store::keep(app, &desk, &btc_usd(), quote).await;
    kept.unwrap().seq
}

async fn rows(app: &TestApp) -> u64 {
    let rows = entity::exchange_rate::Entity::find();
    rows.count(app.db.read()).await.unwrap()
}

/// What one bitcoin is in dollars by the rate of a day.
async fn on(app: &TestApp, day: &str) -> Option<String> {
    let wanted = Wanted {
        from: "BTC".to_owned(),
        to: "USD".to_owned(),
        day: day.parse::<NaiveDate>().unwrap(),
    };
    let ways = conversions(app, std::slice::from_ref(&wanted))
        .await
        .unwrap();
    let way = ways[&wanted].as_ref().ok()?;
    Some(way.exactly(1.into()).unwrap().to_string())
}

#[tokio::test]
async fn the_same_quote_twice_is_one_row_and_a_late_one_is_no_news() {
    everywhere(async |app| {
        assert_eq!(keep(app, "2026-02-01T10:00:00Z", 10).await, 1);
        let first = ticker::latest(app.db.read(), &btc_usd())
            .await
            .unwrap()
            .unwrap();
        app.clock.advance(Duration::from_mins(1));
        assert_eq!(keep(app, "2026-02-01T10:00:00Z", 10).await, 1);
        let again = ticker::latest(app.db.read(), &btc_usd())
            .await
            .unwrap()
            .unwrap();
        assert!(again.id == first.id && again.fetched_at > first.fetched_at);
        assert_eq!(keep(app, "2026-02-01T10:00:00Z", 11).await, 2, "corrected");
        assert_eq!(keep(app, "2026-02-01T10:00:05Z", 11).await, 3);
        assert_eq!(keep(app, "2026-02-01T09:00:00Z", 9).await, 3, "late");
        assert_eq!(rows(app).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_day_is_converted_alike_before_and_after_its_rates_are_pruned() {
    everywhere(async |app| {
        for (moment, rate) in [
            ("2026-02-01T00:00:00Z", 1),
            ("2026-02-01T23:59:59Z", 2),
            ("2026-02-02T00:00:00Z", 3),
            ("2026-02-02T12:00:00Z", 4),
            ("2026-02-04T12:00:00Z", 5),
        ] {
            keep(app, moment, rate).await;
        }
        let told = async || {
            let days = ["01-31", "02-01", "02-02", "02-03", "02-04", "02-05"];
            let mut told = Vec::new();
            for day in days {
                told.push(on(app, &format!("2026-{day}")).await.unwrap_or_default());
            }
            told
        };
        let wanted = ["", "2", "4", "4", "5", "5"];
        assert_eq!(told().await, wanted);
        // Of the days that are over for a month, the last rate of each stays.
        let now = app.clock.now();
        let then = at("2026-03-06T01:00:00Z");
        if then > now {
            app.clock.advance((then - now).to_std().unwrap());
        }
        PruneRates {}.run(app, &Claim::of_nothing()).await.unwrap();
        assert_eq!(
            (rows(app).await, told().await),
            (3, wanted.map(str::to_owned).to_vec())
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_younger_than_thirty_days_is_kept_whole() {
    everywhere(async |app| {
        let now = app.clock.now();
        for days in [29, 31] {
            let day = (now - TimeDelta::days(days)).date_naive();
            for hour in [1, 2] {
                keep(app, &format!("{day}T0{hour}:00:00Z"), hour).await;
            }
        }
        PruneRates {}.run(app, &Claim::of_nothing()).await.unwrap();
        assert_eq!(rows(app).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_day_has_its_calls_and_each_caller_a_share() {
    let mut handles = crate::app::testing::app().await;
    let url = ("DATABASE_URL", "sqlite://unused.db");
    let config = Config::from_pairs([url, ("RATE_DAILY_LIMIT", "10")]);
    handles.app.config = Arc::new(config.unwrap());
    let (app, source) = (&handles, SmallDesk::default());
    let take = async |caller| match quota::take(app, &source, caller).await.unwrap() {
        Turn::At(_) => true,
        Turn::NotBefore(until) => {
            assert_eq!(until, quota::tomorrow(app.clock.now()));
            false
        }
    };
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(take(Caller::Person).await);
    }
    assert_eq!(people, [true, true, false]);
    let mut polls = Vec::new();
    for _ in 0..9 {
        polls.push(take(Caller::Poll).await);
    }
    assert_eq!(
        polls,
        [true, true, true, true, true, true, true, true, false]
    );
    quota::give_back(app, &source, Caller::Poll).await.unwrap();
    assert!(take(Caller::Poll).await && !take(Caller::Poll).await);
    app.clock.advance(Duration::from_hours(24));
    assert!(take(Caller::Person).await && take(Caller::Poll).await);
}

#[tokio::test]
async fn a_source_that_is_away_is_left_alone_for_longer_and_longer() {
    let mut handles = crate::app::testing::app().await;
    for (limit, seconds) in [("0", [15, 30, 60, 3600]), ("25", [1080, 2160, 4320, 4320])] {
        let url = ("DATABASE_URL", "sqlite://unused.db");
        let config = Config::from_pairs([url, ("RATE_DAILY_LIMIT", limit)]);
        handles.app.config = Arc::new(config.unwrap());
        let waits = [0, 1, 2, 20].map(|failures| backoff(&handles, failures).as_secs());
        assert_eq!(waits, seconds, "{limit}");
    }
}

#[tokio::test]
async fn who_missed_a_hint_is_told_by_the_next_round_of_looking() {
    everywhere(async |app| {
        let mut ticker = app.tickers.follow(btc_usd());
        let mut other = app.tickers.follow(btc_usd());
        keep(app, "2026-02-01T10:00:00Z", 10).await;
        // No relay runs here, so that no hint arrives.
        assert_eq!(ticker.next(&app.db).await.unwrap().rate, "10");
        assert_eq!(other.next(&app.db).await.unwrap().rate, "10");
        keep(app, "2026-02-01T10:00:05Z", 11).await;
        let (next, others, ()) = tokio::join!(ticker.next(&app.db), other.next(&app.db), async {
            app.tickers.catch_up(&app.db).await.unwrap();
        });
        assert_eq!(
            (next.unwrap().rate, others.unwrap().rate),
            ("11".into(), "11".into())
        );
    })
    .await;
}

#[tokio::test]
async fn a_follower_who_begins_before_the_first_rate_gets_it() {
    everywhere(async |app| {
        let mut ticker = app.tickers.follow(btc_usd());
        let (first, ()) = tokio::join!(ticker.next(&app.db), async {
            tokio::task::yield_now().await;
            let seq = keep(app, "2026-02-01T10:00:00Z", 10).await;
            app.tickers.wake(&btc_usd(), seq);
        });
        assert_eq!(first.unwrap().rate, "10");
    })
    .await;
}

#[tokio::test]
async fn the_next_time_stands_in_the_database_and_follows_a_shorter_interval() {
    everywhere(async |app| {
        let wait = async |app: &TestApp| {
            let wait = PollRates {}.again(app).await.unwrap();
            wait.unwrap().as_secs()
        };
        assert_eq!(wait(app).await, 0, "never asked");
        PollRates {}.run(app, &Claim::of_nothing()).await.unwrap();
        assert!((55..=60).contains(&wait(app).await));
        let desk = SmallDesk::default();
        desk.next.lock().unwrap().push(Err(RateFault::DailyLimit));
        app.clock.advance(Duration::from_mins(1));
        assert_eq!(wait(app).await, 0);
    })
    .await;
}

#[tokio::test]
async fn no_statement_reads_all_rates() {
    everywhere(async |app| {
        app.fill().await;
        app.take_statements();
        keep(app, "2026-02-01T10:00:00Z", 10).await;
        on(app, "2026-01-15").await;
        PollRates {}.run(app, &Claim::of_nothing()).await.unwrap();
        PruneRates {}.run(app, &Claim::of_nothing()).await.unwrap();
        app.assert_no_scans().await;
        app.take_statements();
        let newest = ticker::latest(app.db.read(), &btc_usd()).await;
        assert!(newest.unwrap().is_some());
        let latest = app.take_statements().remove(0);
        let plan = app.plan(&latest, true).await;
        assert!(
            plan.contains("ix_exchange_rates_base_quote_provider_time"),
            "{plan}"
        );
        for step in ["Sort", "TEMP B-TREE", "SCAN"] {
            assert!(!plan.contains(step), "{step} in {plan}");
        }
    })
    .await;
}
