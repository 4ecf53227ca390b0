//! The database: whether it can be reached, is whole, is up to date, and keeps what it is given.

use std::path::Path;

use sea_orm::{ConnectionTrait, Statement};
use secrecy::ExposeSecret;

use super::{Finding, problems};
use crate::{
    cli::open,
    config::Config,
    database::{Database, FileLock, Holder, masked},
    error::{Error, Result},
};

const SUBJECT: &str = "database";

/// The oldest PostgreSQL we are tested with, as the server numbers itself.
const OLDEST: u32 = 150_000;

/// Looks at the database, and hands it on if it can be read.
pub(super) async fn look(config: &Config, findings: &mut Vec<Finding>) -> Option<Database> {
    let url = config.database_url.expose_secret();
    let name = masked(url);
    let path = config.sqlite_path();
    if let Some(path) = &path
        && !there(path, findings)
    {
        return None;
    }
    let looked = async {
        let db = Database::inspect(url).await?;
        match &path {
            Some(path) => sqlite(&db, path, findings).await?,
            None => postgres(&db, &name, findings).await?,
        }
        schema(&db, findings).await?;
        Ok(db)
    };
    match looked.await {
        Ok(db) => Some(db),
        Err(error) => {
            findings.extend(unusable(path.as_deref(), &name, &error));
            None
        }
    }
}

fn unusable(path: Option<&Path>, name: &str, error: &Error) -> Vec<Finding> {
    if let Some(path) = path {
        return problems(SUBJECT, open::unusable(path, error));
    }
    let why = open::reason(error);
    let text = format!(
        "DATABASE_URL: {name} cannot be used: {why}; check that it runs, and the user, password and rights"
    );
    vec![Finding::problem(SUBJECT, text)]
}

/// Whether there is a file to look into, and whether a server could write it.
fn there(path: &Path, findings: &mut Vec<Finding>) -> bool {
    if let Err(failure) = open::writable(path) {
        findings.extend(problems(SUBJECT, failure));
        return false;
    }
    if !path.exists() {
        let text = format!(
            "{} is not there yet; the first start makes it",
            path.display()
        );
        findings.push(Finding::fine(SUBJECT, text));
        return false;
    }
    match FileLock::holder(path) {
        None => findings.push(Finding::fine("server", "none is running on this database")),
        Some(Holder::Process(number)) => {
            let number = number.map_or_else(String::new, |number| format!(" as process {number}"));
            findings.push(Finding::fine("server", format!("one is running{number}")));
        }
        Some(Holder::Unknown(error)) => findings.push(Finding::problem(
            SUBJECT,
            format!(
                "{}: cannot be locked: {error}; put the database on a file system that has locks",
                FileLock::path(path).display()
            ),
        )),
    }
    true
}

async fn sqlite(db: &Database, path: &Path, findings: &mut Vec<Finding>) -> Result<()> {
    let shown = path.display();
    let health = ask(db, "PRAGMA quick_check(1)").await?;
    findings.push(if health == "ok" {
        Finding::fine(SUBJECT, format!("{shown} is whole"))
    } else {
        Finding::problem(
            SUBJECT,
            format!("{shown} is damaged ({health}); stop the server and restore a backup"),
        )
    });
    if let Some(mode) = open::too_open(path) {
        findings.push(Finding::warning(
            SUBJECT,
            format!("{shown} may be read by others (mode {mode:04o}); run `chmod 600 {shown}*`"),
        ));
    }
    let journal = ask(db, "PRAGMA journal_mode").await?;
    if journal != "wal" {
        findings.push(Finding::warning(
            SUBJECT,
            format!("{shown} keeps a journal of mode {journal}, not a write-ahead log; the next start changes that"),
        ));
    }
    Ok(())
}

async fn postgres(db: &Database, name: &str, findings: &mut Vec<Finding>) -> Result<()> {
    let version = ask(db, "SHOW server_version").await?;
    let number = ask(db, "SHOW server_version_num").await?;
    findings.push(if number.parse().unwrap_or(0) >= OLDEST {
        Finding::fine(SUBJECT, format!("{name} answers, PostgreSQL {version}"))
    } else {
        Finding::warning(
            SUBJECT,
            format!(
                "{name} is PostgreSQL {version}; we test with {} and newer",
                OLDEST / 10_000
            ),
        )
    });
    if ask(db, "SHOW transaction_read_only").await? == "on" {
        findings.push(Finding::problem(
            SUBJECT,
            format!("{name} takes no writes: a standby, or default_transaction_read_only is on; name the primary"),
        ));
    }
    if ask(db, "SHOW synchronous_commit").await? == "off" {
        findings.push(Finding::warning(
            SUBJECT,
            "synchronous_commit is off: a crash of PostgreSQL may lose what we have promised to keep; turn it on",
        ));
    }
    Ok(())
}

async fn schema(db: &Database, findings: &mut Vec<Finding>) -> Result<()> {
    let schema = db.schema().await?;
    findings.push(match (schema.newer(), schema.pending()) {
        (Some((newest, known)), _) => Finding::problem(
            "schema",
            format!("is at {newest}, this binary knows {known}; use the release that wrote it, or a newer one"),
        ),
        (None, 0) => Finding::fine("schema", format!("has all {} steps", schema.steps.len())),
        (None, pending) => Finding::warning(
            "schema",
            format!("lacks {pending} steps; the next start applies them, or `passbook migrate` now"),
        ),
    });
    Ok(())
}

/// The one text a statement answers.
async fn ask(db: &Database, sql: &str) -> Result<String> {
    let statement = Statement::from_string(db.backend(), sql);
    let row = db.read().query_one_raw(statement).await?;
    let text = row.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(text.unwrap_or_default())
}
