//! MX. `client` makes a call, `errors` says what a refusal means, `wire` has the fields; `status`,
//! `challenges`, `accounts` and `transactions` turn them into ours, `listing` says what to read next,
//! and `webhook` checks and reads what MX sends by itself.
//!
//! Promises beyond those of every provider: what a person types passes through once and is in no error
//! and no log; one bad row costs no other; a member is found again by the name we gave it.
//! Refused: a generated client (amounts as floats, closed enums, booleans that are texts), and the
//! widget as the only way in.

use std::fmt;

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::TimeDelta;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

use self::{
    client::{Call, Client},
    listing::{PAGE_SIZE, Place},
    webhook::verify,
};
use super::{
    Account, Challenge, CredentialLogin, Delivery, Institution, ItemState, LinkRequest, LinkToken,
    Linked, Listing, Page, Provider, Readiness, WebhookRefusal, http::unanswered,
    lenient::identifier,
};
use crate::{
    clock::Clock,
    error::{ErrorClass, ProviderError, Result},
    metrics::Metrics,
};

mod accounts;
mod challenges;
mod client;
mod errors;
mod listing;
mod login;
mod status;
#[cfg(test)]
mod tests;
mod transactions;
mod webhook;
mod wire;

pub use webhook::WebhookLogin;

/// How long the address of a widget lives. <https://docs.mx.com/connect/guides/>
const WIDGET_LIFE: TimeDelta = TimeDelta::minutes(10);

/// Pages of a listing that is short by nature: beyond that it is a fault.
const SHORT: u32 = 20;

/// How to reach MX.
pub struct MxSettings {
    /// The environment's name, such as `int`: what opens an item begins with it.
    pub env: &'static str,
    /// Where the environment is, such as `https://api.mx.com`.
    pub base_url: String,
    /// Whose account at MX this is.
    pub client_id: SecretString,
    /// The account's key in this environment.
    pub api_key: SecretString,
    /// How MX proves itself; without it no webhook is believed.
    pub webhook: Option<WebhookLogin>,
}

impl fmt::Debug for MxSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MxSettings({})", self.base_url)
    }
}

/// One environment of MX's. It answers 404 alike for what is gone and for what only another environment
/// knows. So users and members are called by its name too, and another one's are not asked for: a server
/// that was started with the wrong `MX_ENV` would take every bank for gone.
pub struct Mx {
    env: &'static str,
    client: Client,
    clock: Clock,
    webhook: Option<WebhookLogin>,
}

impl fmt::Debug for Mx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mx")
    }
}

impl Mx {
    /// Prepares calls. Connects to nothing yet.
    pub fn new(settings: MxSettings, clock: Clock, metrics: Metrics) -> Result<Self> {
        let client = Client::new(
            &settings.base_url,
            &settings.client_id,
            &settings.api_key,
            clock.clone(),
            metrics,
        )?;
        Ok(Self {
            env: settings.env,
            client,
            clock,
            webhook: settings.webhook,
        })
    }

    /// The member that is opened so.
    fn member<'a>(&self, access_token: &'a SecretString) -> Result<Member<'a>, ProviderError> {
        let (user, guid) = access_token
            .expose_secret()
            .split_once('/')
            .ok_or_else(|| unanswered("malformed", "what opens this item is not of MX"))?;
        let user = self.user_here(user)?;
        Ok(Member { user, guid })
    }

    /// A user's guid, if this environment knows it. An older release wrote no environment down: what it
    /// wrote is taken for this one's.
    fn user_here<'a>(&self, called: &'a str) -> Result<&'a str, ProviderError> {
        match called.split_once(':') {
            Some((env, guid)) if env == self.env => Ok(guid),
            Some(_) => Err(ProviderError {
                class: ErrorClass::Operator,
                ..unanswered("other_environment", "it was linked under another MX_ENV")
            }),
            None => Ok(called),
        }
    }

    /// A user's guid for what is asked about the person. One that this environment does not call so is
    /// made known to it.
    fn user_known<'a>(&self, called: &'a str) -> Result<&'a str, ProviderError> {
        let own = called.split_once(':').filter(|(env, _)| *env == self.env);
        own.map(|(_, guid)| guid)
            .ok_or_else(|| errors::refused(StatusCode::NOT_FOUND, ""))
    }

    /// A webhook about a user of this environment.
    fn of_here(&self, told: Delivery) -> Delivery {
        let user = told.provider_user_id.as_deref();
        Delivery {
            provider_user_id: user.map(|guid| self.called(guid)),
            ..told
        }
    }

    /// What this environment calls a user.
    fn called(&self, guid: &str) -> String {
        format!("{}:{guid}", self.env)
    }

    /// What the bank asks at the moment; nothing is 204.
    async fn challenges(&self, member: &Member<'_>) -> Result<Vec<Challenge>, ProviderError> {
        let call = Call::get("challenges", format!("{}/challenges", member.path()));
        let answer = self.client.call(call).await?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(Vec::new());
        }
        let got: wire::ChallengesGot<'_> = answer.read()?;
        Ok(challenges::challenges(&got.challenges))
    }
}

