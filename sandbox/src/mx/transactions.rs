//! `/transactions`: what stands now, the newest first, in pages that shift when something comes or goes.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use serde::Serialize;
use serde_json::{Value, json};

use super::error::MxError;
use super::paging::Page;
use super::request::{Answer, Listed, Request, ok};
use crate::world::mx::row::Row;
use crate::world::mx::{Held, User};

/// Days before and after today that are listed if nothing is said.
const USUAL_DAYS: (u64, u64) = (120, 5);
/// The longest range of a search by moments of creation or change: six months.
const LONGEST_RANGE: i64 = 184;

/// A row with the names of those it belongs to.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    #[serde(flatten)]
    row: &'a Row,
    member_guid: &'a str,
    user_guid: &'a str,
    user_id: Option<&'a str>,
    member_is_managed_by_user: bool,
    is_manual: bool,
    extended_transaction_type: Option<&'a str>,
    localized_description: Option<&'a str>,
    localized_memo: Option<&'a str>,
    merchant_location_guid: Option<&'a str>,
    metadata: Option<&'a str>,
}

/// A row as MX lists it.
pub(crate) fn shown<'a>(user: &'a User, held: &'a Held, row: &'a Row) -> Shown<'a> {
    Shown {
        row,
        member_guid: &held.member.guid,
        user_guid: &user.guid,
        user_id: user.id.as_deref(),
        member_is_managed_by_user: true,
        is_manual: false,
        extended_transaction_type: None,
        localized_description: None,
        localized_memo: None,
        merchant_location_guid: None,
        metadata: None,
    }
}

/// A range of days, both ends in it.
type Range = (NaiveDate, NaiveDate);

/// What is wanted of the rows.
struct Filter {
    date: Range,
    created: Option<Range>,
    updated: Option<Range>,
    category: Option<String>,
    account: Option<String>,
}

impl Filter {
    fn asked(request: &Request) -> Result<Self, MxError> {
        let today = request.now.date_naive();
        let ago = today
            .checked_sub_days(Days::new(USUAL_DAYS.0))
            .unwrap_or(today);
        let ahead = today
            .checked_add_days(Days::new(USUAL_DAYS.1))
            .unwrap_or(today);
        let account = request.var("account_guid");
        Ok(Self {
            date: (
                request.day("from_date")?.unwrap_or(ago),
                request.day("to_date")?.unwrap_or(ahead),
            ),
            created: moments(request, "created_at")?,
            updated: moments(request, "updated_at")?,
            category: request.query("category_guid").map(str::to_owned),
            account: (!account.is_empty()).then(|| account.to_owned()),
        })
    }

    fn takes(&self, row: &Row) -> bool {
        let within = |range: Option<Range>, day| {
            range.is_none_or(|range| (range.0..=range.1).contains(&day))
        };
        within(Some(self.date), row.date)
            && within(self.created, row.created_at.date_naive())
            && within(self.updated, row.updated_at.date_naive())
            && (self.category.is_none() || self.category == row.category_guid)
            && self
                .account
                .as_ref()
                .is_none_or(|account| *account == row.account_guid)
    }
}

/// `from_…` and `to_…` of a moment: days, and no more of them than MX searches.
fn moments(request: &Request, name: &str) -> Result<Option<Range>, MxError> {
    let from = request.day(&format!("from_{name}"))?;
    let to = request.day(&format!("to_{name}"))?;
    let today = request.now.date_naive();
    let range = match (from, to) {
        (None, None) => return Ok(None),
        (from, to) => {
            let to = to.unwrap_or(today);
            let earliest = to.checked_sub_days(Days::new(LONGEST_RANGE.unsigned_abs()));
            (from.or(earliest).unwrap_or(to), to)
        }
    };
    if (range.1 - range.0).num_days() > LONGEST_RANGE {
        return Err(MxError::invalid(format!(
            "the range of {name} is longer than six months"
        )));
    }
    Ok(Some(range))
}

pub(crate) fn of_user(request: &Request) -> Answer {
    let world = request.world();
    let user = request.user(&world)?;
    list(request, user, &world.mx.members_of(&user.guid))
}

pub(crate) fn of_member(request: &Request) -> Answer {
    let world = request.world();
    list(request, request.user(&world)?, &[request.member(&world)?])
}

pub(crate) fn of_account(request: &Request) -> Answer {
    let world = request.world();
    let user = request.user(&world)?;
    let members = world.mx.members_of(&user.guid);
    let wanted = request.var("account_guid");
    let holds = |held: &&Held| {
        held.member
            .accounts
            .iter()
            .any(|account| account.guid == wanted)
    };
    let held = members.into_iter().find(holds);
    list(
        request,
        user,
        &[held.ok_or_else(|| MxError::missing("account"))?],
    )
}

fn list(request: &Request, user: &User, members: &[&Held]) -> Answer {
    let filter = Filter::asked(request)?;
    let mut rows: Vec<(&Held, &Arc<Row>)> = members
        .iter()
        .flat_map(|held| held.rows().map(move |row| (*held, row)))
        .filter(|(_, row)| filter.takes(row))
        .collect();
    // Each member's rows are in order; of several members they are sorted together.
    rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.date));
    let page = Page::asked(request, 1_000);
    *request.listed.borrow_mut() = Some(Listed {
        member_guids: members
            .iter()
            .map(|held| held.member.guid.clone())
            .collect(),
        page: page.number,
    });
    let (rows, pagination) = page.of(rows);
    let transactions: Vec<Shown<'_>> = rows
        .into_iter()
        .map(|(held, row)| shown(user, held, row))
        .collect();
    ok(&Body {
        transactions,
        pagination,
    })
}

#[derive(Serialize)]
struct Body<'a> {
    transactions: Vec<Shown<'a>>,
    pagination: Value,
}

pub(crate) fn read(request: &Request) -> Answer {
    let world = request.world();
    let user = request.user(&world)?;
    let wanted = request.var("transaction_guid");
    let account = request.var("account_guid");
    let found = world
        .mx
        .members_of(&user.guid)
        .into_iter()
        .find_map(|held| {
            let row = held.row(wanted)?;
            let of_it = account.is_empty() || row.account_guid == account;
            of_it.then(|| json!(shown(user, held, row)))
        });
    ok(&json!({ "transaction": found.ok_or_else(|| MxError::missing("transaction"))? }))
}
