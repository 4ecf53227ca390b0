//! The person, where she is signed in, and what she did.

use entity::{activity, data_export, identity, mail, session, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{id, of, some_id, word};
use crate::{
    exports::table::{Field, Records, Table},
    graphql::id as ids,
};

/// The person, where she is signed in, and what she did.
pub(super) fn people() -> Vec<Box<dyn Records>> {
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
    ("network", |row| row.network.clone().into()),
    ("firstNetwork", |row| row.first_network.clone().into()),
    ("createdAt", |row| row.created_at.into()),
    ("lastUsedAt", |row| row.rotated_at.into()),
    ("expiresAt", |row| row.expires_at.into()),
    ("endsAt", |row| row.ends_at.into()),
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
    ("files", |row| row.files.clone().into()),
    ("createdAt", |row| row.created_at.into()),
    ("finishedAt", |row| row.finished_at.into()),
    ("expiresAt", |row| row.expires_at.into()),
];
