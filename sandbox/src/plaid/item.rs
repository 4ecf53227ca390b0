//! `/item/*`: exchange, look, remove, readdress.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::error::{ErrorBody, PlaidError};
use super::request::{Answer, Request};
use crate::bank::institutions::{self, OFFERED};
use crate::webhooks::notice::Notice;
use crate::world::World;
use crate::world::item::Item;
use crate::world::op::{Event, Op};

/// An item as Plaid shows it.
#[derive(Debug, Serialize)]
pub(crate) struct ItemBody {
    item_id: String,
    institution_id: String,
    institution_name: Option<&'static str>,
    webhook: Option<String>,
    auth_method: Option<&'static str>,
    error: Option<ErrorBody>,
    available_products: Vec<String>,
    billed_products: Vec<String>,
    products: Vec<String>,
    consented_products: Vec<String>,
    consent_expiration_time: Option<String>,
    update_type: &'static str,
    created_at: String,
}

#[derive(Serialize)]
struct ItemAnswer<'a> {
    item: ItemBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Status {
    transactions: Option<Updates>,
    investments: Option<Updates>,
    last_webhook: Option<LastWebhook>,
}

#[derive(Serialize)]
struct Updates {
    last_successful_update: Option<String>,
    last_failed_update: Option<String>,
}

#[derive(Serialize)]
struct LastWebhook {
    sent_at: String,
    code_sent: String,
}

/// A moment as Plaid writes it.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(crate) fn body(item: &Item, now: DateTime<Utc>) -> ItemBody {
    let billed = &item.linked.products;
    let others = OFFERED.iter().filter(|product| {
        **product != "recurring_transactions" && !billed.iter().any(|name| name == *product)
    });
    ItemBody {
        item_id: item.id().to_owned(),
        institution_id: item.linked.institution_id.clone(),
        institution_name: institutions::find(&item.linked.institution_id).map(|bank| bank.name),
        webhook: Some(item.webhook.clone().unwrap_or_default()),
        auth_method: None,
        error: item
            .trouble(now)
            .map(|code| PlaidError::of(&code).enclosed()),
        available_products: others.map(|name| (*name).to_owned()).collect(),
        billed_products: billed.clone(),
        products: billed.clone(),
        consented_products: billed.clone(),
        consent_expiration_time: item.consent_expires_at.map(moment),
        update_type: "background",
        created_at: moment(item.linked.created_at),
    }
}

fn status(item: &Item, now: DateTime<Utc>) -> Status {
    let failed = item.trouble(now).is_some().then(|| moment(now));
    Status {
        transactions: item.feed.as_ref().map(|feed| Updates {
            last_successful_update: feed.last_update(now).map(moment),
            last_failed_update: failed,
        }),
        investments: None,
        last_webhook: item
            .last_webhook
            .clone()
            .map(|(at, code_sent)| LastWebhook {
                sent_at: moment(at),
                code_sent,
            }),
    }
}

fn shown<'a>(request: &'a Request, world: &World) -> Result<ItemAnswer<'a>, PlaidError> {
    let now = request.now();
    let item_id = request.item_id(world)?;
    let item = world
        .items
        .get(&item_id)
        .ok_or_else(|| PlaidError::of("ITEM_NOT_FOUND"))?;
    Ok(ItemAnswer {
        item: body(item, now),
        status: Some(status(item, now)),
        request_id: &request.request_id,
    })
}

/// `/item/get`
pub(crate) fn get(request: &Request) -> Answer {
    request.fields.expect(&["access_token"], &[])?;
    let answer = shown(request, &request.world())?;
    request.answer(&answer)
}

/// `/item/remove`
pub(crate) fn remove(request: &Request) -> Answer {
    let fields = &request.fields;
    fields.expect(&["access_token"], &["reason_code", "reason_note"])?;
    let reasons = [
        "FRAUD_FIRST_PARTY",
        "FRAUD_FALSE_IDENTITY",
        "FRAUD_ABUSE",
        "FRAUD_OTHER",
        "CONNECTION_IS_NON_FUNCTIONAL",
        "OTHER",
    ];
    fields.word("reason_code", &reasons)?;
    if fields
        .nullable_text("reason_note")?
        .is_some_and(|note| note.chars().count() > 512)
    {
        return Err(PlaidError::invalid(
            "reason_note must not be longer than 512 characters",
        ));
    }
    let mut world = request.world();
    let item_id = request.item_id(&world)?;
    world.commit(
        request.now(),
        Op::Item {
            item_id,
            event: Event::Removed,
        },
    );
    request.done()
}

#[derive(Serialize)]
struct Exchanged<'a> {
    access_token: String,
    item_id: String,
    request_id: &'a str,
}

/// `/item/public_token/exchange`
pub(crate) fn exchange(request: &Request) -> Answer {
    request.fields.expect(&["public_token"], &[])?;
    let public_token = request.fields.text("public_token")?;
    let invalid = || PlaidError::of("INVALID_PUBLIC_TOKEN");
    let repeatable = request.app.settings().exchange_repeatable;
    let mut world = request.world();
    let now = request.now();
    let token = world
        .public_tokens
        .get(&public_token)
        .filter(|token| now < token.expires_at)
        .ok_or_else(invalid)?;
    let (item_id, before) = (token.item_id.clone(), token.exchanged.clone());
    request.noted.borrow_mut().item_id = Some(item_id.clone());
    world
        .items
        .get(&item_id)
        .filter(|item| !item.removed)
        .ok_or_else(invalid)?;
    let access_token = match before {
        Some(access_token) if repeatable => access_token,
        Some(_) => return Err(invalid()),
        None => {
            let access_token = format!("access-sandbox-{}", world.draw("access token").uuid());
            world.commit(
                now,
                Op::Exchanged {
                    public_token,
                    access_token: access_token.clone(),
                },
            );
            access_token
        }
    };
    request.answer(&Exchanged {
        access_token,
        item_id,
        request_id: &request.request_id,
    })
}

/// `/item/webhook/update`
pub(crate) fn update_webhook(request: &Request) -> Answer {
    request.fields.expect(&["access_token"], &["webhook"])?;
    let webhook = request.fields.url("webhook")?;
    let mut world = request.world();
    let item_id = request.item_id(&world)?;
    let event = Event::WebhookSet {
        webhook: webhook.clone(),
    };
    world.commit(
        request.now(),
        Op::Item {
            item_id: item_id.clone(),
            event,
        },
    );
    let more = serde_json::json!({ "error": null, "new_webhook_url": webhook });
    let notice = world
        .items
        .get(&item_id)
        .and_then(|item| Notice::item(item, "ITEM", "WEBHOOK_UPDATE_ACKNOWLEDGED", more));
    let answer = ItemAnswer {
        status: None,
        ..shown(request, &world)?
    };
    drop(world);
    request.app.send(notice);
    request.answer(&answer)
}

#[derive(Serialize)]
struct Invalidated<'a> {
    new_access_token: String,
    request_id: &'a str,
}

/// `/item/access_token/invalidate`
pub(crate) fn invalidate(request: &Request) -> Answer {
    request.fields.expect(&["access_token"], &[])?;
    let mut world = request.world();
    request.item_id(&world)?;
    let new = format!("access-sandbox-{}", world.draw("access token").uuid());
    let old = request.fields.text("access_token")?;
    world.commit(
        request.now(),
        Op::TokenRotated {
            old,
            new: new.clone(),
        },
    );
    request.answer(&Invalidated {
        new_access_token: new,
        request_id: &request.request_id,
    })
}
