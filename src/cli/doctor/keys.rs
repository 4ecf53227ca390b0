//! The secret keys: whether there are any, and whether they open what the database has sealed.

use super::{Finding, problems};
use crate::{cli::keys, config::Config, database::Database, seal::Keys};

const SUBJECT: &str = "keys";

/// Looks at the keys, and hands them on if they are the database's.
pub(super) async fn look(
    config: &Config,
    db: Option<&Database>,
    findings: &mut Vec<Finding>,
) -> Option<Keys> {
    let found = match keys::find(config) {
        Ok(found) => found,
        Err(failure) => {
            findings.extend(problems(SUBJECT, failure));
            return None;
        }
    };
    let seen = match db {
        // Before its first step a database has no table to ask, and has sealed nothing.
        Some(db) => keys::seen(db).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let Some(keys) = found else {
        findings.extend(match keys::vacancy(config, &seen) {
            Err(failure) => problems(SUBJECT, failure),
            Ok(file) => {
                let text = format!("none yet; the first start makes {}", file.display());
                vec![Finding::fine(SUBJECT, text)]
            }
        });
        return None;
    };
    if let Err(failure) = keys::fit(config, &keys, &seen) {
        findings.extend(problems(SUBJECT, failure));
        return None;
    }
    let ids = keys.ids().join(", ");
    findings.push(Finding::fine(
        SUBJECT,
        format!("{ids}: opens what the database has sealed"),
    ));
    Some(keys)
}
