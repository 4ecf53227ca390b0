//! Telling a person in her log that a bank was to be linked and was not.

use entity::activity::ActivityKind;
use uuid::Uuid;

use crate::{
    activity::{self, Entry},
    app::App,
    error::{Error, Refusal, Result},
    viewer::ClientInfo,
};

/// Writes down that a bank was not linked, with what the person was told. What passes by itself is no
/// end: it is tried again.
pub(super) async fn not_linked(app: &App, user_id: Uuid, client: &ClientInfo, error: &Error) {
    if error.is_transient() {
        return;
    }
    let detail = match error {
        Error::Provider(error) => Refusal::from_provider(error).message,
        error => error.to_string(),
    };
    let entry = Entry {
        detail: Some(detail),
        ..Entry::of(user_id, ActivityKind::ItemLinkFailed, client)
    };
    if let Err(error) = write(app, entry).await {
        let error = error.chain();
        tracing::warn!(user.id = %user_id, error, "a bank that was not linked was not written down");
    }
}

async fn write(app: &App, entry: Entry) -> Result<()> {
    let txn = app.db.begin().await?;
    activity::record_once(&*txn, app.clock.now(), entry).await?;
    txn.commit().await
}
