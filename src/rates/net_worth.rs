//! What a person has and owes, in one currency, by the rates of today. One rate a currency, whenever
//! each bank told its balance, or the parts would not add up to anything. What cannot be converted is
//! left out of the totals and named.

use std::{collections::HashMap, sync::Arc};

use async_graphql::SimpleObject;
use entity::account::{self, AccountKind};
use rust_decimal::Decimal as Number;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use crate::{
    app::App,
    error::{Error, Result},
    graphql::{
        account::{Account, amount},
        conversion::{Conversion, ConversionProblem, Wanted, conversions},
        exchange_rate::ExchangeRate,
        money::Money,
        scalar::{CurrencyCode, DateTime},
    },
    money::rounded,
    viewer::{Owned, Viewer},
};

/// What you have and owe at all banks, in one currency.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct NetWorth {
    /// The currency it is told in.
    currency: CurrencyCode,
    /// `assets` less `liabilities`. Absent, as they are, if no account could be counted though there are
    /// some.
    total: Option<Money>,
    /// What is held: positive balances, and what a bank owes you on a card or loan. Without the
    /// accounts in `leftOut`.
    assets: Option<Money>,
    /// What is owed: cards, loans and overdrafts, as a positive amount. Without the accounts in `leftOut`.
    liabilities: Option<Money>,
    /// How many accounts are in the totals.
    counted_accounts: i32,
    /// The accounts that are not in the totals, and why not. Where there are any, the totals are not
    /// the whole.
    left_out: Vec<LeftOutAccount>,
    /// The rates it was made with: of today in UTC, or the last before it.
    rates: Vec<ExchangeRate>,
    /// When this was worked out.
    as_of: DateTime,
    /// When the oldest balance in the totals was told by its bank; absent if none is.
    oldest_balance_at: Option<DateTime>,
}

/// An account that is not in a total.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct LeftOutAccount {
    /// The account.
    account: Account,
    /// Why it is not in the total.
    reason: ConversionProblem,
}

/// Adds up the open accounts of a person.
pub(super) async fn net_worth(app: &App, viewer: Viewer, to: CurrencyCode) -> Result<NetWorth> {
    let accounts = account::Entity::owned_by(viewer)
        .filter(account::Column::ClosedAt.is_null())
        .order_by_asc(account::Column::Id)
        .all(app.db.read())
        .await?;
    let now = app.clock.now();
    let mut wanted: Vec<Wanted> = Vec::new();
    for from in accounts.iter().filter_map(|row| row.currency.as_ref()) {
        if !wanted.iter().any(|known| known.from == *from) {
            wanted.push(Wanted {
                from: from.clone(),
                to: to.0.clone(),
                day: now.date_naive(),
            });
        }
    }
    let ways = conversions(app, &wanted).await?;
    let ways: Ways = ways
        .into_iter()
        .map(|(wanted, way)| (wanted.from, way))
        .collect();
    let mut sum = Sum::default();
    for row in accounts {
        sum.add(Arc::new(row), &ways)?;
    }
    sum.told(to, DateTime(now))
}

type Ways = HashMap<String, Result<Conversion, ConversionProblem>>;

#[derive(Default)]
struct Sum {
    assets: Number,
    liabilities: Number,
    counted: i32,
    left_out: Vec<LeftOutAccount>,
    rates: Vec<ExchangeRate>,
    oldest: Option<DateTime>,
}

impl Sum {
    fn add(&mut self, row: Arc<account::Model>, ways: &Ways) -> Result<()> {
        match self.converted(&row, ways)? {
            Ok((assets, liabilities)) => {
                (self.assets, self.liabilities) = (assets, liabilities);
                self.counted += 1;
                let told_at = row.balances_at.map(DateTime);
                self.oldest = self.oldest.into_iter().chain(told_at).min();
            }
            Err(reason) => self.left_out.push(LeftOutAccount {
                account: Account(row),
                reason,
            }),
        }
        Ok(())
    }

    /// The totals with one account more.
    fn converted(
        &mut self,
        row: &account::Model,
        ways: &Ways,
    ) -> Result<Result<(Number, Number), ConversionProblem>> {
        let balance = amount(row.balance_current.as_ref())?;
        let Some((balance, currency)) = balance.zip(row.currency.as_ref()) else {
            return Ok(Err(ConversionProblem::NoAmount));
        };
        let way = match ways.get(currency) {
            Some(Ok(way)) => way,
            Some(Err(problem)) => return Ok(Err(*problem)),
            None => return Err(Error::internal("a currency nobody asked for")),
        };
        let owed = matches!(row.kind, AccountKind::Credit | AccountKind::Loan);
        let worth = way.exactly(if owed { -balance } else { balance });
        let sums = worth.and_then(|worth| {
            if worth.is_sign_negative() {
                Some((self.assets, self.liabilities.checked_sub(worth)?))
            } else {
                Some((self.assets.checked_add(worth)?, self.liabilities))
            }
        });
        if sums.is_some() {
            self.note(way);
        }
        Ok(sums.ok_or(ConversionProblem::OutOfRange))
    }

    fn note(&mut self, way: &Conversion) {
        for rate in way.rates() {
            if !self.rates.iter().any(|known| known.0.id == rate.0.id) {
                self.rates.push(rate);
            }
        }
    }

    fn told(self, currency: CurrencyCode, as_of: DateTime) -> Result<NetWorth> {
        // Each is rounded first, so that the three add up as they are shown.
        let [assets, liabilities] =
            [self.assets, self.liabilities].map(|sum| rounded(sum, &currency.0));
        let total = assets.checked_sub(liabilities);
        let total = total.ok_or_else(|| Error::internal("a total of too many digits"))?;
        // Nothing was added up, which is not the same as nothing.
        let known = self.counted > 0 || self.left_out.is_empty();
        let money = |amount| known.then(|| Money::new(amount, Some(&currency.0)));
        Ok(NetWorth {
            total: money(total),
            assets: money(assets),
            liabilities: money(liabilities),
            counted_accounts: self.counted,
            left_out: self.left_out,
            rates: self.rates,
            as_of,
            oldest_balance_at: self.oldest,
            currency,
        })
    }
}
