//! `passbook rekey`: beside a running server, or without one.

use super::{failure::Failure, keys, open, print};
use crate::{
    config::Config,
    database::Database,
    seal::Keys,
    secrets::{Rekeyed, forget_other_keys, rekey},
};

/// Seals everything under the first key, and says what may be done with the others.
pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    keys::demand(config)?;
    let opened = open::beside(config).await?;
    let keys = match opened.lock {
        Some(_) => keys::get(config, &opened.db).await?,
        None => keys::in_use(config, &opened.db).await?,
    };
    let done = moved(&opened.db, &keys).await?;
    let ids = keys.ids();
    let first = ids.first().map_or("", String::as_str);
    if ids.len() > 1 {
        // A server that has another key in front seals with that one, and nothing would open what it seals.
        if moved(&opened.db, &keys).await?.sealed > 0 {
            return Err(Failure::temporary(format!(
                "a server still seals with another key than {first}; put {first} in front for all of them, \
                 restart them, and run this again"
            )));
        }
        forget_other_keys(&opened.db, &keys).await?;
    }
    print::line(format!(
        "{} secrets sealed under {first}; nothing is sealed under another key",
        done.sealed
    ))?;
    if ids.len() > 1 {
        print::line(
            "The other keys still know the sessions of people who have not come back since: keep them in \
             SECRET_KEY for as long as REFRESH_TOKEN_TTL says, then take them out and restart.",
        )?;
    }
    opened.db.close().await;
    Ok(())
}

/// Seals anew what is not under the first key, and refuses to go on if something cannot be.
async fn moved(db: &Database, keys: &Keys) -> Result<Rekeyed, Failure> {
    let done = rekey(db, keys).await?;
    if done.broken == 0 {
        return Ok(done);
    }
    Err(Failure::config(format!(
        "{} secrets do not open with any key of SECRET_KEY; the log names them. Give the key they are \
         sealed with, or link those banks anew",
        done.broken
    )))
}
