//! When a source is asked, how often, and by whom.

use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::*;
use crate::{
    app::App,
    clock::Clock,
    providers::rates::{RateError, RateSource},
    rates::fetch::{Fetched, fetch},
};

/// The handles of a server with other settings and another source, on the same database.
fn with(app: &TestApp, desk: &Arc<SmallDesk>, pairs: &[(&str, &str)]) -> App {
    let url = ("DATABASE_URL", "sqlite://unused.db");
    let pairs = std::iter::once(url).chain(pairs.iter().copied());
    App {
        config: Arc::new(Config::from_pairs(pairs).unwrap()),
        rates: Some(desk.clone()),
        ..app.app.clone()
    }
}

async fn poll(app: &App) {
    PollRates {}.run(app, &Claim::of_nothing()).await.unwrap();
}

/// How many seconds it is to the next look.
async fn wait(app: &App) -> u64 {
    let wait = PollRates {}.again(app).await.unwrap();
    wait.unwrap().as_secs()
}

async fn take(app: &App, desk: &SmallDesk, caller: Caller) -> Turn {
    quota::take(app, desk, caller).await.unwrap()
}

fn asked(desk: &SmallDesk) -> usize {
    desk.asked.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_day_has_its_calls_and_each_caller_a_share() {
    everywhere(async |handles| {
        let desk = Arc::<SmallDesk>::default();
        let app = with(handles, &desk, &[("RATE_DAILY_LIMIT", "10")]);
        let take = async |caller| match take(&app, &desk, caller).await {
            Turn::At(_) => true,
            Turn::NotBefore(until, fault) => {
                assert_eq!((until, fault), (quota::tomorrow(app.clock.now()), None));
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
        assert_eq!(polls.iter().filter(|taken| **taken).count(), 8);
        quota::give_back(&app, &*desk, Caller::Poll).await.unwrap();
        assert!(take(Caller::Poll).await && !take(Caller::Poll).await);
        app.clock.advance(Duration::from_hours(24));
        assert!(take(Caller::Person).await && take(Caller::Poll).await);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_goes_back_over_midnight_does_not_begin_the_day_anew() {
    everywhere(async |handles| {
        let desk = Arc::<SmallDesk>::default();
        let late = with(handles, &desk, &[("RATE_DAILY_LIMIT", "2")]);
        let early = App {
            clock: Clock::default(),
            ..late.clone()
        };
        late.clock.advance(Duration::from_hours(24));
        assert!(matches!(
            take(&late, &desk, Caller::Poll).await,
            Turn::At(_)
        ));
        for app in [&early, &late] {
            let turn = take(app, &desk, Caller::Poll).await;
            assert!(matches!(turn, Turn::NotBefore(..)), "{turn:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn calls_are_as_far_apart_as_the_source_wants_and_people_do_not_wait_for_long() {
    everywhere(async |handles| {
        let desk = Arc::new(SmallDesk {
            spacing: Duration::from_secs(3),
            ..SmallDesk::default()
        });
        let app = with(handles, &desk, &[]);
        let Turn::At(first) = take(&app, &desk, Caller::Person).await else {
            panic!("nobody was before her");
        };
        let (three, six) = (TimeDelta::seconds(3), TimeDelta::seconds(6));
        let second = take(&app, &desk, Caller::Person).await;
        assert_eq!(second, Turn::At(first + three));
        let third = take(&app, &desk, Caller::Person).await;
        assert_eq!(third, Turn::NotBefore(first + six, None));
        let poll = take(&app, &desk, Caller::Poll).await;
        assert_eq!(poll, Turn::At(first + six));
    })
    .await;
}

#[tokio::test]
async fn a_longer_rest_is_not_cut_short_by_a_shorter_one() {
    everywhere(async |handles| {
        let desk = Arc::<SmallDesk>::default();
        let app = with(handles, &desk, &[]);
        take(&app, &desk, Caller::Poll).await;
        let now = app.clock.now();
        let (hour, minute) = (now + TimeDelta::hours(1), now + TimeDelta::minutes(1));
        for (until, fault) in [(hour, RateFault::Key), (minute, RateFault::TooFast)] {
            let txn = app.db.begin().await.unwrap();
            let stays = quota::block(&txn, &app, &*desk, (until, fault)).await;
            txn.commit().await.unwrap();
            assert_eq!(stays.unwrap(), hour);
        }
        // Asking in between does not lose it.
        for _ in 0..2 {
            let turn = take(&app, &desk, Caller::Poll).await;
            assert_eq!(turn, Turn::NotBefore(hour, Some(RateFault::Key)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_day_that_is_used_up_before_anything_was_told_is_not_given_up_whole() {
    everywhere(async |handles| {
        let desk = Arc::<SmallDesk>::default();
        let app = with(handles, &desk, &[("RATE_DAILY_LIMIT", "25")]);
        poll(&app).await;
        // Just after our midnight, which is not the source's.
        let midnight = quota::tomorrow(app.clock.now());
        let left = (midnight - app.clock.now()).to_std().unwrap();
        app.clock
            .advance(left.max(Duration::from_mins(72)) + Duration::from_mins(2));
        for (hours, calls) in [(1, 2), (2, 3), (4, 4)] {
            desk.next.lock().unwrap().push(Err(RateFault::DailyLimit));
            poll(&app).await;
            assert_eq!(asked(&desk), calls);
            let rest = hours * 3600;
            assert!((rest - 5..=rest).contains(&wait(&app).await), "{hours}");
            app.clock.advance(Duration::from_secs(rest));
        }
        poll(&app).await;
        assert_eq!(asked(&desk), 5);
        // From now on the day is one on which something was told.
        app.clock.advance(Duration::from_mins(72));
        desk.next.lock().unwrap().push(Err(RateFault::DailyLimit));
        poll(&app).await;
        let left = (quota::tomorrow(app.clock.now()) - app.clock.now()).num_seconds();
        assert!(left.abs_diff(i64::try_from(wait(&app).await).unwrap()) <= 5);
    })
    .await;
}

#[tokio::test]
async fn servers_with_different_keys_do_not_ask_in_turns() {
    everywhere(async |handles| {
        let desk = |account, invents| {
            Arc::new(SmallDesk {
                invents,
                account,
                ..SmallDesk::default()
            })
        };
        let (one, other) = (desk(Some("one"), false), desk(Some("other"), false));
        let limit = ("RATE_DAILY_LIMIT", "25");
        let (here, there) = (
            with(handles, &one, &[limit]),
            with(handles, &other, &[limit]),
        );
        poll(&here).await;
        assert!(wait(&there).await > 4000);
        poll(&there).await;
        assert_eq!((asked(&one), asked(&other)), (1, 0));
        // What one key is refused the other may be told.
        handles.clock.advance(Duration::from_mins(73));
        one.next.lock().unwrap().push(Err(RateFault::Key));
        poll(&here).await;
        assert_eq!(wait(&there).await, 0);
        poll(&there).await;
        assert_eq!((asked(&one), asked(&other)), (2, 1));
        // And what is invented is nobody's.
        handles.clock.advance(Duration::from_mins(73));
        let sandbox = desk(None, true);
        let invented = Quote {
            rate: 1.into(),
            bid: None,
            ask: None,
            at: handles.clock.now(),
        };
        sandbox.next.lock().unwrap().push(Ok(invented));
        poll(&with(handles, &sandbox, &[])).await;
        assert_eq!((asked(&sandbox), wait(&there).await), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn the_next_time_stands_in_the_database_and_follows_a_shorter_interval() {
    everywhere(async |handles| {
        let desk = Arc::<SmallDesk>::default();
        let seldom = with(handles, &desk, &[("RATE_INTERVAL", "6h")]);
        assert_eq!(wait(&seldom).await, 0, "never asked");
        poll(&seldom).await;
        let hours = 6 * 3600;
        assert!((hours - 5..=hours).contains(&wait(&seldom).await));
        let often = with(handles, &desk, &[]);
        assert!((55..=60).contains(&wait(&often).await));
        handles.clock.advance(Duration::from_mins(1));
        assert_eq!(wait(&often).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_far_ahead_once_is_not_believed_for_ever() {
    everywhere(async |handles| {
        let desk = Arc::<SmallDesk>::default();
        let limit = ("RATE_DAILY_LIMIT", "25");
        let app = with(handles, &desk, &[limit]);
        let ahead = App {
            clock: Clock::default(),
            ..app.clone()
        };
        ahead.clock.advance(Duration::from_hours(24 * 400));
        poll(&ahead).await;
        desk.next.lock().unwrap().push(Err(RateFault::Key));
        ahead.clock.advance(Duration::from_hours(2));
        poll(&ahead).await;
        assert_eq!((asked(&desk), wait(&app).await), (2, 0));
        poll(&app).await;
        assert_eq!(asked(&desk), 3);
        let usual = 72 * 60;
        assert!((usual - 5..=usual).contains(&wait(&app).await));
    })
    .await;
}

#[tokio::test]
async fn a_call_that_somebody_else_has_made_meanwhile_is_given_back() {
    everywhere(async |handles| {
        let desk = Arc::<SmallDesk>::default();
        let app = with(handles, &desk, &[("RATE_DAILY_LIMIT", "5")]);
        let before = app.clock.now();
        poll(&app).await;
        for _ in 0..3 {
            let caller = (Caller::Person, before);
            let told = fetch(&app, &*desk, &btc_usd(), caller).await.unwrap();
            assert!(matches!(told, Fetched::Rate(_)), "{told:?}");
        }
        assert_eq!(asked(&desk), 1);
        assert_eq!(quota::left(&app, &*desk).await.unwrap(), Some(1));
    })
    .await;
}

/// A source that somebody else is told the other pair by while it is asked for the first.
#[derive(Debug)]
struct Busy(App, SmallDesk);

#[async_trait]
impl RateSource for Busy {
    fn name(&self) -> &str {
        self.1.name()
    }

    fn account(&self) -> &str {
        self.1.account()
    }

    fn spacing(&self) -> Duration {
        self.1.spacing()
    }

    async fn quote(&self, pair: &Pair) -> Result<Quote, RateError> {
        let quote = self.1.quote(pair).await?;
        self.0.clock.advance(Duration::from_millis(5));
        let other = Pair::new("EUR", "USD");
        let kept = store::keep(&self.0, &self.1, &other, quote.clone()).await;
        kept.unwrap();
        self.0.clock.advance(Duration::from_millis(5));
        Ok(quote)
    }
}

#[tokio::test]
async fn what_was_refreshed_during_a_round_is_not_asked_for_again() {
    everywhere(async |handles| {
        let desk = Arc::<SmallDesk>::default();
        let pairs = [("RATE_PAIRS", "BTC/USD,EUR/USD")];
        let app = with(handles, &desk, &pairs);
        let busy = Arc::new(Busy(app.clone(), SmallDesk::default()));
        let app = App {
            rates: Some(busy.clone()),
            ..app
        };
        poll(&app).await;
        assert_eq!(asked(&busy.1), 1);
    })
    .await;
}
