//! Stories over the wire: a real server, a real database, the sandbox as the bank.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::similar_names,
    reason = "a story fails by panicking"
)]

mod architecture;
mod bad_input;
mod contract;
mod exchange;
mod fairness;
mod hosted_link;
mod jobs;
mod linking;
mod live;
mod mirror;
mod paging;
mod provider_faults;
mod repair;
mod signing_in;
mod sync;
mod webhooks;

mod support;
