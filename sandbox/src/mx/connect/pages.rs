//! What each step of the widget looks like.

use serde_json::{Value, json};

use super::super::banks::{self, Bank};
use super::super::{jobs, oauth, status};
use super::{Session, message};
use crate::app::App;
use crate::bank::logo;
use crate::hosted::page::{escape, whole};
use crate::world::World;
use crate::world::mx::member::Member;

/// Most banks on a page: who has not found his searches.
const MOST_SHOWN: usize = 50;

const TEST_USERS: &str = "<details open><summary>Which test users are there?</summary><dl>\
    <div><dt><code>mxuser</code></dt><dd>Any password. New transactions come with each aggregation.</dd></div>\
    <div><dt><code>mxuser_5000</code></dt><dd>Any number: so many transactions.</dd></div>\
    <div><dt><code>mxuser</code> / <code>challenge</code></dt><dd>Asks a question; also <code>options</code>, <code>image</code>, \
    <code>image_options</code>, <code>token</code>. The answer is <code>correct</code>.</dd></div>\
    <div><dt><code>mxuser</code> / <code>options_twice</code></dt><dd>Asks twice.</dd></div>\
    <div><dt><code>mxuser</code> / <code>LOCKED</code></dt><dd>Ends in that status; any other will do.</dd></div>\
    </dl></details>";

/// The page for where somebody stands.
pub(super) fn page(
    app: &App,
    world: &World,
    session: &Session,
    search: &str,
    nonce: &str,
) -> String {
    let held = session
        .member_guid
        .as_ref()
        .and_then(|guid| world.mx.members.get(guid));
    let body = match (held.map(|held| &held.member), session.bank) {
        (Some(member), _) => of_member(app, session, member, nonce),
        (None, Some(bank)) => sign_in(session, bank, None),
        (None, None) => choose(session, search),
    };
    whole("Connect your bank", "MX Connect", &body)
}

fn trouble(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| {
        format!("<div class=\"bad\" role=\"alert\">{}</div>", escape(text))
    })
}

fn back(session: &Session) -> &'static str {
    if session.fixed {
        ""
    } else {
        "<form method=\"post\"><footer><button class=\"quiet\" name=\"action\" value=\"back\">Choose another bank</button></footer></form>"
    }
}

fn choose(session: &Session, search: &str) -> String {
    let found = banks::search(search, &[]).filter(|bank| !bank.is_disabled());
    let rows: String = found.take(MOST_SHOWN).map(row).collect();
    let list = if rows.is_empty() {
        "<p role=\"status\">No bank here has that name.</p>".to_owned()
    } else {
        format!("<ul class=\"list\">{rows}</ul>")
    };
    format!(
        "<h1>Choose your bank</h1><p>These are invented banks with invented money.</p>{}\
         <form method=\"get\" role=\"search\"><label for=\"q\">Search</label>\
         <input type=\"search\" id=\"q\" name=\"q\" value=\"{}\" autocomplete=\"off\" placeholder=\"Bank name\"></form>\
         <form method=\"post\">{list}</form>",
        trouble(session.trouble.as_deref()),
        escape(search),
    )
}

fn row(bank: &Bank) -> String {
    let note = if bank.oauth {
        "Signs in at its own page"
    } else {
        bank.country
    };
    format!(
        "<li><button name=\"institution_code\" value=\"{}\"><img alt=\"\" src=\"data:image/png;base64,{}\"><span>{}<small>{note}</small></span></button></li>",
        escape(bank.code),
        logo::draw(bank.name, bank.colour),
        escape(bank.name),
    )
}

fn sign_in(session: &Session, bank: &Bank, member: Option<&Member>) -> String {
    let said = member.and_then(|member| {
        let status = member.connection_status.as_deref();
        status::message(status, bank.name).filter(|_| status::wants_credentials(status))
    });
    let trouble = trouble(session.trouble.as_deref().or(said.as_deref()));
    if bank.oauth {
        return format!(
            "{trouble}<h1>Sign in to {}</h1><p>You go to the bank's own page and come back.</p>\
             <form method=\"post\"><button class=\"go\" name=\"action\" value=\"oauth\">Continue</button></form>{}",
            escape(bank.name),
            back(session),
        );
    }
    let username = member.map_or("mxuser", |member| &member.username);
    let field = |field: banks::Field| {
        let kind = if field.kind == "PASSWORD" {
            "password"
        } else {
            "text"
        };
        let value = if field.name == "LOGIN" { username } else { "" };
        format!(
            "<label for=\"{0}\">{1}</label><input type=\"{kind}\" id=\"{0}\" name=\"{0}\" value=\"{2}\" required autocomplete=\"off\" \
             autocapitalize=\"none\" spellcheck=\"false\">",
            field.name,
            field.label,
            escape(value),
        )
    };
    let fields: String = bank.fields().into_iter().map(field).collect();
    format!(
        "<h1>Sign in to {}</h1>{trouble}<form method=\"post\">{fields}\
         <button class=\"go\" name=\"action\" value=\"sign_in\">Sign in</button></form>{TEST_USERS}{}",
        escape(bank.name),
        back(session),
    )
}

