//! Linking banks: the link token, the exchange, credentials and what a bank asks, what webhooks say
//! about an item, and its removal.
//!
//! Promises: a public token is exchanged once, however often it is offered, and every offer gets
//! the same answer; a bank the person has already is found before the exchange, since afterwards it
//! would cost money and may end the first link; a login the provider made for us is kept before
//! anything else is done, and becomes an item or is given up; a removed item is gone at once for its owner and in the end for the provider, whatever
//! happens in between.
//!
//! What a person types for her bank, credentials and answers, is in memory for the length of one call
//! to the provider and nowhere else. What is to be done with it is written down before, so that a call
//! that breaks off leaves a login that is found again, or one that is looked at.
//!
//! Refused: believing a webhook's word about the login. It says where to look; a sync asks.

mod adopt;
mod api;
mod create_link_token;
mod credentials;
mod credentials_api;
mod duplicate;
mod exchange;
mod failure;
mod institutions;
mod intent;
mod keep;
mod leave;
mod link_institution;
mod notice;
mod person;
mod prune;
mod remove;
mod session;
mod sign_in;
mod store;
mod sweep;
mod watch;

pub use adopt::AdoptLogins;
pub use api::{LinkingMutation, LinkingSubscription};
pub use create_link_token::{LinkSession, Wanted, create_link_token};
pub use credentials_api::{CredentialsMutation, LinkingQuery};
pub use exchange::{Exchanged, Offer, exchange_public_token};
pub(crate) use leave::{forget_person, is_let_go, leave};
pub(crate) use notice::inbox_place;
pub use notice::notice;
pub(crate) use person::person_called;
pub use prune::PruneLinking;
pub use remove::{RemoveItem, remove_item};
pub use session::FinishLinkSession;
pub use sweep::SweepLinking;
pub use watch::WatchLinkSession;
