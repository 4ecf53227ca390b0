//! What somebody learns of who has an account, by the clock.
//!
//! `cargo bench --bench enumeration`. Requests about addresses that have an account and about addresses that have none come
//! one after the other, in an order drawn by chance, each address once: signing in with a wrong password, also where the
//! account is locked or has no password, and where it was guessed at until it is refused; asking for a new password;
//! registering where addresses are proven first; and moving to an address while signed in. Told are the medians, and the
//! chance that both kinds are one (two-sample Kolmogorov-Smirnov): below 0.01 somebody could tell them apart. What is
//! only about who asks, such as sending her mail once more, tells nothing of others and is left out.

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
const CHANGE: &str = "mutation($email: String!) { changeEmail(input: {email: $email, password: \"correct horse battery\"}) { \
    user { __typename } userErrors { code message } } }";
/// How often an account is guessed at from one place before it is refused.
const GUESSES: usize = 5;

/// What is asked about addresses of one kind and of another, the second without accounts.
struct Case {
    what: &'static str,
    document: &'static str,
    kinds: [&'static str; 2],
    /// How often it is asked before the time counts.
    before: usize,
    /// Whether whoever asks is signed in.
    signed_in: bool,
}

const CASES: [Case; 8] = [
    guess("login", "known", "nobody", 0),
    guess("login, locked", "locked", "noone", 0),
    guess("login, no password", "social", "none", 0),
    guess("login, refused", "known", "nobody", GUESSES),
    about("reset", RESET, ["known", "nobody"]),
    about("reset, locked", RESET, ["locked", "noone"]),
    about("register", REGISTER, ["known", "nobody"]),
    Case {
        signed_in: true,
        ..about("change", CHANGE, ["known", "nobody"])
    },
];

const fn about(what: &'static str, document: &'static str, kinds: [&'static str; 2]) -> Case {
    Case {
        what,
        document,
        kinds,
        before: 0,
        signed_in: false,
    }
}

const fn guess(
    what: &'static str,
    known: &'static str,
    unknown: &'static str,
    before: usize,
) -> Case {
    Case {
        before,
        ..about(what, LOGIN, [known, unknown])
    }
}

#[derive(Parser)]
struct Args {
    /// How many addresses of each kind.
    #[arg(long, default_value_t = 300)]
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
        let mut tokens = Vec::new();
        for number in 0..args.samples {
            for kind in ["known", "locked", "social"] {
                let name = format!("{kind}{number}");
                let person = Person::register(&house.server.url, &name).await;
                if kind == "known" {
                    tokens.push(person.token);
                }
            }
        }
        for change in [
            "UPDATE users SET locked_at = created_at WHERE email LIKE 'locked%'",
            "UPDATE users SET password_hash = '' WHERE email LIKE 'social%'",
        ] {
            house.place.execute(change).await;
        }
        let verified = [&settings[..3], &[("REGISTRATION", "verified")]].concat();
        house.server.restart_with(&house.place, &verified);
        house.server.ready().await;
        let (url, seed) = (house.server.url.clone(), args.common.seed);
        let measured = tokio::task::spawn_blocking(move || {
            let measure = |case: &Case| measure(&url, case, &tokens, seed);
            CASES.iter().map(measure).collect::<Vec<_>>()
        });
        for (case, [known, unknown]) in CASES.iter().zip(measured.await.unwrap()) {
            let (what, p) = (case.what, likeness(&known, &unknown));
            println!("{name}: {what}: known   {}", Spread::of(known));
            println!("{name}: {what}: unknown {}, p {p:.3}", Spread::of(unknown));
        }
    }
}

/// The times of requests about addresses of both kinds.
fn measure(url: &str, case: &Case, tokens: &[String], seed: u64) -> [Vec<Duration>; 2] {
    let host = url.trim_start_matches("http://");
    let mut wire = Wire::open(host);
    let (samples, mut times) = (tokens.len(), [Vec::new(), Vec::new()]);
    let mut chance = seed | 1;
    let mut answers: Vec<String> = Vec::new();
    while times[0].len() + times[1].len() < 2 * samples {
        // Xorshift; any draw without a pattern does.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let first = times[0].len() < samples && (chance & 1 == 0 || times[1].len() == samples);
        let side = usize::from(!first);
        let number = times[side].len();
        let email = format!("{}{number}@example.com", case.kinds[side]);
        let body = json!({"query": case.document, "variables": {"email": email}}).to_string();
        let token = if case.signed_in { &tokens[number] } else { "" };
        let request = wire::post(host, token, &body);
        for _ in 0..case.before {
            wire.ask(&request);
        }
        let began = Instant::now();
        let answer = wire.ask(&request);
        times[side].push(began.elapsed());
        let answer = told(answer);
        if !answers.contains(&answer) {
            answers.push(answer);
        }
    }
    let what = case.what;
    assert_eq!(
        answers.len(),
        1,
        "{what}: told apart by the answer: {answers:?}"
    );
    times
}

/// What an answer says, but for the seconds in it, which are the clock's.
fn told(answer: &str) -> String {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let answer: Value = serde_json::from_str(body).unwrap();
    let mut text = answer.to_string();
    text.retain(|sign| !sign.is_ascii_digit());
    text
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
