//! Ids on the wire are `TypeID`s: a prefix that names the type, and the row's UUID. They are opaque to
//! clients, unique across types, and readable in a log. What is not one of ours decodes to nothing,
//! so that a malformed id answers as an unknown one does.

use async_graphql::ID;
use type_safe_id::{DynamicType, TypeSafeId};
use uuid::Uuid;

use crate::error::{Error, Result};

/// How many ids a filter takes.
const MAX_IDS: usize = 250;

/// Prefix of users.
pub const USER: &str = "user";
/// Prefix of sessions.
pub const SESSION: &str = "sess";
/// Prefix of identities.
pub const IDENTITY: &str = "idn";
/// Prefix of institutions.
pub const INSTITUTION: &str = "inst";
/// Prefix of items.
pub const ITEM: &str = "item";
/// Prefix of accounts.
pub const ACCOUNT: &str = "acct";
/// Prefix of transactions.
pub const TRANSACTION: &str = "txn";
/// Prefix of sync jobs.
pub const SYNC_JOB: &str = "job";
/// Prefix of entries in the activity log.
pub const ACTIVITY: &str = "act";
/// Prefix of jobs, which only administrators see; `job` is that of syncs.
pub const JOB: &str = "work";
/// Prefix of webhook deliveries, which only administrators see.
pub const DELIVERY: &str = "hook";

/// Prefix of data exports.
pub const DATA_EXPORT: &str = "export";

/// Prefix of exchange rates.
pub const EXCHANGE_RATE: &str = "rate";

/// The id of a row as clients see it.
pub fn encode(prefix: &str, id: Uuid) -> ID {
    let text = DynamicType::new(prefix)
        .map(|prefix| TypeSafeId::from_type_and_uuid(prefix, id).to_string());
    ID(text.unwrap_or_default())
}

/// The row an id of this type names.
pub fn decode(prefix: &str, id: &str) -> Option<Uuid> {
    let (found, row) = parse(id)?;
    (found == prefix).then_some(row)
}

/// The rows that the ids in a field of a filter name. What is no id of this type names none, so that
/// it matches nothing, as another person's does.
///
/// # Errors
/// `BAD_USER_INPUT` if there are too many.
pub fn decode_all(field: &str, prefix: &str, ids: Option<Vec<ID>>) -> Result<Option<Vec<Uuid>>> {
    let count = ids.as_ref().map_or(0, Vec::len);
    if count > MAX_IDS {
        return Err(Error::BadInput(format!(
            "`filter.{field}` has {count} ids: pass at most {MAX_IDS}."
        )));
    }
    let rows = |ids: Vec<ID>| ids.iter().filter_map(|id| decode(prefix, id)).collect();
    Ok(ids.map(rows))
}

/// The type and row an id names.
pub fn parse(id: &str) -> Option<(String, Uuid)> {
    let id: TypeSafeId<DynamicType> = id.parse().ok()?;
    Some((id.type_prefix().to_owned(), id.uuid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_type_and_row_and_nothing_else_does() {
        let row = Uuid::from_u128(0x0193_8f6e_0000_7000_8000_0000_0000_0001);
        let id = encode(ITEM, row);
        assert!(id.starts_with("item_"));
        assert_eq!(decode(ITEM, &id), Some(row));
        assert_eq!(decode(ACCOUNT, &id), None);
        for text in [
            "",
            "item",
            "item_",
            "item_zzz",
            "1",
            "item_01j\0",
            &id[..id.len() - 1],
            &id.to_uppercase(),
        ] {
            assert_eq!(decode(ITEM, text), None, "{text:?}");
        }
    }
}
