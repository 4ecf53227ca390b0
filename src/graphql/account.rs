//! One account at a bank.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use entity::account;
use rust_decimal::Decimal;

use super::{
    ContextExt,
    conversion::{ConversionProblem, ConvertedBalances, Wanted},
    id,
    item::Item,
    loaders::Key,
    money::Money,
    page::{Connection, RawPage, cost},
    scalar::{CurrencyCode, DateTime},
    transaction::{AccountTransactionFilter, Transaction, TransactionOrder, list::List},
};
use crate::error::{Error, Result};

/// One account at a bank: a checking account, a card, a loan.
#[derive(Clone, Debug)]
pub struct Account(pub Arc<account::Model>);

impl From<account::Model> for Account {
    fn from(row: account::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl Account {
    /// Whether the bank still reports it.
    pub fn is_open(row: &account::Model) -> bool {
        row.closed_at.is_none()
    }
}

/// One account at a bank: a checking account, a card, a loan.
#[Object]
impl Account {
    /// The account's id, the same for its whole life.
    pub(crate) async fn id(&self) -> ID {
        id::encode(id::ACCOUNT, self.0.id)
    }

    /// The login it is reached by. Absent only if it was removed while this answer was being made.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<Item>> {
        let key = Key::new(ctx.viewer()?, self.0.item_id);
        Ok(ctx.loaders().item.load_one(key).await?.map(Item))
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The bank's own name for it.
    async fn official_name(&self) -> Option<&str> {
        self.0.official_name.as_deref()
    }

    /// The last few characters of its number.
    async fn mask(&self) -> Option<&str> {
        self.0.mask.as_deref()
    }

    /// What sort of account it is.
    #[graphql(name = "type")]
    async fn kind(&self) -> AccountType {
        self.0.kind.into()
    }

    /// A finer sort, in the provider's words, such as `checking` or `credit card`.
    async fn subtype(&self) -> Option<&str> {
        self.0.subtype.as_deref()
    }

    /// What is in it, or owed on it.
    async fn balances(
        &self,
        #[graphql(
            name = "in",
            desc = "Another currency to tell it in too, by the rate of the day the bank told it: see `converted`."
        )]
        currency: Option<CurrencyCode>,
    ) -> Balances {
        Balances(self.0.clone(), currency)
    }

    /// When the bank stopped reporting it; absent while it is open. Its transactions stay.
    async fn closed_at(&self) -> Option<DateTime> {
        self.0.closed_at.map(DateTime)
    }

    /// Its transactions, newest first unless `orderBy` says otherwise.
    #[expect(clippy::too_many_arguments, reason = "a connection has four by itself")]
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn transactions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all if absent.")] filter: Option<AccountTransactionFilter>,
        #[graphql(desc = "In which order; `DATE_DESC` if absent.")] order_by: Option<
            TransactionOrder,
        >,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Transaction>> {
        let viewer = ctx.viewer()?;
        let criteria = filter.unwrap_or_default().check()?.of_account(self.0.id);
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        let transactions = List::new(viewer, criteria, order_by.unwrap_or_default());
        transactions.load(ctx, page).await
    }
}

/// What sort of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "account::AccountKind")]
pub enum AccountType {
    /// Money held: checking, savings.
    Depository,
    /// A card with a limit; its balance is what is owed.
    Credit,
    /// Money borrowed; its balance is what is owed.
    Loan,
    /// Securities.
    Investment,
    /// Anything else.
    Other,
}

/// What is in an account, or owed on it. Balances of `CREDIT` and `LOAN` accounts are positive when
/// money is owed and negative when the bank owes the person; all others are positive when there is
/// money. Each is absent where the bank does not tell it.
#[derive(Clone, Debug)]
pub struct Balances(Arc<account::Model>, Option<CurrencyCode>);

impl Balances {
    fn money(&self, stored: Option<&String>) -> Result<Option<Money>> {
        let amount = amount(stored)?;
        Ok(amount.map(|amount| Money::new(amount, self.0.currency.as_deref())))
    }
}

/// A stored balance as a number.
pub fn amount(stored: Option<&String>) -> Result<Option<Decimal>> {
    let amount = stored.map(|text| text.parse()).transpose();
    amount.map_err(Error::internal)
}

/// What is in an account, or owed on it. Balances of `CREDIT` and `LOAN` accounts are positive when
/// money is owed and negative when the bank owes the person; all others are positive when there is
/// money. Each is absent where the bank does not tell it.
#[Object]
impl Balances {
    /// The balance as the bank books it, without what is pending.
    async fn current(&self) -> Result<Option<Money>> {
        self.money(self.0.balance_current.as_ref())
    }

    /// What can be spent now: the balance less what is pending, or what is left of the limit of a card.
    async fn available(&self) -> Result<Option<Money>> {
        self.money(self.0.balance_available.as_ref())
    }

    /// The limit of a card, or the agreed overdraft.
    async fn limit(&self) -> Result<Option<Money>> {
        self.money(self.0.balance_limit.as_ref())
    }

    /// When the bank told these balances.
    async fn as_of(&self) -> Option<DateTime> {
        self.0.balances_at.map(DateTime)
    }

    /// The balances in the currency that `in` asks for; absent without `in`.
    async fn converted(&self, ctx: &Context<'_>) -> Result<Option<ConvertedBalances>> {
        let (row, Some(to)) = (&self.0, &self.1) else {
            return Ok(None);
        };
        let Some(from) = &row.currency else {
            let reason = ConversionProblem::NoAmount;
            return Ok(Some(ConvertedBalances::unavailable(to.clone(), reason)));
        };
        let told_at = row.balances_at.unwrap_or(row.updated_at);
        let wanted = Wanted {
            from: from.clone(),
            to: to.0.clone(),
            day: told_at.date_naive(),
        };
        let stored = [
            &row.balance_current,
            &row.balance_available,
            &row.balance_limit,
        ];
        let [current, available, limit] = stored.map(|stored| amount(stored.as_ref()));
        let balances = [current?, available?, limit?];
        let way = ctx.loaders().conversion.load_one(wanted).await?;
        Ok(way.map(|way| match way {
            Ok(way) => ConvertedBalances::of(&way, balances),
            Err(reason) => ConvertedBalances::unavailable(to.clone(), reason),
        }))
    }
}
