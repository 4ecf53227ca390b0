//! Ten thousand subscriptions held at once, one event for a thousand of them, and thousands of
//! connections that say nothing.
//!
//! `cargo bench --bench sockets`. Each subscription has a WebSocket of its own. The clock of an event
//! starts just before the bank is told of a new transaction, so it also counts the bank's webhook and
//! the sync; it ends when the client has read the event. Who never finishes a head, or a handshake but
//! says no `connection_init`, is waited for until the server lets go, while `/healthz` is asked again and
//! again. Both processes need more file descriptors than there are sockets: `ulimit -n 20000`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark tells what it sees and stops at the first thing that is wrong"
)]

use std::{
    fs,
    time::{Duration, Instant},
};

use clap::Parser;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{sleep, timeout},
};

#[expect(dead_code, reason = "each of them uses its part")]
mod support;

use support::{
    Common, House,
    figures::Spread,
    person::{Person, Watch, handshake},
};

/// How many connections are being opened at once.
const ABREAST: usize = 64;
/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Parser)]
struct Args {
    /// Subscriptions held at once.
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// How many of them are one person's.
    #[arg(long, default_value_t = 1_000)]
    own: usize,
    /// Events, one after the other.
    #[arg(long, default_value_t = 20)]
    events: usize,
    /// Connections that send no head, and as many that send no `connection_init`.
    #[arg(long, default_value_t = 2_000)]
    silent: usize,
    #[command(flatten)]
    common: Common,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse();
    demand_descriptors(args.sockets + 2 * args.silent + 200);
    for place in args.common.places().await {
        println!("{}:", place.name);
        let own = args.own.to_string();
        let settings = [("MAX_OPERATIONS_PER_USER", own.as_str())];
        let house = House::with(place, args.common.seed, &settings).await;
        let first = Person::register(&house.server.url, "person0").await;
        first.link(&house.bank, "user_transactions_2000").await;
        let heard = hold(&args, &house, &first).await;
        tell(&args, &house, heard).await;
        keep_silent(&args, &house).await;
    }
}

/// A process that runs out of descriptors measures nothing.
fn demand_descriptors(wanted: usize) {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let most = line
        .and_then(|line| line.split_whitespace().nth(3))
        .unwrap();
    let enough = most == "unlimited" || most.parse::<usize>().unwrap() >= wanted;
    assert!(
        enough,
        "{most} file descriptors are too few: ulimit -n {wanted}"
    );
}

/// Opens the subscriptions; what the first person's hear comes out of the channel.
async fn hold(args: &Args, house: &House, first: &Person) -> UnboundedReceiver<Instant> {
    let memory = || house.server.program.resident_memory();
    let (before, began) = (memory(), Instant::now());
    let (say, heard) = unbounded_channel();
    subscribe(args.own, first, Some(say)).await;
    for person in 1..args.sockets / args.own {
        let person = Person::register(&house.server.url, &format!("person{person}")).await;
        subscribe(args.own, &person, None).await;
    }
    let (after, took) = (memory(), began.elapsed().as_secs_f64());
    let sockets = f64::from(u32::try_from(args.sockets).unwrap());
    let each = (after - before) * 1024.0 / sockets;
    println!(
        "  {} subscriptions, opened in {took:.1} s: {after:.1} MiB, {each:.1} KiB each",
        args.sockets
    );
    heard
}

async fn subscribe(count: usize, person: &Person, say: Option<UnboundedSender<Instant>>) {
    let document = "subscription { transactionsChanged { added } }";
    let open = stream::iter(0..count).map(|_| async {
        let mut watch = person.watch(document, json!({})).await;
        watch.settled().await;
        watch
    });
    let mut open = open.buffer_unordered(ABREAST);
    while let Some(watch) = open.next().await {
        tokio::spawn(listen(watch, say.clone()));
    }
}

/// Hears events for ever, and answers the server's pings meanwhile.
async fn listen(mut watch: Watch, say: Option<UnboundedSender<Instant>>) {
    loop {
        watch.next().await;
        let at = Instant::now();
        if let Some(say) = &say {
            // At the end nobody listens any more.
            let _ = say.send(at);
        }
    }
}

async fn tell(args: &Args, house: &House, mut heard: UnboundedReceiver<Instant>) {
    let item = house.bank.speaker().newest_item(&[]).await;
    let path = format!(
        "/control/items/{}/transactions",
        item["item_id"].as_str().unwrap()
    );
    let (mut all, mut first) = (Vec::new(), Vec::new());
    let cpu = house.server.program.cpu();
    for event in 0..args.events {
        let change = json!({"add": [{"name": format!("Lunch {event}"), "amount": 12.5}]});
        let began = Instant::now();
        house.bank.ask(&path, change).await;
        let mut took = Vec::with_capacity(args.own);
        for _ in 0..args.own {
            let at = timeout(PATIENCE, heard.recv()).await;
            took.push(
                at.expect("an event is missing")
                    .unwrap()
                    .duration_since(began),
            );
        }
        first.extend(took.iter().min());
        all.extend(took);
    }
    println!("  one event to {} sockets: {}", args.own, Spread::of(all));
    println!("  to the first of them: {}", Spread::of(first));
    let told = f64::from(u32::try_from(args.events * args.own).unwrap());
    let each = (house.server.program.cpu() - cpu) * 1e6 / told;
    println!("  processor time of the server: {each:.0} µs each");
}

async fn keep_silent(args: &Args, house: &House) {
    let address = house.server.url.trim_start_matches("http://").to_owned();
    let (over, watching) = tokio::sync::oneshot::channel::<()>();
    let health = tokio::spawn(ask_health(house.server.url.clone(), watching));
    let mut waiting = Vec::new();
    for n in 0..args.silent {
        waiting.push(tokio::spawn(half_open(address.clone(), n % 2 == 0)));
        waiting.push(tokio::spawn(no_init(house.server.url.clone())));
    }
    let mut gone = Vec::new();
    for one in waiting {
        gone.push(
            timeout(PATIENCE, one)
                .await
                .expect("a connection is kept")
                .unwrap(),
        );
    }
    drop(over);
    let silent = args.silent;
    println!(
        "  {silent} without a head and {silent} without connection_init, let go: {}",
        Spread::of(gone)
    );
    println!("  /healthz meanwhile: {}", health.await.unwrap());
}

/// A connection that sends half a head, or nothing; how long it was kept.
async fn half_open(address: String, half: bool) -> Duration {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let began = Instant::now();
    if half {
        connection
            .write_all(b"POST /graphql HTTP/1.1\r\nhost: x")
            .await
            .unwrap();
    }
    let mut rest = Vec::new();
    // Whether it is closed or reset, it is gone.
    let _ = connection.read_to_end(&mut rest).await;
    began.elapsed()
}

/// A WebSocket that says nothing; how long it was kept.
async fn no_init(url: String) -> Duration {
    let mut socket = handshake(&url).await;
    let began = Instant::now();
    while let Some(Ok(_)) = socket.next().await {}
    began.elapsed()
}

async fn ask_health(url: String, mut over: tokio::sync::oneshot::Receiver<()>) -> Spread {
    let http = reqwest::Client::builder().build().unwrap();
    let url = format!("{url}/healthz");
    let mut took = Vec::new();
    while over.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
        let began = Instant::now();
        let answer = http.get(&url).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        took.push(began.elapsed());
        sleep(Duration::from_millis(20)).await;
    }
    Spread::of(took)
}
