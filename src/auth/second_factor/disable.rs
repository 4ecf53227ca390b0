//! What somebody who is signed in changes about the second factor while it is on. A session alone is not enough for
//! it: it takes the password or a code.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use entity::{activity::ActivityKind, totp, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{account, locked, recovery, spend_code, switch};
use crate::{
    activity::{self, Entry},
    auth::{Auth, login::tell_afterwards, session::refuse_ended, throttle},
    database::Txn,
    error::{Error, Result},
    viewer::{ClientInfo, Viewer},
};

/// What switches the second factor off: the password or a code.
#[derive(InputObject)]
pub(in crate::auth) struct DisableTotpInput {
    /// Your password. Whoever has none may leave it out within ten minutes of signing in.
    pub(in crate::auth) password: Option<String>,
    /// A code of the app, or a recovery code.
    pub(in crate::auth) code: Option<String>,
}

/// What gets new recovery codes: the password or a code.
#[derive(InputObject)]
pub(in crate::auth) struct RegenerateRecoveryCodesInput {
    /// Your password. Whoever has none may leave it out within ten minutes of signing in.
    pub(in crate::auth) password: Option<String>,
    /// A code of the app, or a recovery code.
    pub(in crate::auth) code: Option<String>,
}

/// Switches the second factor off. Where it is off, nothing happens.
pub(in crate::auth) async fn disable_totp(
    auth: &Auth,
    viewer: Viewer,
    input: DisableTotpInput,
    client: &ClientInfo,
) -> Result<user::Model> {
    let user = account(auth, viewer.user_id).await?;
    if user.totp_enabled_at.is_none() {
        return Ok(user);
    }
    let txn = confirm(auth, viewer, (input.password, input.code), client).await?;
    let now = auth.app.clock.now();
    let user = remove(&txn, user.id, now).await?;
    let entry = Entry::of(user.id, ActivityKind::TotpDisabled, client);
    activity::record(&*txn, now, entry).await?;
    txn.commit().await?;
    Ok(user)
}

/// Takes the second factor away with all that belongs to it; the person as she is then.
pub(in crate::auth) async fn remove(
    txn: &Txn,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    totp::Entity::delete_many()
        .filter(totp::Column::UserId.eq(user_id))
        .exec(&**txn)
        .await?;
    recovery::remove(txn, user_id).await?;
    switch(txn, user_id, None, now).await
}

/// Makes ten new recovery codes; the old ones are void.
pub(in crate::auth) async fn regenerate_recovery_codes(
    auth: &Auth,
    viewer: Viewer,
    input: RegenerateRecoveryCodesInput,
    client: &ClientInfo,
) -> Result<Vec<String>> {
    let user = account(auth, viewer.user_id).await?;
    if user.totp_enabled_at.is_none() {
        let text = "The second factor is off: switch it on with `enableTotp` first.";
        return Err(Error::invalid("code", text));
    }
    let txn = confirm(auth, viewer, (input.password, input.code), client).await?;
    let codes = recovery::replace(&txn, user.id).await?;
    let entry = Entry::of(user.id, ActivityKind::RecoveryCodesRegenerated, client);
    activity::record(&*txn, auth.app.clock.now(), entry).await?;
    txn.commit().await?;
    Ok(codes)
}

/// A transaction with the person's row locked, in which whoever is signed in has shown that she is who she was.
async fn confirm(
    auth: &Auth,
    viewer: Viewer,
    (password, code): (Option<String>, Option<String>),
    client: &ClientInfo,
) -> Result<Txn> {
    if let Some(code) = code {
        throttle::code(&auth.app, None, viewer.user_id).await?;
        let txn = auth.app.db.begin().await?;
        locked(&txn, viewer.user_id).await?;
        refuse_ended(&txn, viewer).await?;
        if let Err(error) = spend_code(auth, &txn, viewer.user_id, &code, client).await {
            // Dropped first: on SQLite there is one writer.
            drop(txn);
            if matches!(error, Error::Refused(_)) {
                let kind = ActivityKind::SecondFactorFailed;
                tell_afterwards(auth, viewer.user_id, kind, client);
            }
            return Err(error);
        }
        return Ok(txn);
    }
    let failed = ActivityKind::PasswordChangeFailed;
    let proof = auth
        .confirm(viewer, password.as_deref(), failed, client)
        .await?;
    let txn = auth.app.db.begin().await?;
    proof.stands(&txn).await?;
    Ok(txn)
}
