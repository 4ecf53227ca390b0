//! What is in an archive: a file for each table that tells something of a person, with the names of the
//! schema and its ids. A table with people's rows that is not here is in the list of a test, with the
//! reason.

use entity::{
    account, activity, challenge, data_export, exchange, identity, institution, item, link_intent,
    link_token, mail, provider_user, removed_transaction, session, sync_job, transaction, user,
    webhook,
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{
    cell::Cell,
    table::{Field, Records, Table},
};
use crate::{graphql::id as ids, money};

/// Every file.
pub(super) fn files() -> Vec<Box<dyn Records>> {
    let mut files = people();
    files.extend(banks());
    files.extend(linking());
    files
}

macro_rules! of {
    ($table:ident) => {
        |user_id| $table::Entity::find().filter($table::Column::UserId.eq(user_id))
    };
}

/// The person, where she is signed in, and what she did.
fn people() -> Vec<Box<dyn Records>> {
    vec![
        Box::new(Table {
            name: "users",
            fields: USERS,
            rows: |user_id| user::Entity::find().filter(user::Column::Id.eq(user_id)),
            order: &[user::Column::Id],
        }),
        Box::new(Table {
            name: "identities",
            fields: IDENTITIES,
            rows: of!(identity),
            order: &[identity::Column::Id],
        }),
        Box::new(Table {
            name: "mails",
            fields: MAILS,
            rows: of!(mail),
            order: &[mail::Column::Id],
        }),
        Box::new(Table {
            name: "sessions",
            fields: SESSIONS,
            rows: of!(session),
            order: &[session::Column::Id],
        }),
        Box::new(Table {
            name: "activities",
            fields: ACTIVITIES,
            rows: of!(activity),
            order: &[activity::Column::Id],
        }),
        Box::new(Table {
            name: "data_exports",
            fields: DATA_EXPORTS,
            rows: of!(data_export),
            order: &[data_export::Column::Id],
        }),
    ]
}

/// What her banks told.
fn banks() -> Vec<Box<dyn Records>> {
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

/// How they were linked.
fn linking() -> Vec<Box<dyn Records>> {
    vec![
        Box::new(Table {
            name: "link_tokens",
            fields: LINK_TOKENS,
            rows: of!(link_token),
            order: &[link_token::Column::CreatedAt, link_token::Column::Id],
        }),
        Box::new(Table {
            name: "exchanges",
            fields: EXCHANGES,
            rows: of!(exchange),
            order: &[exchange::Column::Id],
        }),
        Box::new(Table {
            name: "link_intents",
            fields: LINK_INTENTS,
            rows: of!(link_intent),
            order: &[link_intent::Column::Id],
        }),
        Box::new(Table {
            name: "challenges",
            fields: CHALLENGES,
            rows: of!(challenge),
            order: &[challenge::Column::ItemId],
        }),
        Box::new(Table {
            name: "provider_users",
            fields: PROVIDER_USERS,
            rows: of!(provider_user),
            order: &[provider_user::Column::Provider],
        }),
        Box::new(Table {
            name: "webhooks",
            fields: WEBHOOKS,
            rows: of!(webhook),
            order: &[webhook::Column::Id],
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

const USERS: &[Field<user::Model>] = &[
    ("id", |row| id(ids::USER, row.id)),
    ("email", |row| row.email.clone().into()),
    ("emailVerifiedAt", |row| row.email_verified_at.into()),
    ("hasPassword", |row| (!row.password_hash.is_empty()).into()),
    ("firstName", |row| row.first_name.clone().into()),
    ("lastName", |row| row.last_name.clone().into()),
    ("birthDate", |row| row.birth_date.into()),
    ("role", |row| word(&row.role)),
    ("lockedAt", |row| row.locked_at.into()),
    ("secondFactorSince", |row| row.totp_enabled_at.into()),
    ("createdAt", |row| row.created_at.into()),
    ("updatedAt", |row| row.updated_at.into()),
];

const IDENTITIES: &[Field<identity::Model>] = &[
    ("id", |row| id(ids::IDENTITY, row.id)),
    ("provider", |row| row.provider.clone().into()),
    ("issuer", |row| row.issuer.clone().into()),
    ("subject", |row| row.subject.clone().into()),
    ("email", |row| row.email.clone().into()),
    ("linkedAt", |row| row.linked_at.into()),
];

const MAILS: &[Field<mail::Model>] = &[
    ("kind", |row| word(&row.kind)),
    ("email", |row| row.email.clone().into()),
    ("createdAt", |row| row.created_at.into()),
    ("expiresAt", |row| row.expires_at.into()),
    ("usedAt", |row| row.used_at.into()),
];

const SESSIONS: &[Field<session::Model>] = &[
    ("id", |row| id(ids::SESSION, row.id)),
    ("userAgent", |row| row.user_agent.clone().into()),
    ("address", |row| row.address.clone().into()),
    ("createdAt", |row| row.created_at.into()),
    ("lastUsedAt", |row| row.rotated_at.into()),
    ("expiresAt", |row| row.expires_at.into()),
    ("endedAt", |row| row.revoked_at.into()),
    ("endedBecause", |row| {
        row.revoked_reason.as_ref().map(word).into()
    }),
];

const ACTIVITIES: &[Field<activity::Model>] = &[
    ("id", |row| id(ids::ACTIVITY, row.id)),
    ("kind", |row| word(&row.kind)),
    ("at", |row| row.at.into()),
    ("itemId", |row| some_id(ids::ITEM, row.item_id)),
    ("detail", |row| row.detail.clone().into()),
    ("address", |row| row.address.clone().into()),
    ("userAgent", |row| row.user_agent.clone().into()),
];

const DATA_EXPORTS: &[Field<data_export::Model>] = &[
    ("id", |row| id(ids::DATA_EXPORT, row.id)),
    ("status", |row| word(&row.status)),
    ("size", |row| row.size.into()),
    ("createdAt", |row| row.created_at.into()),
    ("finishedAt", |row| row.finished_at.into()),
    ("expiresAt", |row| row.expires_at.into()),
];

const INSTITUTIONS: &[Field<institution::Model>] = &[
    ("id", |row| id(ids::INSTITUTION, row.id)),
    ("provider", |row| word(&row.provider)),
    ("code", |row| row.provider_institution_id.clone().into()),
    ("name", |row| row.name.clone().into()),
    ("url", |row| row.url.clone().into()),
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
    ("transactionsStatus", |row| word(&row.transactions_status)),
    ("consentExpiresAt", |row| row.consent_expires_at.into()),
    ("newAccounts", |row| row.new_accounts.into()),
    ("lastSyncedAt", |row| row.last_synced_at.into()),
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
    ("errorCode", |row| row.error_code.clone().into()),
    ("errorMessage", |row| row.error_message.clone().into()),
    ("createdAt", |row| row.created_at.into()),
    ("startedAt", |row| row.started_at.into()),
    ("finishedAt", |row| row.finished_at.into()),
];

const LINK_TOKENS: &[Field<link_token::Model>] = &[
    ("provider", |row| word(&row.provider)),
    ("itemId", |row| some_id(ids::ITEM, row.item_id)),
    ("hosted", |row| row.hosted.into()),
    ("userAgent", |row| row.user_agent.clone().into()),
    ("address", |row| row.address.clone().into()),
    ("createdAt", |row| row.created_at.into()),
    ("expiresAt", |row| row.expires_at.into()),
    ("finishedAt", |row| row.finished_at.into()),
];

const EXCHANGES: &[Field<exchange::Model>] = &[
    ("idempotencyKey", |row| row.idempotency_key.clone().into()),
    ("preview", |row| row.preview.clone().into()),
    ("itemId", |row| some_id(ids::ITEM, row.item_id)),
    ("existing", |row| row.existing.into()),
    ("startedAt", |row| row.started_at.into()),
    ("finishedAt", |row| row.finished_at.into()),
];

const LINK_INTENTS: &[Field<link_intent::Model>] = &[
    ("provider", |row| word(&row.provider)),
    ("institutionCode", |row| row.institution_code.clone().into()),
    ("idempotencyKey", |row| row.idempotency_key.clone().into()),
    ("itemId", |row| some_id(ids::ITEM, row.item_id)),
    ("existing", |row| row.existing.into()),
    ("startedAt", |row| row.started_at.into()),
    ("finishedAt", |row| row.finished_at.into()),
];

const CHALLENGES: &[Field<challenge::Model>] = &[
    ("itemId", |row| id(ids::ITEM, row.item_id)),
    ("questions", |row| row.questions.clone().into()),
    ("createdAt", |row| row.created_at.into()),
    ("expiresAt", |row| row.expires_at.into()),
];

const PROVIDER_USERS: &[Field<provider_user::Model>] = &[
    ("provider", |row| word(&row.provider)),
    ("providerUserId", |row| row.provider_user_id.clone().into()),
    ("createdAt", |row| row.created_at.into()),
];

const WEBHOOKS: &[Field<webhook::Model>] = &[
    ("provider", |row| word(&row.provider)),
    ("code", |row| row.code.clone().into()),
    ("receivedAt", |row| row.received_at.into()),
    ("appliedAt", |row| row.applied_at.into()),
];

/// An id as clients know it.
fn id(prefix: &str, row: Uuid) -> Cell {
    ids::encode(prefix, row).0.into()
}

fn some_id(prefix: &str, row: Option<Uuid>) -> Cell {
    row.map(|row| id(prefix, row)).into()
}

/// A value of an enum as the schema writes it.
fn word<T: ActiveEnum<Value = String>>(value: &T) -> Cell {
    value.to_value().to_uppercase().into()
}

/// An amount in our sign: what leaves the account is negative.
fn amount(key: &str, currency: &str) -> Cell {
    let amount = money::from_key(key).map(|amount| money::display(amount, currency));
    amount.map(Cell::Decimal).into()
}

/// A balance as it is stored, which is exact text already.
fn decimal(text: Option<&String>) -> Cell {
    text.cloned().map(Cell::Decimal).into()
}

/// What is stored as the text of a JSON value.
fn structured(text: Option<&String>) -> Cell {
    let value = text.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    value.into()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use sea_orm::Statement;

    use super::*;
    use crate::app::testing::{app, everywhere, tables_with};

    /// Tables with people's rows that tell nothing of them, and why.
    const UNTOLD: &[(&str, &str)] = &[
        (
            "admin_accesses",
            "the log of administrators; what concerns her is in hers",
        ),
        ("login_attempts", "steps of a sign-in, for minutes"),
        ("recovery_codes", "hashes"),
        ("totps", "a secret; since when is in `users`"),
        ("data_export_chunks", "the archives themselves"),
        (
            "feed_events",
            "numbers of changes that the other files tell",
        ),
        ("feeds", "a counter"),
        (
            "jobs",
            "what the server is about to do, as ids of what the other files tell",
        ),
    ];

    #[tokio::test]
    async fn every_table_with_rows_of_people_is_told_or_not_for_a_reason() {
        let app = app().await;
        let told: Vec<&str> = files().iter().map(|file| file.name()).collect();
        let mut left = tables_with(&app, "user_id").await;
        left.retain(|table| {
            !told.contains(&table.as_str()) && UNTOLD.iter().all(|(untold, _)| untold != table)
        });
        assert!(left.is_empty(), "in no file of an export: {left:?}");
    }

    #[tokio::test]
    async fn no_table_is_read_whole_or_sorted_for_one_person() {
        everywhere(async |app| {
            app.fill().await;
            let viewer = app.person("ana").await;
            app.take_statements();
            let moment = app.db.snapshot().await.unwrap();
            for file in files() {
                let first = file.page(&moment, viewer.user_id, None).await;
                assert!(file.name() == "users" || first.unwrap().0.is_empty());
                if file.name() == "transactions" {
                    let place = vec![NaiveDate::default().into(), Uuid::nil().into()];
                    let next = file.page(&moment, viewer.user_id, Some(place)).await;
                    next.unwrap();
                }
            }
            drop(moment);
            let statements = app.statements.lock().unwrap().clone();
            assert!(statements.len() > files().len(), "{}", statements.len());
            let large = |statement: &&Statement| statement.sql.contains("FROM \"transactions\"");
            for statement in statements.iter().filter(large) {
                let plan = app.plan(statement, false).await;
                // With the twenty rows that people have here, PostgreSQL may sort them.
                assert!(plan.contains("ix_transactions_user_id_"), "{plan}");
                assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            }
            app.assert_no_scans().await;
        })
        .await;
    }

    #[test]
    fn nothing_that_opens_anything_has_a_field() {
        for file in files() {
            for field in file.fields() {
                let field = field.to_lowercase();
                for secret in ["token", "hash", "salt", "secret", "access"] {
                    assert!(!field.contains(secret), "{} {field}", file.name());
                }
            }
        }
    }
}
