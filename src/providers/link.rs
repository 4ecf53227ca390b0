//! Link sessions, and how a login stands.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::error::ProviderError;

use super::Challenge;

/// What a link session is for.
#[derive(Clone, Debug, Default)]
pub struct LinkRequest {
    /// An opaque name of the person, without personal data.
    pub client_user_id: String,
    /// The provider's id of the person, where it keeps people apart.
    pub provider_user_id: Option<String>,
    /// The item to repair; absent for a new link.
    pub access_token: Option<SecretString>,
    /// Whether a repair lets the person choose accounts anew.
    pub account_selection: bool,
    /// Where a bank's own sign-in page returns to.
    pub redirect_uri: Option<String>,
    /// Where the hosted page returns to.
    pub completion_redirect_uri: Option<String>,
    /// Where the provider sends webhooks.
    pub webhook: Option<String>,
}

/// A link session that was begun.
#[derive(Debug)]
pub struct LinkToken {
    /// What opens the provider's Link in an app, where there is such a thing.
    pub link_token: Option<SecretString>,
    /// The provider's own page for it; whoever has the address is the person.
    pub hosted_link_url: Option<SecretString>,
    /// After this the token is dead.
    pub expiration: DateTime<Utc>,
}

/// One bank a person finished linking, not exchanged yet.
#[derive(Debug)]
pub struct LinkResult {
    /// What is exchanged.
    pub public_token: SecretString,
    /// The bank.
    pub institution_id: Option<String>,
    /// The accounts that were shared.
    pub accounts: Vec<LinkedAccount>,
}

/// Enough of an account to tell whether we have it already.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinkedAccount {
    /// Name for people.
    pub name: String,
    /// The last few characters of its number.
    pub mask: Option<String>,
}

/// An item the provider has made for us.
#[derive(Debug)]
pub struct Linked {
    /// The provider's id of it.
    pub provider_item_id: String,
    /// What opens it.
    pub access_token: SecretString,
}

/// How an item stands at the provider.
#[derive(Debug, Default)]
pub struct ItemState {
    /// The bank.
    pub institution_id: Option<String>,
    /// What is wrong with the login, if anything: a call that succeeded can still report it.
    pub fault: Option<ProviderError>,
    /// Whether transactions are still to come though something is wrong.
    pub downloading: bool,
    /// When the person's consent ends, where it does.
    pub consent_expires_at: Option<DateTime<Utc>>,
    /// Where the provider sends webhooks about it.
    pub webhook: Option<String>,
    /// What goes on with the login; a login that something goes on with has no fault.
    pub progress: Progress,
    /// What the bank asks, if the fault is that it asks.
    pub challenges: Vec<Challenge>,
}

/// What goes on with a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Nothing: it stands as the rest says.
    #[default]
    Settled,
    /// The provider signs in.
    SigningIn,
    /// The provider should be signing in or collecting, and is not: it may have to be asked.
    Stalled,
    /// The person is expected on the bank's own sign-in page.
    Awaited,
    /// The bank asks something, and what it asks is not told, or not so that it can be answered here.
    Asking,
    /// The provider is in, and collects.
    Collecting,
}
