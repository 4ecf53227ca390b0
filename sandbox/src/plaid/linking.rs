//! Making items: what both the hosted page and `/sandbox/public_token/create` do once somebody has signed in.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::error::PlaidError;
use super::fields::Fields;
use super::products;
use super::request::{Answer, Request};
use super::sync::readiness;
use crate::app::App;
use crate::bank::institutions::{self, Health, Institution};
use crate::bank::login::{self, Login, Person};
use crate::bank::{accounts::Account, opening};
use crate::seed::Seed;
use crate::webhooks::notice::Notice;
use crate::world::World;
use crate::world::item::{NewItem, Stage};
use crate::world::op::{Event, Op};

const PUBLIC_TOKEN_MINUTES: i64 = 30;

/// A person who signed in and chose what to share.
#[derive(Debug)]
pub(crate) struct Linking<'a> {
    pub(crate) bank: &'static Institution,
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
    pub(crate) person: Person,
    pub(crate) seed: Seed,
    pub(crate) accounts: Vec<Account>,
    pub(crate) chosen: Vec<String>,
    pub(crate) products: Vec<String>,
    pub(crate) webhook: Option<String>,
    pub(crate) days: u64,
}

/// The token of a new item, and the item.
#[derive(Debug)]
pub(crate) struct Linked {
    pub(crate) public_token: String,
    pub(crate) item_id: String,
}

#[derive(Serialize)]
struct Created<'a> {
    public_token: String,
    request_id: &'a str,
}

/// `/sandbox/public_token/create`
pub(crate) fn create(request: &Request) -> Answer {
    let fields = &request.fields;
    fields.expect(
        &["institution_id", "initial_products"],
        &["options", "user_token", "user_id"],
    )?;
    let options = fields.object("options")?;
    let known = [
        "webhook",
        "override_username",
        "override_password",
        "transactions",
        "statements",
        "income_verification",
    ];
    options.expect(&[], &known)?;
    let span = options.object("transactions")?;
    span.expect(&[], &["start_date", "end_date", "days_requested"])?;
    let products = initial_products(request)?;
    let bank = bank(&fields.text("institution_id")?)?;
    let username = options
        .optional_text("override_username")?
        .unwrap_or_else(|| "user_good".into());
    let password = options
        .optional_text("override_password")?
        .unwrap_or_else(|| "pass_good".into());
    let person = match login::sign_in(&username, &password) {
        // Nobody is there to answer a challenge; Plaid lets these items through.
        Login::Welcome(person) | Login::Challenged(_, person) => person,
        Login::Refused(code) => return Err(PlaidError::of(&code)),
    };
    let webhook = options.url("webhook")?;
    let days = days(&span, request)?;
    let mut world = request.world();
    let seed = world.draw("item");
    let accounts = opening::accounts(&person, bank, seed);
    let chosen = accounts
        .iter()
        .map(|account| account.account_id.clone())
        .collect();
    let linking = Linking {
        bank,
        username: &username,
        password: &password,
        person,
        seed,
        accounts,
        chosen,
        products,
        webhook,
        days,
    };
    let linked = link(&request.app, &mut world, linking)?;
    request.noted.borrow_mut().item_id = Some(linked.item_id);
    drop(world);
    request.answer(&Created {
        public_token: linked.public_token,
        request_id: &request.request_id,
    })
}

/// How far back to go: a number of days, or a first day.
fn days(span: &Fields, request: &Request) -> Result<u64, PlaidError> {
    if span.has("end_date") {
        span.date("end_date")?;
    }
    if span.has("start_date") {
        let back = (request.app.clock.today() - span.date("start_date")?).num_days() + 1;
        return Ok(u64::try_from(back).unwrap_or(1).clamp(1, 730));
    }
    Ok(span.whole("days_requested", 1..=730)?.unwrap_or(90))
}

fn initial_products(request: &Request) -> Result<Vec<String>, PlaidError> {
    let products = request
        .fields
        .texts("initial_products")?
        .unwrap_or_default();
    if products.is_empty() {
        return Err(PlaidError::invalid(
            "initial_products must name at least one product",
        ));
    }
    match products
        .iter()
        .find(|product| !products::is_product(product))
    {
        Some(product) => Err(PlaidError::invalid(format!(
            "initial_products: {product} is not a product"
        ))),
        None => Ok(products),
    }
}

/// The bank, provided that one can sign in there.
pub(crate) fn bank(institution_id: &str) -> Result<&'static Institution, PlaidError> {
    let bank =
        institutions::find(institution_id).ok_or_else(|| PlaidError::of("INVALID_INSTITUTION"))?;
    match bank.health {
        Health::Healthy | Health::Degraded => Ok(bank),
        Health::Down => Err(PlaidError::of("INSTITUTION_DOWN")),
        Health::Unsupported => Err(PlaidError::of("INSTITUTION_NO_LONGER_SUPPORTED")),
    }
}

