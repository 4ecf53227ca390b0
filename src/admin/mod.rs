//! What administrators see and do: people, how their logins at banks stand, the server's work, and the log of
//! all that.
//!
//! Promises: whoever is no administrator gets the same answer whatever is asked for below `admin`; a role is
//! asked of the database with each request, so a demotion holds for the next one. What is looked at is written
//! down before it is read, and what is done in the transaction that does it, so nothing leaves the server that
//! the log does not tell; the person it concerns alone finds it in her own. No list reads a table whole, and
//! none is counted.
//!
//! Refused: seeing with a person's eyes. Accounts, balances and transactions have no field here, and no
//! session is ever begun for somebody else. Removing a bank stays with its person. A fresh sign-in before
//! each deed: it would ask for a password in the middle of an outage, and a stolen session can be ended.

mod access;
mod api;
mod lists;
mod overview;
#[cfg(test)]
mod tests;

pub use api::{AdminMutation, AdminQuery};
pub use lists::{AdminUserFilter, people};
