//! What a bank tells at an aggregation: its accounts, the rows it holds, and at each further one what has happened since.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::{banks, login};
use crate::app::App;
use crate::bank::accounts::{self, Account as Held};
use crate::bank::history::History;
use crate::bank::opening::{self, Extent};
use crate::seed::Seed;
use crate::world::World;
use crate::world::mx::MxOp;
use crate::world::mx::member::{Account, JobKind, Member};
use crate::world::mx::row::{Row, guid};

/// What an ordinary login brings, and what it brings once its history was extended.
const USUAL: Extent = Extent {
    count: 180,
    days: 90,
    pending: 4,
};
const EXTENDED_DAYS: u64 = 730;

/// Opens the accounts at the first aggregation, and says at each further one that they were looked at.
pub(crate) fn tell_accounts(member: &mut Member, at: DateTime<Utc>) {
    if member.accounts.is_empty() {
        let opened = held(member).into_iter().map(|account| opened(account, at));
        member.accounts = opened.collect();
    }
    for account in &mut member.accounts {
        account.updated_at = at;
    }
    member.has_processed_accounts = true;
}

/// Brings the history at the first aggregation, the older part of it when it is extended, and otherwise what is new.
pub(crate) fn tell_transactions(
    app: &App,
    world: &mut World,
    member: &mut Member,
    at: DateTime<Utc>,
) {
    member.has_processed_transactions = true;
    let known = world.mx.members.get(&member.guid);
    let history = known.and_then(|held| held.history.clone());
    let extends = member
        .job
        .as_ref()
        .is_some_and(|job| job.kind == JobKind::History);
    match history {
        Some(history) if !extends => {
            let count = app.settings().mx.new_rows;
            grow(world, member, &history, count, at);
        }
        before => {
            let history = history_of(member, before.is_some(), at.date_naive());
            let op = MxOp::History {
                member_guid: member.guid.clone(),
                history: Box::new(history),
            };
            let rows = |world: &World| {
                let held = world.mx.members.get(&member.guid);
                held.map_or(0, |held| held.rows().count() as u64)
            };
            let few = rows(world);
            world.commit_mx(at, op);
            let many = rows(world);
            if let Some(job) = &mut member.job {
                job.created += many - few;
            }
        }
    }
}

/// The accounts as the bank keeps them, under MX's ids.
fn held(member: &Member) -> Vec<Held> {
    let currency = banks::find(&member.institution_code).map_or("USD", |bank| bank.currency);
    let seed = Seed(0).of(&member.guid).of("accounts");
    let under_guid = |account: Held| Held {
        account_id: guid("ACT", Seed(0).of(&account.account_id)),
        ..account
    };
    let all = accounts::everyone(seed, &Cow::Borrowed(currency), false);
    all.into_iter().map(under_guid).collect()
}

fn history_of(member: &Member, extended: bool, today: NaiveDate) -> History {
    let seed = Seed(0).of(&member.guid);
    let extent = match (login::rows(&member.username), extended) {
        (Some(count), _) => Extent {
            count,
            days: EXTENDED_DAYS,
            ..USUAL
        },
        (None, true) => Extent {
            count: 2 * EXTENDED_DAYS,
            days: EXTENDED_DAYS,
            pending: 0,
        },
        (None, false) => USUAL,
    };
    opening::plan(&held(member), seed, extent, today)
}

fn opened(account: Held, at: DateTime<Utc>) -> Account {
    let (kind, subtype) = kind(
        &account.r#type,
        account.subtype.as_deref().unwrap_or_default(),
    );
    let balances = account.balances;
    let owed = account.r#type == "credit";
    Account {
        id: format!(
            "{}-{}",
            account.mask.as_deref().unwrap_or_default(),
            Seed(0).of(&account.account_id).id(8)
        ),
        guid: account.account_id,
        name: account.name.replacen("Plaid", "MX", 1),
        r#type: kind.to_owned(),
        subtype: subtype.map(str::to_owned),
        account_number: account.mask.map(|mask| mask.to_string()),
        balance: balances.current,
        available_balance: balances.available,
        available_credit: match (balances.limit, balances.current) {
            (Some(limit), Some(current)) if owed => Some(limit - current),
            _ => None,
        },
        credit_limit: balances.limit,
        currency_code: balances.iso_currency_code.map(|code| code.to_string()),
        is_closed: false,
        created_at: at,
        updated_at: at,
    }
}

/// MX's type and subtype for Plaid's.
fn kind(kind: &str, subtype: &str) -> (&'static str, Option<&'static str>) {
    match (kind, subtype) {
        ("depository", "savings") => ("SAVINGS", None),
        ("depository", "money market") => ("SAVINGS", Some("MONEY_MARKET")),
        ("depository", _) => ("CHECKING", None),
        ("credit", _) => ("CREDIT_CARD", None),
        ("investment", "ira") => ("INVESTMENT", Some("IRA")),
        ("investment", _) => ("INVESTMENT", Some("PLAN_401_K")),
        ("loan", "mortgage") => ("MORTGAGE", None),
        ("loan", _) => ("LOAN", Some("STUDENT")),
        _ => ("ANY", None),
    }
}

/// A day at the bank: what was pending posts under another guid, one posted row costs a unit more than was said, and `count` new rows
/// are pending. With a count of 0 nothing happens at all.
fn grow(world: &mut World, member: &mut Member, history: &History, count: u64, at: DateTime<Utc>) {
    if count == 0 {
        return;
    }
    let seed = world.draw("mx growth");
    let Some(known) = world.mx.members.get(&member.guid) else {
        return;
    };
    let pending = known.rows().filter(|row| row.is_pending());
    let posted: Vec<(String, Row)> = pending
        .zip(0..)
        .map(|(row, n)| {
            (
                row.guid.clone(),
                row.posted_as(guid("TRN", seed.of("posted").at(n)), at),
            )
        })
        .collect();
    let bumped = known.rows().find(|row| !row.is_pending() && row.is_expense);
    let bumped = bumped.map(|row| Row {
        amount: row.amount.map(|amount| amount + Decimal::ONE),
        updated_at: at,
        ..(**row).clone()
    });
    let fresh = (0..count).filter_map(|n| {
        let History::Planned(plan) = history else {
            return None;
        };
        let made = plan.fresh(
            seed.of("pending").indexed_id(n),
            seed.at(n),
            at.date_naive(),
        );
        Some(Row::of(&made, at))
    });
    let (gone, mut put): (Vec<String>, Vec<Row>) = posted.into_iter().unzip();
    put.extend(fresh);
    if let Some(job) = &mut member.job {
        job.created += put.len() as u64;
        job.updated += u64::from(bumped.is_some());
    }
    put.extend(bumped);
    let op = MxOp::Rows {
        member_guid: member.guid.clone(),
        put,
        gone,
    };
    world.commit_mx(at, op);
}
