//! Exchange rates: fetched once for all replicas, kept, told, followed, and used to say what somebody
//! has in one currency.
//!
//! Promises:
//! * One job fetches what is due, in one process at a time; when a pair is due and how many calls of
//!   the day are used up is kept in the database, so that a restart costs no call (`quota`, `store`).
//! * A rate is kept exactly, once for each moment its source tells of. All are kept for thirty days, and
//!   the last of each day for ever (`prune`); but invented ones go when a real one comes (`store`).
//! * Nothing is converted by a rate of a later day, and nothing by a rate that is not there: an amount
//!   without one is absent and says why (`graphql/conversion.rs`).
//!
//! Rates belong to nobody, so that no feed carries them (`ticker.rs`). Refused: a rate fetched for the
//! person who asks, which a free key affords twenty-five times a day.

mod api;
mod fetch;
mod history;
mod live;
mod net_worth;
mod poll;
mod prune;
mod quota;
mod refresh;
mod store;
#[cfg(test)]
mod tests;

pub use api::{RatesMutation, RatesQuery, RatesSubscription};
pub use fetch::OLD;
pub use poll::PollRates;
pub use prune::PruneRates;
pub use refresh::Flights;
pub use store::checks;
