//! What an endpoint sees of a request, and how it looks up what tokens name.

use std::cell::RefCell;
use std::sync::{Arc, MutexGuard};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::error::PlaidError;
use super::fields::Fields;
use crate::app::App;
use crate::bank::institutions::{self, Health};
use crate::world::World;
use crate::world::item::Item;

/// A body, ready to be sent.
pub(crate) type Answer = Result<Vec<u8>, PlaidError>;

/// A request that has been read.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) app: Arc<App>,
    pub(crate) fields: Fields,
    pub(crate) request_id: String,
    /// The item it turned out to be about, and the cursor it gave out: for the journal of calls.
    pub(crate) noted: RefCell<Noted>,
}

/// What an endpoint tells the journal of calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    pub(crate) item_id: Option<String>,
    pub(crate) cursor_out: Option<String>,
}

impl Request {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.app.clock.now()
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        crate::lock(&self.app.world)
    }

    /// The item's id, provided that the token is good and the item not removed.
    pub(crate) fn item_id(&self, world: &World) -> Result<String, PlaidError> {
        let token = self.fields.text("access_token")?;
        let item = find(world, &token)?;
        self.noted.borrow_mut().item_id = Some(item.id().to_owned());
        Ok(item.id().to_owned())
    }

    /// The item, provided that its data can be read.
    pub(crate) fn healthy_item<'w>(&self, world: &'w World) -> Result<&'w Item, PlaidError> {
        let item_id = self.item_id(world)?;
        let item = world
            .items
            .get(&item_id)
            .ok_or_else(|| PlaidError::of("ITEM_NOT_FOUND"))?;
        if let Some(code) = item.trouble(self.now()) {
            return Err(PlaidError::of(&code));
        }
        match institutions::find(&item.linked.institution_id).map(|bank| bank.health) {
            Some(Health::Down) => Err(PlaidError::of("INSTITUTION_DOWN")),
            Some(Health::Unsupported) | None => {
                Err(PlaidError::of("INSTITUTION_NO_LONGER_SUPPORTED"))
            }
            Some(Health::Healthy | Health::Degraded) => Ok(item),
        }
    }

    pub(crate) fn answer(&self, body: &impl Serialize) -> Answer {
        serde_json::to_vec(body).map_err(|error| {
            tracing::error!(%error, request_id = self.request_id, "an answer could not be written");
            PlaidError::of("INTERNAL_SERVER_ERROR")
        })
    }

    /// The answer that says nothing but its request id.
    pub(crate) fn done(&self) -> Answer {
        self.answer(&Done {
            request_id: &self.request_id,
        })
    }
}

#[derive(Serialize)]
struct Done<'a> {
    request_id: &'a str,
}

/// The item behind an access token.
pub(crate) fn find<'w>(world: &'w World, access_token: &str) -> Result<&'w Item, PlaidError> {
    if !access_token.starts_with("access-sandbox-") {
        return Err(PlaidError::of("INVALID_ACCESS_TOKEN"));
    }
    let item = world
        .item_of(access_token)
        .ok_or_else(|| PlaidError::of("INVALID_ACCESS_TOKEN"))?;
    if item.removed {
        Err(PlaidError::of("ITEM_NOT_FOUND"))
    } else {
        Ok(item)
    }
}
