//! Leaving with a large account: how long an export takes and in how much memory, how long a deletion
//! takes, and how long somebody else who writes meanwhile has to wait for each of them.
//!
//! `cargo bench --bench leave`. The export's clock runs from the mutation to the event that it is ready,
//! the deletion's from the mutation until none of the rows is there.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark tells what it sees and stops at the first thing that is wrong"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use passbook::database::Database;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

#[expect(dead_code, reason = "each of them uses its part")]
mod support;

use support::{Common, House, person::Person};

#[derive(Parser)]
struct Args {
    /// Transactions of the account.
    #[arg(long, default_value_t = 100_000)]
    rows: u32,
    #[command(flatten)]
    common: Common,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    for place in args.common.places().await {
        println!("{}: an account of {} transactions", place.name, args.rows);
        let house = House::open(place, args.common.seed).await;
        let ana = Person::register(&house.server.url, "ana").await;
        let username = format!("user_transactions_{}", args.rows);
        ana.link(&house.bank, &username).await;
        let quiet = Bystander::begin(&house, "bob").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        quiet.end("nothing").await;
        let other = Bystander::begin(&house, "eve").await;
        export(&house, &ana).await;
        other.end("the export").await;
        let other = Bystander::begin(&house, "mia").await;
        delete(&house, &ana).await;
        other.end("the deletion").await;
    }
}

async fn export(house: &House, ana: &Person) {
    let (memory, cpu) = (
        house.server.program.peak_memory(),
        house.server.program.cpu(),
    );
    let resident = house.server.program.resident_memory();
    let follow = "subscription { dataExportUpdated { dataExport { status size downloadUrl } } }";
    let mut events = ana.watch(follow, json!({})).await;
    let began = Instant::now();
    let ask = "mutation { exportData { dataExport { id } userErrors { code } } }";
    ana.ask(ask, json!({})).await;
    let export = loop {
        let mut event = events.next().await;
        let export = event["dataExportUpdated"]["dataExport"].take();
        match export["status"].as_str().unwrap() {
            "READY" => break export,
            "FAILED" => panic!("{export}"),
            _ => {}
        }
    };
    let took = began.elapsed();
    let cpu = house.server.program.cpu() - cpu;
    let began = Instant::now();
    let archive = reqwest::get(export["downloadUrl"].as_str().unwrap()).await;
    let bytes = archive.unwrap().bytes().await.unwrap().len();
    assert_eq!(export["size"], bytes);
    println!(
        "  export: {:.2} s, {cpu:.2} s of a processor; {:.1} MiB, downloaded in {:.2} s; memory: {resident:.0} MiB \
         before, the most ever {memory:.0} MiB before and {:.0} MiB after",
        took.as_secs_f64(),
        f64::from(u32::try_from(bytes).unwrap()) / 1024.0 / 1024.0,
        began.elapsed().as_secs_f64(),
        house.server.program.peak_memory(),
    );
}

async fn delete(house: &House, ana: &Person) {
    let db = Database::inspect(&house.place.url).await.unwrap();
    let began = Instant::now();
    let delete = "mutation { deleteAccount(input: {password: \"correct horse battery\"}) { userErrors { code } } }";
    let told = ana.ask(delete, json!({})).await;
    assert_eq!(told["deleteAccount"]["userErrors"], json!([]));
    let answered = began.elapsed();
    let left = async || {
        let sql = "SELECT (SELECT count(*) FROM transactions) + (SELECT count(*) FROM items)";
        let left = Statement::from_string(db.backend(), sql);
        let row = db.read().query_one_raw(left).await.unwrap();
        row.unwrap().try_get_by_index::<i64>(0).unwrap()
    };
    while left().await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!(
        "  deletion: answered after {:.1} ms, the rows gone after {:.2} s",
        answered.as_secs_f64() * 1_000.0,
        began.elapsed().as_secs_f64()
    );
}

/// Somebody else who goes on writing.
struct Bystander {
    stop: Arc<AtomicBool>,
    writes: tokio::task::JoinHandle<Vec<Duration>>,
}

impl Bystander {
    async fn begin(house: &House, name: &str) -> Self {
        let person = Person::register(&house.server.url, name).await;
        let stop = Arc::new(AtomicBool::new(false));
        let over = stop.clone();
        let writes = tokio::spawn(async move {
            let update = "mutation($name: String!) { updateProfile(input: {firstName: $name}) { userErrors { code } } }";
            let mut took = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let began = Instant::now();
                let name = json!({"name": took.len().to_string()});
                person.ask(update, name).await;
                took.push(began.elapsed());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            took
        });
        Self { stop, writes }
    }

    async fn end(self, what: &str) {
        self.stop.store(true, Ordering::Relaxed);
        let mut took = self.writes.await.unwrap();
        took.sort();
        let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1_000.0;
        println!(
            "  somebody's writes beside {what}: {} of them, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
            took.len(),
            at(50),
            at(99),
            at(100)
        );
    }
}
