//! The one step from "this person has proven who she is" to a session. Whatever way she came, by password, by
//! mail or by another's word, it ends here: so what stands between, the second factor, is between for all of
//! them.

use entity::{activity::ActivityKind, user};

use super::{
    Auth, login,
    second_factor::{self, Challenge},
    session::{self, Grant},
};
use crate::{
    activity::{self, Entry},
    database::Txn,
    error::{Error, Result},
};

/// What a person gets who has proven who she is.
pub(super) enum Admission {
    /// A session.
    Session(Box<Grant>),
    /// A question for the second factor first.
    SecondFactor(Challenge),
}

/// Lets a person in, or asks for her second factor; commits what was done on the way in any case. `user` is as she was
/// when she proved who she is, with the password she gave; `entry` is how her log tells of the session.
pub(super) async fn admit(
    auth: &Auth,
    txn: Txn,
    user: user::Model,
    entry: Entry,
) -> Result<Admission> {
    // What was proven may have been taken back since it was read.
    let proven = user.password_hash;
    let user = second_factor::locked(&txn, user.id).await?;
    if user.password_hash != proven {
        return Err(login::wrong());
    }
    if user.totp_enabled_at.is_some() {
        txn.commit().await?;
        return second_factor::challenge(auth, &user).map(Admission::SecondFactor);
    }
    let grant = begin(auth, txn, user, entry).await?;
    Ok(Admission::Session(Box::new(grant)))
}

/// Begins the session of somebody who has nothing more to prove: only [`admit`], and the second factor itself.
pub(super) async fn begin(auth: &Auth, txn: Txn, user: user::Model, entry: Entry) -> Result<Grant> {
    let begun = session::begin(auth, &txn, user.id, &entry.client).await;
    if let Err(Error::Refused(_)) = &begun {
        // The account is locked. What this transaction has written goes with it, so it is told behind it.
        let kind = ActivityKind::SignInFailed;
        login::tell_afterwards(auth, user.id, kind, &entry.client);
    }
    let session = begun?;
    activity::record(&*txn, session.created_at, entry).await?;
    txn.commit().await?;
    session::grant(auth, user, &session)
}
