//! A record as lines of text: a JSON object, or a row of CSV as RFC 4180 has it.
//!
//! Spreadsheets run a cell that begins like a formula, and what a bank or a shop writes is not ours. So in
//! a *text* whatever would be read as a formula gets an apostrophe before it, which is how spreadsheets write
//! "this is text": at its beginning, and behind whatever a program may take for the end of a cell or a line.
//! A *number* never does: that a field is a number its type says, not its looks, so `-12.50` is summed
//! and `-12.50+cmd` of a shop's name is read. The JSON has every text as it is.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use csv::{QuoteStyle, Terminator, WriterBuilder};
use serde_json::{Map, Number, Value};

use crate::error::{Error, Result};

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Nothing,
    Text(String),
    /// An exact decimal number.
    Decimal(String),
    Whole(i64),
    Truth(bool),
    /// What is structured itself.
    Json(Value),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<bool> for Cell {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<DateTime<Utc>> for Cell {
    fn from(moment: DateTime<Utc>) -> Self {
        Self::Text(moment.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl From<NaiveDate> for Cell {
    fn from(day: NaiveDate) -> Self {
        Self::Text(day.to_string())
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

impl Cell {
    /// As it stands in JSON. Decimals are strings, as everywhere in the API.
    fn json(self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Text(text) | Self::Decimal(text) => Value::String(text),
            Self::Whole(number) => Value::Number(Number::from(number)),
            Self::Truth(truth) => Value::Bool(truth),
            Self::Json(value) => value,
        }
    }

    /// As it stands in CSV.
    fn plain(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) => harmless(&text),
            Self::Json(value) => harmless(&value.to_string()),
            Self::Decimal(number) => number,
            Self::Whole(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

/// What a spreadsheet begins a formula with. The wide forms are read as the narrow ones where people write in
/// wide forms.
const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// What begins another cell where lists are separated otherwise: then quotes that open within a line count for
/// nothing, and a line that breaks in them is a row.
const SEPARATORS: [char; 5] = [';', '|', '\t', '\r', '\n'];
/// What spreadsheets may pass over at the very beginning of a cell.
const PASSED_OVER: [char; 3] = ['\t', '\r', '\n'];

/// A text that no spreadsheet takes for a formula, wherever it splits.
fn harmless(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 1);
    let mut begins = true;
    for letter in text.chars() {
        let is_first = written.is_empty() && PASSED_OVER.contains(&letter);
        if is_first || (begins && SIGNS.contains(&letter)) {
            written.push('\'');
        }
        begins = SEPARATORS.contains(&letter) || (begins && matches!(letter, ' ' | '"'));
        written.push(letter);
    }
    written
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A JSON object on each line.
    Ndjson,
    /// A row on each line, the first with the names of the fields.
    Csv,
}

impl Format {
    /// The end of a file's name.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// What stands before the records.
    pub(super) fn head(self, names: &[&str]) -> Result<Vec<u8>> {
        match self {
            Self::Ndjson => Ok(Vec::new()),
            Self::Csv => csv([names.iter().map(|&name| name.to_owned()).collect()]),
        }
    }

    /// Records as text.
    pub(super) fn lines(self, names: &[&str], records: Vec<Vec<Cell>>) -> Result<Vec<u8>> {
        match self {
            Self::Ndjson => ndjson(names, records),
            Self::Csv => csv(records
                .into_iter()
                .map(|record| record.into_iter().map(Cell::plain).collect())),
        }
    }
}

fn ndjson(names: &[&str], records: Vec<Vec<Cell>>) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in records {
        let names = names.iter().map(|&name| name.to_owned());
        let fields: Map<String, Value> = names.zip(record.into_iter().map(Cell::json)).collect();
        serde_json::to_writer(&mut lines, &fields).map_err(Error::internal)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(Error::internal)?;
    }
    writer
        .into_inner()
        .map_err(|_| Error::internal("memory that cannot be written to"))
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::RngSeed};

    use super::*;

    fn line(cell: Cell) -> String {
        let lines = Format::Csv.lines(&["x"], vec![vec![cell]]).unwrap();
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn a_negative_amount_stays_a_number_and_a_formula_becomes_text() {
        assert_eq!(line(Cell::Decimal("-12.50".to_owned())), "-12.50\r\n");
        assert_eq!(line(Cell::Whole(-3)), "-3\r\n");
        for (text, written) in [
            ("-12.50", "'-12.50\r\n"),
            ("=1+1", "'=1+1\r\n"),
            ("@SUM(A1)", "'@SUM(A1)\r\n"),
            ("+1,2", "\"'+1,2\"\r\n"),
            ("\tx", "'\tx\r\n"),
            ("\r=1", "\"'\r'=1\"\r\n"),
            ("＝1", "'＝1\r\n"),
            ("Coffee", "Coffee\r\n"),
            ("Shop;=1+1;a-b", "Shop;'=1+1;a-b\r\n"),
            ("Shop; =1", "Shop; '=1\r\n"),
            ("Shop\n=1+1;x", "\"Shop\n'=1+1;x\"\r\n"),
            ("Shop\r\n-1", "\"Shop\r\n'-1\"\r\n"),
            ("a \"b\", c", "\"a \"\"b\"\", c\"\r\n"),
            ("two\r\nlines", "\"two\r\nlines\"\r\n"),
        ] {
            assert_eq!(line(Cell::Text(text.to_owned())), written, "{text:?}");
        }
    }

    #[test]
    fn json_has_every_text_as_it_is() {
        let record = vec![Cell::Text("=1+1".to_owned()), Cell::Nothing, true.into()];
        let lines = Format::Ndjson.lines(&["b", "a", "c"], vec![record]);
        let told: Value = serde_json::from_slice(&lines.unwrap()).unwrap();
        assert_eq!(told, serde_json::json!({"b": "=1+1", "a": null, "c": true}));
    }

    /// The same each time.
    fn cases() -> ProptestConfig {
        ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        }
    }

    proptest! {
        #![proptest_config(cases())]

        #[test]
        fn whatever_is_written_is_read_again_and_is_no_formula(texts in proptest::collection::vec("(?s).*", 1..5)) {
            let names = vec!["x"; texts.len()];
            let record = texts.iter().cloned().map(Cell::Text).collect();
            let mut file = Format::Csv.head(&names).unwrap();
            file.extend(Format::Csv.lines(&names, vec![record]).unwrap());
            let mut reader = csv::Reader::from_reader(&file[..]);
            let read = reader.records().next().map(Result::unwrap).unwrap_or_default();
            prop_assert_eq!(read.len(), texts.len());
            for (text, read) in texts.iter().zip(&read) {
                for part in read.split(SEPARATORS) {
                    prop_assert!(!part.trim_start_matches([' ', '"']).starts_with(SIGNS));
                }
                // Nothing is lost, and nothing comes in but what makes text of a formula.
                let bare = |text: &str| text.replace('\'', "");
                prop_assert_eq!(bare(text), bare(read));
                prop_assert_eq!(harmless(text), read);
            }
        }
    }
}
