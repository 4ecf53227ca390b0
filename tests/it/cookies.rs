//! A session that the browser keeps: for the page that asked for it, and for no other page.

use reqwest::{
    Method, Response,
    header::{COOKIE, ORIGIN, SET_COOKIE},
};
use serde_json::{Value, json};

use crate::support::TestApp;

const WISH: (&str, &str) = ("Passbook-Session", "cookie");
const APP: &str = "https://app.example.com";
const SESSION: &str =
    "accessToken refreshToken refreshTokenExpiresAt userErrors { code message field }";

/// A browser that keeps what it is given, with a page of some origin in it.
struct Browser {
    url: String,
    origin: &'static str,
    cookie: Option<String>,
}

/// What came of a mutation.
struct Answer {
    status: u16,
    /// The payload, or the errors.
    told: Value,
    /// The cookie as it was set, with all that is said of it.
    set: Option<String>,
}

impl Browser {
    fn at(app: &TestApp, origin: &'static str) -> Self {
        Self {
            url: app.url.clone(),
            origin,
            cookie: None,
        }
    }

    /// A page of another origin in the same browser.
    fn page_of(&self, origin: &'static str) -> Self {
        Self {
            url: self.url.clone(),
            origin,
            cookie: self.cookie.clone(),
        }
    }

