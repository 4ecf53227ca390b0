//! Collecting one round of pages. Nothing is written but the job's progress.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use super::{fold::Round, store};
use crate::{
    app::App,
    error::{Error, ErrorClass, ProviderError, Result},
    jobs::Claim,
    providers::{Page, Provider},
};

/// A provider that goes on for longer than this goes on for ever: 2,000 pages are a million rows.
const MOST_PAGES: i32 = 2_000;
/// How often a round is begun again when the data changes under it.
const RESTARTS: u32 = 5;
/// Progress is a commit of its own, so it is told this often at most.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// What is needed to collect.
#[derive(Clone, Copy)]
pub(super) struct Fetch<'a> {
    pub(super) app: &'a App,
    pub(super) provider: &'a dyn Provider,
    pub(super) access_token: &'a SecretString,
    pub(super) job: &'a super::SyncItem,
    pub(super) claim: &'a Claim,
}

impl Fetch<'_> {
    /// All pages since a cursor. A mutation during pagination begins the round again; a cursor the
    /// provider does not know, or one that cannot be finished, begins from nothing.
    pub(super) async fn round(self, cursor: Option<&str>) -> Result<Round> {
        let mut from = cursor;
        let mut restarts = 0;
        loop {
            let error = match self.pages(from).await {
                Err(Error::Provider(error)) => error,
                outcome => return outcome,
            };
            match error.class {
                ErrorClass::ResetCursor if from.is_some() => {
                    tracing::info!(item.id = %self.job.item_id, why = error.detail, "the cursor does not lead on; beginning from nothing");
                    from = None;
                }
                ErrorClass::RestartPages if restarts < RESTARTS => {
                    restarts += 1;
                    self.app
                        .clock
                        .sleep(Duration::from_millis(100) * restarts)
                        .await;
                }
                // Seen at the provider: a stored cursor whose every first page fails so. Only a
                // round from nothing ends it.
                ErrorClass::RestartPages if from.is_some() => {
                    tracing::warn!(item.id = %self.job.item_id, "the round cannot be finished; beginning from nothing");
                    from = None;
                    restarts = 0;
                }
                _ => return Err(error.into()),
            }
        }
    }

    async fn pages(self, from: Option<&str>) -> Result<Round> {
        let mut round = Round::new(from.is_none());
        let mut cursor = from.map(str::to_owned);
        let mut told = Instant::now();
        loop {
            let page = self
                .provider
                .changes(self.access_token, cursor.as_deref())
                .await?;
            let more = page.has_more;
            if more && (page.next_cursor.is_none() || page.next_cursor == cursor) {
                return Err(endless("a page that leads to itself").into());
            }
            cursor.clone_from(&page.next_cursor);
            self.take(&mut round, page)?;
            if !more {
                return Ok(round);
            }
            if round.pages >= MOST_PAGES {
                return Err(endless("pages without end").into());
            }
            if told.elapsed() >= PROGRESS_EVERY || round.pages == 1 {
                store::progress(self.app, self.job, self.claim, &round).await?;
                told = Instant::now();
            }
        }
    }

    fn take(self, round: &mut Round, page: Page) -> Result<()> {
        if page.rejected > 0 {
            tracing::warn!(item.id = %self.job.item_id, rows = page.rejected, "rows that cannot be true were left out");
        }
        round
            .add(page)
            .map_err(|why| told(ErrorClass::RestartPages, "moved", why).into())
    }
}

fn endless(detail: &str) -> ProviderError {
    told(ErrorClass::Retry(None), "endless", detail)
}

fn told(class: ErrorClass, code: &str, detail: &str) -> ProviderError {
    ProviderError {
        class,
        code: code.to_owned(),
        display_message: None,
        request_id: None,
        detail: detail.to_owned(),
    }
}
