//! Accounts, transactions and rates as tables: amounts on the right, what came in in green.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use console::{Style, measure_text_width, truncate_str};
use serde_json::Value;

/// The widest a text may be, so that a row fits a terminal of 100 columns.
const WIDEST: usize = 30;

/// A column: its head, and whether it holds amounts.
type Column = (&'static str, bool);

/// Accounts, with what is in them or owed on them.
pub(super) fn accounts(rows: &[Value]) -> String {
    let columns = [
        ("Account", false),
        ("Kind", false),
        ("Balance", true),
        ("Available", true),
    ];
    let cells = rows.iter().map(|row| {
        let balances = &row["balances"];
        vec![
            account(row),
            text(&row["subtype"]),
            money(&balances["current"]),
            money(&balances["available"]),
        ]
    });
    draw(&columns, &cells.collect::<Vec<_>>(), &[])
}

/// Transactions as on a statement.
pub(super) fn transactions(rows: &[Value]) -> String {
    let columns = [
        ("Date", false),
        ("Transaction", false),
        ("", false),
        ("Account", false),
        ("Amount", true),
    ];
    let cells = rows.iter().map(|row| {
        let pending = if row["pending"] == true {
            "pending"
        } else {
            ""
        };
        vec![
            text(&row["date"]),
            called(row),
            pending.to_owned(),
            account(&row["account"]),
            money(&row["amount"]),
        ]
    });
    let green: Vec<bool> = rows
        .iter()
        .map(|row| row["direction"] == "INFLOW")
        .collect();
    draw(&columns, &cells.collect::<Vec<_>>(), &green)
}

/// Exchange rates, a row for each pair; without a rate where there is none yet. Below, who tells them.
/// Bid and ask are left out where a row would be wider than the terminal.
pub(super) fn rates(rows: &[Value], width: Option<usize>) -> String {
    let all = [
        ("Pair", false),
        ("Rate", true),
        ("Bid", true),
        ("Ask", true),
        ("Time", false),
    ];
    let cells = rows.iter().map(|row| {
        let rate = &row["latest"];
        vec![
            pair(row),
            number(&rate["rate"]),
            number(&rate["bid"]),
            number(&rate["ask"]),
            moment(&rate["providerTime"]),
        ]
    });
    let mut cells: Vec<_> = cells.collect();
    let mut drawn = draw(&all, &cells, &[]);
    let widest = drawn.lines().map(measure_text_width).max();
    if width.is_some_and(|width| widest.is_some_and(|widest| widest > width)) {
        let [pair, rate, _, _, time] = all;
        for row in &mut cells {
            row.drain(2..4);
        }
        drawn = draw(&[pair, rate, time], &cells, &[]);
    }
    let mut sources: Vec<String> = Vec::new();
    for row in rows {
        let source = text(&row["latest"]["source"]);
        if !source.is_empty() && !sources.contains(&source) {
            sources.push(source);
        }
    }
    let sources = Style::new().dim().apply_to(sources.join(", ")).to_string();
    format!("{drawn}\n{sources}")
}

/// An exchange rate in one line.
pub(super) fn rate(rate: &Value) -> String {
    let beside = |name: &str| match number(&rate[name]) {
        number if number.is_empty() => String::new(),
        number => format!("  {name} {number}"),
    };
    format!(
        "{}  {}  {}{}{}  {}",
        moment(&rate["providerTime"]),
        pair(rate),
        number(&rate["rate"]),
        beside("bid"),
        beside("ask"),
        text(&rate["source"])
    )
}

fn pair(row: &Value) -> String {
    format!("{}/{}", text(&row["base"]), text(&row["quote"]))
}

fn number(value: &Value) -> String {
    value.as_str().map(grouped).unwrap_or_default()
}

/// A moment to the second.
fn moment(value: &Value) -> String {
    let text = value.as_str().unwrap_or("none yet").replace('T', " ");
    text.split('.').next().unwrap_or_default().to_owned()
}

/// What people call a transaction.
fn called(row: &Value) -> String {
    let merchant = row["merchantName"].as_str();
    let name = merchant.or(row["name"].as_str()).unwrap_or_default();
    truncate_str(name, WIDEST, "…").into_owned()
}

fn account(row: &Value) -> String {
    let name = text(&row["name"]);
    match row["mask"].as_str() {
        Some(mask) => format!("{name} ••{mask}"),
        None => name,
    }
}

fn text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    truncate_str(text, WIDEST, "…").into_owned()
}

/// An amount with its thousands apart.
fn money(value: &Value) -> String {
    match (value["amount"].as_str(), value["currency"].as_str()) {
        (Some(amount), Some(currency)) => format!("{} {currency}", grouped(amount)),
        _ => String::new(),
    }
}

fn grouped(amount: &str) -> String {
    let start = amount.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let (sign, digits) = amount.split_at(start);
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{rest}")
}

/// The table; the last cells of the rows marked are green.
fn draw(columns: &[Column], rows: &[Vec<String>], green: &[bool]) -> String {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(line));
    table.set_header(columns.iter().map(|(name, _)| *name));
    table.add_rows(rows.iter().cloned());
    for ((_, right), column) in columns.iter().zip(table.column_iter_mut()) {
        column.set_padding((0, 3));
        if *right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if let Some(last) = table.column_mut(columns.len() - 1) {
        last.set_padding((0, 0));
    }
    let lines = table.trim_fmt();
    let mut lines = lines.lines();
    let dim = Style::new().dim();
    let mut drawn: Vec<String> = lines
        .by_ref()
        .take(2)
        .map(|head| dim.apply_to(head).to_string())
        .collect();
    let marks = green.iter().copied().chain(std::iter::repeat(false));
    drawn.extend(lines.zip(rows).zip(marks).map(|((line, row), green)| {
        match row
            .last()
            .and_then(|amount| line.rsplit_once(amount.as_str()))
        {
            Some((before, after)) if green => {
                let amount = row.last().map(String::as_str).unwrap_or_default();
                format!("{before}{}{after}", Style::new().green().apply_to(amount))
            }
            _ => line.to_owned(),
        }
    }));
    drawn.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (amount, grouped) in [
            ("-4.80", "-4.80"),
            ("999", "999"),
            ("1000.5", "1,000.5"),
            ("-1234567.8901", "-1,234,567.8901"),
        ] {
            assert_eq!(super::grouped(amount), grouped);
        }
    }

    #[test]
    fn amounts_stand_under_each_other_whatever_the_width_of_a_name() {
        let row = |name: &str, amount: &str| {
            json!({
                "date": "2026-02-01", "name": name, "merchantName": null, "pending": false, "direction": "OUTFLOW",
                "account": {"name": "Checking", "mask": "0000"}, "amount": {"amount": amount, "currency": "USD"},
            })
        };
        let rows = [
            row("寿司まつ", "-73.96"),
            row(&"A very long name ".repeat(9), "-1073.96"),
            row("Tea", "3.20"),
        ];
        let drawn = transactions(&rows);
        let rows = drawn.lines().skip(1);
        let widths: Vec<usize> = rows.map(console::measure_text_width).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{drawn}");
        assert!(widths[0] <= 96, "{drawn}");
        assert!(drawn.contains("-1,073.96 USD"), "{drawn}");
    }
}
