//! Rates on the screen: on a terminal one table that is drawn anew with each rate, elsewhere a line
//! for each.

use console::{Term, measure_text_width};
use serde_json::Value;

use crate::cli::{failure::Failure, print, table};

/// Where rates are shown.
pub(super) struct Screen {
    terminal: Option<Term>,
    rows: Vec<Value>,
    /// Which rates were shown, so that one that is told again after a break is not.
    shown: Vec<Value>,
    /// What stands there and can be taken back.
    drawn: String,
}

impl Screen {
    /// A screen of these pairs, each with its newest rate, if there is one.
    pub(super) fn new(pairs: Vec<Value>) -> Self {
        let terminal = Term::stdout();
        Self {
            terminal: terminal.is_term().then_some(terminal),
            rows: pairs,
            shown: Vec::new(),
            drawn: String::new(),
        }
    }

    /// Shows the table once; whether somebody sees it.
    pub(super) fn table(&mut self) -> Result<bool, Failure> {
        self.drawn = table::rates(&self.rows, self.columns());
        print::heard(&self.drawn)
    }

    /// Shows what there is before anything comes: on a terminal, where a table is waited at.
    pub(super) fn begin(&mut self) -> Result<bool, Failure> {
        match &self.terminal {
            None => Ok(true),
            Some(_) => self.table(),
        }
    }

    /// Shows a rate that has come; whether somebody sees it.
    pub(super) fn show(&mut self, rate: Value) -> Result<bool, Failure> {
        let of_pair = |row: &Value| row["base"] == rate["base"] && row["quote"] == rate["quote"];
        if self.shown.contains(&rate) {
            return Ok(true);
        }
        self.shown.retain(|row| !of_pair(row));
        self.shown.push(rate.clone());
        let line = table::rate(&rate);
        if let Some(row) = self.rows.iter_mut().find(|row| of_pair(row)) {
            row["latest"] = rate;
        }
        let Some(terminal) = &self.terminal else {
            return print::heard(line);
        };
        // What cannot be taken back stays, and the table stands below it.
        if let Some(columns) = self.columns() {
            let _ = terminal.clear_last_lines(lines(&self.drawn, columns));
        }
        self.table()
    }

    /// Says what is not a rate. It stays, and what is drawn next stands below it.
    pub(super) fn remark(&mut self, text: &str) {
        print::remark(text);
        self.drawn.clear();
    }

    fn columns(&self) -> Option<usize> {
        let (_, columns) = self.terminal.as_ref()?.size_checked()?;
        Some(usize::from(columns)).filter(|columns| *columns > 0)
    }
}

/// How many lines a text takes on a terminal of this width, which breaks what is wider.
fn lines(text: &str, columns: usize) -> usize {
    let broken = |line| measure_text_width(line).div_ceil(columns).max(1);
    text.lines().map(broken).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_is_as_wide_as_the_terminal_and_its_lines_are_those_that_are_seen() {
        let rate = json!({"base": "BTC", "quote": "USD", "rate": "97123.45678901", "bid": "97113.74444333",
                          "ask": "97133.16913469", "providerTime": "2026-02-01T10:00:00.000Z",
                          "source": "built-in sandbox (invented)"});
        let rows = [json!({"base": "BTC", "quote": "USD", "latest": rate})];
        for (columns, bids, seen) in [(80, false, 4), (100, true, 4), (30, false, 7)] {
            let drawn = table::rates(&rows, Some(columns));
            assert_eq!(drawn.contains("Bid"), bids, "{drawn}");
            assert_eq!(lines(&drawn, columns), seen, "{drawn}");
        }
        let whole = table::rates(&rows, None);
        assert!(whole.contains("Ask"), "{whole}");
        assert_eq!(lines(&whole, 80), 6, "{whole}");
        assert_eq!((lines("", 80), lines("a\n\nb", 80)), (0, 3));
    }
}
