//! Following a login that the provider signs in with by itself. One run is one look: what is new is
//! written with the feed, and the job gives itself back to look again, soon at first and then ever less
//! often. Who answers, repairs or hears a webhook brings the next look forward, though never to within
//! three seconds of the last, which is what MX asks for.
//!
//! The way ends when the login lets us in and nothing is being collected: then the sync goes on with
//! its pages. Or it ends where only the person, or time, can help: then the sync fails and says why.
//! A fault may be of before what was last done about it, so it is believed three seconds after that.

use std::time::Duration;

use chrono::TimeDelta;
use entity::{
    activity::ActivityKind,
    challenge,
    feed_event::EventKind,
    item::{self, LinkStatus},
    sync_job::{self, SyncTrigger},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{LockType, OnConflict},
};
use secrecy::SecretString;

use super::{
    SyncItem, due, standing,
    store::{self, Setback},
};
use crate::{
    app::App,
    database::Txn,
    error::{Error, ErrorClass, ProviderError, Refusal, Result},
    feed,
    jobs::Claim,
    providers::{Challenge, CredentialLogin, ItemState, Progress, Provider},
};

/// Shortest time between two looks.
const REST: Duration = Duration::from_secs(3);
/// Longest time between two looks.
const LONGEST: Duration = Duration::from_mins(5);
/// How long a person may stay on the bank's own page.
const AWAITED: TimeDelta = TimeDelta::minutes(30);
/// How long a provider may take to sign in and collect.
const PATIENCE: TimeDelta = TimeDelta::hours(6);
/// After this a login that should go on and does not is asked to.
const STALLED: TimeDelta = TimeDelta::seconds(30);
/// How long questions may be missing of a bank that asks.
const ASKING: TimeDelta = TimeDelta::minutes(1);
/// How long banks wait for an answer, as a rule; none says so.
const OPEN: TimeDelta = TimeDelta::minutes(5);

/// What is needed to look.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) app: &'a App,
    pub(super) provider: &'a dyn Provider,
    pub(super) login: &'a dyn CredentialLogin,
    pub(super) access_token: &'a SecretString,
    pub(super) job: &'a SyncItem,
    pub(super) claim: &'a Claim,
}

