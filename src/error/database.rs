//! Which of a database's refusals pass by themselves. What passes is tried again; what does not is
//! our bug.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr};

use super::Error;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if passes(&error) {
            Self::Unavailable(Arc::new(error))
        } else {
            Self::internal(error)
        }
    }
}

fn passes(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            driver(error)
        }
        _ => false,
    }
}

/// Whether a driver's error is about the connection, or about the state the database is in.
fn driver(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| state(&code)) || sqlite(error.message())
        }
        _ => false,
    }
}

/// PostgreSQL's classes of errors that have nothing to do with the statement: connection lost, rolled
/// back for others' sake (deadlock, serialization), out of resources, shutting down, failing disk; and
/// a server that became a standby.
fn state(code: &str) -> bool {
    let classes = ["08", "40", "53", "57", "58"];
    code.len() == 5
        && (classes.iter().any(|class| code.starts_with(class))
            || code == "25006"
            || code == "55P03")
}

/// SQLite tells the same in words.
fn sqlite(message: &str) -> bool {
    [
        "disk is full",
        "disk I/O",
        "database is locked",
        "readonly database",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_is_wrong() {
        for code in [
            "08006", "40P01", "40001", "53300", "57P01", "57P03", "58030", "25006", "55P03",
        ] {
            assert!(state(code), "{code}");
        }
        for code in ["23505", "42601", "22003", "25P02", "XX000", "5"] {
            assert!(!state(code), "{code}");
        }
        assert!(
            sqlite("database or disk is full") && !sqlite("UNIQUE constraint failed: users.email")
        );
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        let lost = DbErr::Query(RuntimeErr::SqlxError(Arc::new(lost)));
        assert!(matches!(Error::from(lost), Error::Unavailable(_)));
        let wrong = DbErr::Query(RuntimeErr::SqlxError(Arc::new(sqlx::Error::RowNotFound)));
        assert!(matches!(Error::from(wrong), Error::Internal(_)));
    }
}
