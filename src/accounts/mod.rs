//! What a person has: items, accounts, transactions, syncs and the log, read from our own tables.
//! Nothing here writes or calls a provider. Every list starts at the person's own rows and is served
//! by an index on both databases; `tests/plans.rs` asks both for their plans.
//!
//! A list of transactions is made in `graphql::transaction::list`, beside the noun, because a list
//! of accounts shows many at once and reads them together. The delta feed is made here.
//!
//! Refused: page numbers (rows move under them), and a search index beside the database: the text is
//! looked for in one person's rows, which both databases read in milliseconds.

mod api;
mod changes;
mod lists;
#[cfg(test)]
mod tests;

pub use api::AccountsQuery;
pub use lists::{AccountFilter, ActivityFilter, SyncJobFilter};
