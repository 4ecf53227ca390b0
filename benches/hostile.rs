//! What hostile requests cost the server, and those who are served beside them.
//!
//! `cargo bench --bench hostile`. Each request of `tests/hostile` is sent many times, one after the
//! other, and each refusal is timed; then they come as a flood, on several connections that send the
//! next as soon as one is refused, while somebody asks for her list as before. The generator shares the
//! processors with the server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark tells what it sees and stops at the first thing that is wrong"
)]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use serde_json::json;

#[path = "../tests/hostile/corpus.rs"]
mod corpus;
#[expect(dead_code, reason = "each of them uses its part")]
mod support;

use corpus::Hostile;
use support::{
    Common, House,
    figures::Spread,
    person::Person,
    wire::{self, Wire},
};

const QUERY: &str = "{ transactions(first: 20) { nodes { id amount { amount currency } date name \
    account { name } } pageInfo { hasNextPage endCursor } } }";

#[derive(Parser)]
struct Args {
    /// How often each request is sent.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Seconds with the flood, and seconds without.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections of the flood.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    #[command(flatten)]
    common: Common,
}

/// A request as bytes, with what is expected of its answer.
struct Shot {
    name: &'static str,
    code: String,
    bytes: Vec<u8>,
}

impl Shot {
    fn of(hostile: &Hostile, person: &Person) -> Self {
        Self {
            name: hostile.name,
            code: format!("\"code\":\"{}\"", hostile.code),
            bytes: wire::post(address(person), &person.token, &hostile.body),
        }
    }

    fn fire(&self, wire: &mut Wire) -> Duration {
        let began = Instant::now();
        let answer = wire.ask(&self.bytes);
        let took = began.elapsed();
        assert!(
            answer.starts_with("HTTP/1.1 400"),
            "{}: {answer}",
            self.name
        );
        assert!(answer.contains(&self.code), "{}: {answer}", self.name);
        took
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse();
    for place in args.common.places().await {
        let name = place.name;
        let house = House::open(place, args.common.seed).await;
        let person = Person::register(&house.server.url, "person").await;
        person.link(&house.bank, "user_transactions_2000").await;
        let shots: Vec<Shot> = corpus::corpus()
            .iter()
            .map(|hostile| Shot::of(hostile, &person))
            .collect();
        let usual = Duration::from_secs(args.seconds);
        let before = ask_for(&person, usual);
        println!("{name}: {} hostile requests", shots.len());
        one_by_one(&args, &house, &person, &shots);
        flood(&args, &person, &shots, &before);
    }
}

fn address(person: &Person) -> &str {
    person.url.trim_start_matches("http://")
}

fn one_by_one(args: &Args, house: &House, person: &Person, shots: &[Shot]) {
    let mut wire = Wire::open(address(person));
    let memory = house.server.program.peak_memory();
    let mut all = Vec::new();
    for shot in shots {
        let took = (0..args.rounds).map(|_| {
            // As often as refusals are told at once.
            thread::sleep(Duration::from_millis(25));
            shot.fire(&mut wire)
        });
        let took: Vec<Duration> = took.collect();
        all.push((took.iter().max().copied().unwrap(), shot.name));
    }
    let grown = house.server.program.peak_memory() - memory;
    all.sort_unstable();
    println!("  each {} times, the longest refusals:", args.rounds);
    for (longest, name) in all.iter().rev().take(5) {
        println!("    {:.2} ms: {name}", longest.as_secs_f64() * 1e3);
    }
    println!("  memory: {memory:.1} MiB, grown by {grown:.1} MiB");
}

fn flood(args: &Args, person: &Person, shots: &[Shot], before: &Spread) {
    let over = AtomicBool::new(false);
    let time = Duration::from_secs(args.seconds);
    let (during, fired) = thread::scope(|scope| {
        let floods: Vec<_> = (0..args.connections)
            .map(|first| {
                let (shots, over) = (&shots[first..], &over);
                scope.spawn(move || pour(person, shots, over))
            })
            .collect();
        let during = ask_for(person, time);
        over.store(true, Ordering::Relaxed);
        let fired: usize = floods.into_iter().map(|flood| flood.join().unwrap()).sum();
        (during, fired)
    });
    println!("  a list of twenty: {before}");
    let a_second = fired / usize::try_from(args.seconds).unwrap();
    println!("  under {a_second} hostile requests a second: {during}");
    let p99 = |spread: &Spread| spread.percentile(99).as_secs_f64();
    println!(
        "  p99 with the flood is {:.2} times that without",
        p99(&during) / p99(before)
    );
}

/// Fires one after the other until it is over; returns how many.
fn pour(person: &Person, shots: &[Shot], over: &AtomicBool) -> usize {
    let mut wire = Wire::open(address(person));
    let mut fired = 0;
    for shot in shots.iter().cycle() {
        if over.load(Ordering::Relaxed) {
            break;
        }
        shot.fire(&mut wire);
        fired += 1;
    }
    fired
}

/// Somebody who asks for her list again and again, with a moment between.
fn ask_for(person: &Person, time: Duration) -> Spread {
    let body = json!({"query": QUERY}).to_string();
    let request = wire::post(address(person), &person.token, &body);
    let mut wire = Wire::open(address(person));
    let mut took = Vec::new();
    let began = Instant::now();
    while began.elapsed() < time {
        let asked = Instant::now();
        let answer = wire.ask(&request);
        took.push(asked.elapsed());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        thread::sleep(Duration::from_millis(2));
    }
    Spread::of(took)
}
