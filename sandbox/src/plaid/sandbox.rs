//! `/sandbox/*`: what only Plaid's test environment can do.

use chrono::Days;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::PlaidError;
use super::fields::Fields;
use super::refresh::{self, Described};
use super::request::{Answer, Request};
use crate::bank::{institutions, opening};
use crate::seed::Seed;
use crate::webhooks::notice::{self, Notice};
use crate::world::World;
use crate::world::item::Item;
use crate::world::op::{Change, Event, Op};

#[derive(Serialize)]
struct Reset<'a> {
    reset_login: bool,
    request_id: &'a str,
}

/// `/sandbox/item/reset_login`
pub(crate) fn reset_login(request: &Request) -> Answer {
    request.fields.expect(&["access_token"], &[])?;
    let notice = {
        let mut world = request.world();
        let item_id = request.item_id(&world)?;
        fail(&mut world, &item_id, "ITEM_LOGIN_REQUIRED", request)
    };
    request.app.send(notice);
    request.answer(&Reset {
        reset_login: true,
        request_id: &request.request_id,
    })
}

fn fail(world: &mut World, item_id: &str, code: &str, request: &Request) -> Option<Notice> {
    let event = Event::ErrorSet {
        code: Some(code.to_owned()),
    };
    world.commit(
        request.now(),
        Op::Item {
            item_id: item_id.to_owned(),
            event,
        },
    );
    world
        .items
        .get(item_id)
        .and_then(|item| Notice::error(item, code))
}

#[derive(Serialize)]
struct Fired<'a> {
    webhook_fired: bool,
    request_id: &'a str,
}

const CODES: [&str; 12] = [
    "DEFAULT_UPDATE",
    "NEW_ACCOUNTS_AVAILABLE",
    "SMS_MICRODEPOSITS_VERIFICATION",
    "AUTHORIZATION_GRANTED",
    "USER_PERMISSION_REVOKED",
    "USER_ACCOUNT_REVOKED",
    "PENDING_DISCONNECT",
    "RECURRING_TRANSACTIONS_UPDATE",
    "LOGIN_REPAIRED",
    "SYNC_UPDATES_AVAILABLE",
    "PRODUCT_READY",
    "ERROR",
];
const TYPES: [&str; 7] = [
    "AUTH",
    "HOLDINGS",
    "INVESTMENTS_TRANSACTIONS",
    "ITEM",
    "LIABILITIES",
    "TRANSACTIONS",
    "ASSETS",
];

/// `/sandbox/item/fire_webhook`
pub(crate) fn fire_webhook(request: &Request) -> Answer {
    let fields = &request.fields;
    fields.expect(&["access_token", "webhook_code"], &["webhook_type"])?;
    let code = fields
        .word("webhook_code", &CODES)?
        .ok_or_else(|| PlaidError::invalid("webhook_code must be a string"))?;
    let kind = fields.word("webhook_type", &TYPES)?;
    let notice = {
        let mut world = request.world();
        let item_id = request.item_id(&world)?;
        if world
            .items
            .get(&item_id)
            .is_none_or(|item| item.webhook.is_none())
        {
            return Err(PlaidError::saying(
                "SANDBOX_WEBHOOK_INVALID",
                "no webhook address is set for this item",
            ));
        }
        fire(&mut world, &item_id, &code, kind.as_deref(), request)?
    };
    request.app.send(notice);
    request.answer(&Fired {
        webhook_fired: true,
        request_id: &request.request_id,
    })
}

/// Makes true what the webhook will say, and returns it.
fn fire(
    world: &mut World,
    item_id: &str,
    code: &str,
    kind: Option<&str>,
    request: &Request,
) -> Result<Option<Notice>, PlaidError> {
    let now = request.now();
    let missing = || PlaidError::of("SANDBOX_PRODUCT_NOT_ENABLED");
    match code {
        "USER_PERMISSION_REVOKED"
        | "USER_ACCOUNT_REVOKED"
        | "NEW_ACCOUNTS_AVAILABLE"
        | "LOGIN_REPAIRED"
        | "PENDING_DISCONNECT" => {
            return Ok(change_item(world, item_id, code, request));
        }
        "ERROR" if kind != Some("ASSETS") => {
            return Ok(fail(world, item_id, "ITEM_LOGIN_REQUIRED", request));
        }
        _ => {}
    }
    let item = world.items.get(item_id).ok_or_else(missing)?;
    match code {
        "SYNC_UPDATES_AVAILABLE" | "RECURRING_TRANSACTIONS_UPDATE" | "DEFAULT_UPDATE"
            if is_transactions(kind) =>
        {
            item.feed.as_ref().ok_or_else(missing)?;
            let ids: Vec<&str> = item
                .shared()
                .map(|account| account.account_id.as_str())
                .collect();
            Ok(match code {
                "SYNC_UPDATES_AVAILABLE" => Notice::sync_updates(item, now),
                "DEFAULT_UPDATE" => Notice::new_rows(item, code, 0),
                _ => Notice::item(item, "TRANSACTIONS", code, json!({ "account_ids": ids })),
            })
        }
        "DEFAULT_UPDATE" => other_product(item, kind.unwrap_or_default())
            .ok_or_else(missing)
            .map(Some),
        _ => Err(missing()),
    }
}

fn is_transactions(kind: Option<&str>) -> bool {
    matches!(kind, None | Some("TRANSACTIONS"))
}

