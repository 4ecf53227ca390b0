//! `passbook rates`: the exchange rates of a running server, as they come. It signs in as a person and
//! subscribes as any client does, and ends its session when it ends.

use std::time::Duration;

use clap::Args;
use futures_util::FutureExt;
use futures_util::future::select_all;
use serde_json::{Value, json};

use super::{
    failure::{Exit, Failure},
    password, signals, start,
};
use crate::{
    config::{Config, is_in_the_clear},
    money::Pair,
};

mod client;
mod screen;

use client::{Client, Events};
use screen::Screen;

/// How often a server that went away is looked for again, and how long apart.
const TRIES: u32 = 15;
const APART: Duration = Duration::from_secs(2);

#[derive(Args, Debug)]
pub(super) struct RatesArgs {
    /// The pairs to show, such as BTC/USD; all that the server follows if none is given.
    pairs: Vec<String>,
    /// Who signs in. The password is asked for, or is the first line of standard input.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The server; this machine's own at `LISTEN` if left out.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Show the newest rates and end.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(args: RatesArgs) -> Result<(), Failure> {
    let url = match &args.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => start::near(Config::from_env([])?.listen),
    };
    if is_in_the_clear(&url) {
        let text = format!("--url: over {url} the way would read your password; use https://");
        return Err(Failure::new(Exit::Usage, text));
    }
    let words = format!("Password of {}: ", args.email);
    let password = password::read(&words).await?;
    let mut client = Client::new(&url)?;
    client.sign_in(&args.email, &password).await?;
    // Not before: whoever leaves at the prompt is to leave at once.
    let signals = signals::listen()?;
    let shown = tokio::select! {
        shown = show(&client, &args) => shown,
        () = signals.drain.cancelled() => Ok(()),
    };
    let ended = client.sign_out().await;
    shown.and(ended)
}

/// Shows the newest rates, and unless it is to be done once, follows them.
async fn show(client: &Client, args: &RatesArgs) -> Result<(), Failure> {
    let pairs = pairs(client, &args.pairs).await?;
    let names = pairs
        .iter()
        .map(|pair| (pair["base"].clone(), pair["quote"].clone()));
    let names: Vec<(Value, Value)> = names.collect();
    let mut screen = Screen::new(pairs);
    if args.once {
        return screen.table();
    }
    let mut tries = 0;
    loop {
        let came = follow(client, &names, &mut screen).await;
        let failure = match came {
            Ok(rates) if rates > 0 => {
                tries = 0;
                None
            }
            Ok(_) => None,
            Err(failure) if failure.exit == Exit::Temporary => Some(failure),
            Err(failure) => return Err(failure),
        };
        tries += 1;
        if tries > TRIES {
            let gone = || Failure::temporary("the server ends every subscription at once");
            return Err(failure.unwrap_or_else(gone));
        }
        tokio::time::sleep(APART).await;
    }
}

/// The pairs to show, each with its newest rate.
async fn pairs(client: &Client, wanted: &[String]) -> Result<Vec<Value>, Failure> {
    let document = "{ exchangeRatePairs { base quote latest { base quote rate bid ask providerTime source } } }";
    let mut told = client
        .ask("exchangeRatePairs", document, Value::Null)
        .await?;
    let mut pairs: Vec<Value> = told.as_array_mut().map(std::mem::take).unwrap_or_default();
    let name = |pair: &Value| {
        let text = |field: &str| pair[field].as_str().unwrap_or_default().to_owned();
        Pair::new(&text("base"), &text("quote")).to_string()
    };
    let all: Vec<String> = pairs.iter().map(name).collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|wanted| !all.contains(&wanted.to_uppercase()))
    {
        let all = all.join(", ");
        let text = format!("{unknown}: the server does not follow this pair, but {all}");
        return Err(Failure::new(Exit::Usage, text));
    }
    let wanted: Vec<String> = wanted.iter().map(|pair| pair.to_uppercase()).collect();
    pairs.retain(|pair| wanted.is_empty() || wanted.contains(&name(pair)));
    if pairs.is_empty() {
        let text = "the server follows no exchange rates; its operator sets RATE_PAIRS";
        return Err(Failure::new(Exit::Problems, text));
    }
    Ok(pairs)
}

/// Shows rates until a subscription ends; says how many came.
async fn follow(
    client: &Client,
    names: &[(Value, Value)],
    screen: &mut Screen,
) -> Result<usize, Failure> {
    let document = "subscription($base: CurrencyCode!, $quote: CurrencyCode!) { exchangeRateUpdated(base: $base, \
                    quote: $quote) { base quote rate bid ask providerTime source } }";
    let mut events: Vec<Events> = Vec::new();
    for (base, quote) in names {
        let variables = json!({"base": base, "quote": quote});
        events.push(
            client
                .follow("exchangeRateUpdated", document, variables)
                .await?,
        );
    }
    let mut came = 0;
    loop {
        let next = events.iter_mut().map(|events| events.next().boxed());
        let (rate, ..) = select_all(next).await;
        let Some(rate) = rate? else {
            return Ok(came);
        };
        screen.show(rate)?;
        came += 1;
    }
}
