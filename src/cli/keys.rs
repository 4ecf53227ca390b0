//! The secret keys: `SECRET_KEY`, or for SQLite a file beside the database; and whether they fit the
//! database. It keeps a known text sealed under every key it has seen, so that a server with other
//! keys is refused at its start and does not fail bank by bank.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use entity::key_check;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder, sea_query::OnConflict};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{
    failure::Failure,
    open::{directory, private, too_open},
};
use crate::{
    config::{Config, EXAMPLE_SECRET_KEY},
    database::Database,
    error::Error,
    seal::{Keys, Place},
};

/// What is sealed under every key.
const KNOWN_TEXT: &[u8] = b"passbook key check";

const PLACE: Place = Place {
    column: "key_checks.sealed",
    row: Uuid::nil(),
    user: Uuid::nil(),
};

/// The key file that goes with a database file.
pub(super) fn file(database: &Path) -> PathBuf {
    match directory(database) {
        here if here == Path::new(".") => PathBuf::from("passbook.key"),
        directory => directory.join("passbook.key"),
    }
}

/// Refuses a configuration without a key where none can be made, before anything is touched.
pub(super) fn demand(config: &Config) -> Result<(), Failure> {
    if config.secret_key.is_some() || config.is_sqlite() {
        Ok(())
    } else {
        Err(needed())
    }
}

fn needed() -> Failure {
    Failure::config(
        "SECRET_KEY: is needed with PostgreSQL, the same for every replica; \
         make one with `openssl rand -base64 32`",
    )
}

/// The keys of a server that starts: those that are there, or a new one for a new database.
pub(super) async fn get(config: &Config, db: &Database) -> Result<Keys, Failure> {
    let seen = seen(db).await?;
    let keys = match find(config)? {
        Some(keys) => keys,
        None => make(&vacancy(config, &seen)?)?,
    };
    fit(config, &keys, &seen)?;
    let Some(first) = keys.ids().into_iter().next() else {
        return Err(Failure::config("SECRET_KEY: is empty"));
    };
    if !seen.iter().any(|row| row.key_id == first) {
        remember(db, &keys, first).await?;
    }
    Ok(keys)
}

/// The keys of servers that run: a key that none of them has begun with may be unknown to all, and nothing may be
/// sealed with it.
pub(super) async fn in_use(config: &Config, db: &Database) -> Result<Keys, Failure> {
    let seen = seen(db).await?;
    let Some(keys) = find(config)? else {
        return Err(vacancy(config, &seen).err().unwrap_or_else(needed));
    };
    fit(config, &keys, &seen)?;
    let first = keys.ids().into_iter().next().unwrap_or_default();
    if seen.iter().any(|row| row.key_id == first) {
        return Ok(keys);
    }
    Err(Failure::config(format!(
        "SECRET_KEY: no server has begun with {first} in front; restart all of them so, then run this again"
    )))
}

/// The keys that are there already.
pub(super) fn find(config: &Config) -> Result<Option<Keys>, Failure> {
    if let Some(text) = &config.secret_key {
        let keys = Keys::parse(text.expose_secret());
        return keys
            .map(Some)
            .map_err(|why| Failure::config(format!("SECRET_KEY: {why}")));
    }
    let Some(database) = config.sqlite_path() else {
        return Ok(None);
    };
    read(&file(&database))
}

/// The check rows, of every key this database has seen.
pub(super) async fn seen(db: &Database) -> Result<Vec<key_check::Model>, Error> {
    Ok(key_check::Entity::find()
        .order_by_asc(key_check::Column::KeyId)
        .all(db.read())
        .await?)
}

/// Whether the keys open what the database has sealed.
pub(super) fn fit(config: &Config, keys: &Keys, seen: &[key_check::Model]) -> Result<(), Failure> {
    let ours = keys.ids();
    let opens = |row: &&key_check::Model| {
        keys.open(PLACE, &row.sealed)
            .is_ok_and(|text| text == KNOWN_TEXT)
    };
    let lacking: Vec<&str> = seen
        .iter()
        .filter(|row| !opens(row))
        .map(|row| row.key_id.as_str())
        .collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let beside = config.sqlite_path().map(|path| file(&path));
    let remedy = match (&config.secret_key, beside) {
        (Some(_), Some(file)) if file.exists() => format!(
            "add that one after a comma; it may be in {}",
            file.display()
        ),
        (None, Some(file)) => format!("restore {} from its backup", file.display()),
        _ => "add that one after a comma".to_owned(),
    };
    Err(Failure::config(format!(
        "SECRET_KEY: this database is sealed with key {}, and the server has {}; {remedy}",
        lacking.join(", "),
        ours.join(", "),
    )))
}

async fn remember(db: &Database, keys: &Keys, key_id: String) -> Result<(), Error> {
    let sealed = keys.seal(PLACE, KNOWN_TEXT)?;
    let row = key_check::ActiveModel {
        key_id: Set(key_id),
        sealed: Set(sealed),
    };
    let txn = db.begin().await?;
    key_check::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&*txn)
        .await?;
    txn.commit().await
}

