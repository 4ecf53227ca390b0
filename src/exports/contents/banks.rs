//! What banks told.

use entity::{account, institution, item, removed_transaction, sync_job, transaction};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{amount, decimal, id, of, some_id, structured, word};
use crate::{
    exports::table::{Field, Records, Table},
    graphql::id as ids,
};

/// What her banks told.
pub(super) fn banks() -> Vec<Box<dyn Records>> {
    vec![
        Box::new(Table {
            name: "institutions",
            fields: INSTITUTIONS,
            rows: institutions,
            order: &[institution::Column::Id],
        }),
        Box::new(Table {
            name: "items",
            fields: ITEMS,
            rows: of!(item),
            order: &[item::Column::Id],
        }),
        Box::new(Table {
            name: "accounts",
            fields: ACCOUNTS,
            rows: of!(account),
            order: &[account::Column::Id],
        }),
        Box::new(Table {
            name: "transactions",
            fields: TRANSACTIONS,
            rows: of!(transaction),
            order: &[transaction::Column::Date, transaction::Column::Id],
        }),
        Box::new(Table {
            name: "removed_transactions",
            fields: REMOVED_TRANSACTIONS,
            rows: of!(removed_transaction),
            order: &[
                removed_transaction::Column::Seq,
                removed_transaction::Column::Id,
            ],
        }),
        Box::new(Table {
            name: "sync_jobs",
            fields: SYNC_JOBS,
            rows: of!(sync_job),
            order: &[sync_job::Column::Id],
        }),
    ]
}

/// The banks that a person has linked; they belong to nobody.
fn institutions(user_id: Uuid) -> sea_orm::Select<institution::Entity> {
    let hers = item::Entity::find()
        .select_only()
        .column(item::Column::InstitutionId)
        .filter(item::Column::UserId.eq(user_id))
        .into_query();
    institution::Entity::find().filter(institution::Column::Id.in_subquery(hers))
}

const INSTITUTIONS: &[Field<institution::Model>] = &[
    ("id", |row| id(ids::INSTITUTION, row.id)),
    ("provider", |row| word(&row.provider)),
    ("code", |row| row.provider_institution_id.clone().into()),
    ("name", |row| row.name.clone().into()),
    ("url", |row| row.url.clone().into()),
    ("oauth", |row| row.oauth.into()),
];

const ITEMS: &[Field<item::Model>] = &[
    ("id", |row| id(ids::ITEM, row.id)),
    ("provider", |row| word(&row.provider)),
    ("providerItemId", |row| row.provider_item_id.clone().into()),
    ("institutionId", |row| {
        some_id(ids::INSTITUTION, row.institution_id)
    }),
    ("linkStatus", |row| word(&row.link_status)),
    ("linkErrorCode", |row| row.link_error.clone().into()),
    ("linkErrorMessage", |row| row.link_message.clone().into()),
    ("personCanHelp", |row| row.person_can_help.into()),
    ("transactionsStatus", |row| word(&row.transactions_status)),
    ("consentExpiresAt", |row| row.consent_expires_at.into()),
    ("newAccounts", |row| row.new_accounts.into()),
    ("lastSyncedAt", |row| row.last_synced_at.into()),
    ("syncDueAt", |row| row.sync_due_at.into()),
    ("failedSyncs", |row| row.failed_syncs.into()),
    ("removedAt", |row| row.removed_at.into()),
    ("createdAt", |row| row.created_at.into()),
    ("updatedAt", |row| row.updated_at.into()),
];

const ACCOUNTS: &[Field<account::Model>] = &[
    ("id", |row| id(ids::ACCOUNT, row.id)),
    ("itemId", |row| id(ids::ITEM, row.item_id)),
    ("providerAccountId", |row| {
        row.provider_account_id.clone().into()
    }),
    ("name", |row| row.name.clone().into()),
    ("officialName", |row| row.official_name.clone().into()),
    ("mask", |row| row.mask.clone().into()),
    ("type", |row| word(&row.kind)),
    ("subtype", |row| row.subtype.clone().into()),
    ("currency", |row| row.currency.clone().into()),
    ("current", |row| decimal(row.balance_current.as_ref())),
    ("available", |row| decimal(row.balance_available.as_ref())),
    ("limit", |row| decimal(row.balance_limit.as_ref())),
    ("balancesAsOf", |row| row.balances_at.into()),
    ("closedAt", |row| row.closed_at.into()),
    ("createdAt", |row| row.created_at.into()),
    ("updatedAt", |row| row.updated_at.into()),
];

const TRANSACTIONS: &[Field<transaction::Model>] = &[
    ("id", |row| id(ids::TRANSACTION, row.id)),
    ("accountId", |row| id(ids::ACCOUNT, row.account_id)),
    ("itemId", |row| id(ids::ITEM, row.item_id)),
    ("date", |row| row.date.into()),
    ("amount", |row| amount(&row.amount, &row.currency)),
    ("currency", |row| row.currency.clone().into()),
    ("name", |row| row.name.clone().into()),
    ("merchantName", |row| row.merchant_name.clone().into()),
    ("categoryPrimary", |row| row.category_primary.clone().into()),
    ("categoryDetailed", |row| {
        row.category_detailed.clone().into()
    }),
    ("pending", |row| row.pending.into()),
    ("authorizedDate", |row| row.authorized_date.into()),
    ("datetime", |row| row.datetime.into()),
    ("paymentChannel", |row| row.payment_channel.clone().into()),
    ("location", |row| structured(row.location.as_ref())),
    ("counterparties", |row| {
        structured(row.counterparties.as_ref())
    }),
    ("providerTransactionId", |row| {
        row.provider_transaction_id.clone().into()
    }),
    ("providerPendingId", |row| {
        row.provider_pending_id.clone().into()
    }),
    ("createdAt", |row| row.created_at.into()),
    ("updatedAt", |row| row.updated_at.into()),
];

const REMOVED_TRANSACTIONS: &[Field<removed_transaction::Model>] = &[
    ("id", |row| id(ids::TRANSACTION, row.id)),
    ("itemId", |row| id(ids::ITEM, row.item_id)),
    ("providerTransactionId", |row| {
        row.provider_transaction_id.clone().into()
    }),
    ("replacedById", |row| {
        some_id(ids::TRANSACTION, row.replaced_by_id)
    }),
    ("removedAt", |row| row.removed_at.into()),
];

const SYNC_JOBS: &[Field<sync_job::Model>] = &[
    ("id", |row| id(ids::SYNC_JOB, row.id)),
    ("itemId", |row| id(ids::ITEM, row.item_id)),
    ("trigger", |row| word(&row.trigger)),
    ("status", |row| word(&row.status)),
    ("pages", |row| row.pages.into()),
    ("added", |row| row.added.into()),
    ("modified", |row| row.modified.into()),
    ("removed", |row| row.removed.into()),
    ("attempt", |row| row.attempt.into()),
    ("maxAttempts", |row| row.max_attempts.into()),
    ("errorCode", |row| row.error_code.clone().into()),
    ("errorMessage", |row| row.error_message.clone().into()),
    ("errorAction", |row| row.error_action.clone().into()),
    ("errorRetryable", |row| row.error_retryable.into()),
    ("createdAt", |row| row.created_at.into()),
    ("startedAt", |row| row.started_at.into()),
    ("refreshedAt", |row| row.refreshed_at.into()),
    ("finishedAt", |row| row.finished_at.into()),
    ("nextAttemptAt", |row| row.next_attempt_at.into()),
];
