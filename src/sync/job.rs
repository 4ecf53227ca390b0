//! The job that syncs one item: ask, then write.

use async_trait::async_trait;
use entity::{activity::ActivityKind, feed_event::EventKind, item};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::LockType,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    apply::{News, apply},
    fetch::Fetch,
    follow::{Look, forget},
    institution, standing,
    store::{self, Setback},
};
use crate::{
    app::App,
    database::Txn,
    error::{Error, ErrorClass, ProviderError, Refusal, Result},
    feed,
    jobs::{Claim, Failure, Job},
    providers::{ItemState, Provider, Readiness},
    seal::Place,
};

/// Syncs one item.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SyncItem {
    /// The sync job as people see it.
    pub sync_job_id: Uuid,
    /// What is synced.
    pub item_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The bank it is at, if known.
    #[serde(default)]
    pub institution_id: Option<Uuid>,
}

#[async_trait]
impl Job for SyncItem {
    const KIND: &'static str = "sync.item";
    const MAX_ATTEMPTS: i32 = 12;

    fn key(&self) -> String {
        self.item_id.to_string()
    }

    fn user_id(&self) -> Option<Uuid> {
        Some(self.user_id)
    }

    fn concurrency_key(&self) -> Option<String> {
        self.institution_id.map(|id| id.to_string())
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let rows = item::Entity::find()
            .filter(item::Column::Id.eq(self.item_id))
            .filter(item::Column::RemovedAt.is_null());
        let Some(item) = rows.one(app.db.read()).await? else {
            return gone(app, self, claim).await;
        };
        let access_token = access_token(app, &item)?;
        let provider = app.provider(item.provider)?;
        if institution::queue_at(app, provider, claim, &item, &access_token).await? {
            return Ok(());
        }
        let mut known = None;
        if let Some(login) = provider.credential_login() {
            let look = Look {
                app,
                provider,
                login,
                access_token: &access_token,
                job: self,
                claim,
            };
            let Some(state) = look.lets_us_in(&item).await? else {
                return Ok(());
            };
            known = Some(state);
        }
        store::start(app, self, claim).await?;
        let fetch = Fetch {
            app,
            provider,
            access_token: &access_token,
            job: self,
            claim,
        };
        let state = async {
            match known {
                Some(state) => Ok(state),
                None => provider.item(&access_token).await,
            }
        };
        let (state, accounts, round) = tokio::join!(
            state,
            provider.accounts(&access_token),
            fetch.round(item.sync_cursor.as_deref()),
        );
        // The round first: what it says about the login is about what we came for.
        let (round, state) = (round?, state?);
        if round.readiness == Readiness::NotReady
            && round.cursor.is_none()
            && claim.attempt < claim.max_attempts
        {
            return Err(not_ready().into());
        }
        redirect_webhooks(app, provider, &item, &access_token, &state).await;
        let bank = institution::ask(app, provider, &item, state.institution_id.as_deref()).await?;
        let news = News {
            state,
            bank,
            accounts: accounts?,
            round,
        };
        apply(app, self, claim, &item, news).await
    }

    async fn failed(&self, app: &App, txn: &mut Txn, failure: &Failure) -> Result<()> {
        let now = app.clock.now();
        let setback = Setback {
            attempt: failure.attempt,
            refusal: refusal(&failure.error),
            retry_at: failure.retry_at,
        };
        // The item before its sync, as whoever removes it takes them.
        let rows = item::Entity::find()
            .filter(item::Column::Id.eq(self.item_id))
            .lock(LockType::NoKeyUpdate);
        let Some(item) = rows.one(&**txn).await? else {
            return Ok(());
        };
        store::set_back(txn, self.sync_job_id, &setback, now).await?;
        let mut changes = vec![(EventKind::SyncJob, self.sync_job_id)];
        if item.removed_at.is_none() {
            let mut row = standing::after_failure(&item, failure);
            let attention = row.link_status.as_ref() != &item.link_status;
            if attention {
                // What a bank asks is of before.
                forget(txn, item.id).await?;
            }
            if row.is_changed() {
                row.updated_at = Set(now);
                changes.push((EventKind::Item, self.item_id));
            }
            standing::put_off(&mut row, failure, now);
            if row.is_changed() {
                row.update(&**txn).await?;
            }
            if attention || failure.retry_at.is_none() {
                let kind = if attention {
                    ActivityKind::ItemNeedsAttention
                } else {
                    ActivityKind::SyncFailed
                };
                store::log(txn, app, self, kind, setback.message()).await?;
            }
        }
        feed::publish(txn, self.user_id, now, &changes).await?;
        Ok(())
    }
}

/// Has webhooks sent to where this server is now: a tunnel's address changes with each start. A
/// provider that refuses costs no sync; the daily sweep goes on without webhooks.
async fn redirect_webhooks(
    app: &App,
    provider: &dyn Provider,
    item: &item::Model,
    access_token: &SecretString,
    state: &ItemState,
) {
    let Some(url) = app.webhook_url(item.provider) else {
        return;
    };
    if state.webhook.as_deref() != Some(&url)
        && let Err(error) = provider.update_webhook(access_token, &url).await
    {
        tracing::warn!(item.id = %item.id, %error, "the provider was not told where to send webhooks");
    }
}

/// Ends the sync of an item that was removed. One that was asked for while it was being removed is
/// not cancelled yet.
pub(super) async fn gone(app: &App, job: &SyncItem, claim: &Claim) -> Result<()> {
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    claim.succeed(&mut txn, app).await?;
    let cancelled = store::cancel(&txn, job.item_id, now).await?;
    if !cancelled.is_empty() {
        let changes = cancelled.into_iter().map(|id| (EventKind::SyncJob, id));
        let changes: Vec<_> = changes.collect();
        feed::publish(&mut txn, job.user_id, now, &changes).await?;
    }
    txn.commit().await
}

/// Opens the token of an item.
pub(crate) fn access_token(app: &App, item: &item::Model) -> Result<SecretString> {
    let token = app
        .keys
        .open(place(item.id, item.user_id), &item.access_token)?;
    Ok(String::from_utf8(token).map_err(Error::internal)?.into())
}

/// Where an item's token is sealed.
pub(crate) fn place(item_id: Uuid, user_id: Uuid) -> Place {
    Place {
        column: "items.access_token",
        row: item_id,
        user: user_id,
    }
}

/// What a failed attempt looks like to people; nothing is wrong while the provider is only not done.
fn refusal(error: &Error) -> Option<Refusal> {
    use crate::error::ErrorCode;
    match error {
        Error::Provider(error) if error.class == ErrorClass::NotReady => None,
        Error::Provider(error) => Some(Refusal::from_provider(error)),
        _ => {
            let text = "Something went wrong on the server while it was syncing.";
            Some(Refusal::new(ErrorCode::ServerError, text))
        }
    }
}

fn not_ready() -> ProviderError {
    ProviderError {
        class: ErrorClass::NotReady,
        code: "not_ready".to_owned(),
        display_message: None,
        request_id: None,
        detail: "the provider is still collecting".to_owned(),
    }
}
