//! `passbook migrate` and `passbook migrate status`.

use comfy_table::{Table, presets::NOTHING};
use secrecy::ExposeSecret;

use super::{
    failure::Failure,
    open::{self, Missing},
    print,
};
use crate::{
    config::Config,
    database::{Database, Schema, masked},
    error::Error,
};

/// Brings the database up to date.
pub(super) async fn apply(config: &Config) -> Result<(), Failure> {
    let opened = open::open(config).await?;
    let (lock, before) = open::migrate(config, &opened.db, Missing::Apply).await?;
    lock.release().await;
    opened.db.close().await;
    let database = masked(config.database_url.expose_secret());
    print::line(match before.pending() {
        0 => format!("{database} is up to date"),
        1 => format!("{database}: 1 step applied"),
        pending => format!("{database}: {pending} steps applied"),
    })
}

/// Lists the steps. Needs no lock and changes nothing.
pub(super) async fn status(config: &Config) -> Result<(), Failure> {
    let url = config.database_url.expose_secret();
    let database = masked(url);
    if config.sqlite_path().is_some_and(|path| !path.exists()) {
        return print::line(format!(
            "{database}: not there yet; `passbook migrate` or the first start makes it"
        ));
    }
    let look = async { Database::inspect(url).await?.schema().await };
    let schema = look.await.map_err(|error| unreadable(&database, &error))?;
    print::line(table(&schema))?;
    print::line(match (schema.newer(), schema.pending()) {
        (Some((newest, known)), _) => {
            format!("{database} is at {newest}, this binary knows {known}")
        }
        (None, 0) => format!("{database} is up to date"),
        (None, pending) => format!("{database} lacks {pending}; run `passbook migrate`"),
    })
}

fn unreadable(database: &str, error: &Error) -> Failure {
    let why = open::reason(error);
    Failure::temporary(format!("DATABASE_URL: {database} cannot be read: {why}"))
}

fn table(schema: &Schema) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["Step", "Applied"]);
    for step in &schema.steps {
        let applied = match (step.applied_at, step.known) {
            (Some(at), true) => at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            (Some(_), false) => "by a newer release".to_owned(),
            (None, _) => "pending".to_owned(),
        };
        table.add_row([step.name.clone(), applied]);
    }
    table
}
