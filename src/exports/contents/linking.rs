//! How banks were linked, and what their providers sent.

use entity::{challenge, exchange, link_intent, link_token, provider_user, webhook};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{id, of, some_id, word};
use crate::{
    exports::table::{Field, Records, Table},
    graphql::id as ids,
};

/// How they were linked.
pub(super) fn linking() -> Vec<Box<dyn Records>> {
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
    ("providerItemId", |row| row.provider_item_id.clone().into()),
    ("itemId", |row| some_id(ids::ITEM, row.item_id)),
    ("syncJobId", |row| some_id(ids::SYNC_JOB, row.sync_job_id)),
    ("existing", |row| row.existing.into()),
    ("startedAt", |row| row.started_at.into()),
    ("finishedAt", |row| row.finished_at.into()),
];

const LINK_INTENTS: &[Field<link_intent::Model>] = &[
    ("provider", |row| word(&row.provider)),
    ("institutionCode", |row| row.institution_code.clone().into()),
    ("idempotencyKey", |row| row.idempotency_key.clone().into()),
    ("itemId", |row| some_id(ids::ITEM, row.item_id)),
    ("syncJobId", |row| some_id(ids::SYNC_JOB, row.sync_job_id)),
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
    ("status", |row| word(&row.state)),
    ("receivedAt", |row| row.received_at.into()),
    ("appliedAt", |row| row.applied_at.into()),
];