/// A member. What opens it is `int:USR-…/MBR-…`.
struct Member<'a> {
    user: &'a str,
    guid: &'a str,
}

impl Member<'_> {
    fn path(&self) -> String {
        format!("/users/{}/members/{}", self.user, self.guid)
    }
}

/// A guid is put into paths, so it may hold nothing that a path is made of.
fn guid(text: Option<String>) -> Result<String, ProviderError> {
    let plain = |text: &String| {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        text.bytes().all(fine)
    };
    let known = text.and_then(identifier).filter(plain);
    known.ok_or_else(|| unanswered("malformed", "a guid that is none"))
}

fn linked(user: &str, member: String) -> Linked {
    Linked {
        access_token: format!("{user}/{member}").into(),
        provider_item_id: member,
    }
}

fn institution(row: wire::Institution) -> Option<Institution> {
    Some(Institution {
        institution_id: row.code.0.and_then(identifier)?,
        name: row.name.0.unwrap_or_default(),
        url: row.url.0,
        primary_color: None,
        logo: None,
        logo_url: row
            .medium_logo_url
            .0
            .or(row.small_logo_url.0)
            .filter(|url| url.starts_with("https://")),
        oauth: row.supports_oauth.0,
    })
}

/// Codes of banks come from callers and are put into paths.
fn code(institution_id: &str) -> Result<&str, ProviderError> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !institution_id.is_empty() && institution_id.len() <= 100 && institution_id.bytes().all(fine)
    {
        return Ok(institution_id);
    }
    Err(errors::refused(StatusCode::NOT_FOUND, ""))
}

#[async_trait]
impl Provider for Mx {
    async fn create_link_token(&self, request: &LinkRequest) -> Result<LinkToken, ProviderError> {
        let token = request.access_token.as_ref();
        let member = token.map(|token| self.member(token)).transpose()?;
        let user = match (&member, &request.provider_user_id) {
            (Some(member), _) => member.user,
            (None, Some(user)) => self.user_known(user)?,
            (None, None) => return Err(unanswered("malformed", "a widget for nobody")),
        };
        let return_to = request
            .completion_redirect_uri
            .as_deref()
            .or(request.redirect_uri.as_deref());
        let wanted = wire::WidgetWanted {
            widget_url: wire::Widget {
                kind: "connect_widget",
                mode: "aggregation",
                ui_message_version: 4,
                include_transactions: true,
                current_member_guid: member.as_ref().map(|member| member.guid),
                client_redirect_url: return_to,
                // Without it MX leads nowhere, and otherwise only at the end of OAuth.
                oauth_referral_source: return_to.map(|_| "APP"),
            },
        };
        let call = Call::post("widget_urls", format!("/users/{user}/widget_urls"));
        let answer = self.client.call(call.body(&wanted)?).await?;
        let url = answer.read::<wire::WidgetGot>()?.widget_url.url.0;
        let url = url.ok_or_else(|| unanswered("malformed", "a widget without an address"))?;
        Ok(LinkToken {
            link_token: None,
            hosted_link_url: Some(url.into()),
            expiration: self.clock.now() + WIDGET_LIFE,
        })
    }