/// Makes the item and its public token.
pub(crate) fn link(
    app: &Arc<App>,
    world: &mut World,
    linking: Linking<'_>,
) -> Result<Linked, PlaidError> {
    let now = app.clock.now();
    if linking.chosen.is_empty() {
        return Err(PlaidError::of("NO_ACCOUNTS"));
    }
    let item_id = world.draw("item id").id(37);
    let wants_transactions = linking
        .products
        .iter()
        .any(|product| product == "transactions");
    let item = NewItem {
        item_id: item_id.clone(),
        seed: linking.seed.0,
        institution_id: linking.bank.id.to_owned(),
        webhook: linking.webhook,
        products: linking.products,
        username: linking.username.to_owned(),
        password: linking.password.to_owned(),
        accounts: linking.accounts,
        chosen: linking.chosen,
        created_at: now,
        grows: matches!(linking.person, Person::Dynamic | Person::Bulk(_)),
    };
    world.commit(now, Op::ItemLinked(Box::new(item)));
    if wants_transactions {
        start_transactions(app, world, &item_id, linking.days)?;
    }
    let public_token = public_token(app, world, &item_id);
    Ok(Linked {
        public_token,
        item_id,
    })
}

/// Issues a public token for an item.
pub(crate) fn public_token(app: &App, world: &mut World, item_id: &str) -> String {
    let public_token = format!("public-sandbox-{}", world.draw("public token").uuid());
    let expires_at = app.clock.now() + TimeDelta::minutes(PUBLIC_TOKEN_MINUTES);
    let op = Op::PublicTokenIssued {
        public_token: public_token.clone(),
        item_id: item_id.to_owned(),
        expires_at,
    };
    world.commit(app.clock.now(), op);
    public_token
}

/// Puts the transactions product on an item that lacks it, and announces its history when it is ready.
pub(crate) fn start_transactions(
    app: &Arc<App>,
    world: &mut World,
    item_id: &str,
    days: u64,
) -> Result<(), PlaidError> {
    let Some(item) = world.items.get(item_id).filter(|item| item.feed.is_none()) else {
        return Ok(());
    };
    let (Login::Welcome(person) | Login::Challenged(_, person)) =
        login::sign_in(&item.linked.username, &item.linked.password)
    else {
        return Err(PlaidError::of("ITEM_LOGIN_REQUIRED"));
    };
    let shared: Vec<Account> = item.shared().cloned().collect();
    let now = app.clock.now();
    let history = opening::history(&person, &shared, item.seed(), days, now.date_naive());
    let (initial, complete) = readiness(&app.settings());
    let (initial_at, history_at) = (now + initial, now + complete);
    let event = Event::TransactionsStarted {
        history: Box::new(history),
        initial_at,
        history_at,
    };
    world.commit(
        now,
        Op::Item {
            item_id: item_id.to_owned(),
            event,
        },
    );
    app.announce(item_id, initial_at, history_at);
    Ok(())
}

impl App {
    /// Sends the webhooks of an item's history as its two parts become ready.
    pub(crate) fn announce(
        self: &Arc<Self>,
        item_id: &str,
        initial_at: DateTime<Utc>,
        history_at: DateTime<Utc>,
    ) {
        let (app, item_id) = (Arc::clone(self), item_id.to_owned());
        tokio::spawn(async move {
            app.clock.reaches(initial_at).await;
            app.tell_ready(&item_id, Stage::Initial);
            app.clock.reaches(history_at).await;
            app.tell_ready(&item_id, Stage::Complete);
        });
    }

    fn tell_ready(self: &Arc<Self>, item_id: &str, stage: Stage) {
        let legacy = self.settings().legacy_webhooks;
        let now = self.clock.now();
        let notices: Vec<Notice> = {
            let world = crate::lock(&self.world);
            let Some((item, feed)) = world
                .items
                .get(item_id)
                .and_then(|item| Some((item, item.feed.as_ref()?)))
            else {
                return;
            };
            if item.removed || item.trouble(now).is_some() {
                return;
            }
            let initial = feed.history.initial_len();
            let older = match stage {
                Stage::Complete => {
                    Notice::new_rows(item, "HISTORICAL_UPDATE", feed.history.len() - initial)
                }
                _ => Notice::new_rows(item, "INITIAL_UPDATE", initial),
            };
            let sync = item
                .armed
                .then(|| Notice::sync_updates(item, now))
                .flatten();
            sync.into_iter().chain(older.filter(|_| legacy)).collect()
        };
        self.send(notices);
    }
}