fn of_member(app: &App, session: &Session, member: &Member, nonce: &str) -> String {
    let Some(bank) = banks::find(&member.institution_code) else {
        return String::new();
    };
    let status = member.connection_status.as_deref();
    let idle = member.job.is_none();
    if session.editing
        || idle
            && (status::wants_credentials(status)
                || status == Some("PENDING") && member.oauth.is_none())
    {
        return sign_in(session, bank, Some(member));
    }
    match status {
        Some("CHALLENGED" | "REJECTED") if member.asked.is_some() => {
            questions(session, member, bank)
        }
        _ if !idle => wait(
            "Connecting …",
            &format!(
                "We are signing in to {} and reading your accounts.",
                bank.name
            ),
            "",
        ),
        Some("PENDING") => {
            let uri = oauth::window_uri(&app.public_url, member).unwrap_or_default();
            let link = format!(
                "<p><a href=\"{}\" target=\"_blank\">Go to the bank's page</a></p>",
                escape(&uri)
            );
            wait(
                "Waiting for the bank",
                "Finish at the bank's own page; this one follows.",
                &link,
            )
        }
        Some("CONNECTED") => done(session, member, bank, nonce),
        _ => failed(session, member, bank, nonce),
    }
}

/// A page that looks again by itself.
fn wait(title: &str, text: &str, more: &str) -> String {
    format!(
        "<meta http-equiv=\"refresh\" content=\"1\"><h1 role=\"status\">{}</h1><p>{}</p>{more}",
        escape(title),
        escape(text)
    )
}

fn questions(session: &Session, member: &Member, bank: &Bank) -> String {
    let said = status::message(Some("REJECTED"), bank.name).filter(|_| member.is("REJECTED"));
    let asked: String = jobs::questions(member).iter().map(question).collect();
    format!(
        "<h1>{} asks</h1>{}<form method=\"post\">{asked}<button class=\"go\" name=\"action\" value=\"answer\">Continue</button></form>{}",
        escape(bank.name),
        trouble(session.trouble.as_deref().or(said.as_deref())),
        back(session),
    )
}

fn question(asked: &Value) -> String {
    let text = |value: &Value| escape(value.as_str().unwrap_or_default());
    let (guid, label) = (text(&asked["guid"]), text(&asked["label"]));
    let choices: Vec<&Value> = [&asked["options"], &asked["image_options"]]
        .into_iter()
        .flat_map(|list| list.as_array().into_iter().flatten())
        .collect();
    if !choices.is_empty() {
        let choice = |choice: &&Value| {
            let picture = choice["data_uri"].as_str();
            let picture = picture.map(|uri| format!("<img alt=\"\" src=\"{}\">", escape(uri)));
            format!(
                "<li><label><input type=\"radio\" name=\"{guid}\" value=\"{}\" required>{}<span>{}</span></label></li>",
                text(&choice["value"]),
                picture.unwrap_or_default(),
                text(&choice["label"]),
            )
        };
        let list: String = choices.iter().map(choice).collect();
        return format!(
            "<fieldset><legend>{label}</legend><ul class=\"list\">{list}</ul></fieldset>"
        );
    }
    let picture = asked["image_data"].as_str();
    let picture = picture.map(|uri| {
        format!(
            "<img alt=\"What the bank shows\" style=\"width:9rem;height:9rem\" src=\"{}\">",
            escape(uri)
        )
    });
    format!(
        "<label for=\"{guid}\">{label}</label>{}<input type=\"text\" id=\"{guid}\" name=\"{guid}\" required autocomplete=\"off\">",
        picture.unwrap_or_default()
    )
}

fn metadata(session: &Session, member: &Member) -> Value {
    json!({ "user_guid": session.user_guid, "member_guid": member.guid, "connection_status": member.connection_status })
}

fn done(session: &Session, member: &Member, bank: &Bank, nonce: &str) -> String {
    let told = message(
        nonce,
        "mx/connect/memberConnected",
        &metadata(session, member),
    );
    format!(
        "<div class=\"tick\" aria-hidden=\"true\">✓</div><h1>Connected to {}</h1><p>You can close this page.</p>{told}",
        escape(bank.name),
    )
}

fn failed(session: &Session, member: &Member, bank: &Bank, nonce: &str) -> String {
    let status = member.connection_status.as_deref();
    let said =
        status::message(status, bank.name).unwrap_or_else(|| "Something went wrong.".to_owned());
    format!(
        "<h1>Not connected</h1>{}<form method=\"post\"><button class=\"go\" name=\"action\" value=\"retry\">Try again</button>\
         <footer><button class=\"quiet\" name=\"action\" value=\"edit\">Use other credentials</button></footer></form>{}{}",
        trouble(Some(&format!("{said} ({})", status.unwrap_or("no status")))),
        back(session),
        message(nonce, "mx/connect/memberError", &metadata(session, member)),
    )
}
