//! What is brought back in the name of an issuer and is not hers: nobody gets in, nothing is kept, and
//! whoever is concerned can read of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Bank, Person, TestApp,
    social::{self, APP, Browser, COMPLETE, Spa},
};

/// Forgeries of a token, an answer or what is told of a person.
const FORGERIES: [&str; 18] = [
    "nonce",
    "nonce_missing",
    "issuer_slash",
    "answer_elsewhere",
    "answer_nameless",
    "audience",
    "audience_several",
    "party_other",
    "expired",
    "issued_ahead",
    "alg_none",
    "alg_public_key",
    "alg_client_secret",
    "embedded_key",
    "unknown_key",
    "changed",
    "access_token_other",
    "id_token_missing",
];

/// What would be different if anybody had got anything by it.
async fn traces(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in ["users", "sessions", "identities", "login_attempts"] {
        counts.push(app.count(&format!("SELECT count(*) FROM {table}")).await);
    }
    counts
}

/// How many refusals people have read of.
async fn told(app: &TestApp) -> i64 {
    app.count("SELECT count(*) FROM activities WHERE kind = 'identity_refused'")
        .await
}

/// Somebody who links as often as a story likes: a password may be given only so often.
async fn without_password(app: &TestApp) -> Person {
    let ana = app.person("ana").await;
    app.meddle("UPDATE users SET password_hash = ''").await;
    ana
}

/// Both uses of an answer, refused; the person in whose name one came is told once.
async fn is_refused(app: &TestApp, ana: &Person, what: &str) {
    let (before, read) = (traces(app).await, told(app).await);
    let signing_in = Spa::open().through(&ana.stranger(), false, "carla").await;
    let refused = format!("{APP}&error=login_refused");
    assert_eq!(signing_in.location.as_deref(), Some(&*refused), "{what}");
    assert_eq!(told(app).await, read, "{what}: nobody is known");
    let linking = Spa::open().through(ana, true, "carla").await;
    assert_eq!(linking.location.as_deref(), Some(&*refused), "{what}");
    assert_eq!(told(app).await, read + 1, "{what}");
    assert_eq!(traces(app).await, before, "{what}");
}

#[tokio::test]
async fn a_forged_token_or_answer_lets_nobody_in() {
    let app = social::start().await;
    let ana = without_password(&app).await;
    for forgery in FORGERIES {
        let alg = if forgery == "changed" {
            "RS256"
        } else {
            "ES256"
        };
        app.bank
            .issuers(json!({"forgery": forgery, "alg": alg}))
            .await;
        is_refused(&app, &ana, forgery).await;
    }
    app.bank
        .issuers(json!({"forgery": "user_info_other"}))
        .await;
    is_refused(&app, &ana, "user info about somebody else").await;
    for nobody in [String::new(), "x".repeat(256), "a\u{0}b".to_owned()] {
        app.bank.issuers(json!({"claims": {"sub": nobody}})).await;
        is_refused(&app, &ana, "nobody").await;
    }
    // The same way is open to what is not forged.
    let longest = "x".repeat(255);
    app.bank.issuers(json!({"claims": {"sub": longest}})).await;
    assert_eq!(
        Spa::open().complete(&ana.stranger(), "carla").await["userErrors"],
        json!([])
    );
}

