//! Stories over the wire: a real server, a real database, the sandbox as the bank.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::similar_names,
    reason = "a story fails by panicking"
)]

mod architecture;
mod contract;
mod linking;
mod live;
mod sync;
mod webhooks;

mod support;
