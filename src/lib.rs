//! Passbook: one server that signs people in, links their banks, keeps transactions in sync in the
//! background, and serves it all through one GraphQL schema. The modules stand in the order of the
//! ladder: each may use those above it in this list and none below, which `tests/it/architecture.rs`
//! checks.

// Small certainties.

// What can go wrong, and who is told what.
pub mod error;

// The one source of time.
pub mod clock;

// What the process counts for its operator.
pub mod metrics;

// Exact amounts.
pub mod money;

// Sealed secrets and keyed hashes.
pub mod seal;

// What the operator says.
pub mod config;

// The door to a person's rows.
pub mod viewer;

// The database and its transactions.
pub mod database;

// Addresses that open one thing for minutes.
pub mod signed_url;

// The change feed under everything live.
pub mod feed;

// The newest exchange rates, for those who follow them.
pub mod ticker;

// The writer of a person's log.
pub mod activity;

// The writer of the administrators' log.
pub mod audit;

// The outside.

// Banks, behind neutral types.
pub mod providers;

// The way out for mail.
pub mod mailer;

// Handles and the engine.

// The handles everything works with.
pub mod app;

// The job engine; it knows no job.
pub mod jobs;

// Hints, passed on to those who follow a feed.
pub mod relay;

// Mail to people, and the tokens in it.
pub mod mail;

// What the API is about.

// Object types, loaders, paging, and the one error policy.
pub mod graphql;

// What the API does.

// Sign-in.
pub mod auth;

// Fetching, telling and using exchange rates.
pub mod rates;

// Reading what was synced.
pub mod accounts;

// Copies of everything the server holds about a person.
pub mod exports;

// Secrets under the newest key.
pub mod secrets;

// Syncing items with their banks.
pub mod sync;

// Linking and removing banks.
pub mod linking;

// What providers send.
pub mod webhooks;

// Deleting an account.
pub mod deletion;

// What administrators see and do.
pub mod admin;

// Wiring: the only rooms that know every slice.

// The roots of the schema, merged.
pub mod schema;

// The list of jobs.
pub mod worker;

// GraphQL over the wire.
pub mod transport;

// Router, accept loop, health, drain.
pub mod server;

// The commands.
pub mod cli;
