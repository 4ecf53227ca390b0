//! How an item stands after a sync: the health of its login, how far its transactions are, and when
//! it is looked at again.

use chrono::{DateTime, Utc};
use entity::item::{self, LinkStatus, TransactionsStatus};
use sea_orm::{ActiveValue::Set, IntoActiveModel};

use super::due;
use crate::{
    error::{Error, ErrorClass, ProviderError},
    jobs::Failure,
    providers::{ItemState, Progress, Readiness},
};

/// After a sync that succeeded.
pub(super) fn after_success(
    item: item::Model,
    state: &ItemState,
    readiness: Readiness,
    now: DateTime<Utc>,
) -> item::ActiveModel {
    let status = reported(state);
    // A date that only a webhook told stays until the login is repaired.
    let forget_consent = is_mended(&item, state) || state.consent_expires_at.is_some();
    let due = due::after_success(&item, status, readiness, now);
    let mut row = item.into_active_model();
    if forget_consent {
        row.consent_expires_at = Set(state.consent_expires_at);
    }
    row.link_status = Set(status);
    blame(&mut row, state.fault.as_ref());
    row.transactions_status = Set(match (readiness, state.progress) {
        (Readiness::Complete, Progress::Settled) => TransactionsStatus::Complete,
        _ => TransactionsStatus::Downloading,
    });
    row.last_synced_at = Set(Some(now));
    row.sync_due_at = Set(due);
    row.failed_syncs = Set(0);
    row.updated_at = Set(now);
    row
}

/// After a look at a login that the provider signs in with by itself: what goes on with it, or what
/// is wrong with it.
pub(super) fn after_look(item: &item::Model, state: &ItemState) -> item::ActiveModel {
    let mut row = item.clone().into_active_model();
    let (link, transactions) = match (&state.fault, state.progress) {
        (Some(fault), _) if state.downloading => {
            (link_status(fault), TransactionsStatus::Downloading)
        }
        (Some(fault), _) => (link_status(fault), TransactionsStatus::Failed),
        // A login that has worked goes on working while it is asked for news.
        (None, Progress::Collecting) if item.last_synced_at.is_some() => {
            (LinkStatus::Success, TransactionsStatus::Downloading)
        }
        (None, _) => (LinkStatus::Processing, TransactionsStatus::Downloading),
    };
    row.link_status.set_if_not_equals(link);
    row.transactions_status.set_if_not_equals(transactions);
    blame(&mut row, state.fault.as_ref());
    row
}

/// Writes down what is wrong with a login, or that nothing is.
fn blame(row: &mut item::ActiveModel, fault: Option<&ProviderError>) {
    let message = fault.and_then(|fault| fault.display_message.clone());
    let blocked = fault.is_some_and(|fault| fault.class == ErrorClass::Blocked);
    row.link_error
        .set_if_not_equals(fault.map(|fault| fault.code.clone()));
    row.link_message.set_if_not_equals(message);
    row.person_can_help.set_if_not_equals(blocked);
}

/// Whether a login that waited for its owner works again: a repair in the app's own Link is told by
/// nothing else.
pub(super) fn is_mended(item: &item::Model, state: &ItemState) -> bool {
    let tried_anew = item.link_status == LinkStatus::Processing && item.last_synced_at.is_some();
    (is_broken(item.link_status) || tried_anew) && reported(state) == LinkStatus::Success
}

/// What is to be seen of an item after an attempt that failed.
pub(super) fn after_failure(item: &item::Model, failure: &Failure) -> item::ActiveModel {
    let mut row = item.clone().into_active_model();
    if let Error::Provider(error) = &failure.error
        && matches!(
            error.class,
            ErrorClass::Login
                | ErrorClass::Credentials
                | ErrorClass::Challenge
                | ErrorClass::Blocked
                | ErrorClass::Gone
                | ErrorClass::Unsupported
        )
    {
        row.link_status = Set(link_status(error));
        blame(&mut row, Some(error));
    }
    if failure.retry_at.is_none() && row.link_status.as_ref() == &LinkStatus::Success {
        row.transactions_status = Set(TransactionsStatus::Failed);
    }
    row
}

/// When it is looked at again, if it is given up for now.
pub(super) fn put_off(row: &mut item::ActiveModel, failure: &Failure, now: DateTime<Utc>) {
    if failure.retry_at.is_none() {
        let failed = row.failed_syncs.as_ref().saturating_add(1);
        row.failed_syncs = Set(failed);
        row.sync_due_at = Set(due::after_failure(*row.link_status.as_ref(), failed, now));
    }
}

/// Whether a login waits for its owner: until then only she can make it work.
pub(crate) fn is_broken(status: LinkStatus) -> bool {
    matches!(
        status,
        LinkStatus::LoginRequired | LinkStatus::InvalidCredentials | LinkStatus::Challenged
    )
}

fn reported(state: &ItemState) -> LinkStatus {
    let fault = state.fault.as_ref();
    fault.map_or(LinkStatus::Success, link_status)
}

/// The health of a login that a provider's error tells of.
fn link_status(error: &ProviderError) -> LinkStatus {
    match error.class {
        ErrorClass::Credentials => LinkStatus::InvalidCredentials,
        ErrorClass::Login => LinkStatus::LoginRequired,
        ErrorClass::Challenge => LinkStatus::Challenged,
        ErrorClass::Gone => LinkStatus::Disconnected,
        _ => LinkStatus::Error,
    }
}
