//! Watching a page of the provider's on which a person links or repairs a bank, where nobody may tell us
//! of its end. Nothing that is seen ends a watch for new banks: a password is mistyped and corrected on the
//! same page, a second bank follows the first, and other banks are linked meanwhile. So it goes on for a
//! day, often while the page is fresh and then ever less; that of a repair ends when the login works.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use entity::link_token;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{adopt::see_to, person::Patron};
use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
};

/// How long after its beginning a session is looked at first.
pub(super) const FIRST_LOOK: Duration = Duration::from_secs(10);
/// Longest time between two looks at a page that is fresh.
const LONGEST: Duration = Duration::from_mins(1);
const REST: Duration = Duration::from_secs(3);
/// How long after its address is dead a page is fresh: as a rule it is filled in by then.
const LINGERS: TimeDelta = TimeDelta::minutes(20);
/// How long a page is watched in all.
pub(super) const WATCHED: TimeDelta = TimeDelta::days(1);

/// Watches a page of the provider's on which a person links or repairs a bank.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct WatchLinkSession {
    /// The session.
    pub link_token_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
}

#[async_trait]
impl Job for WatchLinkSession {
    const KIND: &'static str = "linking.watch_session";
    /// More failures than there can be in a day.
    const MAX_ATTEMPTS: i32 = 100;

    fn key(&self) -> String {
        self.link_token_id.to_string()
    }

    fn user_id(&self) -> Option<Uuid> {
        Some(self.user_id)
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let rows = link_token::Entity::find()
            .filter(link_token::Column::Id.eq(self.link_token_id))
            .filter(link_token::Column::FinishedAt.is_null());
        let Some(session) = rows.one(app.db.read()).await? else {
            return Ok(());
        };
        let patron = Patron {
            app,
            provider: session.provider,
            user_id: session.user_id,
        };
        let over = see_to(patron, session.item_id).await?;
        let now = app.clock.now();
        let mut txn = app.db.begin().await?;
        if over || now > session.created_at + WATCHED {
            let mut row = session.into_active_model();
            row.finished_at = Set(Some(now));
            row.update(&*txn).await?;
            claim.succeed(&mut txn, app).await?;
        } else {
            claim
                .postpone(&mut txn, app, pause(&session, now), REST)
                .await?;
        }
        txn.commit().await
    }
}

/// How long until the next look: a quarter of how long it has taken.
fn pause(session: &link_token::Model, now: DateTime<Utc>) -> Duration {
    let since = (now - session.created_at).to_std().unwrap_or_default();
    let fresh = now <= session.expires_at + LINGERS;
    let longest = if fresh { LONGEST } else { since };
    (since / 4).clamp(FIRST_LOOK, longest.max(FIRST_LOOK))
}
