//! The SQLite file on disk: where it is, and that one process at a time writes it. Hints of changes
//! travel inside a process, so a second server on the same file would serve stale subscriptions
//! without any error; the lock turns that into a refusal. The lock is the system's, on a file
//! beside the database: it ends with the process, however that ends.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// The right to write one SQLite file, until it is dropped.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

/// Who has the lock on a file.
#[derive(Debug)]
pub enum Holder {
    /// Another process; its number, if it wrote one down.
    Process(Option<u32>),
    /// Nobody can say: the lock file cannot be used.
    Unknown(io::Error),
}

impl FileLock {
    /// Takes the lock of a database file. A process that is just ending gets a second to do so.
    ///
    /// # Errors
    /// Who holds it.
    pub async fn take(database: &Path) -> Result<Self, Holder> {
        let mut tries = 0;
        loop {
            match Self::try_take(database) {
                Err(Holder::Process(_)) if tries < 10 => tries += 1,
                result => return result,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn try_take(database: &Path) -> Result<Self, Holder> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options
            .open(Self::path(database))
            .map_err(Holder::Unknown)?;
        match file.try_lock() {
            Ok(()) => {
                // The number is for people; the lock holds without it.
                let _ = file.set_len(0);
                let _ = writeln!(file, "{}", std::process::id());
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(Holder::Process(number(&mut file))),
            Err(TryLockError::Error(error)) => Err(Holder::Unknown(error)),
        }
    }

    /// Who holds the lock of a database file now, if anybody does. Nothing is created.
    pub fn holder(database: &Path) -> Option<Holder> {
        let mut file = File::open(Self::path(database)).ok()?;
        match file.try_lock_shared() {
            Ok(()) => None,
            Err(TryLockError::WouldBlock) => Some(Holder::Process(number(&mut file))),
            Err(TryLockError::Error(error)) => Some(Holder::Unknown(error)),
        }
    }

    /// The lock file of a database file. A link and the file it leads to have the same one.
    pub fn path(database: &Path) -> PathBuf {
        let real = database.canonicalize();
        let mut path = real
            .unwrap_or_else(|_| database.to_owned())
            .into_os_string();
        path.push(".lock");
        PathBuf::from(path)
    }
}

fn number(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_writer_and_says_who() {
        let directory = std::env::temp_dir().join(format!("passbook-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&directory).unwrap();
        let database = directory.join("a.db");
        let first = FileLock::try_take(&database).unwrap();
        let second = FileLock::try_take(&database);
        assert!(
            matches!(second, Err(Holder::Process(Some(number))) if number == std::process::id())
        );
        assert!(FileLock::holder(&database).is_some());
        drop(first);
        assert!(FileLock::holder(&database).is_none());
        FileLock::try_take(&database).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
