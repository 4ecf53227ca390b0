//! Making an account for somebody, at the command line. She is not signed in by it.

use chrono::{DateTime, Utc};
use entity::{
    activity::ActivityKind,
    user::{self, Role},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    password::Passwords,
    register::{NewUser, insert},
    rules,
    strength::About,
};
use crate::{
    activity::{self, Entry},
    database::Txn,
    error::Result,
    metrics::Metrics,
    viewer::ClientInfo,
};

/// Somebody whose address and password will do, the password hashed.
#[derive(Debug)]
pub struct Newcomer(NewUser);

/// Checks what is given for an account and hashes the password, before anything is written.
///
/// # Errors
/// All that is wrong with address and password, told at once.
pub async fn newcomer(email: &str, password: &SecretString, role: Role) -> Result<Newcomer> {
    let password = password.expose_secret();
    let passwords = Passwords::new(Metrics::default())?;
    let (email, email_key) = rules::sign_in(&passwords, email, password, About::default()).await?;
    Ok(Newcomer(NewUser {
        email,
        email_key,
        password_hash: passwords.hash(password).await?,
        first_name: None,
        last_name: None,
        birth_date: None,
        email_verified_at: None,
        role,
    }))
}

/// Makes the account.
///
/// # Errors
/// `EMAIL_TAKEN`.
pub async fn create_user(txn: &Txn, now: DateTime<Utc>, newcomer: Newcomer) -> Result<user::Model> {
    let user = insert(txn, now, newcomer.0).await?;
    let client = ClientInfo::default();
    let entry = Entry::of(user.id, ActivityKind::Registered, &client);
    activity::record(&**txn, now, entry).await?;
    if user.role == Role::Admin {
        let entry = Entry::of(user.id, ActivityKind::Promoted, &client);
        activity::record(&**txn, now, entry).await?;
    }
    Ok(user)
}
