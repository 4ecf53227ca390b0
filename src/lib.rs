//! Passbook: one server that signs people in, links their banks, keeps transactions in sync in the
//! background, and serves it all through one GraphQL schema. The modules stand in the order of the
//! ladder: each may use those above it in this list and none below. `tests/it/architecture.rs` holds
//! them to it.

pub mod accounts;
pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
pub mod database;
pub mod error;
pub mod feed;
pub mod graphql;
pub mod jobs;
pub mod money;
pub mod providers;
pub mod seal;
pub mod viewer;