    async fn item(&self, access_token: &SecretString) -> Result<ItemState, ProviderError> {
        let member = self.member(access_token)?;
        let answer = self.client.call(Call::get("member", member.path())).await?;
        let got = answer.read::<wire::MemberGot>()?.member;
        let asks = matches!(got.connection_status.as_str(), "CHALLENGED" | "REJECTED");
        let challenges = if asks {
            self.challenges(&member).await?
        } else {
            Vec::new()
        };
        Ok(status::state(got, challenges))
    }

    async fn institution(&self, institution_id: &str) -> Result<Institution, ProviderError> {
        let path = format!("/institutions/{}", code(institution_id)?);
        let answer = self.client.call(Call::get("institution", path)).await?;
        let row = answer.read::<wire::InstitutionGot>()?.institution;
        institution(row).ok_or_else(|| unanswered("malformed", "an institution without a code"))
    }

    async fn accounts(&self, access_token: &SecretString) -> Result<Vec<Account>, ProviderError> {
        let member = self.member(access_token)?;
        let (mut all, mut rows) = (Vec::new(), 0);
        for page in 1..=SHORT {
            let call = Call::get("accounts", format!("{}/accounts", member.path()))
                .with("page", page.to_string())
                .with("records_per_page", PAGE_SIZE.to_string());
            let answer = self.client.call(call).await?;
            let got: wire::AccountsGot<'_> = answer.read()?;
            rows += got.accounts.len() as u64;
            all.extend(
                got.accounts
                    .iter()
                    .filter_map(|row: &&RawValue| accounts::account(row)),
            );
            if page < got.pagination.total_pages {
                continue;
            }
            if rows != got.pagination.total_entries {
                let detail = "not as many accounts are listed as there are";
                return Err(unanswered("malformed", detail));
            }
            return Ok(all);
        }
        Err(unanswered("endless", "accounts without end"))
    }

    async fn changes(
        &self,
        access_token: &SecretString,
        cursor: Option<&str>,
    ) -> Result<Page, ProviderError> {
        let member = self.member(access_token)?;
        let place = Place::read(cursor, self.clock.now().date_naive())?;
        let path = format!("{}/transactions", member.path());
        let mut call = Call::get("transactions", path)
            .with("page", place.page.to_string())
            .with("records_per_page", PAGE_SIZE.to_string());
        for (name, value) in place.query() {
            call = call.with(name, value);
        }
        let answer = self.client.call(call).await?;
        let got: wire::TransactionsGot<'_> = answer.read()?;
        let rows = transactions::rows(&got.transactions)?;
        let pages = got.pagination;
        let (next_cursor, has_more) = place.next(pages.total_entries, pages.total_pages)?;
        Ok(Page {
            upserts: rows.read,
            removed: Vec::new(),
            rejected: rows.rejected,
            unreadable: rows.unreadable,
            next_cursor: Some(next_cursor),
            has_more,
            readiness: Readiness::Complete,
            listing: Some(Listing {
                number: place.number(),
                entries: pages.total_entries,
                rows: got.transactions.len() as u64,
                pending_since: place.pending_since(),
            }),
        })
    }

    async fn remove(&self, access_token: &SecretString) -> Result<(), ProviderError> {
        let member = self.member(access_token)?;
        let gone = [StatusCode::NOT_FOUND];
        let call = Call::delete("delete member", member.path()).or(&gone);
        self.client.call(call).await.map(|_| ())
    }

    async fn verify_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Delivery, WebhookRefusal> {
        let told = verify(self.webhook.as_ref(), self.clock.now(), headers, body)?;
        Ok(self.of_here(told))
    }

    fn read_webhook(&self, body: &[u8]) -> Result<Delivery, WebhookRefusal> {
        Ok(self.of_here(webhook::read(String::new(), body)))
    }

    fn credential_login(&self) -> Option<&dyn CredentialLogin> {
        Some(self)
    }
}
