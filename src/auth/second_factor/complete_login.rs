//! The end of a sign-in that takes a second factor.

use async_graphql::InputObject;
use entity::{activity::ActivityKind, user};
use sea_orm::EntityTrait;

use super::{Presented, spend_code};
use crate::{
    activity::Entry,
    auth::{Auth, admit, login::tell_afterwards, session::Grant, throttle},
    error::{Error, ErrorCode, Refusal, Result},
    viewer::ClientInfo,
};

/// What completes a sign-in.
#[derive(InputObject)]
pub(in crate::auth) struct CompleteLoginInput {
    /// The token of `secondFactor`, from the answer that asked for this.
    pub(in crate::auth) token: String,
    /// The six digits that the app shows, or a recovery code.
    pub(in crate::auth) code: String,
}

/// Begins the session that the first factor did not.
pub(in crate::auth) async fn complete_login(
    auth: &Auth,
    input: CompleteLoginInput,
    client: &ClientInfo,
) -> Result<Grant> {
    let presented = Presented::read(&input.token).ok_or_else(expired)?;
    let now = auth.app.clock.now();
    if presented.body.expires_at <= now.timestamp_millis() {
        return Err(expired());
    }
    let user = user::Entity::find_by_id(presented.body.user_id);
    let user = user.one(auth.app.db.read()).await?;
    let user = user.filter(|user| presented.is_of(user, &auth.app.keys));
    let user = user.ok_or_else(expired)?;
    throttle::code(&auth.app, Some(presented.body.sign_in), user.id).await?;
    let txn = auth.app.db.begin().await?;
    // The password or the secret may have changed since it was read.
    let user = super::locked(&txn, user.id).await?;
    if !presented.is_of(&user, &auth.app.keys) {
        return Err(expired());
    }
    if let Err(error) = spend_code(auth, &txn, user.id, &input.code, client).await {
        // Dropped first: on SQLite there is one writer.
        drop(txn);
        if matches!(error, Error::Refused(_)) {
            tell_afterwards(auth, user.id, ActivityKind::SecondFactorFailed, client);
        }
        return Err(error);
    }
    let entry = Entry::of(user.id, ActivityKind::SignedIn, client);
    admit::begin(auth, txn, user, entry).await
}

fn expired() -> Error {
    let text = "This sign-in is over. Begin again with the password.";
    Refusal::new(ErrorCode::SessionExpired, text)
        .on("token")
        .into()
}
