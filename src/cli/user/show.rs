//! `passbook user list` and `passbook user show`.

use clap::Args;
use comfy_table::{Table, presets::NOTHING};
use entity::{
    item, session,
    user::{self, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::find;
use crate::{
    admin::{AdminUserFilter, people},
    cli::{
        failure::{Exit, Failure},
        open::{self, Opened},
        print,
    },
    clock::Clock,
    config::Config,
    error::Error,
    graphql,
};

/// How many people are listed at once.
const MOST: u64 = 500;

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Only addresses that begin so.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only administrators.
    #[arg(long)]
    admins: bool,
    /// Only locked accounts.
    #[arg(long)]
    locked: bool,
}

/// Lists people by their addresses.
pub(super) async fn list(config: &Config, args: ListArgs) -> Result<(), Failure> {
    let Opened { db, lock: _lock } = open::beside(config).await?;
    let filter = AdminUserFilter {
        search: args.search,
        role: args.admins.then_some(graphql::user::Role::Admin),
        locked: args.locked.then_some(true),
    };
    let rows = people(filter)
        .map_err(|error| Failure::new(Exit::Usage, format!("--search: {error}")))?
        .order_by_asc(user::Column::EmailKey)
        .limit(MOST + 1);
    let people = rows.all(db.read()).await.map_err(Error::from)?;
    db.close().await;
    let more = people.len() > usize::try_from(MOST).unwrap_or(usize::MAX);
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["Address", "Role", "Locked", "Registered"]);
    for user in people
        .iter()
        .take(usize::try_from(MOST).unwrap_or(usize::MAX))
    {
        table.add_row([
            user.email.clone(),
            role(user).to_owned(),
            user.locked_at.map_or("no".to_owned(), day),
            day(user.created_at),
        ]);
    }
    print::line(table)?;
    if more {
        print::line(format!(
            "and more: these are the first {MOST}; --search cuts the list down"
        ))?;
    }
    Ok(())
}

/// Tells how somebody's account stands.
pub(super) async fn show(config: &Config, email: &str) -> Result<(), Failure> {
    let Opened { db, lock: _lock } = open::beside(config).await?;
    let user = find(db.read(), email).await?;
    let hers = session::Entity::find().filter(session::Column::UserId.eq(user.id));
    let last = hers.clone().order_by_desc(session::Column::Id);
    let last = last.one(db.read()).await.map_err(Error::from)?;
    let open = hers
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(Clock::default().now()))
        .count(db.read());
    let open = open.await.map_err(Error::from)?;
    let items = item::Entity::find()
        .filter(item::Column::UserId.eq(user.id))
        .filter(item::Column::RemovedAt.is_null())
        .count(db.read());
    let items = items.await.map_err(Error::from)?;
    db.close().await;
    let mut table = Table::new();
    table.load_style(NOTHING);
    let last = last.map_or("not for a month".to_owned(), |last| day(last.created_at));
    for (name, value) in [
        ("Address", user.email.clone()),
        ("Role", role(&user).to_owned()),
        ("Locked", user.locked_at.map_or("no".to_owned(), day)),
        ("Registered", day(user.created_at)),
        ("Last sign-in", last),
        ("Sessions", open.to_string()),
        ("Banks", items.to_string()),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    print::line(table)
}

fn role(user: &user::Model) -> &'static str {
    match user.role {
        Role::Admin => "administrator",
        Role::User => "user",
    }
}

fn day(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
