//! The job that seals anew while more than one key is given.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::rekey::rekey;
use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
};

/// Seals anew what is not under the first key. It looks again each hour as long as there are several
/// keys, since a replica that has another in front goes on with that.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Rekey {}

#[async_trait]
impl Job for Rekey {
    const KIND: &'static str = "secrets.rekey";
    const MAX_ATTEMPTS: i32 = 5;
    const EVERY: Option<Duration> = Some(Duration::from_hours(1));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        if app.keys.ids().len() < 2 {
            return Ok(());
        }
        let done = rekey(&app.db, &app.keys).await?;
        if done.sealed > 0 {
            tracing::info!(
                sealed = done.sealed,
                "secrets are sealed under the first key"
            );
        }
        Ok(())
    }
}
