//! Rates on the screen: on a terminal one table that is drawn anew with each rate, elsewhere a line
//! for each.

use console::Term;
use serde_json::Value;

use crate::cli::{failure::Failure, print, table};

/// Where rates are shown.
pub(super) struct Screen {
    terminal: Option<Term>,
    rows: Vec<Value>,
    drawn: usize,
}

impl Screen {
    /// A screen of these pairs, each with its newest rate, if there is one.
    pub(super) fn new(pairs: Vec<Value>) -> Self {
        let terminal = Term::stdout();
        Self {
            terminal: terminal.is_term().then_some(terminal),
            rows: pairs,
            drawn: 0,
        }
    }

    /// Shows the table once.
    pub(super) fn table(&mut self) -> Result<(), Failure> {
        let text = table::rates(&self.rows);
        self.drawn = text.lines().count();
        print::line(text)
    }

    /// Shows a rate that has come.
    pub(super) fn show(&mut self, rate: Value) -> Result<(), Failure> {
        let of_pair =
            |row: &&mut Value| row["base"] == rate["base"] && row["quote"] == rate["quote"];
        let line = table::rate(&rate);
        if let Some(row) = self.rows.iter_mut().find(of_pair) {
            row["latest"] = rate;
        }
        match &self.terminal {
            None => print::line(line),
            Some(terminal) => {
                // What cannot be taken back stays, and the table stands below it.
                let _ = terminal.clear_last_lines(self.drawn);
                self.table()
            }
        }
    }
}
