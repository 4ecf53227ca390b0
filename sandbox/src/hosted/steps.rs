//! What each step looks like.

use super::flow::{Flow, Step};
use super::page::{escape, whole};
use crate::bank::accounts::Account;
use crate::bank::institutions::{self, Health, Institution};
use crate::bank::login::Challenge;
use crate::bank::logo;
use crate::plaid::error::PlaidError;
use crate::world::link::Link;

const LEAVE: &str = "<form method=\"post\"><footer><button class=\"quiet\" name=\"action\" value=\"back\">Back</button>\
                     <button class=\"quiet\" name=\"action\" value=\"exit\">Leave without connecting</button></footer></form>";
const LEAVE_ONLY: &str = "<form method=\"post\"><footer><span></span>\
                          <button class=\"quiet\" name=\"action\" value=\"exit\">Leave without connecting</button></footer></form>";
const TEST_USERS: &str = "<details open><summary>Which test users are there?</summary><dl>\
    <div><dt><code>user_good</code> / <code>pass_good</code></dt><dd>Eight accounts, data that stays the same.</dd></div>\
    <div><dt><code>user_transactions_dynamic</code></dt><dd>Any password. New transactions come with each refresh.</dd></div>\
    <div><dt><code>user_transactions_20000</code></dt><dd>Any password, any number: so many transactions.</dd></div>\
    <div><dt><code>user_good</code> / <code>mfa_device</code></dt><dd>Asks for a code: <code>1234</code>.</dd></div>\
    <div><dt><code>user_good</code> / <code>mfa_questions_1_2</code></dt><dd>Asks questions: <code>answer_0_0</code>, <code>answer_0_1</code>.</dd></div>\
    <div><dt><code>user_good</code> / <code>mfa_selections</code></dt><dd>Offers answers: <code>Yes</code> is right.</dd></div>\
    <div><dt><code>user_good</code> / <code>error_ITEM_LOCKED</code></dt><dd>Fails with that code; any item error will do.</dd></div>\
    <div><dt><code>user_custom</code></dt><dd>Takes accounts as JSON in the password.</dd></div>\
    </dl></details>";

/// The page for where somebody stands.
pub(crate) fn page(link: &Link, flow: &Flow, search: &str) -> String {
    let body = match &flow.step {
        Step::Bank => banks(link, flow, search),
        Step::SignIn => sign_in(link, flow),
        Step::Challenge { challenge, round } => questions(flow, challenge, *round),
        Step::Accounts => accounts(flow),
        Step::Consent => consent(link, flow),
    };
    whole(
        &format!("Connect to {}", link.client_name),
        &link.client_name,
        &body,
    )
}

fn trouble(flow: &Flow) -> String {
    let Some(code) = &flow.error else {
        return String::new();
    };
    let error = PlaidError::of(code);
    let text = error
        .display_message
        .unwrap_or("Something went wrong. Please try again.");
    format!(
        "<div class=\"bad\" role=\"alert\">{} <small>({})</small></div>",
        escape(text),
        escape(code)
    )
}

fn banks(link: &Link, flow: &Flow, search: &str) -> String {
    let found: Vec<_> = institutions::search(search, &link.country_codes).collect();
    let rows: String = found.iter().map(|bank| bank_row(bank)).collect();
    let count = match found.len() {
        0 => "No bank here has that name.".to_owned(),
        1 => "1 bank".to_owned(),
        many => format!("{many} banks"),
    };
    let list = if rows.is_empty() {
        String::new()
    } else {
        format!("<ul class=\"list\">{rows}</ul>")
    };
    format!(
        "<h1>Choose your bank</h1><p>{} asks to see your accounts. These are invented banks with invented money.</p>{}\
         <form method=\"get\" role=\"search\"><label for=\"q\">Search</label>\
         <input type=\"search\" id=\"q\" name=\"q\" value=\"{}\" autocomplete=\"off\" placeholder=\"Bank name\"></form>\
         <p class=\"found\" role=\"status\">{count}</p><form method=\"post\">{list}</form>{LEAVE_ONLY}",
        escape(&link.client_name),
        trouble(flow),
        escape(search),
    )
}

fn bank_row(bank: &Institution) -> String {
    let note = match bank.health {
        Health::Degraded => "Having trouble today",
        Health::Down => "Out of order",
        Health::Unsupported => "Not supported",
        Health::Healthy => bank.country,
    };
    format!(
        "<li><button name=\"institution_id\" value=\"{}\">{}<span>{}<small>{}</small></span></button></li>",
        escape(bank.id),
        mark(bank),
        escape(bank.name),
        escape(note),
    )
}

