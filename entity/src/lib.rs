//! The tables as rows, one file each. No behaviour lives here, and nothing of the API:
//! a column becomes public only where `src/graphql` says so.

pub mod account;
pub mod activity;
pub mod admin_access;
pub mod challenge;
pub mod data_export;
pub mod data_export_chunk;
pub mod exchange;
pub mod exchange_rate;
pub mod feed;
pub mod feed_event;
pub mod identity;
pub mod institution;
pub mod item;
pub mod job;
pub mod key_check;
pub mod link_intent;
pub mod link_token;
pub mod login_attempt;
pub mod mail;
pub mod provider_user;
pub mod rate_check;
pub mod rate_quota;
pub mod recovery_code;
pub mod registration;
pub mod removed_transaction;
pub mod session;
pub mod sync_job;
pub mod throttle;
pub mod totp;
pub mod transaction;
pub mod user;
pub mod webhook;
