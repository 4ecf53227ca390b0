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
mod codes;
mod contract;
mod exchange;
mod fairness;
mod filters;
mod hosted_link;
mod isolation;
mod jobs;
mod linking;
mod live;
mod metrics;
mod mirror;
mod odd_rows;
mod orphans;
mod paging;
mod profile;
mod provider_faults;
mod rekey;
mod removal;
mod repair;
mod replicas;
mod rereading;
mod sessions;
mod signatures;
mod signing_in;
mod signing_out;
mod sweep;
mod sync;
mod throttling;
mod webhooks;

mod support;
