//! Switching the second factor on: the server makes a secret, and it counts once the app has shown that it has it.

use async_graphql::InputObject;
use entity::{activity::ActivityKind, totp, user};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict},
};
use secrecy::SecretString;
use uuid::Uuid;

use super::{locked, recovery, switch, totp::Secret, totp_row, wrong_code};
use crate::{
    activity::{self, Entry},
    auth::{Auth, session::refuse_ended, throttle},
    error::{Error, ErrorCode, Refusal, Result},
    viewer::{ClientInfo, Viewer},
};

/// Who begins to switch the second factor on.
#[derive(InputObject)]
pub(in crate::auth) struct EnableTotpInput {
    /// Your password, so that nobody who finds your device open does this. Leave it out if you have none: then you
    /// must have signed in within ten minutes.
    pub(in crate::auth) password: Option<String>,
}

/// What shows that an authenticator app has the secret.
#[derive(InputObject)]
pub(in crate::auth) struct ConfirmTotpInput {
    /// The six digits the app shows.
    pub(in crate::auth) code: String,
}

/// A secret for an authenticator app.
pub(in crate::auth) struct Begun {
    pub(in crate::auth) secret: SecretString,
    pub(in crate::auth) uri: SecretString,
}

/// Makes a secret, in the place of one that was never confirmed.
pub(in crate::auth) async fn enable_totp(
    auth: &Auth,
    viewer: Viewer,
    input: EnableTotpInput,
    client: &ClientInfo,
) -> Result<Begun> {
    let failed = ActivityKind::PasswordChangeFailed;
    let proof = auth
        .confirm(viewer, input.password.as_deref(), failed, client)
        .await?;
    let app = &auth.app;
    let secret = Secret::generate()?;
    let id = Uuid::now_v7();
    let row = totp::ActiveModel {
        id: Set(id),
        user_id: Set(viewer.user_id),
        secret: Set(secret.seal(&app.keys, id, viewer.user_id)?),
        last_step: Set(0),
        created_at: Set(app.clock.now()),
    };
    let txn = app.db.begin().await?;
    let user = proof.stands(&txn).await?;
    // Within the transaction, which waits for whoever confirms one right now.
    demand_off(&user)?;
    let again = OnConflict::column(totp::Column::UserId)
        .update_columns([
            totp::Column::Id,
            totp::Column::Secret,
            totp::Column::LastStep,
            totp::Column::CreatedAt,
        ])
        .to_owned();
    totp::Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(&*txn)
        .await?;
    txn.commit().await?;
    Ok(Begun {
        uri: secret.uri(&user.email),
        secret: secret.text(),
    })
}

/// Switches the second factor on; returns the person and her recovery codes, which are never shown again.
pub(in crate::auth) async fn confirm_totp(
    auth: &Auth,
    viewer: Viewer,
    input: ConfirmTotpInput,
    client: &ClientInfo,
) -> Result<(user::Model, Vec<String>)> {
    let app = &auth.app;
    throttle::code(app, None, viewer.user_id).await?;
    let now = app.clock.now();
    let txn = app.db.begin().await?;
    demand_off(&locked(&txn, viewer.user_id).await?)?;
    refuse_ended(&txn, viewer).await?;
    let begin = || Error::invalid("code", "Ask for a secret with `enableTotp` first.");
    let row = totp_row(&txn, viewer.user_id).await?.ok_or_else(begin)?;
    let step = Secret::open(&app.keys, &row)?.step(input.code.trim(), now);
    let step = step.ok_or_else(wrong_code)?;
    totp::Entity::update_many()
        .col_expr(totp::Column::LastStep, Expr::value(step))
        .filter(totp::Column::Id.eq(row.id))
        .exec(&*txn)
        .await?;
    let user = switch(&txn, viewer.user_id, Some(now), now).await?;
    let codes = recovery::replace(&txn, user.id).await?;
    let entry = Entry::of(user.id, ActivityKind::TotpEnabled, client);
    activity::record(&*txn, now, entry).await?;
    txn.commit().await?;
    Ok((user, codes))
}

fn demand_off(user: &user::Model) -> Result<()> {
    if user.totp_enabled_at.is_none() {
        return Ok(());
    }
    let text =
        "The second factor is on. To use another app, switch it off with `disableTotp` first.";
    Err(Refusal::new(ErrorCode::InvalidInput, text).into())
}
