//! One movement of money.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use entity::transaction;
use serde::Deserialize;

use super::{
    ContextExt,
    account::Account,
    id,
    loaders::Key,
    money::Money,
    scalar::{Date, DateTime},
};
use crate::{
    error::{Error, Result},
    money::from_key,
};

pub mod change;
pub mod filter;
pub mod list;

pub use change::TransactionChange;
pub use filter::{AccountTransactionFilter, TransactionFilter};
pub use list::TransactionOrder;

/// One movement of money: one object with one id for life, from pending to posted.
#[derive(Clone, Debug)]
pub struct Transaction(pub Arc<transaction::Model>);

impl From<transaction::Model> for Transaction {
    fn from(row: transaction::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// One movement of money: one object with one id for life, from pending to posted.
#[Object]
impl Transaction {
    /// The transaction's id. It stays the same when a pending transaction is posted.
    pub(crate) async fn id(&self) -> ID {
        id::encode(id::TRANSACTION, self.0.id)
    }

    /// The account it is in. Absent only if it was removed while this answer was being made.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        let key = Key::new(ctx.viewer()?, self.0.account_id);
        Ok(ctx.loaders().account.load_one(key).await?.map(Account))
    }

    /// How much, signed as on a statement with every provider: negative leaves the account, positive
    /// enters it.
    async fn amount(&self) -> Result<Money> {
        let amount = from_key(&self.0.amount);
        let amount = amount.ok_or_else(|| Error::internal("a stored amount that is none"))?;
        Ok(Money::new(amount, Some(&self.0.currency)))
    }

    /// The sign of the amount as a word.
    async fn direction(&self) -> Direction {
        // In the sortable form only what is negative begins with a minus.
        if self.0.amount.starts_with('-') {
            Direction::Outflow
        } else {
            Direction::Inflow
        }
    }

    /// The day it counts for at the bank: when it was posted, or is expected to be. Lists and filters
    /// go by this day.
    async fn date(&self) -> Date {
        Date(self.0.date)
    }

    /// The day the person made it, where the bank tells it.
    async fn authorized_date(&self) -> Option<Date> {
        self.0.authorized_date.map(Date)
    }

    /// The moment, where the bank tells it.
    async fn datetime(&self) -> Option<DateTime> {
        self.0.datetime.map(DateTime)
    }

    /// The bank's text for it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The merchant's name, cleaned up, where the provider knows it.
    async fn merchant_name(&self) -> Option<&str> {
        self.0.merchant_name.as_deref()
    }

    /// What it was for, as the provider sees it.
    async fn category(&self) -> Option<Category> {
        let primary = self.0.category_primary.clone()?;
        let detailed = self.0.category_detailed.clone();
        Some(Category { primary, detailed })
    }

    /// Whether it may still change or vanish.
    async fn pending(&self) -> bool {
        self.0.pending
    }

    /// How it was paid, in the provider's words, such as `online` or `in store`.
    async fn payment_channel(&self) -> Option<&str> {
        self.0.payment_channel.as_deref()
    }

    /// Where it happened, as far as the provider knows.
    async fn location(&self) -> Option<Location> {
        serde_json::from_str(self.0.location.as_deref()?).ok()
    }

    /// Who else took part; empty if the provider names nobody.
    async fn counterparties(&self) -> Vec<Counterparty> {
        let stored = self.0.counterparties.as_deref();
        let read = stored.and_then(|list| serde_json::from_str(list).ok());
        read.unwrap_or_default()
    }

    /// When this server first saw it.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed here.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }
}

/// Which way money moved, as the account sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Direction {
    /// It left the account: the amount is negative.
    Outflow,
    /// It entered the account: the amount is positive, or zero.
    Inflow,
}

/// What a transaction was for. The values are the provider's own, upper-case words joined by
/// underscores; new ones appear without notice.
#[derive(Clone, Debug, SimpleObject)]
pub struct Category {
    /// The broad category, such as `FOOD_AND_DRINK`.
    pub primary: String,
    /// The fine category, such as `FOOD_AND_DRINK_COFFEE`.
    pub detailed: Option<String>,
}

/// Where a transaction happened. Each field is absent where the provider does not know it.
#[derive(Clone, Debug, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Street and number.
    pub address: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State, province or region.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country, two letters of ISO 3166.
    pub country: Option<String>,
    /// Degrees north of the equator.
    pub latitude: Option<f64>,
    /// Degrees east of Greenwich.
    pub longitude: Option<f64>,
    /// The merchant's own number for the shop.
    pub store_number: Option<String>,
}

/// Somebody else who took part in a transaction. Each field but the name is absent where the
/// provider does not know it.
#[derive(Clone, Debug, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct Counterparty {
    /// Name for people.
    pub name: String,
    /// What they are, in the provider's words, such as `merchant` or `payment_app`.
    #[serde(rename = "type")]
    #[graphql(name = "type")]
    pub kind: Option<String>,
    /// Their home page.
    pub website: Option<String>,
    /// Where their logo is.
    pub logo_url: Option<String>,
    /// The provider's id for them, the same in all transactions they took part in.
    pub entity_id: Option<String>,
}
