//! The cursor of `/transactions/sync`: opaque to the client, and read by nobody but us.
//!
//! It names its item and epoch, so that one item's cursor is refused by another. Inside a loop it names the end of the log the loop began
//! with; when that has moved, the pages no longer belong together, and the loop has to start again.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::error::PlaidError;

/// A place in an item's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) item_id: String,
    pub(crate) epoch: u64,
    /// Pages of this loop handed out so far.
    pub(crate) page: u64,
    /// The state the loop began from.
    pub(crate) from: u64,
    /// The next entry to hand out.
    pub(crate) at: u64,
    /// The end of the log when the loop began.
    pub(crate) to: u64,
    /// The account whose own stream this is.
    pub(crate) account_id: Option<String>,
}

impl Cursor {
    /// A cursor between two loops.
    pub(crate) fn resting(item_id: &str, epoch: u64, at: u64, account_id: Option<String>) -> Self {
        Self {
            item_id: item_id.to_owned(),
            epoch,
            page: 0,
            from: at,
            at,
            to: at,
            account_id,
        }
    }

    pub(crate) fn is_resting(&self) -> bool {
        self.at == self.to
    }

    pub(crate) fn encode(&self) -> String {
        let Self {
            item_id,
            epoch,
            page,
            from,
            at,
            to,
            ..
        } = self;
        let account_id = self.account_id.as_deref().unwrap_or_default();
        BASE64_STANDARD.encode(format!(
            "{item_id}:{epoch}:{page}:{from}:{at}:{to}:{account_id}"
        ))
    }

    pub(crate) fn decode(text: &str) -> Result<Self, PlaidError> {
        let wrong =
            || PlaidError::invalid("cursor must be a value that this API returned as next_cursor");
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let parts: Vec<&str> = text.split(':').collect();
        let [item_id, epoch, page, from, at, to, account_id] = parts[..] else {
            return Err(wrong());
        };
        let number = |part: &str| part.parse::<u64>().map_err(|_| wrong());
        Ok(Self {
            item_id: item_id.to_owned(),
            epoch: number(epoch)?,
            page: number(page)?,
            from: number(from)?,
            at: number(at)?,
            to: number(to)?,
            account_id: Some(account_id.to_owned()).filter(|id| !id.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_cursor_reads_back() {
        let cursor = Cursor {
            page: 2,
            from: 1,
            to: 9,
            ..Cursor::resting("item", 3, 5, Some("account".into()))
        };
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        assert!(Cursor::decode("bm9uc2Vuc2U=").is_err() && Cursor::decode("€").is_err());
    }
}
