//! Webhooks: what they say, how they are signed, how they are delivered.
//!
//! Delivery is at least once and in no promised order, as Plaid's is. A webhook still waiting for its next attempt is lost when the process
//! ends; a receiver has to heal from that anyway.

pub(crate) mod keys;
pub(crate) mod notice;
pub(crate) mod outbox;