#[tokio::test]
async fn a_state_counts_once_in_its_browser_and_at_its_provider() {
    let bank = Bank::open().await;
    let issuer = |name: &str| format!("{}/oidc/{name}", bank.url());
    let (one, two) = (issuer("sandbox"), issuer("two"));
    let app = TestApp::beside(
        &bank,
        &[
            ("REDIRECT_URIS", APP),
            ("OIDC_PROVIDERS", "sandbox,two"),
            ("OIDC_SANDBOX_ISSUER", &one),
            ("OIDC_SANDBOX_CLIENT_ID", "a"),
            ("OIDC_SANDBOX_CLIENT_SECRET", "b"),
            ("OIDC_TWO_ISSUER", &two),
            ("OIDC_TWO_CLIENT_ID", "a"),
            ("OIDC_TWO_CLIENT_SECRET", "b"),
        ],
    )
    .await;
    let ana = app.person("ana").await;
    let (spa, browser) = (Spa::open(), Browser::open());
    let back = browser.sign_in(&spa.start(&ana, true).await, "carla").await;
    let state = back
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    let calls = bank.issuer_calls("token").await;
    let nowhere = async |browser: &Browser, url: &str, count: i64| {
        let before = told(&app).await;
        let seen = browser.get(url).await;
        assert_eq!(
            (seen.status, seen.location.as_deref()),
            (400, None),
            "{url}"
        );
        assert!(
            seen.body.contains("OIDC_STATE") && !seen.body.contains("script"),
            "{url}"
        );
        assert_eq!(told(&app).await, before + count, "{url}");
    };
    // Without a state or with another, in another browser, twice in one address, at another provider.
    nowhere(&browser, &back.replace(&state, ""), 0).await;
    nowhere(&browser, &back.replace("state=", "stat="), 0).await;
    nowhere(&browser, &back.replace(&state, &"A".repeat(43)), 0).await;
    nowhere(&browser, &format!("{back}&state={state}"), 0).await;
    nowhere(&Browser::open(), &back, 1).await;
    let another = Browser::open();
    another.get(&spa.start(&ana, true).await).await;
    nowhere(&another, &back, 1).await;
    nowhere(&browser, &back.replace("/auth/sandbox/", "/auth/two/"), 1).await;
    nowhere(&browser, &back.replace("/auth/sandbox/", "/auth/three/"), 1).await;
    assert_eq!(
        bank.issuer_calls("token").await,
        calls,
        "no code was exchanged"
    );
    // None of that spoiled it for her; and afterwards it is used.
    let seen = browser.get(&back).await;
    assert!(seen.word("code").is_some(), "{:?}", seen.location);
    nowhere(&browser, &back, 0).await;
    // One issuer hands on the code of the other.
    let before = traces(&app).await;
    let back = browser.sign_in(&spa.start(&ana, true).await, "carla").await;
    let seen = browser
        .get(&back.replace("%2Foidc%2Fsandbox", "%2Foidc%2Ftwo"))
        .await;
    assert_eq!(seen.word("error").as_deref(), Some("login_refused"));
    assert_eq!(traces(&app).await, before);
    assert_eq!(app.count("SELECT count(*) FROM identities").await, 0);
}

