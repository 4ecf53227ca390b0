//! Pages by number, as MX counts them. A list that grows or shrinks between two pages shifts under its reader, and nothing says so.

use serde_json::{Value, json};

use super::request::Request;

const USUAL: usize = 25;
const FEWEST: usize = 10;

/// Which page was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) number: usize,
    size: usize,
}

impl Page {
    /// Reads `page` and `records_per_page`. More than `most` is taken for the usual 25, without a word.
    pub(crate) fn asked(request: &Request, most: usize) -> Self {
        let read = |name| -> Option<usize> { request.query(name)?.parse().ok() };
        let size = match read("records_per_page") {
            None => USUAL,
            Some(size) if size > most => USUAL,
            Some(size) => size.max(FEWEST),
        };
        Self {
            number: read("page").unwrap_or(1).max(1),
            size,
        }
    }

    /// The part of `all` on this page, and the `pagination` that goes with it.
    pub(crate) fn of<T>(self, all: Vec<T>) -> (Vec<T>, Value) {
        let total = all.len();
        let pagination = json!({
            "current_page": self.number,
            "per_page": self.size,
            "total_entries": total,
            "total_pages": total.div_ceil(self.size).max(1),
        });
        let before = (self.number - 1).saturating_mul(self.size);
        let part = all.into_iter().skip(before).take(self.size).collect();
        (part, pagination)
    }
}
