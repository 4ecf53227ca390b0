//! The page on which somebody says who she is.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use reqwest::Url;
use serde::Deserialize;
use uuid::Uuid;

use super::desk::{Forgery, Grant};
use super::{issuer, note};
use crate::app::App;
use crate::hosted::page;

/// Who can be chosen. A link may name anybody else.
const PEOPLE: [&str; 3] = ["ana", "bob", "carla"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    /// Ours: who signs in, without the page. `-` refuses.
    person: Option<String>,
}

/// Shows the page, or goes back from it.
pub(super) async fn authorize(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    uri: axum::http::Uri,
) -> Response {
    let Ok(back) = Url::parse(&asked.redirect_uri) else {
        return refuse("redirect_uri is no address");
    };
    if asked.client_id.is_empty() || asked.response_type != "code" {
        return refuse("client_id and response_type=code are needed");
    }
    if !asked.scope.split(' ').any(|scope| scope == "openid") {
        return refuse("scope has no openid in it");
    }
    if asked.code_challenge.is_some() && asked.code_challenge_method.as_deref() != Some("S256") {
        return refuse("code_challenge_method is not S256");
    }
    match asked.person.as_deref() {
        None => choose(&name, uri.query().unwrap_or_default()),
        Some("-") => go(&app, &name, back, &asked, ("error", "access_denied")),
        Some(person) => {
            let code = Uuid::new_v4().simple().to_string();
            let grant = Grant {
                issuer: name.clone(),
                client_id: asked.client_id.clone(),
                redirect_uri: asked.redirect_uri.clone(),
                nonce: asked.nonce.clone(),
                challenge: asked.code_challenge.clone(),
                person: person.to_owned(),
            };
            crate::lock(&app.issuers).codes.insert(code.clone(), grant);
            go(&app, &name, back, &asked, ("code", &code))
        }
    }
}

fn go(app: &App, name: &str, mut back: Url, asked: &Asked, (key, value): (&str, &str)) -> Response {
    let forgery = crate::lock(&app.issuers).rules.forgery;
    note(app, "authorize", StatusCode::SEE_OTHER);
    {
        let mut query = back.query_pairs_mut();
        query.append_pair(key, value);
        if key == "error" {
            query.append_pair("error_description", "<script>alert(1)</script>");
        }
        if let Some(state) = &asked.state {
            query.append_pair("state", state);
        }
        match forgery {
            Forgery::AnswerNameless => {}
            Forgery::AnswerElsewhere => drop(query.append_pair("iss", &issuer(app, "another"))),
            _ => drop(query.append_pair("iss", &issuer(app, name))),
        }
    }
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, String::from(back))],
    )
        .into_response()
}

fn choose(name: &str, query: &str) -> Response {
    let query = page::escape(query);
    let people = PEOPLE.map(|person| {
        format!(
            "<p><a class=\"go\" href=\"?{query}&amp;person={person}\">{person}@example.com</a></p>"
        )
    });
    let body = format!(
        "<h1>Who are you?</h1>{}<p><a href=\"?{query}&amp;person=-\">Nobody: go back</a></p>",
        people.concat()
    );
    Html(page::whole("Sign in", name, &body)).into_response()
}

fn refuse(why: &str) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Html(page::notice("This cannot be done", why, false)),
    )
        .into_response()
}
