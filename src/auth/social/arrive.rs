//! A browser comes back from the issuer.

use chrono::{DateTime, Utc};
use entity::login_attempt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    CODE_LIFETIME, Refused, depart::callback, fault_word, forget, kept, open, place, refused,
    secret,
};
use crate::{
    auth::Auth,
    error::{Error, Result},
    providers::oidc::{Issuer, IssuerFault, Person, Sent},
    viewer::ClientInfo,
};

/// What a browser brings back.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) state: Option<String>,
    pub(super) code: Option<String>,
    pub(super) error: Option<String>,
    pub(super) iss: Option<String>,
    /// The cookie it was sent with.
    pub(super) browser: Option<String>,
}

/// Where a browser goes from here.
pub(super) enum Way {
    /// To the app, with a code.
    Code { redirect_uri: String, code: String },
    /// To the app, with a word of ours for what went wrong.
    Error {
        redirect_uri: String,
        error: &'static str,
    },
    /// Nowhere: it is not known where it came from.
    Nowhere,
}

/// Takes an answer.
pub(super) async fn arrive(
    auth: &Auth,
    provider: &str,
    answer: Answer,
    client: &ClientInfo,
) -> Result<Way> {
    let state = answer.state.as_deref().unwrap_or_default();
    let issuer = auth.app.issuers.find(provider);
    let attempt = match issuer {
        Some(_) => take(auth, provider, state, answer.browser.as_deref()).await?,
        None => None,
    };
    let (Some(issuer), Some(attempt)) = (issuer, attempt) else {
        let begun = begun(auth, state).await?;
        let user_id = begun.as_ref().and_then(|begun| begun.user_id);
        let provider = begun.as_ref().map_or("unknown", |begun| &begun.provider);
        let told = Refused {
            provider,
            user_id,
            why: "its state is unknown, used, another provider's or another browser's",
            client,
        };
        refused(auth, told).await?;
        return Ok(Way::Nowhere);
    };
    let redirect_uri = attempt.redirect_uri.clone();
    let error = match prove(auth, issuer, &attempt, &answer).await? {
        Ok(person) => {
            let code = keep(auth, &attempt, &person).await?;
            return Ok(Way::Code { redirect_uri, code });
        }
        Err(Unproven::Declined(word)) => {
            tracing::info!(
                provider,
                error = word,
                "a social login was not finished at the provider"
            );
            word
        }
        Err(Unproven::Fault(fault)) => fault_word(auth, &attempt, &fault, client).await?,
    };
    forget(auth, attempt.id).await?;
    Ok(Way::Error {
        redirect_uri,
        error,
    })
}

/// The attempt of this state, browser and provider, whose state is used up by that. Asked before
/// anything else is done with the answer.
async fn take(
    auth: &Auth,
    provider: &str,
    state: &str,
    browser: Option<&str>,
) -> Result<Option<login_attempt::Model>> {
    let Some(browser) = browser else {
        return Ok(None);
    };
    let none: Option<String> = None;
    let txn = auth.app.db.begin().await?;
    let taken = login_attempt::Entity::update_many()
        .col_expr(login_attempt::Column::StateHash, Expr::value(none.clone()))
        .col_expr(login_attempt::Column::BrowserHash, Expr::value(none))
        .filter(open(auth, login_attempt::Column::StateHash, state))
        .filter(login_attempt::Column::BrowserHash.eq(kept(browser)))
        .filter(login_attempt::Column::Provider.eq(provider))
        .exec_with_returning(&*txn)
        .await?;
    txn.commit().await?;
    Ok(taken.into_iter().next())
}

/// What a refused state belongs to.
async fn begun(auth: &Auth, state: &str) -> Result<Option<login_attempt::Model>> {
    let attempts =
        login_attempt::Entity::find().filter(open(auth, login_attempt::Column::StateHash, state));
    Ok(attempts.one(auth.app.db.read()).await?)
}

/// Why it is not known who came.
enum Unproven {
    /// The issuer sent her back with an error.
    Declined(&'static str),
    Fault(IssuerFault),
}

async fn prove(
    auth: &Auth,
    issuer: &Issuer,
    attempt: &login_attempt::Model,
    answer: &Answer,
) -> Result<Result<Person, Unproven>> {
    let sealed = attempt.sealed.as_deref().unwrap_or_default();
    let sent = auth.app.keys.open(place(attempt.id), sealed)?;
    let sent: Sent = serde_json::from_slice(&sent).map_err(Error::internal)?;
    let back = callback(auth, issuer.id());
    Ok(ask(issuer, answer, &back, &sent).await)
}

async fn ask(
    issuer: &Issuer,
    answer: &Answer,
    back: &str,
    sent: &Sent,
) -> Result<Person, Unproven> {
    let iss = answer.iss.as_deref();
    issuer.recognise(iss).await.map_err(Unproven::Fault)?;
    match answer.error.as_deref() {
        Some("access_denied") => return Err(Unproven::Declined("access_denied")),
        Some(_) => return Err(Unproven::Declined("provider_error")),
        None => {}
    }
    let code = answer.code.as_deref().filter(|code| !code.is_empty());
    let code = code.ok_or(Unproven::Fault(IssuerFault::Refused("it has no code")))?;
    let arrived = issuer.arrive(back, code, sent).await;
    arrived.map_err(Unproven::Fault)
}

/// Keeps who came, until the app asks; what it asks with.
async fn keep(auth: &Auth, attempt: &login_attempt::Model, person: &Person) -> Result<String> {
    let code = secret()?;
    let person = serde_json::to_vec(person).map_err(Error::internal)?;
    let sealed = auth.app.keys.seal(place(attempt.id), &person)?;
    let expires_at: DateTime<Utc> = auth.app.clock.now() + CODE_LIFETIME;
    let txn = auth.app.db.begin().await?;
    login_attempt::Entity::update_many()
        .col_expr(login_attempt::Column::CodeHash, Expr::value(kept(&code)))
        .col_expr(login_attempt::Column::Sealed, Expr::value(sealed))
        .col_expr(login_attempt::Column::ExpiresAt, Expr::value(expires_at))
        .filter(login_attempt::Column::Id.eq(attempt.id))
        .exec(&*txn)
        .await?;
    txn.commit().await?;
    Ok(code)
}
