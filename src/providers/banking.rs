//! Banks, accounts, and transactions by page.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::AccountKind;

/// Banks in a page of [`institutions`](super::CredentialLogin::institutions).
pub const INSTITUTIONS_PAGE: u32 = 100;

/// A page of banks.
#[derive(Debug, Default)]
pub struct Institutions {
    /// The banks in the provider's order; none in the place of one that cannot be linked.
    pub rows: Vec<Option<Institution>>,
    /// How many there are on all pages, those that cannot be linked among them.
    pub total: u64,
}

/// A bank.
#[derive(Debug)]
pub struct Institution {
    /// The provider's id of it.
    pub institution_id: String,
    /// Name for people.
    pub name: String,
    /// Home page.
    pub url: Option<String>,
    /// Brand colour, `#rrggbb`.
    pub primary_color: Option<String>,
    /// PNG, base64.
    pub logo: Option<String>,
    /// Where its logo is, if the provider tells an address instead.
    pub logo_url: Option<String>,
    /// Whether people sign in on the bank's own pages.
    pub oauth: bool,
}

/// An account as the provider reports it.
#[derive(Clone, Debug)]
pub struct Account {
    /// The provider's id of it.
    pub provider_account_id: String,
    /// Name for people.
    pub name: String,
    /// The bank's own name for it.
    pub official_name: Option<String>,
    /// The last few characters of its number.
    pub mask: Option<String>,
    /// What sort of account it is.
    pub kind: AccountKind,
    /// Finer sort, in the provider's words.
    pub subtype: Option<String>,
    /// Currency of the balances.
    pub currency: Option<String>,
    /// Current balance: money held, or money owed for credit and loans.
    pub current: Option<Decimal>,
    /// What can be spent now.
    pub available: Option<Decimal>,
    /// Credit limit or overdraft.
    pub limit: Option<Decimal>,
    /// When the bank told these balances, where the provider says so.
    pub balances_at: Option<DateTime<Utc>>,
    /// Whether the provider says that it is closed.
    pub closed: bool,
}

/// A transaction as the provider reports it, with our sign.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The provider's id of it; another one while pending than when posted.
    pub provider_transaction_id: String,
    /// The id it had while it was pending, if the provider names it.
    pub provider_pending_id: Option<String>,
    /// The account it is in.
    pub provider_account_id: String,
    /// Signed amount: negative leaves the account.
    pub amount: Decimal,
    /// Currency code; absent where the provider leaves it to the account.
    pub currency: Option<String>,
    /// The day it counts for.
    pub date: NaiveDate,
    /// The day the person made it.
    pub authorized_date: Option<NaiveDate>,
    /// The moment, where the bank tells it.
    pub datetime: Option<DateTime<Utc>>,
    /// The bank's text.
    pub name: String,
    /// The merchant, cleaned up.
    pub merchant_name: Option<String>,
    /// Broad category.
    pub category_primary: Option<String>,
    /// Fine category.
    pub category_detailed: Option<String>,
    /// Whether it may still change or vanish.
    pub pending: bool,
    /// How it was paid.
    pub payment_channel: Option<String>,
    /// Where it happened, as JSON text with the keys of `graphql::transaction::Location`; absent if nothing is known.
    pub location: Option<String>,
    /// Who else took part, as JSON text, a list with the keys of `graphql::transaction::Counterparty`; absent if nobody.
    pub counterparties: Option<String>,
}

/// One page of changes.
#[derive(Debug)]
pub struct Page {
    /// New and changed transactions, in the provider's order.
    pub upserts: Vec<Transaction>,
    /// The provider's ids of those that are gone.
    pub removed: Vec<String>,
    /// Rows the provider sent that cannot be true (no id, no amount, no date): left out and counted.
    pub rejected: u32,
    /// The provider's ids of those that were left out and have one: they are there all the same.
    pub unreadable: Vec<String>,
    /// Where the next page begins; absent while the provider has nothing yet.
    pub next_cursor: Option<String>,
    /// Whether more pages follow in this round.
    pub has_more: bool,
    /// How far the provider is.
    pub readiness: Readiness,
    /// Which listing this is a page of, where pages have numbers.
    pub listing: Option<Listing>,
}

/// A listing whose pages have numbers. No row is on two of its pages, unless rows have moved between
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Which one of a reading it is.
    pub number: u8,
    /// How many rows it has on all its pages, as the provider says.
    pub entries: u64,
    /// How many rows this page has, as they were sent: one that comes twice counts twice.
    pub rows: u64,
    /// Says that it names every pending transaction since that day, so that one it does not name is
    /// gone.
    pub pending_since: Option<NaiveDate>,
}

/// How far the provider is with an item's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing yet.
    NotReady,
    /// Recent transactions are there, history is not.
    Recent,
    /// Everything the provider will have is there.
    Complete,
}
