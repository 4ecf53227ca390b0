//! `/link/token/get`: what became of a link token.

use serde::Serialize;
use serde_json::Value;

use super::error::{ErrorBody, PlaidError};
use super::item::moment;
use super::request::{Answer, Request};
use crate::bank::accounts::Account;
use crate::bank::institutions;
use crate::bank::transaction::Text;
use crate::world::link::{Link, LinkEvent, Outcome, Session};

#[derive(Serialize)]
struct Body<'a> {
    link_token: &'a str,
    created_at: String,
    expiration: String,
    link_sessions: Vec<SessionBody<'a>>,
    metadata: Metadata<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Metadata<'a> {
    initial_products: &'a [String],
    webhook: Option<&'a str>,
    country_codes: &'a [String],
    language: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_filters: Option<&'a Value>,
    redirect_uri: Option<&'a str>,
    client_name: &'a str,
}

#[derive(Serialize)]
struct SessionBody<'a> {
    link_session_id: &'a str,
    started_at: String,
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Results>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<Exit>,
    events: &'a [LinkEvent],
}

#[derive(Serialize)]
struct Results {
    item_add_results: Vec<Added>,
    cra_item_add_results: [(); 0],
    cra_update_results: [(); 0],
    bank_income_results: [(); 0],
    payroll_income_results: [(); 0],
    document_income_results: Option<()>,
}

#[derive(Serialize)]
struct Added {
    public_token: String,
    accounts: Vec<LinkedAccount>,
    institution: Option<InstitutionName>,
}

/// An account as Link reports it, before anything was exchanged.
#[derive(Debug, Serialize)]
struct LinkedAccount {
    id: String,
    name: Text,
    mask: Option<Text>,
    r#type: Text,
    subtype: Option<Text>,
    verification_status: Option<()>,
    class_type: Option<()>,
}

#[derive(Serialize)]
struct InstitutionName {
    name: String,
    institution_id: String,
}

#[derive(Serialize)]
struct Exit {
    error: Option<ErrorBody>,
    metadata: ExitMetadata,
}

#[derive(Serialize)]
struct ExitMetadata {
    institution: Option<InstitutionName>,
    status: String,
    link_session_id: String,
    request_id: String,
}

/// `/link/token/get`
pub(crate) fn get(request: &Request) -> Answer {
    request.fields.expect(&["link_token"], &[])?;
    let link_token = request.fields.text("link_token")?;
    let world = request.world();
    let link = world
        .links
        .get(&link_token)
        .ok_or_else(|| PlaidError::of("INVALID_LINK_TOKEN"))?;
    request.answer(&Body {
        link_token: &link.link_token,
        created_at: moment(link.created_at),
        expiration: moment(link.expires_at),
        link_sessions: link
            .sessions
            .iter()
            .map(|session| body(session, &request.request_id))
            .collect(),
        metadata: metadata(link),
        request_id: &request.request_id,
    })
}

fn metadata(link: &Link) -> Metadata<'_> {
    Metadata {
        initial_products: &link.products,
        webhook: link.webhook.as_deref(),
        country_codes: &link.country_codes,
        language: &link.language,
        account_filters: link.account_filters.as_ref(),
        redirect_uri: link.redirect_uri.as_deref(),
        client_name: &link.client_name,
    }
}

fn body<'a>(session: &'a Session, request_id: &str) -> SessionBody<'a> {
    let (results, exit) = match &session.outcome {
        Some(Outcome::Success {
            public_token,
            institution_id,
            accounts,
            ..
        }) => (Some(results(public_token, institution_id, accounts)), None),
        Some(Outcome::Exit {
            error,
            status,
            institution_id,
        }) => {
            let metadata = ExitMetadata {
                institution: institution_id.as_deref().and_then(institution),
                status: status.clone(),
                link_session_id: session.link_session_id.clone(),
                request_id: request_id.to_owned(),
            };
            let error = error
                .as_deref()
                .map(|code| PlaidError::of(code).answering(request_id.to_owned()));
            (None, Some(Exit { error, metadata }))
        }
        None => (None, None),
    };
    SessionBody {
        link_session_id: &session.link_session_id,
        started_at: moment(session.started_at),
        finished_at: session.finished_at.map(moment),
        results,
        exit,
        events: &session.events,
    }
}

fn results(public_token: &str, institution_id: &str, accounts: &[Account]) -> Results {
    let added = Added {
        public_token: public_token.to_owned(),
        accounts: accounts.iter().map(linked).collect(),
        institution: institution(institution_id),
    };
    Results {
        item_add_results: vec![added],
        cra_item_add_results: [],
        cra_update_results: [],
        bank_income_results: [],
        payroll_income_results: [],
        document_income_results: None,
    }
}

fn linked(account: &Account) -> LinkedAccount {
    LinkedAccount {
        id: account.account_id.clone(),
        name: account.name.clone(),
        mask: account.mask.clone(),
        r#type: account.r#type.clone(),
        subtype: account.subtype.clone(),
        verification_status: None,
        class_type: None,
    }
}

fn institution(id: &str) -> Option<InstitutionName> {
    let bank = institutions::find(id)?;
    Some(InstitutionName {
        name: bank.name.to_owned(),
        institution_id: bank.id.to_owned(),
    })
}
