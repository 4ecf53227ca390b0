//! A first sync of 100,000 transactions: how fast, in how much memory, and what bounds it.
//!
//! `cargo bench --bench first_sync`. The clock runs from the exchange of the public token to the event
//! that tells a subscriber of the success. Server and sandbox share the machine; the processor time of
//! each is told, and how the time splits into asking the bank and writing what it said.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark tells what it sees and stops at the first thing that is wrong"
)]

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser;
use serde_json::Value;

#[expect(dead_code, reason = "each of them uses its part")]
mod support;

use support::{Common, House, bank::Bank, person::Person};

#[derive(Parser)]
struct Args {
    /// Transactions in the first sync.
    #[arg(long, default_value_t = 100_000)]
    rows: u32,
    /// Syncs on each database, each of a new person.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    #[command(flatten)]
    common: Common,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse();
    for place in args.common.places().await {
        println!("{}: first syncs of {} transactions", place.name, args.rows);
        let house = House::open(place, args.common.seed).await;
        for round in 0..args.rounds {
            sync(&house, args.rows, round).await;
        }
        let peak = house.server.program.peak_memory();
        println!("  the server's peak memory after all of them: {peak:.0} MiB");
    }
}

async fn sync(house: &House, rows: u32, round: u32) {
    let person = Person::register(&house.server.url, &format!("person{round}")).await;
    let webhook = format!("{}/webhooks/plaid", person.url);
    let username = format!("user_transactions_{rows}");
    let public_token = house.bank.public_token(&username, &webhook).await;
    house.bank.forget("requests").await;
    let cpu = || (house.server.program.cpu(), house.bank.program.cpu());
    let before = cpu();
    let began = Instant::now();
    let linked = person.exchange(&public_token).await;
    person.synced(&linked.sync_job).await;
    let took = began.elapsed();
    let after = cpu();
    let rate = f64::from(rows) / took.as_secs_f64();
    let (asking, waited) = asking(&house.bank).await;
    println!(
        "  {:.2} s, {rate:.0} transactions/s; asking the bank {:.2} s of it (the bank's part {:.2} s); \
         processor: server {:.2} s, sandbox {:.2} s; peak memory {:.0} MiB",
        took.as_secs_f64(),
        asking.as_secs_f64(),
        waited.as_secs_f64(),
        after.0 - before.0,
        after.1 - before.1,
        house.server.program.peak_memory(),
    );
}

/// From the first page asked for to the last one given, and how much of that the bank took.
async fn asking(bank: &Bank) -> (Duration, Duration) {
    let calls = bank.calls().await;
    let pages = calls
        .iter()
        .filter(|call| call["endpoint"] == "/transactions/sync");
    let spans: Vec<(DateTime<Utc>, TimeDelta)> = pages.map(span).collect();
    let first = spans.iter().map(|(at, _)| *at).min().unwrap();
    let last = spans.iter().map(|(at, took)| *at + *took).max().unwrap();
    let waited: TimeDelta = spans.iter().map(|(_, took)| *took).sum();
    let span = (last - first).to_std().unwrap();
    (span, waited.to_std().unwrap())
}

fn span(call: &Value) -> (DateTime<Utc>, TimeDelta) {
    let at = call["at"].as_str().unwrap().parse().unwrap();
    let took = call["duration_ms"].as_i64().unwrap();
    (at, TimeDelta::milliseconds(took))
}
