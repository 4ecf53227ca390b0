//! What a person says of herself.

use async_graphql::{InputObject, MaybeUndefined};
use entity::{activity::ActivityKind, user};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{self, Set},
    IntoActiveModel,
    sea_query::Value,
};

use super::{Auth, rules, second_factor};
use crate::{
    activity::{self, Entry},
    error::{Error, Result},
    graphql::scalar::Date,
    viewer::{ClientInfo, Viewer},
};

/// What to change. What is left out stays; null takes it away.
#[derive(InputObject)]
pub(super) struct UpdateProfileInput {
    /// Given name, at most 200 characters.
    pub(super) first_name: MaybeUndefined<String>,
    /// Family name, at most 200 characters.
    pub(super) last_name: MaybeUndefined<String>,
    /// Date of birth, from 1900 on.
    pub(super) birth_date: MaybeUndefined<Date>,
}

/// Changes what is given, and returns the person as she is then.
pub(super) async fn update_profile(
    auth: &Auth,
    viewer: Viewer,
    input: UpdateProfileInput,
    client: &ClientInfo,
) -> Result<user::Model> {
    let now = auth.app.clock.now();
    let profile = rules::profile(input, now).map_err(Error::Refused)?;
    let txn = auth.app.db.begin().await?;
    // Held, or what is written could come behind her leaving.
    let user = second_factor::locked(&txn, viewer.user_id).await?;
    let mut row = user.clone().into_active_model();
    change(&mut row.first_name, profile.first_name);
    change(&mut row.last_name, profile.last_name);
    let birth_date = profile.birth_date.map_value(|date| date.0);
    change(&mut row.birth_date, birth_date);
    if !row.is_changed() {
        return Ok(user);
    }
    row.updated_at = Set(now);
    let user = row.update(&*txn).await?;
    let entry = Entry::of(viewer.user_id, ActivityKind::ProfileUpdated, client);
    activity::record(&*txn, now, entry).await?;
    txn.commit().await?;
    Ok(user)
}

/// Sets a column to what is given, if that is something else.
fn change<T>(column: &mut ActiveValue<Option<T>>, given: MaybeUndefined<T>)
where
    Option<T>: Into<Value> + PartialEq,
{
    if !given.is_undefined() {
        column.set_if_not_equals(given.take());
    }
}
