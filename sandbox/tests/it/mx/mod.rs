//! MX's face, as a program written against MX sees it.

mod challenges;
mod client;
mod faults;
mod members;
mod refusals;
mod remembering;
mod transactions;
mod users;
mod webhooks;
