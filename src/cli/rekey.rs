//! `passbook rekey`.

use super::{failure::Failure, keys, open, print};
use crate::{
    config::Config,
    secrets::{forget_other_keys, rekey},
};

/// Seals everything under the newest key, and says what may be done with the others.
pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    keys::demand(config)?;
    let opened = open::open(config).await?;
    let (migrating, _) = open::migrate(config, &opened.db, open::Missing::Apply).await?;
    migrating.release().await;
    let keys = keys::get(config, &opened.db).await?;
    let done = rekey(&opened.db, &keys).await?;
    if done.broken > 0 {
        let text = format!(
            "{} secrets do not open with any key of SECRET_KEY; the log names them. Give the key they are \
             sealed with, or link those banks anew",
            done.broken
        );
        return Err(Failure::config(text));
    }
    let ids = keys.ids();
    let newest = ids.first().map_or("", String::as_str);
    print::line(format!(
        "{} secrets sealed under {newest}; nothing is sealed under another key",
        done.sealed
    ))?;
    if ids.len() > 1 {
        forget_other_keys(&opened.db, &keys).await?;
        print::line(
            "The other keys still know the sessions of people who have not come back since: keep them in \
             SECRET_KEY for as long as REFRESH_TOKEN_TTL says, then take them out and restart.",
        )?;
    }
    opened.db.close().await;
    Ok(())
}