/// Reads a key file, if there is one, and refuses one that others can read.
fn read(path: &Path) -> Result<Option<Keys>, Failure> {
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Failure::config(format!(
                "{shown}: cannot be read: {error}; give it to the server's user"
            )));
        }
    };
    if let Some(mode) = too_open(path) {
        return Err(Failure::config(format!(
            "{shown}: others may read it (mode {mode:04o}); run `chmod 600 {shown}`"
        )));
    }
    let text = text.trim();
    if text.contains(EXAMPLE_SECRET_KEY) {
        return Err(Failure::config(format!(
            "{shown}: holds the example's key, which protects nothing; remove the file and a new one is made"
        )));
    }
    let keys = Keys::parse(text).map_err(|why| {
        Failure::config(format!(
            "{shown}: the key {why}; restore the file from its backup"
        ))
    })?;
    Ok(Some(keys))
}

/// The file a new key may be written to: only a database that has seen no key gets a new one.
pub(super) fn vacancy(config: &Config, seen: &[key_check::Model]) -> Result<PathBuf, Failure> {
    let Some(database) = config.sqlite_path() else {
        return Err(needed());
    };
    let file = file(&database);
    match seen.first() {
        None => Ok(file),
        Some(row) => Err(Failure::config(format!(
            "{}: is missing, and this database is sealed with key {}; restore the file from its backup, \
             or set SECRET_KEY",
            file.display(),
            row.key_id
        ))),
    }
}

/// Makes the key of a new database file.
fn make(path: &Path) -> Result<Keys, Failure> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(Error::internal)?;
    let text = STANDARD.encode(bytes);
    write(path, &text).map_err(|error| {
        Failure::io(format!(
            "{}: cannot be written: {error}; give the server's user the right to write there, or set SECRET_KEY",
            path.display()
        ))
    })?;
    tracing::info!(
        "made the secret key {}; back it up, but apart from the database, since nothing opens the one without the other",
        path.display()
    );
    Keys::parse(&text).map_err(|why| Failure::config(format!("{}: {why}", path.display())))
}

/// Writes the file whole or not at all: a key cut short would lock its database for good.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let draft = path.with_extension("key.new");
    let mut file = private(&draft)?;
    file.set_len(0)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(directory(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    /// A new directory, and the configuration of a database in it.
    fn configured(key: Option<&str>) -> (PathBuf, Config) {
        let directory = std::env::temp_dir().join(format!("passbook-{}", Uuid::now_v7()));
        fs::create_dir(&directory).unwrap();
        let url = format!("sqlite://{}/a.db", directory.display());
        let mut pairs = vec![("DATABASE_URL", url.as_str())];
        pairs.extend(key.map(|key| ("SECRET_KEY", key)));
        (directory.clone(), Config::from_pairs(pairs).unwrap())
    }

    fn seen_by(text: &str) -> key_check::Model {
        let keys = Keys::parse(text).unwrap();
        key_check::Model {
            key_id: keys.ids().remove(0),
            sealed: keys.seal(PLACE, KNOWN_TEXT).unwrap(),
        }
    }

    #[test]
    fn a_key_is_made_once_and_only_for_its_owner() {
        let (directory, config) = configured(None);
        let made = make(&vacancy(&config, &[]).unwrap()).unwrap();
        assert_eq!(too_open(&directory.join("passbook.key")), None);
        let found = find(&config).unwrap().unwrap();
        assert_eq!(made.ids(), found.ids());
        fs::remove_dir_all(directory).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_cannot_be_trusted_is_refused_by_name() {
        use std::os::unix::fs::PermissionsExt;
        let (directory, config) = configured(None);
        let file = directory.join("passbook.key");
        for (text, mode, why) in [
            (OLD, 0o644, "chmod 600"),
            ("c2hvcnQ=", 0o600, "5 bytes"),
            ("", 0o600, "0 bytes"),
            (EXAMPLE_SECRET_KEY, 0o600, "example"),
            (&STANDARD.encode([0; 32]), 0o600, "repeated"),
        ] {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let fault = find(&config).unwrap_err().faults.remove(0);
            let named = fault.starts_with(&file.display().to_string());
            assert!(named && fault.contains(why), "{fault}");
            assert!(text.is_empty() || !fault.contains(text), "{fault}");
        }
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_sealed_database_gets_no_new_key() {
        let (directory, config) = configured(None);
        let seen = seen_by(OLD);
        let fault = vacancy(&config, std::slice::from_ref(&seen)).unwrap_err();
        assert!(fault.faults[0].contains(&seen.key_id), "{fault:?}");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn other_keys_than_the_databases_are_refused_by_their_ids() {
        let (directory, config) = configured(Some(NEW));
        let seen = [seen_by(OLD)];
        let fit = |text: &str| fit(&config, &Keys::parse(text).unwrap(), &seen);
        assert!(fit(OLD).is_ok());
        assert!(fit(&format!("{NEW},{OLD}")).is_ok());
        let fault = fit(NEW).unwrap_err().faults.remove(0);
        assert!(fault.contains(&seen[0].key_id), "{fault}");
        // The right id over another key's text is no fit either.
        let forged = key_check::Model {
            key_id: seen[0].key_id.clone(),
            ..seen_by(NEW)
        };
        assert!(super::fit(&config, &Keys::parse(OLD).unwrap(), &[forged]).is_err());
        fs::remove_dir_all(directory).unwrap();
    }
}
