//! A browser at the doors of social login, and the app that sent it there.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Url, redirect::Policy};
use serde_json::{Value, json};

use super::{Bank, DEVICE, Person, TestApp};

/// Where the app is, as far as anybody knows.
pub(crate) const APP: &str = "https://app.example/signed-in?from=passbook";

pub(crate) const START: &str = "mutation($input: StartSocialLoginInput!) { startSocialLogin(input: $input) { \
    authorizationUrl expiresAt userErrors { code field } } }";
pub(crate) const COMPLETE: &str = "mutation($input: CompleteSocialLoginInput!) { completeSocialLogin(input: $input) { \
    accessToken refreshToken user { id email firstName lastName birthDate identities { provider issuer email } } \
    secondFactor { token } userErrors { code field retryable } } }";
pub(crate) const LINK: &str = "mutation($input: LinkIdentityInput!) { linkIdentity(input: $input) { \
    identity { id provider issuer email } userErrors { code field } } }";

/// A server whose app is registered; what an issuer says is the sandbox's.
pub(crate) async fn start() -> TestApp {
    TestApp::with(&[("REDIRECT_URIS", APP)]).await
}

/// What came of a request, as a browser sees it.
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

impl Seen {
    /// Where the browser is sent.
    pub(crate) fn url(&self) -> Url {
        let location = self.location.as_deref();
        let location = location.unwrap_or_else(|| panic!("{}: {}", self.status, self.body));
        Url::parse(location).unwrap()
    }

    /// A word in the address the browser is sent to.
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        let url = self.url();
        let mut pairs = url.query_pairs().into_owned();
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// A browser: it keeps cookies, and goes where the story lets it go.
#[derive(Clone)]
pub(crate) struct Browser {
    http: reqwest::Client,
    cookie: Arc<std::sync::Mutex<Option<String>>>,
}

impl Browser {
    pub(crate) fn open() -> Self {
        let http = reqwest::Client::builder().user_agent(DEVICE);
        let http = http.redirect(Policy::none()).pool_max_idle_per_host(0);
        Self {
            http: http.build().unwrap(),
            cookie: Arc::default(),
        }
    }

    pub(crate) fn cookie(&self) -> Option<String> {
        self.cookie.lock().unwrap().clone()
    }

    pub(crate) async fn get(&self, url: &str) -> Seen {
        let mut request = self.http.get(url);
        if let Some(cookie) = self.cookie() {
            let pair = cookie.split(';').next().unwrap().to_owned();
            request = request.header("cookie", pair);
        }
        let answer = request.send().await.unwrap();
        let header = |name: &str| {
            let value = answer.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        if let Some(cookie) = header("set-cookie") {
            *self.cookie.lock().unwrap() = Some(cookie);
        }
        Seen {
            status: answer.status().as_u16(),
            location: header("location"),
            body: answer.text().await.unwrap(),
        }
    }

    /// From our own address to the issuer's, and back as far as our own address again.
    pub(crate) async fn sign_in(&self, authorization_url: &str, person: &str) -> String {
        let page = self.get(authorization_url).await;
        let back = self.get(&format!("{}&person={person}", page.url())).await;
        back.url().into()
    }
}

/// An app that sends people off.
#[derive(Clone)]
pub(crate) struct Spa {
    pub(crate) verifier: String,
}

impl Spa {
    pub(crate) fn open() -> Self {
        let verifier = format!(
            "{}{}",
            uuid::Uuid::new_v4().simple(),
            uuid::Uuid::new_v4().simple()
        );
        Self { verifier }
    }

    pub(crate) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }

    /// What it asks with.
    pub(crate) fn input(&self, link: bool) -> Value {
        let password = link.then_some("correct horse battery");
        json!({"provider": "sandbox", "redirectUri": APP, "codeChallenge": self.challenge(), "link": link, "password": password})
    }

    /// Asks for an address to send the browser to.
    pub(crate) async fn start(&self, asker: &Person, link: bool) -> String {
        let data = asker.ask(START, json!({"input": self.input(link)})).await;
        let url = data["startSocialLogin"]["authorizationUrl"].as_str();
        url.unwrap_or_else(|| panic!("{data}")).to_owned()
    }

    /// Sends a browser through all of it; where it ends.
    pub(crate) async fn through(&self, asker: &Person, link: bool, person: &str) -> Seen {
        let browser = Browser::open();
        let url = self.start(asker, link).await;
        let back = browser.sign_in(&url, person).await;
        browser.get(&back).await
    }

    /// What a code is redeemed with.
    pub(crate) fn redeem(&self, code: &str) -> Value {
        json!({"input": {"code": code, "codeVerifier": self.verifier}})
    }

    /// Signs somebody in; what the app is told.
    pub(crate) async fn complete(&self, asker: &Person, person: &str) -> Value {
        let code = self
            .through(asker, false, person)
            .await
            .word("code")
            .unwrap();
        let mut data = asker.ask(COMPLETE, self.redeem(&code)).await;
        data["completeSocialLogin"].take()
    }

    /// Links somebody's identity to the one who asks.
    pub(crate) async fn link(&self, asker: &Person, person: &str) -> Value {
        let code = self
            .through(asker, true, person)
            .await
            .word("code")
            .unwrap();
        let mut data = asker.ask(LINK, self.redeem(&code)).await;
        data["linkIdentity"].take()
    }
}

impl TestApp {
    /// Whether a text is anywhere in the database, as it is or as the bytes it is made of.
    pub(crate) async fn keeps(&self, text: &str) -> bool {
        let all = self.place.contents().await;
        let forms = [text.to_owned(), passbook::seal::hex(text.as_bytes())];
        let there = |form: &String| all.windows(form.len()).any(|part| part == form.as_bytes());
        forms.iter().any(there)
    }
}

impl Bank {
    /// Orders what the sandbox's issuers say.
    pub(crate) async fn issuers(&self, rules: Value) {
        self.ask("/control/oidc", rules).await;
    }

    /// What went to and fro whenever a code was exchanged.
    pub(crate) async fn exchanges_of_codes(&self) -> Vec<Value> {
        let told = self.look("/control/oidc/exchanged").await;
        told.as_array().unwrap().clone()
    }

    /// How often an address of the issuers was asked so far.
    pub(crate) async fn issuer_calls(&self, what: &str) -> usize {
        self.calls(&format!("/oidc/{what}")).await.len()
    }
}
