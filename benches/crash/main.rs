//! `kill -9` of the server at random instants of a first sync of 40 pages, on SQLite and PostgreSQL.
//!
//! `cargo bench --bench crash -- --kills 50` does it twice for each database: with a bank at peace, and
//! with one that changes its rows meanwhile, makes pages begin again, and sends webhooks twice, out of
//! order and before their item is known. After each kill the server is started again and left alone
//! until nothing is left to do; then the rows must equal the bank's own, field by field, through the
//! list and through the delta feed.
//!
//! All kills are dealt to one database, each under a sync of a new person: a real database outlives many
//! crashes, and what one of them spoils is there for the next to stumble on. The instants are even
//! over the duration of a sync nobody disturbs, and a little beyond it; every fifth is in the first
//! few milliseconds, before the first page. How many fell into which part of the sync is told at the
//! end. It stops at the first difference.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a drill tells what it sees and stops at the first thing that is wrong"
)]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::Parser;
use serde_json::{Value, json};

mod chance;
#[expect(dead_code, reason = "each of them uses its part")]
#[path = "../support/mod.rs"]
mod support;
mod truth;
mod unrest;

use chance::Chance;
use support::{Common, House, figures::Spread, person::Person};
use truth::Mirror;

const ROWS: usize = 20_000;
const PAGES: usize = 40;
/// The first pages are asked for about here.
const EARLY: Duration = Duration::from_millis(8);
/// How long a recovered server may take until nothing is left to do.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Parser)]
struct Args {
    /// Kills on each database, at peace and then again in unrest.
    #[arg(long, default_value_t = 50)]
    kills: usize,
    #[command(flatten)]
    common: Common,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse();
    println!("seed {}", args.common.seed);
    for unrest in [false, true] {
        for place in args.common.places().await {
            let name = place.name;
            let mode = if unrest { "unrest" } else { "peace" };
            println!("{name}, {mode}: {} kills", args.kills);
            let house = House::open(place, args.common.seed).await;
            let mut drill = Drill {
                house,
                unrest,
                chance: Chance::of(args.common.seed),
                seen: Vec::new(),
            };
            drill.run(args.kills).await;
        }
    }
}

struct Drill {
    house: House,
    unrest: bool,
    chance: Chance,
    /// Items of rounds that are over.
    seen: Vec<String>,
}

/// Where in a sync a kill fell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    BeforePages,
    DuringPages,
    WhileWriting,
    AfterCommit,
}

/// What one round found.
struct Found {
    phase: Phase,
    /// From the start of the new process until the job was at the bank again, if there was a job left.
    again: Option<Duration>,
    rows: usize,
}

impl Drill {
    async fn run(&mut self, kills: usize) {
        if self.unrest {
            unrest::prepare(&self.house.bank).await;
        }
        let undisturbed = self.undisturbed().await;
        println!("  undisturbed: {} ms", undisturbed.as_millis());
        let mut found = Vec::new();
        for round in 0..kills {
            let window = if round % 5 == 0 {
                EARLY
            } else {
                undisturbed * 11 / 10
            };
            let window = usize::try_from(window.as_micros()).unwrap();
            let delay = Duration::from_micros(self.chance.below(window).try_into().unwrap());
            let one = self.round(round, delay).await;
            println!(
                "  {:>2}: killed {:>4} ms in, {:?}; again after {} ms; {} rows are equal",
                round + 1,
                delay.as_millis(),
                one.phase,
                one.again
                    .map_or("-".to_owned(), |again| again.as_millis().to_string()),
                one.rows
            );
            found.push(one);
        }
        self.sum_up(&found).await;
    }

    async fn sum_up(&mut self, found: &[Found]) {
        for phase in [
            Phase::BeforePages,
            Phase::DuringPages,
            Phase::WhileWriting,
            Phase::AfterCommit,
        ] {
            let kills = found.iter().filter(|one| one.phase == phase).count();
            println!("  {phase:?}: {kills}");
        }
        let again = Spread::of(found.iter().filter_map(|one| one.again));
        println!("  from the start of the process to the job's first call of the bank: {again}");
        assert!(
            again.percentile(100) < Duration::from_secs(5),
            "a job took too long to run again"
        );
        self.house.server.program.kill();
        truth::database_is_sound(&self.house.place).await;
    }

    /// A sync that nobody disturbs, for its duration.
    async fn undisturbed(&mut self) -> Duration {
        let person = self.person("calm").await;
        let public_token = self.public_token(&person).await;
        let linked = person.exchange(&public_token).await;
        let began = Instant::now();
        person.synced(&linked.sync_job).await;
        let duration = began.elapsed();
        let item = self.house.bank.speaker().newest_item(&self.seen).await;
        self.seen.push(item["item_id"].as_str().unwrap().to_owned());
        self.quiet(&person).await;
        truth::compare(&person, &self.house.bank, &item, &mut Mirror::default()).await;
        duration
    }

