//! What Plaid is asked and how it answers, field by field. A request never carries a field that is
//! not meant, for Plaid refuses unknown ones; an answer requires only what nothing works without,
//! for Plaid adds values at will. <https://plaid.com/docs/api/>

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::lenient::Text;

/// `/link/token/create`. <https://plaid.com/docs/api/link/#linktokencreate>
#[derive(Serialize)]
pub(super) struct LinkTokenCreate<'a> {
    pub(super) client_name: &'a str,
    pub(super) language: &'a str,
    pub(super) country_codes: &'a [&'a str],
    pub(super) user: LinkUser<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) products: Option<&'a [&'a str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transactions: Option<LinkTransactions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) webhook: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) update: Option<LinkUpdate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) hosted_link: HostedLink<'a>,
}

/// Who links. Nothing about the person: Plaid refuses personal data here.
#[derive(Serialize)]
pub(super) struct LinkUser<'a> {
    pub(super) client_user_id: &'a str,
}

/// How much history is wanted. It cannot be raised later.
#[derive(Serialize)]
pub(super) struct LinkTransactions {
    pub(super) days_requested: u16,
}

/// What a repair may change.
#[derive(Serialize)]
pub(super) struct LinkUpdate {
    pub(super) account_selection_enabled: bool,
}

/// Asks for Plaid's own page, even if it is empty. <https://plaid.com/docs/link/hosted-link/>
#[derive(Serialize)]
pub(super) struct HostedLink<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completion_redirect_uri: Option<&'a str>,
}

/// Any call about one item.
#[derive(Serialize)]
pub(super) struct OfItem<'a> {
    pub(super) access_token: &'a str,
}

/// `/item/webhook/update`.
#[derive(Serialize)]
pub(super) struct WebhookUpdate<'a> {
    pub(super) access_token: &'a str,
    pub(super) webhook: &'a str,
}

/// `/link/token/get`.
#[derive(Serialize)]
pub(super) struct LinkTokenGet<'a> {
    pub(super) link_token: &'a str,
}

/// `/item/public_token/exchange`.
#[derive(Serialize)]
pub(super) struct PublicTokenExchange<'a> {
    pub(super) public_token: &'a str,
}

/// `/institutions/get_by_id`.
#[derive(Serialize)]
pub(super) struct InstitutionGet<'a> {
    pub(super) institution_id: &'a str,
    pub(super) country_codes: &'a [&'a str],
    pub(super) options: InstitutionOptions,
}

/// Asks for logo, colour and address too.
#[derive(Serialize)]
pub(super) struct InstitutionOptions {
    pub(super) include_optional_metadata: bool,
}

/// `/transactions/sync`. The first call has no cursor: null is refused.
#[derive(Serialize)]
pub(super) struct TransactionsSync<'a> {
    pub(super) access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<&'a str>,
    pub(super) count: u16,
}

/// A link session that was begun.
#[derive(Deserialize)]
pub(super) struct LinkTokenCreated {
    pub(super) link_token: String,
    pub(super) expiration: String,
    #[serde(default)]
    pub(super) hosted_link_url: Text,
}

/// What came of the sessions of a link token.
#[derive(Deserialize)]
pub(super) struct LinkTokenState {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) link_sessions: Vec<LinkSession>,
}

/// One opening of Link.
#[derive(Deserialize)]
pub(super) struct LinkSession {
    #[serde(default)]
    pub(super) results: Option<LinkResults>,
    #[serde(default)]
    pub(super) on_success: Option<LegacySuccess>,
}

/// What a session brought, of which only banks matter here.
#[derive(Deserialize)]
pub(super) struct LinkResults {
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) item_add_results: Vec<ItemAdded>,
}

/// One bank.
#[derive(Deserialize)]
pub(super) struct ItemAdded {
    #[serde(deserialize_with = "secret")]
    pub(super) public_token: SecretString,
    #[serde(default)]
    pub(super) institution: Option<LinkInstitution>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) accounts: Vec<LinkAccount>,
}

/// The form in which older Plaid accounts are told the same.
#[derive(Deserialize)]
pub(super) struct LegacySuccess {
    #[serde(deserialize_with = "secret")]
    pub(super) public_token: SecretString,
    #[serde(default)]
    pub(super) metadata: Option<LegacyMetadata>,
}

/// What belongs to a [`LegacySuccess`].
#[derive(Default, Deserialize)]
pub(super) struct LegacyMetadata {
    #[serde(default)]
    pub(super) institution: Option<LinkInstitution>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) accounts: Vec<LinkAccount>,
}

/// The bank of a session.
#[derive(Deserialize)]
pub(super) struct LinkInstitution {
    #[serde(default)]
    pub(super) institution_id: Text,
}

/// An account of a session.
#[derive(Deserialize)]
pub(super) struct LinkAccount {
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) mask: Text,
}

/// A public token's item.
#[derive(Deserialize)]
pub(super) struct Exchanged {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: SecretString,
    pub(super) item_id: String,
}

/// An item's state.
#[derive(Deserialize)]
pub(super) struct ItemGot<'a> {
    #[serde(borrow)]
    pub(super) item: Item<'a>,
}

/// An item. Its `error` is stored state: the call that reports it succeeded.
/// <https://plaid.com/docs/api/items/#itemget>
#[derive(Deserialize)]
pub(super) struct Item<'a> {
    #[serde(default)]
    pub(super) institution_id: Text,
    #[serde(default)]
    pub(super) webhook: Text,
    #[serde(default)]
    pub(super) consent_expiration_time: Text,
    #[serde(default, borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// A bank.
#[derive(Deserialize)]
pub(super) struct InstitutionGot {
    pub(super) institution: Institution,
}

/// A bank's card.
#[derive(Deserialize)]
pub(super) struct Institution {
    #[serde(rename = "institution_id")]
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) url: Text,
    #[serde(default)]
    pub(super) primary_color: Text,
    #[serde(default)]
    pub(super) logo: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) oauth: bool,
}

/// The accounts of an item, unread: a bad one costs no other.
#[derive(Deserialize)]
pub(super) struct AccountsGot<'a> {
    #[serde(borrow)]
    pub(super) accounts: Vec<&'a RawValue>,
}

/// One page of changes, its rows unread: a bad one costs no other. All of these fields are required,
/// for a page that lost its removals must not pass as one that had none.
#[derive(Deserialize)]
pub(super) struct SyncPage<'a> {
    #[serde(borrow)]
    pub(super) added: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub(super) modified: Vec<&'a RawValue>,
    #[serde(borrow)]
    pub(super) removed: Vec<&'a RawValue>,
    pub(super) next_cursor: String,
    pub(super) has_more: bool,
    #[serde(default)]
    pub(super) transactions_update_status: Text,
}

/// Reads null like an absent field.
fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}
