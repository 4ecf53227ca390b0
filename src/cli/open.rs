//! Opens the database for a process that is going to work on it: the file's lock, the connection,
//! the schema. What stands in the way is told with the path or the masked address.

use std::{
    fs::File,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{DbErr, RuntimeErr};
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::failure::Failure;
use crate::{
    config::Config,
    database::{Database, FileLock, Holder, MigrationLock, Schema, masked},
    error::Error,
};

/// How long a database that cannot be reached is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database that is open, and ours if it is a file.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) db: Database,
    /// Held for the life of the process.
    pub(super) lock: Option<FileLock>,
}

/// What to do about steps that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Apply them.
    Apply,
    /// Refuse to start.
    Refuse,
}

/// Takes the lock of an SQLite file and connects.
pub(super) async fn open(config: &Config) -> Result<Opened, Failure> {
    let url = config.database_url.expose_secret();
    let Some(path) = config.sqlite_path() else {
        let db = connect(url).await?;
        return Ok(Opened { db, lock: None });
    };
    writable(&path)?;
    let lock = FileLock::take(&path).await;
    let lock = lock.map_err(|holder| held(&path, &holder))?;
    // SQLite would make it readable for everybody; its other files take after this one.
    private(&path).map_err(|error| {
        Failure::io(format!(
            "{}: cannot be made: {error}; give the server's user the right to write there",
            path.display()
        ))
    })?;
    let db = Database::connect(url).await;
    let db = db.map_err(|error| unusable(&path, &error))?;
    let lock = Some(lock);
    Ok(Opened { db, lock })
}

/// Opens the database for a command that may work beside a running server. An SQLite file that nobody holds
/// is held meanwhile and brought up to date; any other database has to be.
pub(super) async fn beside(config: &Config) -> Result<Opened, Failure> {
    let served = config
        .sqlite_path()
        .and_then(|path| FileLock::holder(&path))
        .is_some();
    let opened = if served {
        let url = config.database_url.expose_secret();
        let db = connect(url).await?;
        Opened { db, lock: None }
    } else {
        open(config).await?
    };
    let missing = match opened.lock {
        Some(_) => Missing::Apply,
        None => Missing::Refuse,
    };
    let (migrating, _) = migrate(config, &opened.db, missing).await?;
    migrating.release().await;
    Ok(opened)
}

/// Brings the schema up to date or refuses, while no other process does the same. The lock is the
/// caller's to release, when everything that only one process may do at a start is done.
pub(super) async fn migrate(
    config: &Config,
    db: &Database,
    missing: Missing,
) -> Result<(MigrationLock, Schema), Failure> {
    let lock = MigrationLock::take(config.database_url.expose_secret()).await?;
    let before = db.schema().await?;
    if let Some((newest, known)) = before.newer() {
        return Err(Failure::config(format!(
            "DATABASE_URL: the database is at {newest}, this binary knows {known}; \
             use the release that wrote it, or a newer one"
        )));
    }
    match (before.pending(), missing) {
        (0, _) => {}
        (pending, Missing::Refuse) => {
            return Err(Failure::config(format!(
                "DATABASE_URL: the database lacks {pending} of this release's steps; \
                 run `passbook migrate`, or leave out --no-migrate"
            )));
        }
        (pending, Missing::Apply) => {
            db.bring_up_to_date().await?;
            tracing::info!(steps = pending, "brought the database up to date");
        }
    }
    Ok((lock, before))
}

async fn connect(url: &str) -> Result<Database, Failure> {
    let until = Instant::now() + PATIENCE;
    let mut wait = Duration::from_millis(250);
    let mut why = "no answer".to_owned();
    loop {
        match tokio::time::timeout_at(until, Database::connect(url)).await {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(error @ Error::Unavailable(_))) => why = reason(&error),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => {}
        }
        if Instant::now() + wait >= until {
            return Err(Failure::temporary(format!(
                "DATABASE_URL: {} cannot be reached: {why}; check that it runs, and the user and password",
                masked(url)
            )));
        }
        tracing::warn!(
            database = masked(url),
            "the database cannot be reached, trying again: {why}"
        );
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

/// What the driver said, in one line and without the layers around it.
pub(super) fn reason(error: &Error) -> String {
    let said = match driver(error) {
        Some(sqlx::Error::Io(error)) => error.to_string(),
        Some(sqlx::Error::Database(error)) => error.message().to_owned(),
        Some(sqlx::Error::PoolTimedOut) => "no answer".to_owned(),
        Some(error) => error.to_string(),
        None => error.chain(),
    };
    said.replace(['\n', '\r'], " ")
}

fn driver(error: &Error) -> Option<&sqlx::Error> {
    let (Error::Unavailable(source) | Error::Internal(source)) = error else {
        return None;
    };
    if let Some(error) = source.downcast_ref() {
        return Some(error);
    }
    match source.downcast_ref()? {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Looks whether a file can be written where the database is or will be.
pub(super) fn writable(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let directory = directory(path);
    if !directory.is_dir() {
        return Err(Failure::config(format!(
            "DATABASE_URL: {} is no directory; create it, or name another path",
            directory.display()
        )));
    }
    match File::options().read(true).append(true).open(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::io(format!(
            "{shown}: cannot be written: {error}; give the server's user the right to write it and its directory"
        ))),
        _ => Ok(()),
    }
}

/// Opens a file to be written that nobody else may read: it holds what people own, or a key.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The mode of a file that others may read.
#[cfg(unix)]
pub(super) fn too_open(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Elsewhere a directory decides who may read its files.
#[cfg(not(unix))]
pub(super) fn too_open(_path: &Path) -> Option<u32> {
    None
}

/// The directory of a database file.
pub(super) fn directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn held(path: &Path, holder: &Holder) -> Failure {
    let lock = FileLock::path(path);
    match holder {
        Holder::Process(number) => {
            let number = number.map_or_else(String::new, |number| format!(" (process {number})"));
            Failure::temporary(format!(
                "{}: a Passbook server holds this database{number}; stop it first, or use PostgreSQL for several",
                path.display()
            ))
        }
        Holder::Unknown(error) => Failure::io(format!(
            "{}: cannot be locked: {error}; give the server's user the right to write there, \
             on a file system that has locks",
            lock.display()
        )),
    }
}

/// Why an SQLite file does not open.
pub(super) fn unusable(path: &Path, error: &Error) -> Failure {
    let shown = path.display();
    let code = match driver(error) {
        Some(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        _ => String::new(),
    };
    // The low byte of SQLite's codes is the sort of fault.
    let sort = code.parse::<u32>().map_or(0, |code| code & 0xff);
    match sort {
        5 | 6 => Failure::temporary(format!(
            "{shown}: another program has locked this file; close it and try again"
        )),
        8 => Failure::io(format!(
            "{shown}: can only be read; give the server's user the right to write it and its directory"
        )),
        11 | 26 => Failure::io(format!(
            "{shown}: is damaged, or no SQLite database; restore a backup, or name another path in DATABASE_URL"
        )),
        _ => Failure::io(format!("{shown}: cannot be opened: {}", reason(error))),
    }
}
