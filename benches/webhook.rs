//! From a signed webhook to the event at a subscribed client.
//!
//! `cargo bench --bench webhook`. The clock starts just before the bank is told of a new transaction,
//! so it also counts the bank's own signing and sending; it ends with the `transactionsChanged` event
//! at a client's WebSocket, when the row is committed and can be queried.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark tells what it sees and stops at the first thing that is wrong"
)]

use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;

#[expect(dead_code, reason = "each of them uses its part")]
mod support;

use support::{Common, House, figures::Spread, person::Person};

#[derive(Parser)]
struct Args {
    /// Webhooks on each database, one after the other.
    #[arg(long, default_value_t = 300)]
    rounds: usize,
    #[command(flatten)]
    common: Common,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse();
    for place in args.common.places().await {
        let name = place.name;
        let house = House::open(place, args.common.seed).await;
        let before = house.server.program.cpu();
        let took = measure(&house, args.rounds).await;
        let cpu = house.server.program.cpu() - before;
        println!("{name}: webhook to event: {}", Spread::of(took));
        let each = cpu * 1e3 / f64::from(u32::try_from(args.rounds).unwrap());
        println!("  processor time of the server: {each:.1} ms each");
    }
}

async fn measure(house: &House, rounds: usize) -> Vec<Duration> {
    let person = Person::register(&house.server.url, "person").await;
    person.link(&house.bank, "user_transactions_2000").await;
    let item = house.bank.speaker().newest_item(&[]).await;
    let path = format!(
        "/control/items/{}/transactions",
        item["item_id"].as_str().unwrap()
    );
    let document = "subscription { transactionsChanged { added } }";
    let mut watch = person.watch(document, json!({})).await;
    watch.settled().await;
    let mut took = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let change = json!({"add": [{"name": format!("Lunch {round}"), "amount": 12.5}]});
        let began = Instant::now();
        house.bank.ask(&path, change).await;
        let event = watch.next().await;
        took.push(began.elapsed());
        assert_eq!(event["transactionsChanged"]["added"], 1, "{event}");
    }
    took
}
