//! What somebody learns of who has an account, by the clock.
//!
//! `cargo bench --bench enumeration`. Requests about addresses that have an account and about addresses that have none come
//! one after the other, in an order drawn by chance, each address once: signing in with a wrong password, asking for a new
//! password, and registering where addresses are proven first. Told are the medians, and the chance that both kinds are
//! one (two-sample Kolmogorov-Smirnov): below 0.01 somebody could tell them apart.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark tells what it sees and stops at the first thing that is wrong"
)]

use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::{Value, json};

#[expect(dead_code, reason = "each of them uses its part")]
mod support;

use support::{
    Common, House,
    figures::Spread,
    person::Person,
    program::address,
    wire::{self, Wire},
};

const LOGIN: &str = "mutation($email: String!) { login(input: {email: $email, password: \"wrong mule accumulator\"}) { \
    accessToken userErrors { code message } } }";
const RESET: &str = "mutation($email: String!) { requestPasswordReset(input: {email: $email}) { userErrors { code message } } }";
const REGISTER: &str = "mutation($email: String!) { register(input: {email: $email, password: \"wrong mule accumulator\"}) { \
    accessToken verificationSent userErrors { code message } } }";

#[derive(Parser)]
struct Args {
    /// How many addresses of each kind.
    #[arg(long, default_value_t = 500)]
    samples: usize,
    #[command(flatten)]
    common: Common,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    for place in args.common.places().await {
        let name = place.name;
        // Nobody takes the mails: the jobs try, and what that costs is among what is measured.
        let smtp = format!("smtp://{}", address());
        let settings = [
            ("SMTP_URL", smtp.as_str()),
            ("MAIL_FROM", "passbook@example.com"),
            ("APP_URL", "https://app.example.com"),
            ("REGISTRATION", "open"),
        ];
        let mut house = House::with(place, args.common.seed, &settings).await;
        for number in 0..args.samples {
            Person::register(&house.server.url, &format!("known{number}")).await;
        }
        let verified = [&settings[..3], &[("REGISTRATION", "verified")]].concat();
        house.server.restart_with(&house.place, &verified);
        house.server.ready().await;
        let url = house.server.url.clone();
        let (samples, seed) = (args.samples, args.common.seed);
        let measured = tokio::task::spawn_blocking(move || {
            [("login", LOGIN), ("reset", RESET), ("register", REGISTER)].map(|(what, document)| {
                let (known, unknown) = measure(&url, document, samples, seed);
                (what, known, unknown)
            })
        });
        for (what, known, unknown) in measured.await.unwrap() {
            let p = likeness(&known, &unknown);
            println!("{name}: {what}: known   {}", Spread::of(known));
            println!("{name}: {what}: unknown {}, p {p:.3}", Spread::of(unknown));
        }
    }
}

/// The times of requests about addresses of both kinds.
fn measure(url: &str, document: &str, samples: usize, seed: u64) -> (Vec<Duration>, Vec<Duration>) {
    let mut wire = Wire::open(url.trim_start_matches("http://"));
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut chance = seed | 1;
    let mut answers: Vec<Value> = Vec::new();
    while known.len() + unknown.len() < 2 * samples {
        // Xorshift; any draw without a pattern does.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let first = known.len() < samples && (chance & 1 == 0 || unknown.len() == samples);
        let (kind, times) = if first {
            ("known", &mut known)
        } else {
            ("nobody", &mut unknown)
        };
        let variables = json!({"email": format!("{kind}{}@example.com", times.len())});
        let body = json!({"query": document, "variables": variables}).to_string();
        let request = wire::post(url.trim_start_matches("http://"), "", &body);
        let began = Instant::now();
        let answer = wire.ask(&request);
        times.push(began.elapsed());
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let answer: Value = serde_json::from_str(body).unwrap();
        if !answers.contains(&answer) {
            answers.push(answer);
        }
    }
    assert_eq!(answers.len(), 1, "told apart by the answer: {answers:?}");
    (known, unknown)
}

/// The chance that two samples of one distribution lie as far apart as these (Kolmogorov-Smirnov, asymptotic).
#[expect(clippy::cast_precision_loss, reason = "hundreds of samples")]
fn likeness(one: &[Duration], other: &[Duration]) -> f64 {
    let share = |times: &[Duration], at: &Duration| {
        times.iter().filter(|time| *time <= at).count() as f64 / times.len() as f64
    };
    let all = one.iter().chain(other);
    let distance = all
        .map(|at| (share(one, at) - share(other, at)).abs())
        .fold(0.0, f64::max);
    let size = (one.len() * other.len()) as f64 / (one.len() + other.len()) as f64;
    let root = size.sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    let term = |k: f64| (-2.0 * k * k * lambda * lambda).exp();
    let sum: f64 = (1..=100_i32)
        .map(|k| {
            if k % 2 == 1 {
                term(f64::from(k))
            } else {
                -term(f64::from(k))
            }
        })
        .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}
