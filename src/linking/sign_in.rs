//! What a person does so that the provider gets in: new credentials, or answers to what the bank asks.
//! Both go to the provider at once and nowhere else; then the item is being signed in to, and a sync
//! follows it.
//!
//! The provider may take what it is given and its answer may be lost, or this process may die. So the
//! item is due to be looked at soon before anything is sent.

use chrono::TimeDelta;
use entity::{
    activity::ActivityKind,
    challenge,
    item::{self, LinkStatus},
    sync_job,
    sync_job::SyncTrigger,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use std::collections::HashSet;
use tracing::Instrument;
use uuid::Uuid;

use super::create_link_token::repairable;
use crate::{
    activity::{self, Entry},
    app::App,
    error::{Error, ErrorClass, ErrorCode, ProviderError, Refusal, Result},
    feed,
    providers::{Challenge, Secret},
    sync,
    viewer::{ClientInfo, Viewer},
};
use entity::feed_event::EventKind;

/// After how long the next sweep looks at an item of which nothing more was heard.
const SOON: TimeDelta = TimeDelta::minutes(2);

/// What is handed over.
#[derive(Debug)]
enum Handed {
    Credentials(Vec<Secret>),
    Answers(Vec<Secret>),
}

/// Who hands it over, and from where.
#[derive(Debug)]
pub(super) struct By {
    viewer: Viewer,
    client: ClientInfo,
}

impl By {
    /// Somebody at a client.
    pub(super) fn of(viewer: Viewer, client: ClientInfo) -> Self {
        Self { viewer, client }
    }
}

impl Handed {
    /// What the person's log says of it.
    fn kind(&self) -> ActivityKind {
        match self {
            Self::Credentials(_) => ActivityKind::CredentialsUpdated,
            Self::Answers(_) => ActivityKind::ChallengeAnswered,
        }
    }
}

/// An item that is being signed in to, and the sync that follows it.
#[derive(Debug)]
pub(super) struct SigningIn {
    /// The item.
    pub item: item::Model,
    /// The sync.
    pub sync_job: Option<sync_job::Model>,
}

/// Replaces the credentials of an item.
pub(super) async fn update_credentials(
    app: &App,
    by: By,
    item_id: &str,
    credentials: Vec<Secret>,
) -> Result<SigningIn> {
    let item = repairable(app, by.viewer, item_id).await?;
    app.credential_login(item.provider)?;
    if credentials.is_empty() {
        let text = "Send a value for each of the bank's `credentialFields`.";
        return Err(Error::invalid("credentials", text));
    }
    hand_over(app, item, by.client, Handed::Credentials(credentials)).await
}

/// Answers what the bank of an item asks.
pub(super) async fn answer_challenge(
    app: &App,
    by: By,
    item_id: &str,
    answers: Vec<Secret>,
) -> Result<SigningIn> {
    let item = repairable(app, by.viewer, item_id).await?;
    app.credential_login(item.provider)?;
    let rows = challenge::Entity::find().filter(challenge::Column::ItemId.eq(item.id));
    let asked = rows.one(app.db.read()).await?;
    let Some(asked) = asked.filter(|_| item.link_status == LinkStatus::Challenged) else {
        return Err(not_asked().into());
    };
    fits(asked.questions, &answers)?;
    hand_over(app, item, by.client, Handed::Answers(answers)).await
}

/// Whether answers are for these questions: one for each, and none for another. Whether it may be given,
/// the bank says.
fn fits(questions: serde_json::Value, answers: &[Secret]) -> Result<()> {
    let asked: Vec<Challenge> = serde_json::from_value(questions).map_err(Error::internal)?;
    let asked: HashSet<&str> = asked.iter().map(|question| question.id.as_str()).collect();
    if let Some(number) = answers
        .iter()
        .position(|answer| !asked.contains(answer.id.as_str()))
    {
        return Err(not_asked()
            .on(&format!("answers.{number}.challengeId"))
            .into());
    }
    if answers.len() < asked.len() {
        let text = "Answer each of the challenges.";
        return Err(Error::invalid("answers", text));
    }
    Ok(())
}

fn not_asked() -> Refusal {
    let text =
        "The bank does not ask this, or not any more. Ask for the item's `requiredAction` again.";
    Refusal::new(ErrorCode::ChallengeExpired, text)
}

/// In a task of its own, as an exchange is.
async fn hand_over(
    app: &App,
    item: item::Model,
    client: ClientInfo,
    handed: Handed,
) -> Result<SigningIn> {
    let app = app.clone();
    let work = async move {
        expect(&app, item.id).await?;
        let token = sync::access_token(&app, &item)?;
        let login = app.credential_login(item.provider)?;
        let sent = match &handed {
            Handed::Credentials(credentials) => login.update(&token, credentials).await,
            Handed::Answers(answers) => login.answer(&token, answers).await,
        };
        match sent {
            Ok(()) => begin(&app, item.id, Some((handed.kind(), &client))).await,
            Err(error) => refused(&app, &item, &handed, error).await,
        }
    };
    let task = tokio::spawn(work.in_current_span());
    task.await.map_err(Error::internal)?
}

/// Has the item looked at soon, whatever comes.
async fn expect(app: &App, item_id: Uuid) -> Result<()> {
    let txn = app.db.begin().await?;
    item::Entity::update_many()
        .col_expr(item::Column::SyncDueAt, Expr::value(app.clock.now() + SOON))
        .filter(item::Column::Id.eq(item_id))
        .filter(item::Column::RemovedAt.is_null())
        .exec(&*txn)
        .await?;
    txn.commit().await
}

/// Writes down that the item is being signed in to, and has a sync follow it; or only has a sync look.
async fn begin(
    app: &App,
    item_id: Uuid,
    taken: Option<(ActivityKind, &ClientInfo)>,
) -> Result<SigningIn> {
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    let rows = item::Entity::find()
        .filter(item::Column::Id.eq(item_id))
        .filter(item::Column::RemovedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    let item = rows.one(&*txn).await?;
    let mut item = item.ok_or_else(|| Error::not_found("itemId", "item"))?;
    if taken.is_some() {
        sync::forget(&txn, item.id).await?;
        item = sync::begin_anew(item, now).update(&*txn).await?;
    }
    let id = sync::request(&mut txn, app, &item, SyncTrigger::Repair).await?;
    let rows = sync_job::Entity::find().filter(sync_job::Column::Id.eq(id));
    let sync_job = rows.one(&*txn).await?;
    if let Some((kind, client)) = taken {
        feed::publish(&mut txn, item.user_id, now, &[(EventKind::Item, item.id)]).await?;
        let entry = Entry {
            item_id: Some(item.id),
            ..Entry::of(item.user_id, kind, client)
        };
        activity::record(&*txn, now, entry).await?;
    }
    txn.commit().await?;
    Ok(SigningIn { item, sync_job })
}

/// What is not taken tells how the login stands, so a sync looks: questions may be closed, and others
/// open.
async fn refused(
    app: &App,
    item: &item::Model,
    handed: &Handed,
    error: ProviderError,
) -> Result<SigningIn> {
    if error.class.is_transient() || error.class == ErrorClass::Operator {
        return Err(error.into());
    }
    tracing::warn!(item.id = %item.id, %error, "a provider does not take what a person typed");
    begin(app, item.id, None).await?;
    Err(match (handed, error.class) {
        (Handed::Answers(_), _) => not_asked().into(),
        (Handed::Credentials(_), ErrorClass::Bug) => {
            let text = "The provider does not take these: send a value for each of the bank's `credentialFields`.";
            Error::invalid("credentials", text)
        }
        (Handed::Credentials(_), _) => error.into(),
    })
}
