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
    ticker::{self, Ticker},
};

mod asking;

/// How long anything may take that is there already.
const PATIENCE: Duration = Duration::from_mins(1);

fn btc_usd() -> Pair {
    Pair::new("BTC", "USD")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Keeps a rate as if the source had told it; its number.
async fn keep(app: &TestApp, moment: &str, rate: i64) -> i64 {
    keep_of(app, &SmallDesk::default(), moment, rate).await
}

async fn keep_of(app: &TestApp, desk: &SmallDesk, moment: &str, rate: i64) -> i64 {
    let quote = Quote {
        rate: rate.into(),
        bid: None,
        ask: None,
        at: at(moment),
    };
    let kept = store::keep(app, desk, &btc_usd(), quote).await;
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
async fn invented_rates_give_way_to_the_first_real_one_and_followers_hear_of_it() {
    everywhere(async |app| {
        let sandbox = SmallDesk {
            invents: true,
            ..SmallDesk::default()
        };
        keep_of(app, &sandbox, "2026-02-01T10:00:00Z", 1).await;
        keep_of(app, &sandbox, "2026-02-03T10:00:00Z", 2).await;
        let mut ticker = app.tickers.follow(btc_usd());
        assert_eq!(ticker.next(&app.db).await.unwrap().rate, "2");
        // Markets were closed: the real one is older.
        assert_eq!(keep(app, "2026-02-02T20:00:00Z", 9).await, 3);
        app.tickers.catch_up(&app.db).await.unwrap();
        assert_eq!(ticker.next(&app.db).await.unwrap().rate, "9");
        let days = [on(app, "2026-02-01").await, on(app, "2026-02-03").await];
        assert_eq!((rows(app).await, days), (1, [None, Some("9".to_owned())]));
        // Real ones stay when the sandbox comes back, and so do their numbers when it goes again.
        assert_eq!(keep_of(app, &sandbox, "2026-02-04T10:00:00Z", 3).await, 4);
        assert_eq!(
            (rows(app).await, keep(app, "2026-02-02T20:00:00Z", 9).await),
            (2, 5)
        );
        assert_eq!(
            (rows(app).await, keep(app, "2026-02-02T20:00:00Z", 9).await),
            (1, 5)
        );
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
async fn every_rate_is_told_in_its_order_to_the_quick_and_to_the_slow() {
    everywhere(async |app| {
        let (mut quick, mut slow) = (app.tickers.follow(btc_usd()), app.tickers.follow(btc_usd()));
        keep(app, "2026-02-01T10:00:00Z", 10).await;
        for ticker in [&mut quick, &mut slow] {
            assert_eq!(ticker.next(&app.db).await.unwrap().rate, "10");
        }
        let told = async |ticker: &mut Ticker, rates: std::ops::RangeInclusive<i64>| {
            for rate in rates {
                let next = tokio::time::timeout(PATIENCE, ticker.next(&app.db)).await;
                assert_eq!(next.unwrap().unwrap().rate, rate.to_string());
            }
        };
        let start = at("2026-02-01T10:00:00Z");
        for rate in 11..=240 {
            let moment = (start + TimeDelta::minutes(rate)).to_rfc3339();
            keep(app, &moment, rate).await;
            if rate == 12 || rate == 240 {
                app.tickers.catch_up(&app.db).await.unwrap();
                told(&mut quick, if rate == 12 { 11..=12 } else { 13..=240 }).await;
            }
        }
        told(&mut slow, 11..=240).await;
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
async fn no_statement_reads_all_rates() {
    everywhere(async |app| {
        app.fill().await;
        app.take_statements();
        keep(app, "2026-02-01T10:00:00Z", 10).await;
        on(app, "2026-01-15").await;
        let mut ticker = app.tickers.follow(btc_usd());
        ticker.next(&app.db).await.unwrap();
        keep(app, "2999-01-01T00:00:00Z", 11).await;
        app.tickers.catch_up(&app.db).await.unwrap();
        ticker.next(&app.db).await.unwrap();
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
