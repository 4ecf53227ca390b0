//! What is remembered of an issuer, and for how long; and how a browser is sent to it and back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    social::code_of,
    support::{
        Person, TestApp, patiently,
        social::{self, APP, Browser, COMPLETE, LINK, START, Spa},
    },
};

/// How often it was asked what it says of itself, and for its keys.
async fn asked(app: &TestApp) -> (usize, usize) {
    let discovery = app.bank.issuer_calls("discovery").await;
    (discovery, app.bank.issuer_calls("jwks").await)
}

/// Where a sign-in ends: at an error, or nowhere else than it should.
async fn word(app: &TestApp) -> Option<String> {
    let nobody = Person::nobody(&app.url);
    let url = Spa::open().start(&nobody, false).await;
    Browser::open().get(&url).await.word("error")
}

#[tokio::test]
async fn what_an_issuer_says_of_itself_is_believed_for_an_hour() {
    let app = social::start().await;
    for (later, times) in [(0, 1), (59, 1), (2, 2), (59, 2)] {
        app.clock.advance(Duration::from_mins(later));
        assert_eq!(word(&app).await, None);
        assert_eq!(asked(&app).await, (times, times), "{later}");
    }
}

#[tokio::test]
async fn an_issuer_that_gives_no_answer_is_left_alone_and_what_it_said_before_stands_for_a_while() {
    let app = social::start().await;
    assert_eq!(word(&app).await, None);
    app.bank.issuers(json!({"forgery": "discovery_away"})).await;
    app.clock.advance(Duration::from_mins(61));
    for _ in 0..3 {
        assert_eq!(word(&app).await, None);
    }
    assert_eq!(asked(&app).await.0, 2, "asked again once");
    app.clock.advance(Duration::from_secs(11));
    assert_eq!(word(&app).await, None);
    assert_eq!(asked(&app).await.0, 3, "and once more after a rest");
    app.clock.advance(Duration::from_hours(1));
    for _ in 0..3 {
        assert_eq!(word(&app).await.as_deref(), Some("provider_unavailable"));
    }
    assert_eq!(asked(&app).await.0, 4);
    app.bank.issuers(json!({})).await;
    app.clock.advance(Duration::from_secs(11));
    assert_eq!(word(&app).await, None);
    assert_eq!(asked(&app).await.0, 5);
}

