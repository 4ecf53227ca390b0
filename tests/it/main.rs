//! Stories over the wire: a real server, a real database, the sandbox as the bank.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::similar_names,
    reason = "a story fails by panicking"
)]

mod admin;
mod architecture;
mod bad_input;
mod canary;
mod canary_elsewhere;
mod canary_mine;
mod canary_people;
mod codes;
mod contract;
mod cookies;
mod deletion;
mod exchange;
mod exports;
mod fairness;
mod filters;
mod hosted_link;
mod isolation;
mod jobs;
mod linking;
mod live;
mod log;
mod mail;
mod metrics;
mod mirror;
mod mx_away;
mod mx_broken_off;
mod mx_challenges;
mod mx_following;
mod mx_hosted;
mod mx_linking;
mod mx_reading;
mod mx_states;
mod mx_transactions;
mod mx_webhooks;
mod odd_rows;
mod orphans;
mod paging;
mod password_reset;
mod passwords;
mod profile;
mod proofs;
mod provider_faults;
mod rates;
mod rates_in_use;
mod rates_limits;
mod registration;
mod rekey;
mod removal;
mod repair;
mod replicas;
mod rereading;
mod second_factor;
mod sessions;
mod signatures;
mod signing_in;
mod signing_out;
mod social;
mod social_audit;
mod social_claims;
mod social_forgeries;
mod social_issuers;
mod social_links;
mod sweep;
mod sync;
mod throttling;
mod verification;
mod webhooks;

mod support;
