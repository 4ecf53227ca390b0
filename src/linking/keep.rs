//! Keeping what an exchange brings. The provider has made an item, and until its token is on disk
//! only this process can open it; so keeping it comes before everything else, and where that is not
//! possible the login is given up at once, since nobody could ever use it.
//!
//! What remains: a process that dies between the provider's answer and this commit. The next offer of
//! the same public token then depends on the provider, and if it refuses, the item is an orphan there.

use std::time::Duration;

use entity::exchange;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::duplicate::Preview;
use crate::{
    app::App,
    error::{Error, Result},
    providers::{Linked, ProviderKind},
    seal::Place,
};

/// How often a database that is away is tried again, and how long the first wait is: two minutes in
/// all, less than an exchange's own patience.
const TRIES: u32 = 9;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Does something with the database that must not fail because it is away for a moment.
pub(super) async fn patiently<T, F>(app: &App, work: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut tries = 0;
    loop {
        match work().await {
            Err(error) if error.is_transient() && tries < TRIES => {
                tracing::warn!(
                    error = error.chain(),
                    "a linked item could not be stored yet"
                );
                app.clock.sleep(FIRST_WAIT * 2_u32.pow(tries)).await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Keeps a login in the row of its exchange; returns the row.
pub(super) async fn keep(
    app: &App,
    row: exchange::Model,
    linked: Linked,
    preview: Option<Preview>,
) -> Result<exchange::Model> {
    let preview = preview.map(serde_json::to_value).transpose();
    let preview = preview.map_err(Error::internal)?;
    let row = exchange::Model { preview, ..row };
    let (taken, login) = (&row, &linked);
    let kept = patiently(app, move || write(app, taken, login)).await;
    if kept.is_err() {
        give_up(app, &linked).await;
    }
    kept
}

async fn write(app: &App, row: &exchange::Model, linked: &Linked) -> Result<exchange::Model> {
    let txn = app.db.begin().await?;
    txn.lock(&row.public_token_hash).await?;
    let known = exchange::Entity::find()
        .filter(exchange::Column::UserId.eq(row.user_id))
        .filter(exchange::Column::PublicTokenHash.eq(&row.public_token_hash))
        .one(&*txn)
        .await?;
    let id = known.as_ref().map_or(row.id, |known| known.id);
    let secret = linked.access_token.expose_secret().as_bytes();
    let access_token = app.keys.seal(place(id, row.user_id), secret)?;
    let fresh = known.is_none();
    // One that was taken for dead, and whose row was given free meanwhile, has lost its key with it.
    let known = known.unwrap_or_else(|| exchange::Model {
        idempotency_key: None,
        ..row.clone()
    });
    if known.finished_at.is_some() {
        return Ok(known);
    }
    let mut kept = known.into_active_model();
    kept.preview = Set(row.preview.clone());
    kept.provider_item_id = Set(Some(linked.provider_item_id.clone()));
    kept.access_token = Set(Some(access_token));
    let kept = if fresh {
        exchange::Entity::insert(kept.reset_all())
            .exec_with_returning(&*txn)
            .await?
    } else {
        kept.update(&*txn).await?
    };
    txn.commit().await?;
    Ok(kept)
}

/// Gives a login up that could not be kept. There is no job for it, since there is no database.
async fn give_up(app: &App, linked: &Linked) {
    let given_up = async {
        let provider = app.provider(ProviderKind::Plaid)?;
        provider.remove(&linked.access_token).await?;
        Ok::<(), Error>(())
    };
    if let Err(error) = given_up.await {
        tracing::error!(
            item = linked.provider_item_id,
            error = error.chain(),
            "the provider has made an item that could be neither kept nor given up; ask its support to remove it"
        );
    }
}

/// The login an exchange has kept.
pub(super) fn kept(app: &App, row: &exchange::Model) -> Result<Linked> {
    let (Some(id), Some(sealed)) = (&row.provider_item_id, &row.access_token) else {
        return Err(Error::internal("an exchange that has kept no login"));
    };
    let token = app.keys.open(place(row.id, row.user_id), sealed)?;
    let token = String::from_utf8(token).map_err(Error::internal)?;
    Ok(Linked {
        provider_item_id: id.clone(),
        access_token: SecretString::from(token),
    })
}

fn place(row: Uuid, user: Uuid) -> Place {
    Place {
        column: "exchanges.access_token",
        row,
        user,
    }
}
