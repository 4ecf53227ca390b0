//! `passbook rates`: the exchange rates of a running server, as they come. It signs in as a person and
//! subscribes as any client does, goes on when its token runs out or the server is away for a while, and
//! ends its session when it ends: at a signal, or when nobody reads it any more.

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

use client::{Client, Events, Trouble};
use screen::Screen;

/// How often a server that went away is looked for again, and how long apart.
const TRIES: u32 = 15;
const APART: Duration = Duration::from_secs(2);

/// How long the end of the session is waited for. One that could not be ended ends by itself.
const FAREWELL: Duration = Duration::from_secs(3);

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
        Some(url) => address(url)?,
        None => start::near(Config::from_env([])?.listen),
    };
    let words = format!("Password of {}: ", args.email);
    let password = password::read(&words).await?;
    let mut client = Client::new(&url)?;
    client.sign_in(&args.email, &password).await?;
    // Not before: whoever leaves at the prompt is to leave at once.
    let signals = signals::listen()?;
    let shown = tokio::select! {
        shown = show(&mut client, &args) => shown,
        () = signals.drain.cancelled() => Ok(()),
    };
    let open =
        || Failure::temporary("the server does not answer, so that the session stays open for now");
    let ended = tokio::select! {
        ended = client.sign_out() => ended,
        () = tokio::time::sleep(FAREWELL) => Err(open()),
        () = signals.now.cancelled() => Err(open()),
    };
    shown.and(ended)
}

/// The address of a server, where a password may be sent.
fn address(url: &str) -> Result<String, Failure> {
    let wrong = |text: String| Err(Failure::new(Exit::Usage, text));
    let parsed = reqwest::Url::parse(url);
    if !parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return wrong(format!(
            "--url: {url} is no address; use one such as https://passbook.example.com"
        ));
    }
    if is_in_the_clear(url) {
        return wrong(format!(
            "--url: over {url} the way would read your password; use https://"
        ));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// Shows the newest rates, and unless it is to be done once, follows them until nobody reads any more.
async fn show(client: &mut Client, args: &RatesArgs) -> Result<(), Failure> {
    let pairs = pairs(client, &args.pairs).await?;
    let names = pairs
        .iter()
        .map(|pair| (pair["base"].clone(), pair["quote"].clone()));
    let names: Vec<(Value, Value)> = names.collect();
    let mut screen = Screen::new(pairs);
    if args.once {
        return screen.table().map(drop);
    }
    if !screen.begin()? {
        return Ok(());
    }
    let mut outage = Outage::default();
    loop {
        let mut came = 0;
        let ended = follow(client, &names, (&mut screen, &mut came)).await;
        if came > 0 {
            outage = Outage::default();
        }
        let away = match ended {
            Ok(Ended::Unread) => return Ok(()),
            Ok(Ended::Closed) => None,
            Err(Trouble::SignedOut) => match client.refresh().await {
                Ok(()) if outage.tries == 0 => {
                    outage.tries = 1;
                    continue;
                }
                Ok(()) => Some(Trouble::SignedOut.into()),
                Err(Trouble::Away(failure)) => Some(failure),
                Err(trouble) => return Err(trouble.into()),
            },
            Err(Trouble::Away(failure)) => Some(failure),
            Err(Trouble::Refused(failure)) => return Err(failure),
        };
        outage.again(away, &mut screen)?;
        tokio::time::sleep(APART).await;
    }
}

/// How following ended.
enum Ended {
    /// The server ended it.
    Closed,
    /// Nobody reads what is shown.
    Unread,
}

/// How long no rate has come from a server that should tell them.
#[derive(Default)]
struct Outage {
    tries: u32,
    said: bool,
}

impl Outage {
    /// Counts one more try, and says once why there are any.
    fn again(&mut self, away: Option<Failure>, screen: &mut Screen) -> Result<(), Failure> {
        let failure =
            away.unwrap_or_else(|| Failure::temporary("the server has ended the subscription"));
        self.tries += 1;
        if self.tries > TRIES {
            return Err(failure);
        }
        if !std::mem::replace(&mut self.said, true) {
            screen.remark(&format!("{}; connecting again", failure.faults.join(", ")));
        }
        Ok(())
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

/// Shows rates until a subscription ends, and counts those that come.
async fn follow(
    client: &Client,
    names: &[(Value, Value)],
    (screen, came): (&mut Screen, &mut usize),
) -> Result<Ended, Trouble> {
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
    loop {
        let next = events.iter_mut().map(|events| events.next().boxed());
        let (rate, ..) = select_all(next).await;
        let Some(rate) = rate? else {
            return Ok(Ended::Closed);
        };
        *came += 1;
        if !screen.show(rate)? {
            return Ok(Ended::Unread);
        }
    }
}