fn mark(bank: &Institution) -> String {
    format!(
        "<img alt=\"\" src=\"data:image/png;base64,{}\">",
        logo::draw(bank.name, bank.colour)
    )
}

fn sign_in(link: &Link, flow: &Flow) -> String {
    let Some(bank) = flow.bank else {
        return String::new();
    };
    let title = if link.is_update() {
        "Sign in again"
    } else {
        "Sign in"
    };
    let oauth = if bank.oauth {
        " A real bank of this kind would take you to its own page here."
    } else {
        ""
    };
    let (username, password) = if bank.oauth && flow.username.is_empty() {
        ("user_good", "pass_good")
    } else {
        (&*flow.username, "")
    };
    let leave = if link.is_update() { LEAVE_ONLY } else { LEAVE };
    format!(
        "{}<h1>{title} to {}</h1><p>Use a test user's name and password.{oauth}</p>{}\
         <form method=\"post\"><label for=\"username\">User name</label>\
         <input type=\"text\" id=\"username\" name=\"username\" value=\"{}\" required autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\">\
         <label for=\"password\">Password</label>\
         <input type=\"password\" id=\"password\" name=\"password\" value=\"{}\" required autocomplete=\"off\">\
         <button class=\"go\">Continue</button></form>{TEST_USERS}{leave}",
        mark(bank),
        escape(bank.name),
        trouble(flow),
        escape(username),
        escape(password),
    )
}

fn questions(flow: &Flow, challenge: &Challenge, round: u32) -> String {
    let prompts = challenge.prompts(round);
    let fields: String = prompts
        .iter()
        .enumerate()
        .map(|(n, (text, offered))| question(n, text, offered))
        .collect();
    format!(
        "<h1>One more check</h1><p>Your bank wants to be sure that it is you.</p>{}\
         <form method=\"post\">{fields}<button class=\"go\">Continue</button></form>{LEAVE}",
        trouble(flow),
    )
}

/// A question to type an answer to, or to choose one for. A choice is one drop-down a question, so that answers keep their order.
fn question(n: usize, text: &str, offered: &[String]) -> String {
    let text = escape(text);
    if offered.is_empty() {
        return format!(
            "<label for=\"answer{n}\">{text}</label>\
             <input type=\"text\" id=\"answer{n}\" name=\"answer\" required autocomplete=\"one-time-code\" autocapitalize=\"none\">"
        );
    }
    let options: Vec<String> = offered
        .iter()
        .map(|option| format!("<option>{}</option>", escape(option)))
        .collect();
    let options = options.concat();
    format!(
        "<label for=\"answer{n}\">{text}</label><select id=\"answer{n}\" name=\"answer\">{options}</select>"
    )
}

fn accounts(flow: &Flow) -> String {
    let rows: String = flow
        .accounts
        .iter()
        .map(|account| account_row(account, flow.chosen.contains(&account.account_id)))
        .collect();
    format!(
        "<h1>Choose accounts</h1><p>Only what you choose is shared.</p>{}\
         <form method=\"post\"><ul class=\"list\">{rows}</ul><button class=\"go\">Continue</button></form>{LEAVE}",
        trouble(flow),
    )
}

fn account_row(account: &Account, chosen: bool) -> String {
    let balances = &account.balances;
    let amount = balances
        .current
        .or(balances.available)
        .map(|amount| amount.to_string())
        .unwrap_or_default();
    format!(
        "<li><label><input type=\"checkbox\" name=\"account_id\" value=\"{}\"{}><span>{}<small>{} ••{}</small></span>\
         <span class=\"end\">{} {}</span></label></li>",
        escape(&account.account_id),
        if chosen { " checked" } else { "" },
        escape(&account.name),
        escape(account.subtype.as_deref().unwrap_or(&account.r#type)),
        escape(account.mask.as_deref().unwrap_or_default()),
        escape(&amount),
        escape(balances.iso_currency_code.as_deref().unwrap_or_default()),
    )
}

fn consent(link: &Link, flow: &Flow) -> String {
    let bank = flow.bank.map_or("your bank", |bank| bank.name);
    let count = match flow.chosen.len() {
        1 => "1 account".to_owned(),
        many => format!("{many} accounts"),
    };
    let (client, bank) = (escape(&link.client_name), escape(bank));
    let title = if link.is_update() {
        format!("Renew the connection to {bank}")
    } else {
        format!("Share {count} with {client}")
    };
    format!(
        "<h1>{title}</h1><p>{client} will see names, balances and transactions of {count} at {bank}, and keeps seeing new ones until you \
         disconnect. It cannot move money.</p>{}<form method=\"post\"><button class=\"go\">Agree and finish</button></form>{LEAVE}",
        trouble(flow),
    )
}