    async fn round(&mut self, round: usize, delay: Duration) -> Found {
        let person = self.person(&format!("person{round}")).await;
        let public_token = self.public_token(&person).await;
        if self.unrest {
            unrest::plant(&self.house.bank, &mut self.chance).await;
        }
        self.house.bank.forget("webhooks").await;
        self.house.bank.forget("requests").await;
        let linked = person.exchange(&public_token).await;
        let began = Instant::now();
        let changes = self.unrest.then(|| {
            let chance = Chance::of(self.chance.below(usize::MAX) as u64);
            let (speaker, seen) = (self.house.bank.speaker(), self.seen.clone());
            tokio::spawn(unrest::changes(speaker, seen, chance))
        });
        tokio::time::sleep(delay.saturating_sub(began.elapsed())).await;
        self.house.server.program.kill();

        let item = self.house.bank.speaker().newest_item(&self.seen).await;
        let item_id = item["item_id"].as_str().unwrap().to_owned();
        self.seen.push(item_id.clone());
        let pages = self.pages_served(&item_id).await;
        self.house.bank.forget("requests").await;
        let restarted = now();
        self.house.server.restart(&self.house.place);
        self.house.server.ready().await;
        let mut mirror = Mirror::default();
        let ended = status(&person, &linked.sync_job).await == "SUCCEEDED";
        mirror.pull(&person).await;
        assert!(
            mirror.rows.is_empty() || mirror.rows.len() >= ROWS * 9 / 10,
            "half of a sync shows: {} rows",
            mirror.rows.len()
        );
        if let Some(changes) = changes {
            changes.await.unwrap();
        }
        self.quiet(&person).await;
        let rows = truth::compare(&person, &self.house.bank, &item, &mut mirror).await;
        Found {
            phase: match (ended, pages) {
                (true, _) => Phase::AfterCommit,
                (false, 0) => Phase::BeforePages,
                (false, PAGES..) => Phase::WhileWriting,
                _ => Phase::DuringPages,
            },
            again: self
                .first_call(&item_id, restarted)
                .await
                .filter(|_| !ended),
            rows,
        }
    }

    async fn person(&self, name: &str) -> Person {
        Person::register(&self.house.server.url, name).await
    }

    async fn public_token(&self, person: &Person) -> String {
        let webhook = format!("{}/webhooks/plaid", person.url);
        let username = format!("user_transactions_{ROWS}");
        self.house.bank.public_token(&username, &webhook).await
    }

    /// Pages of an item's history that the bank has given out.
    async fn pages_served(&self, item_id: &str) -> usize {
        let calls = self.house.bank.calls().await;
        let mut cursors: Vec<&str> = calls
            .iter()
            .filter(|call| call["endpoint"] == "/transactions/sync" && call["result"] == "OK")
            .filter(|call| call["item_id"] == item_id)
            .filter_map(|call| call["cursor_out"].as_str())
            .collect();
        cursors.sort_unstable();
        cursors.dedup();
        cursors.len()
    }

    /// How long after the restart the bank was first asked about an item.
    async fn first_call(&self, item_id: &str, restarted: DateTime<Utc>) -> Option<Duration> {
        let calls = self.house.bank.calls().await;
        calls
            .iter()
            .filter(|call| call["item_id"] == item_id)
            .map(|call| call["at"].as_str().unwrap().parse().unwrap())
            .filter(|at: &DateTime<Utc>| *at >= restarted)
            .min()
            .map(|at| (at - restarted).to_std().unwrap())
    }

    /// Waits until every webhook has been taken and every sync has ended.
    async fn quiet(&self, person: &Person) {
        let began = Instant::now();
        let mut calm = 0;
        while calm < 2 {
            assert!(began.elapsed() < PATIENCE, "it does not come to rest");
            tokio::time::sleep(Duration::from_millis(25)).await;
            let waiting = unrest::webhooks_waiting(&self.house.bank).await;
            let running = running(person).await;
            calm = if waiting || running { 0 } else { calm + 1 };
        }
    }
}

async fn status(person: &Person, sync_job: &str) -> Value {
    let document = "query($id: ID!) { syncJob(id: $id) { status } }";
    let mut data = person.ask(document, json!({"id": sync_job})).await;
    data["syncJob"]["status"].take()
}

/// Whether any of a person's syncs has not ended. None may have failed.
async fn running(person: &Person) -> bool {
    let document = "{ syncJobs(first: 100) { nodes { status error { code message } } } }";
    let data = person.ask(document, json!({})).await;
    let jobs = data["syncJobs"]["nodes"].as_array().unwrap();
    let failed = jobs.iter().find(|job| job["status"] == "FAILED");
    assert!(failed.is_none(), "{failed:?}");
    jobs.iter().any(|job| job["status"] != "SUCCEEDED")
}

#[expect(
    clippy::disallowed_methods,
    reason = "compared with the times the bank writes down"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
