//! Signing in with a password. Somebody we do not know costs as much time as a wrong password and
//! gets the same answer.

use async_graphql::InputObject;
use entity::{activity::ActivityKind, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use uuid::Uuid;

use super::{
    Auth,
    admit::{Admission, admit},
    password::{self, Verdict},
    rules,
    second_factor::locked,
    throttle::{self, Attempt},
};
use crate::{
    activity::{self, Entry},
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    viewer::ClientInfo,
};

/// Who signs in.
#[derive(InputObject)]
pub(super) struct LoginInput {
    /// The e-mail address; case does not matter.
    pub(super) email: String,
    /// The password.
    pub(super) password: String,
}

/// Signs in.
pub(super) async fn login(
    auth: &Auth,
    input: LoginInput,
    client: &ClientInfo,
) -> Result<Admission> {
    if input.password.len() > rules::LONGEST_PASSWORD {
        return Err(rules::too_long("password").into());
    }
    let key = rules::email_key(&input.email);
    let attempt = Attempt {
        account: key.as_deref().unwrap_or_default(),
        client,
    };
    let used_up = throttle::password(&auth.app, &attempt).await?;
    let user = find(auth, key.as_deref()).await?;
    let user_id = user.as_ref().map(|user| user.id);
    let familiar = throttle::is_familiar(&auth.app, user_id, client).await?;
    let may_enter = familiar || used_up.is_none();
    let stored = user.as_ref().and_then(password::stored);
    let verdict = auth.passwords.verify(&input.password, stored).await?;
    let user = match (user, verdict) {
        (Some(user), Verdict::Right | Verdict::Outdated) if may_enter => user,
        (user, verdict) => {
            // Strangers with many addresses fill nobody's log.
            let told = user.filter(|_| may_enter && verdict == Verdict::Wrong);
            if let Some(user) = told {
                tell_afterwards(auth, user.id, ActivityKind::SignInFailed, client);
            }
            return Err(used_up.unwrap_or_else(wrong));
        }
    };
    let better = match verdict {
        // If there is no time for it now, there will be at the next sign-in.
        Verdict::Outdated => auth.passwords.hash(&input.password).await.ok(),
        _ => None,
    };
    let (txn, user) = hold(auth, user, better, &input.password).await?;
    if used_up.is_none() {
        attempt.succeeded(&txn).await?;
    }
    let entry = Entry::of(user.id, ActivityKind::SignedIn, client);
    admit(auth, txn, user, entry).await
}

/// A transaction in which the hash that was compared is the account's still, or the better one in its place. Another
/// sign-in may have replaced it meanwhile: then the password is compared once more.
async fn hold(
    auth: &Auth,
    user: user::Model,
    better: Option<String>,
    password: &str,
) -> Result<(Txn, user::Model)> {
    let txn = auth.app.db.begin().await?;
    let current = locked(&txn, user.id).await?;
    if current.password_hash == user.password_hash {
        let user = match better {
            Some(hash) => rehash(&txn, current, hash).await?,
            None => current,
        };
        return Ok((txn, user));
    }
    // Nothing is held while it is hashed.
    drop(txn);
    let verdict = auth.passwords.verify(password, password::stored(&current));
    if verdict.await? == Verdict::Wrong {
        return Err(wrong());
    }
    Ok((auth.app.db.begin().await?, current))
}

async fn find(auth: &Auth, email_key: Option<&str>) -> Result<Option<user::Model>> {
    let Some(key) = email_key else {
        return Ok(None);
    };
    Ok(user::Entity::find()
        .filter(user::Column::EmailKey.eq(key))
        .one(auth.app.db.read())
        .await?)
}

async fn rehash(txn: &Txn, user: user::Model, hash: String) -> Result<user::Model> {
    let mut row = user.into_active_model();
    row.password_hash = Set(hash);
    Ok(row.update(&**txn).await?)
}

/// Writes a wrong password into the person's log. The answer does not wait for it: its time would
/// tell that the address is known.
pub(super) fn tell_afterwards(auth: &Auth, user_id: Uuid, kind: ActivityKind, client: &ClientInfo) {
    let app = auth.app.clone();
    let entry = Entry::of(user_id, kind, client);
    auth.afterwards.spawn(async move {
        let written = async {
            let txn = app.db.begin().await?;
            activity::record(&*txn, app.clock.now(), entry).await?;
            txn.commit().await
        };
        if let Err(error) = written.await {
            let error = error.chain();
            tracing::error!(user.id = %user_id, error, "a wrong password was not written down");
        }
    });
}

pub(super) fn wrong() -> Error {
    let text = "The e-mail address or the password is wrong.";
    Refusal::new(ErrorCode::InvalidCredentials, text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::everywhere;

    #[tokio::test]
    async fn a_guess_that_is_refused_at_once_asks_for_nobody() {
        everywhere(async |app| {
            let auth = Auth::new((**app).clone()).unwrap();
            let client = ClientInfo {
                address: Some("192.0.2.66".to_owned()),
                user_agent: None,
            };
            let guess = async || {
                let input = LoginInput {
                    email: "ana@example.com".to_owned(),
                    password: "guessed".to_owned(),
                };
                app.take_statements();
                let told = login(&auth, input, &client).await;
                assert!(matches!(told, Err(Error::Refused(_))));
                let asked = app.take_statements();
                asked.iter().any(|one| one.sql.contains("\"users\""))
            };
            for _ in 0..5 {
                assert!(guess().await);
            }
            assert!(!guess().await, "its time would tell whether she is there");
        })
        .await;
    }
}
