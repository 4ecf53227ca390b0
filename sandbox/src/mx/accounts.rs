//! `/accounts`: what each login holds, once the bank has told.

use serde_json::{Value, json};

use super::banks;
use super::error::MxError;
use super::paging::Page;
use super::request::{Answer, Request, ok};
use crate::world::mx::member::{Account, Member};
use crate::world::mx::{Held, User};

pub(crate) fn of_user(request: &Request) -> Answer {
    let world = request.world();
    let user = request.user(&world)?;
    list(request, user, &world.mx.members_of(&user.guid))
}

pub(crate) fn of_member(request: &Request) -> Answer {
    let world = request.world();
    list(request, request.user(&world)?, &[request.member(&world)?])
}

fn list(request: &Request, user: &User, members: &[&Held]) -> Answer {
    let accounts = members.iter().flat_map(|held| {
        let account = |account| (&held.member, account);
        held.member.accounts.iter().map(account)
    });
    let (accounts, pagination) = Page::asked(request, 1_000).of(accounts.collect());
    let accounts: Vec<Value> = accounts
        .into_iter()
        .map(|(member, account)| shown(user, member, account))
        .collect();
    ok(&json!({ "accounts": accounts, "pagination": pagination }))
}

pub(crate) fn read(request: &Request) -> Answer {
    let world = request.world();
    let user = request.user(&world)?;
    let members = match request.var("member_guid") {
        "" => world.mx.members_of(&user.guid),
        _ => vec![request.member(&world)?],
    };
    let wanted = request.var("account_guid");
    let found = members.iter().find_map(|held| {
        let account = held
            .member
            .accounts
            .iter()
            .find(|account| account.guid == wanted)?;
        Some(shown(user, &held.member, account))
    });
    ok(&json!({ "account": found.ok_or_else(|| MxError::missing("account"))? }))
}

/// Keys that MX has for accounts of every sort, and that say nothing about those here.
const ALWAYS_NULL: [&str; 23] = [
    "nickname",
    "apr",
    "apy",
    "interest_rate",
    "minimum_payment",
    "minimum_balance",
    "payment_due_at",
    "statement_balance",
    "original_balance",
    "payoff_balance",
    "holdings_value",
    "cash_balance",
    "cash_surrender_value",
    "total_account_value",
    "last_payment",
    "last_payment_at",
    "matures_on",
    "started_on",
    "day_payment_is_due",
    "loan_amount",
    "metadata",
    "property_type",
    "routing_number",
];

fn shown(user: &User, member: &Member, account: &Account) -> Value {
    let mut shown = json!(account);
    let Some(fields) = shown.as_object_mut() else {
        return shown;
    };
    let feeds = [
        "balance",
        "available_balance",
        "credit_limit",
        "currency_code",
        "is_closed",
        "name",
    ];
    for name in feeds {
        let told = fields.get(name).cloned().unwrap_or_default();
        fields.insert(format!("feed_{name}"), told);
        // 1: the bank said so.
        fields.insert(format!("{name}_set_by"), 1.into());
    }
    fields.insert("feed_account_number".into(), json!(account.account_number));
    fields.insert(
        "imported_at".into(),
        fields.get("updated_at").cloned().unwrap_or_default(),
    );
    let whose = json!({
        "member_guid": member.guid,
        "member_id": member.id,
        "member_is_managed_by_user": true,
        "user_guid": user.guid,
        "user_id": user.id,
        "institution_code": member.institution_code,
        "institution_guid": banks::find(&member.institution_code).map(banks::Bank::guid),
        "is_hidden": false,
        "is_manual": false,
    });
    if let Value::Object(whose) = whose {
        fields.extend(whose);
    }
    for name in ALWAYS_NULL {
        fields.insert(name.to_owned(), Value::Null);
    }
    shown
}
