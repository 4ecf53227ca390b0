//! MX's face, as a program written against MX sees it.

mod accounts;
mod challenges;
mod client;
mod connect;
mod faults;
mod members;
mod oauth;
mod refusals;
mod remembering;
mod transactions;
mod users;
mod webhooks;
