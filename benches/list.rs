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
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use serde_json::{Value, json};

#[expect(dead_code, reason = "each of them uses its part")]
mod support;

use support::{Common, House, figures::Spread, person::Person};

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
    let request = request(address, person, after);
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

fn request(address: &str, person: &Person, after: &Value) -> Vec<u8> {
    let body = json!({"query": QUERY, "variables": {"after": after}}).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        person.token,
        body.len()
    );
    [head, body].concat().into_bytes()
}

/// Asks on one connection for so long; returns how long each answer took.
fn ask_for(address: &str, request: &[u8], time: Duration) -> Vec<Duration> {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 256 * 1024];
    let mut took = Vec::new();
    let began = Instant::now();
    while began.elapsed() < time {
        let asked = Instant::now();
        connection.write_all(request).unwrap();
        let answer = answer(&mut connection, &mut buffer);
        took.push(asked.elapsed());
        assert!(
            answer.starts_with("HTTP/1.1 200") && !answer.contains("\"errors\""),
            "{answer}"
        );
    }
    took
}

/// Reads one answer, whose length the server tells.
fn answer<'a>(connection: &mut TcpStream, buffer: &'a mut [u8]) -> &'a str {
    let mut filled = 0;
    let mut whole = usize::MAX;
    while filled < whole {
        let read = connection.read(&mut buffer[filled..]).unwrap();
        assert!(read > 0, "the server hung up");
        filled += read;
        if whole == usize::MAX
            && let Some(head) = buffer[..filled].windows(4).position(|w| w == b"\r\n\r\n")
        {
            let text = std::str::from_utf8(&buffer[..head]).unwrap();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.expect("no length").parse().unwrap();
            whole = head + 4 + length;
        }
    }
    std::str::from_utf8(&buffer[..filled]).unwrap()
}
