//! What the demo looks like: chapters, ticks and one bar. Colours and the bar only on a terminal; in a
//! pipe the same lines, plain.

use std::{fmt::Display, time::Duration};

use console::style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{
    DATABASE, FOLDER,
    story::{EMAIL, PASSWORD, Place},
};
use crate::cli::{failure::Failure, print};

pub(super) fn title() -> Result<(), Failure> {
    print::line(format_args!(
        "\n  {} · link a bank, sync it, watch it live\n  {}",
        style(concat!("Passbook ", env!("CARGO_PKG_VERSION"))).bold(),
        style("The server is asked as any client asks it; the bank is the built-in sandbox.").dim(),
    ))
}

/// Begins a chapter; `through` names what of the API it shows.
pub(super) fn chapter(name: &str, through: &str) -> Result<(), Failure> {
    print::line(format_args!(
        "\n  {} {}",
        style(name).bold().cyan(),
        style(format_args!("· {through}")).dim()
    ))
}

/// Something was done.
pub(super) fn done(what: impl Display) -> Result<(), Failure> {
    print::line(format_args!("    {} {what}", style("✓").green()))
}

/// Something that belongs to the line before it.
pub(super) fn more(what: impl Display) -> Result<(), Failure> {
    print::line(format_args!("      {what}"))
}

/// A table, set in.
pub(super) fn table(text: &str) -> Result<(), Failure> {
    for line in text.lines() {
        print::line(format_args!("    {line}"))?;
    }
    Ok(())
}

/// What it was, after a number.
pub(super) fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", indicatif::HumanCount(number))
}

/// A bar for so many transactions; invisible unless standard output is a terminal.
pub(super) fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stdout());
    let template = "    {bar:40.cyan/dim} {human_pos} of {human_len}  {msg:.dim}";
    match ProgressStyle::with_template(template) {
        Ok(look) => bar.with_style(look.progress_chars("━╸─")),
        Err(_) => bar,
    }
}

/// The last words of `--once`.
pub(super) fn over(took: Duration) -> Result<(), Failure> {
    print::line(format_args!(
        "\n  Everything was there, in {:.1} seconds.\n",
        took.as_secs_f32()
    ))
}

/// What somebody can do now.
pub(super) fn go_on(place: &Place, item_id: &str) -> Result<(), Failure> {
    let Place { server, sandbox } = place;
    let program = std::env::args_os().next().unwrap_or_default();
    let program = program.to_string_lossy();
    chapter("Your turn", "the server goes on until Ctrl-C")?;
    let said = format!(
        r#"
    GraphiQL   {link}
    Sign in    {EMAIL}  {PASSWORD}

    {first}
    {second}
    {third}
      curl {sandbox}/control/items/{item_id}/transactions \
        -d '{{"add": [{{"name": "TEA", "amount": 3.20}}]}}'

    {foot}
"#,
        link = style(format_args!("{server}/graphiql")).underlined(),
        first = style("1. Open GraphiQL and sign in at the top of the page.").bold(),
        second = style("2. Run Latest, or another of the examples, and then News.").bold(),
        third = style("3. While News runs, have the bank book something, from another terminal:")
            .bold(),
        foot = style(format_args!(
            "Later, without the story:\n      {program} serve --database-url {DATABASE}\n    \
             To start over, delete the folder {FOLDER}."
        ))
        .dim(),
    );
    print::line(said.trim_start_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_in_words_people_use() {
        assert_eq!(count(1, "page"), "1 page");
        assert_eq!(count(1460, "transaction"), "1,460 transactions");
    }

    #[test]
    fn the_page_suggests_the_person_of_the_story() {
        let bar = include_str!("../../../web/src/bar.js");
        let examples = include_str!("../../../web/src/examples.js");
        for page in [bar, examples] {
            assert!(page.contains(EMAIL) && page.contains(PASSWORD));
        }
    }

    #[test]
    fn the_bar_is_drawn_as_it_is_described() {
        let template = bar(2).with_message("x");
        assert_eq!((template.length(), template.position()), (Some(2), 0));
        assert!(template.is_hidden(), "tests have no terminal");
    }
}