    async fn send(&self, method: Method, headers: &[(&str, &str)], body: String) -> Response {
        let client = reqwest::Client::builder().build().unwrap();
        let mut request = client.request(method, format!("{}/graphql", self.url));
        request = request.header(ORIGIN, self.origin);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, format!("theme=dark; {cookie}; other=1"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await.unwrap()
    }

    async fn mutate(&mut self, headers: &[(&str, &str)], mutation: &str, fields: &str) -> Answer {
        let document = format!("mutation {{ {mutation} {{ {fields} }} }}");
        let headers = [headers, &[("content-type", "application/json")]].concat();
        let body = json!({"query": document}).to_string();
        let answer = self.send(Method::POST, &headers, body).await;
        let status = answer.status().as_u16();
        let set = answer.headers().get(SET_COOKIE);
        let set = set.map(|set| set.to_str().unwrap().to_owned());
        if let Some(set) = &set {
            let kept = set.split(';').next().unwrap().to_owned();
            self.cookie = (!kept.ends_with('=')).then_some(kept);
        }
        let text = answer.text().await.unwrap();
        let mut told: Value = serde_json::from_str(&text).unwrap();
        let name = mutation.split('(').next().unwrap();
        let payload = told["data"][name].take();
        let told = if payload.is_null() {
            told["errors"].take()
        } else {
            payload
        };
        Answer { status, told, set }
    }

    async fn sign_in(&mut self, headers: &[(&str, &str)]) -> Answer {
        let login =
            "login(input: {email: \"ana@example.com\", password: \"correct horse battery\"})";
        self.mutate(headers, login, SESSION).await
    }

    async fn go_on(&mut self, headers: &[(&str, &str)]) -> Answer {
        self.mutate(headers, "refreshSession(input: {})", SESSION)
            .await
    }
}

async fn with_ana(settings: &[(&str, &str)]) -> TestApp {
    let allowed = [settings, &[("ALLOWED_ORIGINS", APP)]].concat();
    let app = TestApp::with(&allowed).await;
    app.person("ana").await;
    app
}

#[tokio::test]
async fn a_page_is_signed_in_still_when_it_is_loaded_anew() {
    let app = with_ana(&[]).await;
    let mut browser = Browser::at(&app, APP);
    let begun = browser.sign_in(&[WISH]).await;
    assert_eq!(begun.told["userErrors"], json!([]));
    assert_eq!(begun.told["refreshToken"], Value::Null, "no script sees it");
    assert!(begun.told["refreshTokenExpiresAt"].is_string());
    let set = begun.set.unwrap();
    assert!(set.starts_with("passbook=prt_"), "{set}");
    assert!(set.ends_with("; HttpOnly; SameSite=Strict"), "{set}");
    assert!(set.contains("; Path=/; Max-Age=60"), "a week: {set}");

    // Nothing is left in the page.
    let first = browser.cookie.clone();
    let next = browser.go_on(&[WISH]).await;
    assert_eq!(next.told["userErrors"], json!([]));
    assert!(next.told["accessToken"].is_string());
    assert_eq!(next.told["refreshToken"], Value::Null);
    assert_ne!(browser.cookie, first, "it is another each time");

    let last = browser.cookie.clone();
    let out = browser
        .mutate(&[WISH], "logout", "userErrors { code }")
        .await;
    assert_eq!(out.told["userErrors"], json!([]));
    assert!(out.set.unwrap().contains("passbook=; Path=/; Max-Age=0;"));
    assert_eq!(browser.cookie, None, "the browser has forgotten it");
    browser.cookie = last;
    let over = browser.go_on(&[WISH]).await;
    assert_eq!(over.told["userErrors"][0]["code"], "SESSION_EXPIRED");
}

#[tokio::test]
async fn a_tab_that_comes_too_late_takes_nothing_from_the_one_that_was_in_time() {
    let app = with_ana(&[]).await;
    let mut browser = Browser::at(&app, APP);
    browser.sign_in(&[WISH]).await;
    // It asked with what the browser had before somebody signed in anew.
    let mut slow = browser.page_of(APP);
    slow.mutate(&[WISH], "logout", "userErrors { code }").await;
    slow.cookie.clone_from(&browser.cookie);
    browser.sign_in(&[WISH]).await;
    let told = slow.go_on(&[WISH]).await;
    assert_eq!(told.told["userErrors"][0]["code"], "SESSION_EXPIRED");
    assert_eq!(told.set, None, "the browser keeps what the other tab got");
    assert_eq!(browser.go_on(&[WISH]).await.told["userErrors"], json!([]));
}

#[tokio::test]
async fn who_does_not_ask_for_cookies_has_nothing_to_do_with_them() {
    let app = with_ana(&[]).await;
    let mut browser = Browser::at(&app, APP);
    let plain = browser.sign_in(&[]).await;
    assert!(plain.told["refreshToken"].is_string());
    assert_eq!(plain.set, None);
    browser.sign_in(&[WISH]).await;
    let kept = browser.cookie.clone();
    let without = browser.go_on(&[]).await;
    let error = &without.told["userErrors"][0];
    assert_eq!(error["code"], "SESSION_EXPIRED");
    assert_eq!(error["field"], json!(["refreshToken"]));
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("Passbook-Session: cookie")
    );
    assert_eq!((without.set, &browser.cookie), (None, &kept));
    let out = browser.mutate(&[], "logout", "userErrors { code }").await;
    assert_eq!(out.told[0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(browser.go_on(&[WISH]).await.told["userErrors"], json!([]));
    let odd = browser.go_on(&[("Passbook-Session", "yes")]).await;
    assert_eq!(odd.status, 400);
    assert!(
        odd.told[0]["message"]
            .as_str()
            .unwrap()
            .contains("say `cookie`")
    );
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_use_a_cookie_nor_set_one() {
    let app = with_ana(&[]).await;
    let mut browser = Browser::at(&app, APP);
    browser.sign_in(&[WISH]).await;
    let mut evil = browser.page_of("https://evil.example");

    // A browser asks first, and is not told that it may.
    for (page, may) in [(&browser, Some(APP)), (&evil, None)] {
        let asks = [
            ("access-control-request-method", "POST"),
            (
                "access-control-request-headers",
                "content-type,passbook-session",
            ),
        ];
        let told = page.send(Method::OPTIONS, &asks, String::new()).await;
        let header = |name| told.headers().get(name).map(|one| one.to_str().unwrap());
        assert_eq!(header("access-control-allow-origin"), may);
        assert!(
            header("access-control-allow-headers")
                .unwrap_or_default()
                .contains("passbook-session")
        );
    }
    // One that does not ask is refused, and nothing has happened.
    for mutation in [
        "logout",
        "refreshSession(input: {})",
        "login(input: {email: \"eve@example.com\", password: \"p\"})",
    ] {
        let told = evil.mutate(&[WISH], mutation, "userErrors { code }").await;
        assert_eq!(told.status, 403, "{mutation}");
        assert_eq!(told.set, None);
    }
    // What needs no asking is not taken for a request at all.
    let form = [("content-type", "text/plain"), WISH];
    let body = json!({"query": "mutation { logout { userErrors { code } } }"}).to_string();
    let told = evil.send(Method::POST, &form, body).await;
    assert_eq!(told.status(), 415);
    assert_eq!(browser.go_on(&[WISH]).await.told["userErrors"], json!([]));
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_the_host_by_its_name() {
    let app = with_ana(&[("PUBLIC_URL", "https://api.example.com")]).await;
    let mut browser = Browser::at(&app, "https://api.example.com");
    let set = browser.sign_in(&[WISH]).await.set.unwrap();
    assert!(set.starts_with("__Host-passbook=prt_"), "{set}");
    assert!(
        set.ends_with("; HttpOnly; SameSite=Strict; Secure"),
        "{set}"
    );
    let kept = browser.cookie.clone().unwrap();
    assert_eq!(browser.go_on(&[WISH]).await.told["userErrors"], json!([]));
    // The name without TLS, which another host could have set, is not looked at.
    browser.cookie = Some(kept.replace("__Host-", ""));
    let told = browser.go_on(&[WISH]).await.told;
    assert_eq!(told["userErrors"][0]["code"], "SESSION_EXPIRED");
}
