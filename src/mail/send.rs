//! The job that sends a mail. Whom it goes to, and what it says, is found out here and not by whoever asked.

use async_trait::async_trait;
use entity::{
    mail::{self, MailKind},
    registration, user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    letter::{Say, Way, letter},
    token::token,
};
use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
    mailer::{Letter, undelivered},
};

/// Sends a mail.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SendMail {
    /// Which mail.
    pub mail_id: Uuid,
    /// Whose account it is about, if that was known.
    pub user_id: Option<Uuid>,
}

#[async_trait]
impl Job for SendMail {
    const KIND: &'static str = "mail.send";
    /// A day of outage; what is in a mail does not last longer.
    const MAX_ATTEMPTS: i32 = 80;

    fn key(&self) -> String {
        self.mail_id.to_string()
    }

    fn user_id(&self) -> Option<Uuid> {
        self.user_id
    }

    fn concurrency_key(&self) -> Option<String> {
        Some("mail".to_owned())
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        let mail = mail::Entity::find_by_id(self.mail_id);
        let Some(mail) = mail.one(app.db.read()).await? else {
            return Ok(());
        };
        let now = app.clock.now();
        if mail.used_at.is_some() {
            return Ok(());
        }
        if mail.expires_at <= now {
            return Err(undelivered(false, "what it is about is over".to_owned()));
        }
        let Some((to, say)) = address(app, &mail).await? else {
            return forget(app, &mail).await;
        };
        let Some(mailer) = &app.mailer else {
            return Err(undelivered(true, "SMTP_URL is not set any more".to_owned()));
        };
        let (subject, text) = letter(&say);
        let id = mail.id;
        let letter = Letter {
            id,
            to,
            subject,
            text,
        };
        mailer.send(letter, now).await
    }
}

/// Whom a mail goes to and what it says; nothing if it is for nobody.
async fn address(app: &App, mail: &mail::Model) -> Result<Option<(String, Say)>> {
    let way = || {
        Ok::<_, crate::error::Error>(Way {
            app_url: app.config.mail.app_url.clone(),
            token: token(&app.keys, mail)?,
            until: mail.expires_at,
        })
    };
    let told = |say| Ok(Some((mail.email.clone(), say)));
    match mail.kind {
        MailKind::VerifyEmail => told(Say::VerifyEmail(way()?)),
        MailKind::EmailChanging => told(Say::EmailChanging),
        MailKind::PasswordReset => told(Say::PasswordReset),
        MailKind::IdentityLinked => told(Say::IdentityLinked),
        MailKind::IdentityUnlinked => told(Say::IdentityUnlinked),
        MailKind::Registration | MailKind::ChangeEmail => {
            match owner(app, &mail.email_key).await? {
                Some(owner) if Some(owner.id) != mail.user_id => {
                    Ok(Some((owner.email, Say::AddressTaken)))
                }
                _ if mail.kind == MailKind::ChangeEmail => told(Say::ChangeEmail(way()?)),
                _ => told(Say::Registration(way()?)),
            }
        }
        MailKind::ResetPassword => {
            let Some(owner) = owner(app, &mail.email_key).await? else {
                return Ok(None);
            };
            known(app, mail, owner.id).await?;
            // The account's own spelling: what was typed need not be the same mailbox.
            Ok(Some((owner.email, Say::ResetPassword(way()?))))
        }
    }
}

async fn owner(app: &App, email_key: &str) -> Result<Option<user::Model>> {
    let rows = user::Entity::find().filter(user::Column::EmailKey.eq(email_key));
    Ok(rows.one(app.db.read()).await?)
}

/// Writes down whose mail it is, before the token leaves.
async fn known(app: &App, mail: &mail::Model, user_id: Uuid) -> Result<()> {
    let txn = app.db.begin().await?;
    mail::Entity::update_many()
        .col_expr(mail::Column::UserId, Expr::value(user_id))
        .filter(mail::Column::Id.eq(mail.id))
        .exec(&*txn)
        .await?;
    txn.commit().await
}

/// Nothing is kept of an address that nobody here has.
async fn forget(app: &App, mail: &mail::Model) -> Result<()> {
    let txn = app.db.begin().await?;
    mail::Entity::delete_by_id(mail.id).exec(&*txn).await?;
    if let Some(id) = mail.registration_id {
        registration::Entity::delete_by_id(id).exec(&*txn).await?;
    }
    txn.commit().await
}
