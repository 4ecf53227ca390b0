//! `/accounts/get` and `/accounts/balance/get`.

use serde::Serialize;

use super::error::PlaidError;
use super::item::{self, ItemBody};
use super::request::{Answer, Request};
use crate::bank::accounts::Account;

#[derive(Serialize)]
struct Accounts<'a> {
    accounts: Vec<&'a Account>,
    item: ItemBody,
    request_id: &'a str,
}

/// `/accounts/get`
pub(crate) fn get(request: &Request) -> Answer {
    answer(request, &["account_ids"])
}

/// `/accounts/balance/get`
pub(crate) fn balance(request: &Request) -> Answer {
    answer(request, &["account_ids", "min_last_updated_datetime"])
}

fn answer(request: &Request, known: &[&str]) -> Answer {
    request.fields.expect(&["access_token"], &["options"])?;
    let options = request.fields.object("options")?;
    options.expect(&[], known)?;
    let wanted = options.texts("account_ids")?;
    let world = request.world();
    let shared = request.healthy_item(&world)?;
    let accounts: Vec<&Account> = shared
        .shared()
        .filter(|account| {
            wanted
                .as_ref()
                .is_none_or(|ids| ids.contains(&account.account_id))
        })
        .collect();
    if wanted.is_some_and(|ids| {
        ids.iter()
            .any(|id| !accounts.iter().any(|account| account.account_id == *id))
    }) {
        return Err(PlaidError::of("INVALID_ACCOUNT_ID"));
    }
    if accounts.is_empty() {
        return Err(PlaidError::of("NO_ACCOUNTS"));
    }
    request.answer(&Accounts {
        accounts,
        item: item::body(shared, request.now()),
        request_id: &request.request_id,
    })
}