impl Look<'_> {
    /// Looks once. How the login stands if the sync may go on; if not, the job has ended or given itself
    /// back.
    pub(super) async fn lets_us_in(self, item: &item::Model) -> Result<Option<ItemState>> {
        let rows = sync_job::Entity::find()
            .filter(sync_job::Column::Id.eq(self.job.sync_job_id))
            .filter(sync_job::Column::FinishedAt.is_null());
        let mut state = self.provider.item(self.access_token).await?;
        let Some(sync) = rows.one(self.app.db.read()).await? else {
            // It was cancelled; the pull finds the item gone, or does no harm.
            return Ok(Some(state));
        };
        if self.wants_refresh(&sync, &state) {
            self.refresh().await?;
            return Ok(None);
        }
        if state.fault.is_some() && self.is_of_before(item) {
            self.rest().await?;
            return Ok(None);
        }
        if let Some(fault) = self.overdue(&sync, &state) {
            state.fault = Some(fault);
        }
        if state.fault.is_none() && state.progress == Progress::Settled {
            return Ok(Some(state));
        }
        self.write(item, &state).await?;
        Ok(None)
    }

    /// Has the bank asked for news, and the login looked at later. A provider that refuses is as one that
    /// does nothing, and costs no sync.
    async fn refresh(self) -> Result<()> {
        if let Err(error) = self.login.refresh(self.access_token).await {
            if matches!(error.class, ErrorClass::Gone | ErrorClass::Operator) {
                return Err(error.into());
            }
            tracing::warn!(item.id = %self.job.item_id, %error, "the bank is not asked for news");
        }
        store::refreshed(self.app, self.job, self.claim).await?;
        self.rest().await
    }

    /// Whether a login was given something so lately that what is seen of it may be of before.
    fn is_of_before(self, item: &item::Model) -> bool {
        let since = self.app.clock.now() - item.updated_at;
        item.link_status == LinkStatus::Processing && since.to_std().is_ok_and(|since| since < REST)
    }

    /// Gives the job back for the shortest time between two looks.
    async fn rest(self) -> Result<()> {
        let Self {
            app, job, claim, ..
        } = self;
        let mut txn = app.db.begin().await?;
        claim.postpone(&mut txn, app, REST, REST).await?;
        if let Some(sync) = store::find(&txn, job.sync_job_id).await?
            && store::wait(&txn, sync).await?
        {
            let news = [(EventKind::SyncJob, job.sync_job_id)];
            feed::publish(&mut txn, job.user_id, app.clock.now(), &news).await?;
        }
        txn.commit().await
    }

    /// Whether the bank is asked for news: once a sync, if the person wants it or nothing goes on that
    /// should. Wrong credentials are not tried again, since banks lock who does that.
    fn wants_refresh(self, sync: &sync_job::Model, state: &ItemState) -> bool {
        if sync.refreshed_at.is_some() {
            return false;
        }
        let class = state.fault.as_ref().map(|fault| fault.class);
        match state.progress {
            Progress::Stalled => self.app.clock.now() - sync.created_at >= STALLED,
            Progress::Settled => match class {
                Some(ErrorClass::Credentials | ErrorClass::Challenge) => false,
                Some(ErrorClass::Retry(_)) => {
                    matches!(sync.trigger, SyncTrigger::Manual | SyncTrigger::Schedule)
                }
                _ => sync.trigger == SyncTrigger::Manual,
            },
            Progress::SigningIn | Progress::Awaited | Progress::Asking | Progress::Collecting => {
                false
            }
        }
    }

    /// What is wrong with a login that goes on for too long.
    fn overdue(self, sync: &sync_job::Model, state: &ItemState) -> Option<ProviderError> {
        let since = self.app.clock.now() - sync.created_at;
        let (class, code, text) = match state.progress {
            Progress::Settled => return None,
            Progress::Awaited if since >= AWAITED => (
                ErrorClass::Login,
                "OAUTH_TIMEOUT",
                "Nobody signed in on the bank's own page in time.",
            ),
            Progress::Asking if since >= ASKING => (
                ErrorClass::Blocked,
                "UNREADABLE_CHALLENGE",
                "The bank asks something that can only be answered on its provider's own page.",
            ),
            _ if since >= PATIENCE => (
                ErrorClass::Retry(None),
                "TIMEOUT",
                "The bank does not get done. The server goes on trying.",
            ),
            _ => return None,
        };
        Some(ProviderError {
            class,
            code: code.to_owned(),
            display_message: Some(text.to_owned()),
            request_id: None,
            detail: "followed for too long".to_owned(),
        })
    }

    /// Writes down how the login stands, and ends the job or gives it back.
    async fn write(self, began: &item::Model, state: &ItemState) -> Result<()> {
        let Self {
            app, job, claim, ..
        } = self;
        let now = app.clock.now();
        let mut txn = app.db.begin().await?;
        claim.check(&txn).await?;
        let rows = item::Entity::find()
            .filter(item::Column::Id.eq(began.id))
            .filter(item::Column::RemovedAt.is_null())
            .lock(LockType::NoKeyUpdate);
        let Some(item) = rows.one(&*txn).await? else {
            drop(txn);
            return super::job::gone(app, job, claim).await;
        };
        // Somebody has answered or repaired it since we began to look: what we saw is of before.
        if item.updated_at != began.updated_at {
            claim
                .postpone(&mut txn, app, Duration::ZERO, Duration::ZERO)
                .await?;
            return txn.commit().await;
        }
        let mut news = Vec::new();
        let mut row = standing::after_look(&item, state);
        let attention = row.link_status.as_ref() != &item.link_status;
        let asked = self.ask(&txn, &item, state).await?;
        if row.is_changed() || asked {
            row.updated_at = Set(now);
            news.push((EventKind::Item, item.id));
        }
        let sync = store::find(&txn, job.sync_job_id).await?;
        match (&state.fault, sync) {
            (Some(fault), _) => {
                self.put_off(&mut row, fault);
                self.fail(&txn, fault, attention).await?;
                news.push((EventKind::SyncJob, job.sync_job_id));
                claim.succeed(&mut txn, app).await?;
            }
            (None, Some(sync)) => {
                let since = now - sync.created_at;
                if store::wait(&txn, sync).await? {
                    news.push((EventKind::SyncJob, job.sync_job_id));
                }
                claim.postpone(&mut txn, app, pause(since), REST).await?;
            }
            (None, None) => claim.succeed(&mut txn, app).await?,
        }
        if row.is_changed() {
            row.update(&*txn).await?;
        }
        if !news.is_empty() {
            feed::publish(&mut txn, item.user_id, now, &news).await?;
        }
        txn.commit().await
    }

    /// When the sweep looks at a login that the sync has given up for now. One that asks the person
    /// something is looked at when it will have stopped asking; one with wrong credentials once a day, since
    /// they may be corrected where nobody tells us, and a look tries nothing at the bank.
    fn put_off(self, row: &mut item::ActiveModel, fault: &ProviderError) {
        let now = self.app.clock.now();
        let look = match fault.class {
            ErrorClass::Challenge => Some(OPEN * 2),
            ErrorClass::Credentials => Some(due::DAY),
            _ => None,
        };
        if let Some(wait) = look {
            row.sync_due_at = Set(Some(now + wait));
            return;
        }
        let failed = row.failed_syncs.as_ref().saturating_add(1);
        row.failed_syncs = Set(failed);
        row.sync_due_at = Set(due::after_failure(*row.link_status.as_ref(), failed, now));
    }

    async fn fail(self, txn: &Txn, fault: &ProviderError, attention: bool) -> Result<()> {
        let setback = Setback {
            attempt: self.claim.attempt,
            refusal: Some(Refusal::from_provider(fault)),
            retry_at: None,
        };
        let now = self.app.clock.now();
        store::set_back(txn, self.job.sync_job_id, &setback, now).await?;
        if attention {
            let kind = ActivityKind::ItemNeedsAttention;
            store::log(txn, self.app, self.job, kind, setback.message()).await?;
        }
        Ok(())
    }

    /// Keeps what the bank asks, or forgets what it asks no more; whether that is news.
    async fn ask(self, txn: &Txn, item: &item::Model, state: &ItemState) -> Result<bool> {
        let known = challenge::Entity::find()
            .filter(challenge::Column::ItemId.eq(item.id))
            .one(&**txn)
            .await?;
        if state.challenges.is_empty() {
            if known.is_some() {
                forget(txn, item.id).await?;
            }
            return Ok(known.is_some());
        }
        let questions = serde_json::to_value(&state.challenges).map_err(Error::internal)?;
        let open = item.link_status == LinkStatus::Challenged;
        if known.is_some_and(|known| open && same(&known.questions, &state.challenges)) {
            return Ok(false);
        }
        let now = self.app.clock.now();
        let row = challenge::ActiveModel {
            item_id: Set(item.id),
            user_id: Set(item.user_id),
            questions: Set(questions),
            expires_at: Set(now + OPEN),
            created_at: Set(now),
        };
        let overwrite = OnConflict::column(challenge::Column::ItemId)
            .update_columns([
                challenge::Column::Questions,
                challenge::Column::ExpiresAt,
                challenge::Column::CreatedAt,
            ])
            .to_owned();
        challenge::Entity::insert(row)
            .on_conflict(overwrite)
            .exec_without_returning(&**txn)
            .await?;
        Ok(true)
    }
}

