//! Changing the address. The new one counts once its mail was answered; until then the old one is the account's, and is
//! told at once, while its owner can still take it back.

use async_graphql::InputObject;
use entity::{activity::ActivityKind, mail::MailKind, user};

use super::{Auth, rules, throttle};
use crate::{
    activity::{self, Entry},
    error::Result,
    mail::{self, Post},
    viewer::{ClientInfo, Viewer},
};

/// Which address is to take the old one's place.
#[derive(InputObject)]
pub(super) struct ChangeEmailInput {
    /// The new address.
    pub(super) email: String,
    /// Your password. Leave it out if you have none: then you must have signed in within ten minutes.
    pub(super) password: Option<String>,
}

/// Sends a mail to the new address, and tells the old one. The answer does not tell whether the new one is taken.
pub(super) async fn change_email(
    auth: &Auth,
    viewer: Viewer,
    input: ChangeEmailInput,
    client: &ClientInfo,
) -> Result<user::Model> {
    let app = &auth.app;
    mail::demand(app)?;
    let email = input.email.trim();
    let Some(email_key) = rules::email_key(email) else {
        return Err(rules::no_address().into());
    };
    let failed = ActivityKind::PasswordChangeFailed;
    let proof = auth
        .confirm(viewer, input.password.as_deref(), failed, client)
        .await?;
    throttle::mail(app, "change", &email_key, client).await?;
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    let user = proof.stands(&txn).await?;
    let next = Post {
        kind: MailKind::ChangeEmail,
        user_id: Some(user.id),
        registration_id: None,
        email,
        email_key: &email_key,
    };
    mail::post(&mut txn, app, next).await?;
    let old = Post {
        kind: MailKind::EmailChanging,
        email: &user.email,
        email_key: &user.email_key,
        ..next
    };
    mail::post(&mut txn, app, old).await?;
    let entry = Entry::of(user.id, ActivityKind::EmailChangeRequested, client);
    activity::record(&*txn, now, entry).await?;
    txn.commit().await?;
    Ok(user)
}
