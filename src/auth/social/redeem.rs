//! A code for the person who came back with it.

use async_graphql::InputObject;
use aws_lc_rs::{
    constant_time,
    digest::{SHA256, digest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::{identity, login_attempt};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Refused, open, place};
use crate::{
    auth::Auth,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    providers::oidc::Person,
    viewer::{ClientInfo, Viewer},
};

/// What the app got back, and what only it knows.
#[derive(InputObject)]
pub(in crate::auth) struct CompleteSocialLoginInput {
    /// The `code` that came with the browser to `redirectUri`. It is good for a minute, and once.
    pub(super) code: String,
    /// What the challenge of `startSocialLogin` was made of.
    pub(super) code_verifier: String,
}

/// What the app got back, and what only it knows.
#[derive(InputObject)]
pub(in crate::auth) struct LinkIdentityInput {
    /// The `code` that came with the browser to `redirectUri`. It is good for a minute, and once.
    pub(super) code: String,
    /// What the challenge of `startSocialLogin` was made of.
    pub(super) code_verifier: String,
}

/// What somebody redeems, who she is here, if she is signed in, and where she asks from.
pub(super) struct Offer<'a> {
    pub(super) code: &'a str,
    pub(super) verifier: &'a str,
    pub(super) viewer: Option<Viewer>,
    pub(super) client: &'a ClientInfo,
}

/// Somebody who came back, and from where.
pub(super) struct Proven {
    pub(super) provider: String,
    pub(super) person: Person,
}

/// Makes sure that a code may open something, before anybody is kept from writing for it: on SQLite one writes at a
/// time, and guesses cost nothing.
pub(super) async fn refuse_unknown(auth: &Auth, code: &str) -> Result<()> {
    let known =
        login_attempt::Entity::find().filter(open(auth, login_attempt::Column::CodeHash, code));
    let known = known.one(auth.app.db.read()).await?;
    known.map(drop).ok_or_else(invalid)
}

/// Takes a code, which is used up by that whatever is wrong: with its verifier, or with who asks. What
/// was begun to sign in links nothing, and what was begun by one person is of no use to another.
pub(super) async fn redeem(auth: &Auth, txn: &Txn, offer: &Offer<'_>) -> Result<Option<Proven>> {
    let taken = login_attempt::Entity::delete_many()
        .filter(open(auth, login_attempt::Column::CodeHash, offer.code))
        .exec_with_returning(&**txn)
        .await?;
    let Some(attempt) = taken.into_iter().next() else {
        return Ok(None);
    };
    let ours = attempt.user_id == offer.viewer.map(|viewer| viewer.user_id);
    if !ours || !fits(offer.verifier, &attempt.code_challenge) {
        let told = Refused {
            provider: &attempt.provider,
            user_id: attempt.user_id,
            why: "a code was offered by somebody else",
            client: offer.client,
        };
        told.record(auth, txn).await?;
        return Ok(None);
    }
    let sealed = attempt.sealed.as_deref().unwrap_or_default();
    let person = auth.app.keys.open(place(attempt.id), sealed)?;
    Ok(Some(Proven {
        provider: attempt.provider,
        person: serde_json::from_slice(&person).map_err(Error::internal)?,
    }))
}

/// Whether a challenge was made of a verifier, by S256. <https://www.rfc-editor.org/rfc/rfc7636>
fn fits(verifier: &str, challenge: &str) -> bool {
    let made = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let sound = (43..=128).contains(&verifier.len());
    sound && constant_time::verify_slices_are_equal(made.as_bytes(), challenge.as_bytes()).is_ok()
}

/// The identity of somebody, if it is linked to anybody.
pub(super) async fn find(txn: &Txn, person: &Person) -> Result<Option<identity::Model>> {
    Ok(identity::Entity::find()
        .filter(identity::Column::Issuer.eq(&person.issuer))
        .filter(identity::Column::Subject.eq(&person.subject))
        .one(&**txn)
        .await?)
}

pub(super) fn invalid() -> Error {
    let text = "This code is used, older than a minute, or was not asked for here: begin again with `startSocialLogin`.";
    Refusal::new(ErrorCode::SocialLoginInvalid, text).into()
}