/// Whether these questions are the ones that are kept.
fn same(kept: &serde_json::Value, asked: &[Challenge]) -> bool {
    let kept: Result<Vec<Challenge>, _> = serde_json::from_value(kept.clone());
    kept.is_ok_and(|kept| kept == asked)
}

/// Forgets what a bank has asked.
pub(crate) async fn forget(txn: &Txn, item_id: uuid::Uuid) -> Result<()> {
    challenge::Entity::delete_many()
        .filter(challenge::Column::ItemId.eq(item_id))
        .exec(&**txn)
        .await?;
    Ok(())
}

/// Marks an item whose person has done something about its login; the caller updates it, asks for a
/// sync and tells the feed.
pub(crate) fn begin_anew(
    item: item::Model,
    now: chrono::DateTime<chrono::Utc>,
) -> item::ActiveModel {
    let mut row: item::ActiveModel = item.into();
    row.link_status = Set(LinkStatus::Processing);
    row.transactions_status = Set(item::TransactionsStatus::Downloading);
    row.link_error = Set(None);
    row.link_message = Set(None);
    row.person_can_help = Set(false);
    row.sync_due_at = Set(Some(due::at_first(now)));
    row.updated_at = Set(now);
    row
}

/// How long until the next look: a quarter of how long it has taken.
fn pause(since: TimeDelta) -> Duration {
    (since / 4)
        .to_std()
        .unwrap_or_default()
        .clamp(REST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_apart_and_never_come_too_close() {
        let seconds = |since| pause(TimeDelta::seconds(since)).as_secs();
        let passed = [-5, 0, 4, 12, 40, 240, 1_200, 20_000];
        assert_eq!(passed.map(seconds), [3, 3, 3, 3, 10, 60, 300, 300]);
    }
}