#[tokio::test]
async fn a_code_of_another_sign_in_lets_nobody_in() {
    let app = social::start().await;
    let ana = app.person("ana").await;
    let (spa, browser) = (Spa::open(), Browser::open());
    let code = |back: &str| {
        back.split("code=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned()
    };
    // Somebody else's, which was not exchanged yet: it belongs to another verifier.
    let theirs = Browser::open()
        .sign_in(&spa.start(&ana.stranger(), false).await, "eve")
        .await;
    let hers = browser.sign_in(&spa.start(&ana, true).await, "carla").await;
    let seen = browser
        .get(&hers.replace(&code(&hers), &code(&theirs)))
        .await;
    assert_eq!(seen.word("error").as_deref(), Some("login_refused"));
    // Her own, a second time, under a new state.
    let first = browser.sign_in(&spa.start(&ana, true).await, "carla").await;
    assert!(browser.get(&first).await.word("code").is_some());
    let second = browser.sign_in(&spa.start(&ana, true).await, "carla").await;
    let seen = browser
        .get(&second.replace(&code(&second), &code(&first)))
        .await;
    assert_eq!(seen.word("error").as_deref(), Some("login_refused"));
    let none = browser.sign_in(&spa.start(&ana, true).await, "carla").await;
    let seen = browser.get(&none.replace("code=", "cod=")).await;
    assert_eq!(seen.word("error").as_deref(), Some("login_refused"));
    assert_eq!(told(&app).await, 3);
    assert_eq!(app.count("SELECT count(*) FROM identities").await, 0);
}

#[tokio::test]
async fn an_address_nobody_vouches_for_makes_no_account_and_opens_none() {
    let app = social::start().await;
    let nobody = app.person("ana").await.stranger();
    let known = Spa::open().complete(&nobody, "carla").await;
    assert_eq!(known["userErrors"], json!([]));
    let before = traces(&app).await;
    let refuses = async |claims: Value, person: &str, code: &str| {
        app.bank.issuers(json!({"claims": claims})).await;
        let told = Spa::open().complete(&nobody, person).await;
        assert_eq!(
            told["userErrors"][0]["code"], code,
            "{claims} {person}: {told}"
        );
        assert_eq!(
            (&told["user"], &told["accessToken"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(traces(&app).await, before, "{claims} {person}");
    };
    for verified in [json!(false), Value::Null, json!("false"), json!("true")] {
        // Whether somebody has the address makes no difference.
        for person in ["ana", "dora"] {
            refuses(
                json!({"email_verified": verified}),
                person,
                "EMAIL_UNVERIFIED",
            )
            .await;
        }
    }
    for email in [
        Value::Null,
        json!("nobody"),
        json!("a@b@c"),
        json!("a\u{0}@example.com"),
    ] {
        refuses(json!({"email": email}), "dora", "EMAIL_UNVERIFIED").await;
    }
    // Somebody registered with the address before its owner came, and never proved it to be hers.
    refuses(json!({}), "ana", "EMAIL_TAKEN").await;
    refuses(json!({"email": "ANA@Example.com"}), "dora", "EMAIL_TAKEN").await;
    // Somebody else under the same address.
    refuses(json!({"sub": "another"}), "carla", "EMAIL_TAKEN").await;
    // She is known by what she is at the issuer, whatever becomes of her address.
    app.bank
        .issuers(json!({"claims": {"email": "new@example.com", "email_verified": false}}))
        .await;
    let again = Spa::open().complete(&nobody, "carla").await;
    assert_eq!(again["user"]["id"], known["user"]["id"]);
    assert_eq!(again["user"]["email"], "carla@example.com");
}

#[tokio::test]
async fn keys_are_asked_for_again_once_a_minute_whoever_signs_with_an_unknown_one() {
    let app = social::start().await;
    let ana = without_password(&app).await;
    assert!(
        Spa::open()
            .through(&ana, true, "carla")
            .await
            .word("code")
            .is_some()
    );
    assert_eq!(app.bank.issuer_calls("jwks").await, 1);
    app.bank.issuers(json!({"forgery": "unknown_key"})).await;
    for (later, calls) in [(0, 1), (61, 2), (0, 2), (61, 3)] {
        app.clock.advance(Duration::from_secs(later));
        for _ in 0..3 {
            let seen = Spa::open().through(&ana, true, "carla").await;
            assert_eq!(seen.word("error").as_deref(), Some("login_refused"));
        }
        assert_eq!(app.bank.issuer_calls("jwks").await, calls);
    }
    assert_eq!(app.bank.issuer_calls("discovery").await, 1);
}

#[tokio::test]
async fn an_issuer_that_leads_elsewhere_is_not_followed() {
    for (forgery, word) in [
        ("keys_huge", "login_refused"),
        ("keys_elsewhere", "login_refused"),
        ("discovery_redirect", "login_refused"),
    ] {
        let app = social::start().await;
        let ana = app.person("ana").await;
        app.bank.issuers(json!({"forgery": forgery})).await;
        let (before, browser) = (traces(&app).await, Browser::open());
        let seen = browser.get(&Spa::open().start(&ana, true).await).await;
        assert_eq!(
            seen.location,
            Some(format!("{APP}&error={word}")),
            "{forgery}"
        );
        assert_eq!((browser.cookie(), told(&app).await), (None, 1), "{forgery}");
        assert_eq!(traces(&app).await, before, "{forgery}");
    }
    // One that does not answer is no forger, and is asked again.
    let (app, mut gone) = (social::start().await, social::start().await);
    let ana = app.person("ana").await;
    gone.end().await;
    let issuer = format!("{}/gone", gone.url);
    let away = TestApp::beside(
        &app.bank,
        &[
            ("REDIRECT_URIS", APP),
            ("OIDC_PROVIDERS", "sandbox"),
            ("OIDC_SANDBOX_ISSUER", &issuer),
            ("OIDC_SANDBOX_CLIENT_ID", "a"),
            ("OIDC_SANDBOX_CLIENT_SECRET", "b"),
        ],
    )
    .await;
    let url = Spa::open()
        .start(&ana.stranger().at(&away.url), false)
        .await;
    let seen = Browser::open().get(&url).await;
    assert_eq!(seen.word("error").as_deref(), Some("provider_unavailable"));
    let invalid = json!({"input": {"code": "", "codeVerifier": ""}});
    let told = ana.stranger().ask(COMPLETE, invalid).await;
    assert_eq!(
        told["completeSocialLogin"]["userErrors"][0]["code"],
        "SOCIAL_LOGIN_INVALID"
    );
}
