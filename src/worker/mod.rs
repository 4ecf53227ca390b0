//! The list of jobs.

use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    auth::PruneSessions,
    deletion::{DeleteAccount, SweepDeletions},
    exports::{ExpireExports, WriteExport},
    jobs::{Prune, Registry, Runner},
    linking::{
        AdoptLogins, FinishLinkSession, PruneLinking, RemoveItem, SweepLinking, WatchLinkSession,
    },
    mail::SendMail,
    rates::{PollRates, PruneRates},
    secrets::Rekey,
    sync::{SweepItems, SyncItem},
    webhooks::ExpireWebhooks,
};

#[cfg(test)]
mod tests;

/// Every job there is.
pub fn registry() -> Registry {
    Registry::default()
        .with::<SyncItem>()
        .with::<RemoveItem>()
        .with::<WriteExport>()
        .with::<DeleteAccount>()
        .with::<FinishLinkSession>()
        .with::<AdoptLogins>()
        .with::<WatchLinkSession>()
        .with::<SendMail>()
        .with_recurring(Rekey {})
        .with_recurring(SweepItems {})
        .with_recurring(SweepLinking {})
        .with_recurring(ExpireWebhooks {})
        .with_recurring(ExpireExports {})
        .with_recurring(SweepDeletions {})
        .with_recurring(Prune {})
        .with_recurring(PruneLinking {})
        .with_recurring(PruneSessions {})
        .with_recurring(PollRates {})
        .with_recurring(PruneRates {})
}

/// Runs jobs until told to stop; what is not done by then is handed back.
pub async fn run(app: App, shutdown: CancellationToken) {
    let slots = app.config.workers;
    Runner::new(app, registry(), slots).run(shutdown).await;
}