#[tokio::test]
async fn nothing_stands_for_an_answer_that_is_wrong() {
    let app = social::start().await;
    assert_eq!(word(&app).await, None);
    app.bank.issuers(json!({"forgery": "keys_elsewhere"})).await;
    app.clock.advance(Duration::from_mins(61));
    for _ in 0..3 {
        assert_eq!(word(&app).await.as_deref(), Some("login_refused"));
    }
    assert_eq!(asked(&app).await.0, 2);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let there = "https://passbook.example";
    let app = TestApp::with(&[("REDIRECT_URIS", APP), ("PUBLIC_URL", there)]).await;
    let nobody = Person::nobody(&app.url);
    let (spa, browser) = (Spa::open(), Browser::open());
    let url = spa.start(&nobody, false).await;
    assert!(
        url.starts_with("https://passbook.example/auth/sandbox/start?"),
        "{url}"
    );
    let back = browser.sign_in(&url.replace(there, &app.url), "ana").await;
    let cookie = browser.cookie().unwrap();
    let parts: Vec<&str> = cookie.split("; ").collect();
    assert!(parts[0].starts_with("__Host-passbook_login="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(parts.contains(&part), "{part}: {cookie}");
    }
    // A page on another host of the domain can set a cookie of any name but this one.
    let back = back.replace(there, &app.url);
    let plain = parts[0].replace("__Host-", "");
    let forged = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let forged = forged
        .unwrap()
        .get(&back)
        .header("cookie", plain)
        .send()
        .await
        .unwrap();
    assert_eq!(forged.status(), 400);
    let code = browser.get(&back).await.word("code").unwrap();
    let told = nobody.ask(COMPLETE, spa.redeem(&code)).await;
    assert!(
        told["completeSocialLogin"]["accessToken"].is_string(),
        "{told}"
    );
}

#[tokio::test]
async fn browsers_from_one_network_are_counted_and_told_when_to_come_back() {
    let app = TestApp::with(&[("REDIRECT_URIS", APP), ("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let browser = reqwest::Client::builder().build().unwrap();
    let visit = async |address: &str| {
        let url = format!("{}/auth/sandbox/start?ticket=none", app.url);
        let request = browser.get(url).header("x-forwarded-for", address);
        request.send().await.unwrap()
    };
    for _ in 0..60 {
        assert_eq!(visit("203.0.113.9").await.status(), 400);
    }
    // On a slow machine some of the allowance is there again by now.
    let told = patiently(async {
        loop {
            let told = visit("203.0.113.9").await;
            if told.status() != 400 {
                return told;
            }
        }
    });
    let told = told.await;
    assert_eq!(told.status(), 429);
    let wait: u64 = told.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    let page = told.text().await.unwrap();
    assert!(page.contains("RATE_LIMITED"), "{page}");
    assert_eq!(visit("203.0.113.10").await.status(), 400);
}

#[tokio::test]
async fn who_was_locked_on_her_way_links_nothing() {
    let app = social::start().await;
    let ana = app.person("ana").await;
    let spa = Spa::open();
    let code = spa.through(&ana, true, "eve").await.word("code").unwrap();
    app.meddle("UPDATE users SET locked_at = created_at").await;
    let told = ana.ask(LINK, spa.redeem(&code)).await["linkIdentity"].take();
    assert_eq!(told["userErrors"][0]["code"], "ACCOUNT_LOCKED", "{told}");
    assert_eq!(told["identity"], Value::Null);
    assert_eq!(app.count("SELECT count(*) FROM identities").await, 0);
}

#[tokio::test]
async fn a_guessed_code_waits_for_nobody_who_writes() {
    let app = social::start().await;
    let ana = app.person("ana").await;
    let writing = app.writes().await;
    let guess = json!({"input": {"code": "A".repeat(43), "codeVerifier": "B".repeat(43)}});
    for (asker, document, field) in [
        (&ana.stranger(), COMPLETE, "completeSocialLogin"),
        (&ana, LINK, "linkIdentity"),
    ] {
        let told = asker.ask(document, guess.clone()).await[field].take();
        assert_eq!(
            told["userErrors"][0]["code"], "SOCIAL_LOGIN_INVALID",
            "{told}"
        );
    }
    drop(writing);
}

#[tokio::test]
async fn one_operation_redeems_one_code() {
    let app = social::start().await;
    let ana = app.person("ana").await;
    for field in ["completeSocialLogin", "linkIdentity"] {
        let guess = |n: u8| {
            format!(
                "f{n}: {field}(input: {{code: \"{n}\", codeVerifier: \"x\"}}) {{ userErrors {{ code }} }}"
            )
        };
        let two = format!("mutation {{ {} {} }}", guess(1), guess(2));
        assert_eq!(ana.error(&two, json!({})).await, "QUERY_TOO_COMPLEX");
    }
}

#[tokio::test]
async fn sign_ins_from_one_network_are_counted() {
    let app = TestApp::with(&[("REDIRECT_URIS", APP), ("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let nobody = Person::nobody(&app.url).from("203.0.113.9");
    let spa = Spa::open();
    for _ in 0..20 {
        spa.start(&nobody, false).await;
    }
    let told = nobody.ask(START, json!({"input": spa.input(false)})).await;
    assert_eq!(code_of(&told["startSocialLogin"]), "RATE_LIMITED");
    spa.start(&nobody.from("203.0.113.10"), false).await;
}

#[tokio::test]
async fn attempts_that_nobody_finishes_are_forgotten() {
    let app = social::start().await;
    let nobody = Person::nobody(&app.url);
    let spa = Spa::open();
    let url = spa.start(&nobody, false).await;
    let other = spa.start(&nobody, false).await;
    let browser = Browser::open();
    let back = browser.sign_in(&other, "ana").await;
    app.clock.advance(std::time::Duration::from_mins(11));
    assert_eq!(browser.get(&url).await.status, 400);
    let seen = browser.get(&back).await;
    assert!(seen.status == 400 && seen.body.contains("OIDC_STATE"));
    app.passes(std::time::Duration::from_hours(7), "auth.prune")
        .await;
    assert_eq!(app.count("SELECT count(*) FROM login_attempts").await, 0);
}
