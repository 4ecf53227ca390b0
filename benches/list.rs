//! The list every client asks for first: fifty transactions, ten fields, with the account's name.
//!
//! `cargo bench --bench list`. Eight connections ask as fast as they are answered, for two people in one
//! table: one with 2,000 rows and one with 100,000; for the first page and for one in the middle. The
//! generator is a thread a connection that writes the same bytes and reads the answer, but it shares
//! the processors with the server. How many statements a page takes, and that they walk an index, the
//! tests of `accounts` promise.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark tells what it sees and stops at the first thing that is wrong"
)]

use std::{
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use serde_json::{Value, json};

#[expect(dead_code, reason = "each of them uses its part")]
mod support;

use support::{
    Common, House,
    figures::Spread,
    person::Person,
    wire::{self, Wire},
};

const QUERY: &str = "query($after: String) { transactions(first: 50, after: $after) { \
    nodes { id amount { amount currency } direction date name merchantName pending paymentChannel createdAt \
    account { name } } pageInfo { hasNextPage endCursor } } }";

#[derive(Parser)]
struct Args {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections that ask at once.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    #[command(flatten)]
    common: Common,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse();
    for place in args.common.places().await {
        println!("{}: {} connections", place.name, args.connections);
        let house = House::open(place, args.common.seed).await;
        for rows in [2_000, 100_000] {
            let person = Person::register(&house.server.url, &format!("person{rows}")).await;
            let username = format!("user_transactions_{rows}");
            person.link(&house.bank, &username).await;
            for (what, after) in [
                ("first page", Value::Null),
                ("page in the middle", middle(&person, rows).await),
            ] {
                measure(&args, &house, &person, &format!("{what} of {rows}"), &after);
            }
        }
    }
}

/// The cursor half way down a list.
async fn middle(person: &Person, rows: usize) -> Value {
    let document = "query($after: String) { transactions(first: 100, after: $after) { pageInfo { endCursor } } }";
    let mut after = Value::Null;
    for _ in 0..rows / 200 {
        let mut data = person.ask(document, json!({"after": after})).await;
        after = data["transactions"]["pageInfo"]["endCursor"].take();
    }
    after
}

fn measure(args: &Args, house: &House, person: &Person, what: &str, after: &Value) {
    let address = person.url.trim_start_matches("http://");
    let body = json!({"query": QUERY, "variables": {"after": after}}).to_string();
    let request = wire::post(address, &person.token, &body);
    ask_for(address, &request, Duration::from_secs(1));
    let cpu = house.server.program.cpu();
    let time = Duration::from_secs(args.seconds);
    let took: Vec<Duration> = thread::scope(|scope| {
        let askers: Vec<_> = (0..args.connections)
            .map(|_| scope.spawn(|| ask_for(address, &request, time)))
            .collect();
        let took = askers.into_iter().map(|asker| asker.join().unwrap());
        took.flatten().collect()
    });
    let answers = f64::from(u32::try_from(took.len()).unwrap());
    let cpu = house.server.program.cpu() - cpu;
    println!(
        "  {what}: {:.0} requests/s, {}; processor time of the server {:.2} ms each",
        answers / time.as_secs_f64(),
        Spread::of(took),
        cpu * 1e3 / answers,
    );
}

/// Asks on one connection for so long; returns how long each answer took.
fn ask_for(address: &str, request: &[u8], time: Duration) -> Vec<Duration> {
    let mut wire = Wire::open(address);
    let mut took = Vec::new();
    let began = Instant::now();
    while began.elapsed() < time {
        let asked = Instant::now();
        let answer = wire.ask(request);
        took.push(asked.elapsed());
        assert!(
            answer.starts_with("HTTP/1.1 200") && !answer.contains("\"errors\""),
            "{answer}"
        );
    }
    took
}
