//! Mail to people, and the tokens in it. A mail is one row, written in the transaction of what it is about; a job
//! looks up whom it goes to, writes it and sends it, later and as often as it takes. So no answer tells by its time
//! or its words whether somebody has an account: whoever asks for a mail has never looked.
//!
//! A token is made of its row and a key whenever the mail is sent, and nothing that opens anything is stored. It is
//! good once, for the address it was sent to, and only while it is the newest of its person and kind.
//!
//! A mail may arrive twice, since a worker can die between the mail server's word and its own.
//!
//! Refused: HTML, see `mailer`; anything a stranger typed in a text, by which our mail would carry his words.

use std::time::Duration;

use aws_lc_rs::rand;
use chrono::{DateTime, Utc};
use entity::mail::{self, MailKind};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    app::App,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    jobs::{When, enqueue},
};

mod letter;
mod send;
#[cfg(test)]
mod tests;
mod token;

pub use send::SendMail;

use token::Presented;

/// How long the proof of an address may take.
pub const PROOF: Duration = Duration::from_hours(24);
/// How long a way past the password stays open.
const RESET: Duration = Duration::from_hours(1);

/// What is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// What it is for.
    pub kind: MailKind,
    /// Whose account it is about, if that is known.
    pub user_id: Option<Uuid>,
    /// Which registration it is about.
    pub registration_id: Option<Uuid>,
    /// The address as it was typed.
    pub email: &'a str,
    /// The same in the form that is compared.
    pub email_key: &'a str,
}

/// Makes sure that this server sends mail.
///
/// # Errors
/// `NOT_OFFERED`, with the remedy.
pub fn demand(app: &App) -> Result<()> {
    if app.mailer.is_some() {
        return Ok(());
    }
    let text = "This server sends no mail: its operator sets SMTP_URL.";
    Err(Refusal::new(ErrorCode::NotOffered, text).into())
}

/// Posts a mail in the caller's transaction.
pub async fn post(txn: &mut Txn, app: &App, post: Post<'_>) -> Result<()> {
    let now = app.clock.now();
    let mut salt = vec![0; 16];
    rand::fill(&mut salt).map_err(Error::internal)?;
    let life = match post.kind {
        MailKind::ResetPassword => RESET,
        _ => PROOF,
    };
    let id = Uuid::now_v7();
    let row = mail::ActiveModel {
        id: Set(id),
        kind: Set(post.kind),
        user_id: Set(post.user_id),
        registration_id: Set(post.registration_id),
        email: Set(post.email.to_owned()),
        email_key: Set(post.email_key.to_owned()),
        salt: Set(salt),
        expires_at: Set(now + life),
        used_at: Set(None),
        created_at: Set(now),
    };
    mail::Entity::insert(row)
        .exec_without_returning(&**txn)
        .await?;
    let job = SendMail {
        mail_id: id,
        user_id: post.user_id,
    };
    enqueue(txn, app, &job, When::default()).await?;
    Ok(())
}

/// The mail a token is from, if it is good for one of these.
///
/// # Errors
/// `MAIL_TOKEN_INVALID`, whatever is wrong with it.
pub async fn find(app: &App, token: &str, kinds: &[MailKind]) -> Result<mail::Model> {
    let presented = Presented::read(token).ok_or_else(invalid)?;
    let db = app.db.read();
    let row = mail::Entity::find_by_id(presented.mail_id).one(db).await?;
    let genuine = row.filter(|row| presented.is_of(row, &app.keys));
    let good = genuine.filter(|row| {
        kinds.contains(&row.kind) && row.used_at.is_none() && row.expires_at > app.clock.now()
    });
    let mail = good.ok_or_else(invalid)?;
    let Some(user_id) = mail.user_id else {
        return Ok(mail);
    };
    let newest: Option<Uuid> = mail::Entity::find()
        .select_only()
        .column(mail::Column::Id)
        .filter(of(user_id, mail.kind))
        .order_by_desc(mail::Column::Id)
        .into_tuple()
        .one(db)
        .await?;
    if newest == Some(mail.id) {
        Ok(mail)
    } else {
        Err(invalid())
    }
}

/// Uses a token up, in the transaction of what it is for.
///
/// # Errors
/// `MAIL_TOKEN_INVALID` if somebody else was faster.
pub async fn spend(txn: &Txn, mail: &mail::Model, now: DateTime<Utc>) -> Result<()> {
    let spent = mail::Entity::update_many()
        .col_expr(mail::Column::UsedAt, Expr::value(now))
        .filter(mail::Column::Id.eq(mail.id))
        .filter(mail::Column::UsedAt.is_null())
        .exec(&**txn)
        .await?;
    if spent.rows_affected == 1 {
        Ok(())
    } else {
        Err(invalid())
    }
}

/// Takes back what a person was sent of this kind.
pub async fn take_back(txn: &Txn, user_id: Uuid, kind: MailKind, now: DateTime<Utc>) -> Result<()> {
    mail::Entity::update_many()
        .col_expr(mail::Column::UsedAt, Expr::value(now))
        .filter(of(user_id, kind))
        .filter(mail::Column::UsedAt.is_null())
        .exec(&**txn)
        .await?;
    Ok(())
}

fn of(user_id: Uuid, kind: MailKind) -> SimpleExpr {
    let person = mail::Column::UserId.eq(user_id);
    person.and(mail::Column::Kind.eq(kind))
}

/// One answer for a token that is made up, another's, used, expired or not the newest.
pub fn invalid() -> Error {
    let text =
        "This token is expired, was used, or a newer mail took its place. Ask for another mail.";
    Refusal::new(ErrorCode::MailTokenInvalid, text)
        .on("token")
        .into()
}
