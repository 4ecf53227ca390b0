//! The writer of the administrators' log. Whoever does something as an administrator, or as the operator at
//! the command line, writes one entry in the transaction that does it; whoever looks at something writes
//! one before it is read. Entries are kept for a year, and nothing here changes one
//! but to take out who has deleted her account.

use chrono::{DateTime, TimeDelta, Utc};
use entity::admin_access::{self, Column as Row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use crate::{error::Result, viewer::ClientInfo};

/// How long an entry is kept.
const KEPT: TimeDelta = TimeDelta::days(365);
/// How many characters of arguments are kept; of longer ones it is said that they were cut.
const LONGEST_ARGUMENTS: usize = 2_000;

/// One thing that was looked at or done.
#[derive(Clone, Debug)]
pub struct Access {
    /// Who it was; nobody of the server's people at the command line.
    pub admin_id: Option<Uuid>,
    /// The field, or the command.
    pub action: String,
    /// Its arguments as JSON. Never a secret.
    pub arguments: String,
    /// Whom it concerned, if one person alone.
    pub user_id: Option<Uuid>,
    /// Where the request came from.
    pub client: ClientInfo,
}

/// Writes an entry.
pub async fn record(db: &impl ConnectionTrait, at: DateTime<Utc>, access: Access) -> Result<()> {
    let client = access.client.abridged();
    let arguments = abridged(access.arguments);
    let row = admin_access::ActiveModel {
        id: Set(Uuid::now_v7()),
        admin_id: Set(access.admin_id),
        action: Set(access.action),
        arguments: Set(arguments),
        user_id: Set(access.user_id),
        user_agent: Set(client.user_agent),
        address: Set(client.address),
        at: Set(at),
    };
    admin_access::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Arguments that are short enough to be kept, as JSON in any case.
fn abridged(arguments: String) -> String {
    if arguments.chars().count() <= LONGEST_ARGUMENTS {
        return arguments;
    }
    let begins: String = arguments.chars().take(LONGEST_ARGUMENTS).collect();
    json!({"cut": begins}).to_string()
}

/// Takes somebody whose account is deleted out of what concerned her, and where she was out of what she did.
/// That it was done, by whom and when, stays.
pub async fn unname(db: &impl ConnectionTrait, user_id: Uuid) -> Result<()> {
    admin_access::Entity::update_many()
        .col_expr(Row::UserId, Expr::value(None::<Uuid>))
        .col_expr(Row::Arguments, Expr::value("{}"))
        .filter(Row::UserId.eq(user_id))
        .exec(db)
        .await?;
    admin_access::Entity::update_many()
        .col_expr(Row::UserAgent, Expr::value(None::<String>))
        .col_expr(Row::Address, Expr::value(None::<String>))
        .filter(Row::AdminId.eq(user_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets what is older than a year.
pub async fn prune(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<()> {
    admin_access::Entity::delete_many()
        .filter(Row::At.lt(now - KEPT))
        .exec(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_json_however_long_they_were() {
        let short = r#"{"first":1}"#.to_owned();
        assert_eq!(abridged(short.clone()), short);
        let long = json!({"filter": {"search": "\"é".repeat(2_000)}}).to_string();
        let kept: serde_json::Value = serde_json::from_str(&abridged(long.clone())).unwrap();
        let begins = kept["cut"].as_str().unwrap();
        assert_eq!(begins.chars().count(), LONGEST_ARGUMENTS);
        assert!(long.starts_with(begins));
    }
}