fn other_product(item: &Item, kind: &str) -> Option<Notice> {
    let (kind, product, more) = match kind {
        "AUTH" => (
            "AUTH",
            "auth",
            json!({ "account_ids_with_new_auth": [], "account_ids_with_updated_auth": {} }),
        ),
        "HOLDINGS" => (
            "HOLDINGS",
            "investments",
            json!({ "new_holdings": 1, "updated_holdings": 0 }),
        ),
        "INVESTMENTS_TRANSACTIONS" => {
            let counts = json!({ "new_investments_transactions": 1, "cancelled_investments_transactions": 0 });
            ("INVESTMENTS_TRANSACTIONS", "investments", counts)
        }
        "LIABILITIES" => {
            let accounts = json!({ "account_ids_with_new_liabilities": [], "account_ids_with_updated_liabilities": {} });
            ("LIABILITIES", "liabilities", accounts)
        }
        _ => return None,
    };
    let Value::Object(mut more) = more else {
        return None;
    };
    more.insert("error".into(), Value::Null);
    let enabled = item.linked.products.iter().any(|name| name == product);
    enabled
        .then(|| Notice::item(item, kind, "DEFAULT_UPDATE", Value::Object(more)))
        .flatten()
}

/// Item webhooks whose news change the item.
fn change_item(world: &mut World, item_id: &str, code: &str, request: &Request) -> Option<Notice> {
    let now = request.now();
    let item = world.items.get(item_id)?;
    let first = item
        .shared()
        .next()
        .map(|account| account.account_id.clone());
    let ends = now + notice::warning();
    let event = match code {
        "USER_PERMISSION_REVOKED" => Some(Event::ErrorSet {
            code: Some(code.to_owned()),
        }),
        "USER_ACCOUNT_REVOKED" => first
            .clone()
            .map(|account_id| Event::AccountRevoked { account_id }),
        "NEW_ACCOUNTS_AVAILABLE" => newcomer(item),
        "PENDING_DISCONNECT" => Some(Event::Disconnects { at: Some(ends) }),
        _ => Some(Event::ErrorSet { code: None }),
    };
    if let Some(event) = event {
        world.commit(
            now,
            Op::Item {
                item_id: item_id.to_owned(),
                event,
            },
        );
    }
    let item = world.items.get(item_id)?;
    match code {
        "USER_PERMISSION_REVOKED" => Notice::permission_revoked(item),
        "USER_ACCOUNT_REVOKED" => Notice::item(item, "ITEM", code, json!({ "account_id": first? })),
        "NEW_ACCOUNTS_AVAILABLE" => Notice::item(item, "ITEM", code, json!({ "error": null })),
        "PENDING_DISCONNECT" => Notice::pending_disconnect(item, ends),
        _ => Notice::item(item, "ITEM", code, json!({})),
    }
}

fn newcomer(item: &Item) -> Option<Event> {
    let account = opening::newcomer(
        institutions::find(&item.linked.institution_id)?,
        item.seed(),
    );
    let known = item
        .accounts
        .iter()
        .any(|held| held.account_id == account.account_id);
    (!known).then(|| Event::AccountOffered {
        account: Box::new(account),
    })
}

/// `/sandbox/transactions/create`
pub(crate) fn create_transactions(request: &Request) -> Answer {
    let fields = &request.fields;
    fields.expect(&["access_token", "transactions"], &[])?;
    let asked = fields.objects("transactions")?;
    if !(1..=10).contains(&asked.len()) {
        return Err(PlaidError::invalid(
            "transactions must hold 1 to 10 transactions",
        ));
    }
    let notices = {
        let mut world = request.world();
        let item = request.healthy_item(&world)?;
        if item.linked.username != "user_transactions_dynamic" || item.feed.is_none() {
            let message = "transactions can be created only for items of user_transactions_dynamic that have the transactions product";
            return Err(PlaidError::saying("SANDBOX_PRODUCT_NOT_ENABLED", message));
        }
        let item_id = item.id().to_owned();
        let account = item
            .shared()
            .find(|account| &*account.r#type == "depository");
        let account_id = account
            .map(|account| account.account_id.clone())
            .ok_or_else(|| PlaidError::of("NO_ACCOUNTS"))?;
        let seed = world.draw("created").of("row");
        let rows: Result<Vec<Change>, _> = asked
            .iter()
            .zip(0..)
            .map(|(row, n)| described(row, seed, n, &account_id, request))
            .collect();
        refresh::append(&mut world, &item_id, rows?, request.now())
    };
    request.app.send_changes(notices);
    request.done()
}

fn described(
    fields: &Fields,
    seed: Seed,
    n: u64,
    account_id: &str,
    request: &Request,
) -> Result<Change, PlaidError> {
    fields.expect(
        &["date_transacted", "date_posted", "amount", "description"],
        &["iso_currency_code"],
    )?;
    let today = request.app.clock.today();
    let earliest = today.checked_sub_days(Days::new(14)).unwrap_or(today);
    let latest = today.checked_add_days(Days::new(14)).unwrap_or(today);
    let (transacted, posted) = (fields.date("date_transacted")?, fields.date("date_posted")?);
    let sound = (earliest..=today).contains(&transacted) && (earliest..=latest).contains(&posted);
    if !sound {
        return Err(PlaidError::invalid(
            "dates must be today or up to 14 days in the past",
        ));
    }
    let described = Described {
        transaction_id: seed.indexed_id(n),
        account_id: account_id.to_owned(),
        amount: fields.decimal("amount")?,
        transacted,
        posted,
        description: fields.text("description")?,
        currency: fields
            .optional_text("iso_currency_code")?
            .unwrap_or_else(|| "USD".into()),
    };
    Ok(Change::put(described.row(today)))
}
