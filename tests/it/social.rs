//! Signing in with an account elsewhere, and linking one.

use serde_json::{Value, json};

use crate::{
    second_factor::enable,
    support::{
        Person, TestApp,
        social::{self, APP, Browser, COMPLETE, LINK, START, Spa},
    },
};

const UNLINK: &str = "mutation($id: ID!) { unlinkIdentity(input: {identityId: $id}) { unlinkedIdentityId \
    userErrors { code field } } }";
const MINE: &str = "{ viewer { id email identities { id provider email } } }";

/// Somebody who asks without a session.
async fn stranger(app: &TestApp) -> Person {
    app.person("somebody").await.stranger()
}

/// What was refused first.
pub(crate) fn code_of(told: &Value) -> &str {
    told["userErrors"][0]["code"].as_str().unwrap_or("none")
}

/// What somebody reads in her log, with what each entry names.
pub(crate) async fn kinds(person: &Person) -> Vec<String> {
    let log = "{ activity(first: 50) { nodes { kind detail } } }";
    let data = person.ask(log, json!({})).await;
    let nodes = data["activity"]["nodes"].as_array().unwrap();
    let kind = |node: &Value| {
        format!(
            "{} {}",
            node["kind"].as_str().unwrap(),
            node["detail"].as_str().unwrap_or("-")
        )
    };
    nodes.iter().map(kind).collect()
}

#[tokio::test]
async fn whoever_comes_with_a_new_identity_gets_an_account_and_comes_back_to_it() {
    let app = social::start().await;
    let nobody = stranger(&app).await;
    let offered = nobody
        .ask("{ identityProviders { id name } }", json!({}))
        .await;
    assert_eq!(
        offered["identityProviders"],
        json!([{"id": "sandbox", "name": "Sandbox"}])
    );
    for alg in ["ES256", "RS256"] {
        app.bank
            .issuers(json!({"alg": alg, "user_info": alg == "RS256"}))
            .await;
        let told = Spa::open().complete(&nobody, "ana").await;
        assert_eq!(told["userErrors"], json!([]));
        let issuer = format!("{}/oidc/sandbox", app.bank.url());
        let identity = json!({"provider": "sandbox", "issuer": issuer, "email": "ana@example.com"});
        assert_eq!(told["user"]["identities"], json!([identity]));
        assert_eq!(told["user"]["firstName"], "Ana");
        assert_eq!(told["user"]["birthDate"], "1990-02-28");
        let ana = nobody.with(told["accessToken"].as_str().unwrap());
        assert_eq!(
            ana.ask(MINE, json!({})).await["viewer"]["id"],
            told["user"]["id"]
        );
        if alg == "RS256" {
            assert_eq!(
                kinds(&ana).await,
                ["SIGNED_IN Sandbox", "REGISTERED Sandbox"]
            );
        }
    }
    let known = "SELECT count(*) FROM users WHERE email = 'ana@example.com' AND email_verified_at IS NOT NULL";
    assert_eq!(app.count(known).await, 1);
    let somebody = app.device("somebody").await;
    assert_eq!(
        somebody.ask(MINE, json!({})).await["viewer"]["identities"],
        json!([])
    );
    assert_eq!(app.count("SELECT count(*) FROM login_attempts").await, 0);
}

#[tokio::test]
async fn an_identity_opens_no_more_than_a_password_would() {
    let app = social::start().await;
    let nobody = stranger(&app).await;
    let told = Spa::open().complete(&nobody, "dora").await;
    let dora = nobody.with(told["accessToken"].as_str().unwrap());
    enable(&app, &dora).await;
    let told = Spa::open().complete(&nobody, "dora").await;
    assert_eq!(
        told["accessToken"],
        Value::Null,
        "the code of her app first"
    );
    assert!(told["secondFactor"]["token"].is_string(), "{told}");

    let told = Spa::open().complete(&nobody, "emil").await;
    let emil = told["user"]["email"].as_str().unwrap().to_owned();
    app.meddle(&format!(
        "UPDATE users SET locked_at = created_at WHERE email = '{emil}'"
    ))
    .await;
    let told = Spa::open().complete(&nobody, "emil").await;
    assert_eq!(code_of(&told), "ACCOUNT_LOCKED");

    let app = app.restart_with(&[("REGISTRATION", "closed")]).await;
    let told = Spa::open().complete(&nobody, "finn").await;
    assert_eq!(code_of(&told), "NOT_OFFERED");
    assert_eq!(
        app.count("SELECT count(*) FROM users WHERE email LIKE 'finn%'")
            .await,
        0
    );
}

#[tokio::test]
async fn an_address_that_has_an_account_lets_nobody_in_until_its_owner_links_the_identity() {
    let app = social::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let nobody = ana.stranger();
    let refused = Spa::open().complete(&nobody, "ana").await;
    assert_eq!(
        (code_of(&refused), &refused["accessToken"]),
        ("EMAIL_TAKEN", &Value::Null)
    );
    app.meddle("UPDATE users SET email_verified_at = created_at")
        .await;
    assert_eq!(
        code_of(&Spa::open().complete(&nobody, "ana").await),
        "EMAIL_TAKEN"
    );
    let linked = Spa::open().link(&ana, "ana").await;
    assert_eq!(linked["identity"]["email"], "ana@example.com", "{linked}");
    let again = Spa::open().link(&ana, "ana").await;
    assert_eq!(
        again["identity"]["id"], linked["identity"]["id"],
        "she has it already"
    );
    let entered = Spa::open().complete(&nobody, "ana").await;
    let me = ana.ask(MINE, json!({})).await["viewer"].take();
    assert_eq!(entered["user"]["id"], me["id"]);
    // A stranger to it: another person cannot have it too, nor let go of it.
    assert_eq!(
        code_of(&Spa::open().link(&bob, "ana").await),
        "IDENTITY_TAKEN"
    );
    let id = &linked["identity"]["id"];
    let told = bob.ask(UNLINK, json!({"id": id})).await;
    assert_eq!(code_of(&told["unlinkIdentity"]), "NOT_FOUND");
    let gone = ana.ask(UNLINK, json!({"id": id})).await;
    assert_eq!(gone["unlinkIdentity"]["unlinkedIdentityId"], *id);
    assert_eq!(
        code_of(&Spa::open().complete(&nobody, "ana").await),
        "EMAIL_TAKEN"
    );
    let log = kinds(&ana).await;
    let wanted = [
        "IDENTITY_REFUSED Sandbox",
        "IDENTITY_UNLINKED Sandbox",
        "SIGNED_IN Sandbox",
        "IDENTITY_LINKED Sandbox",
    ];
    assert_eq!(log[..4], wanted);
}

#[tokio::test]
async fn a_browser_is_sent_nowhere_but_where_the_operator_says() {
    let app = social::start().await;
    let nobody = stranger(&app).await;
    let spa = Spa::open();
    for uri in [
        "https://app.example/signed-in",
        "https://app.example/signed-in?from=passbook&x",
        "https://APP.example/signed-in?from=passbook",
        "https://app.example./signed-in?from=passbook",
        "https://app.example@evil.example/signed-in?from=passbook",
        "https://app.example.evil.example/signed-in?from=passbook",
        "https://app.example/signed-in/../x?from=passbook",
        "https://app.example/signed-in?from=passbook#",
        "http://app.example/signed-in?from=passbook",
        "javascript:alert(1)",
        "",
        "file:///etc/passwd",
        "https://169.254.169.254/",
    ] {
        let mut input = spa.input(false);
        input["redirectUri"] = json!(uri);
        let told = nobody.ask(START, json!({"input": input})).await["startSocialLogin"].take();
        let refusal = json!([{"code": "INVALID_INPUT", "field": ["redirectUri"]}]);
        assert_eq!(
            (&told["userErrors"], &told["authorizationUrl"]),
            (&refusal, &Value::Null),
            "{uri}"
        );
    }
    for challenge in ["", "short", &spa.verifier, &"=".repeat(43)] {
        let input = json!({"provider": "nobody", "redirectUri": "x", "codeChallenge": challenge});
        let told = nobody.ask(START, json!({"input": input})).await["startSocialLogin"].take();
        let all = told["userErrors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| fault["field"][0].as_str().unwrap());
        assert_eq!(
            all.collect::<Vec<_>>(),
            ["provider", "redirectUri", "codeChallenge"]
        );
    }
    let input = json!({"input": spa.input(true)});
    assert_eq!(nobody.error(START, input).await, "UNAUTHENTICATED");
    assert_eq!(app.count("SELECT count(*) FROM login_attempts").await, 0);
    assert_eq!(app.bank.issuer_calls("discovery").await, 0);
}

#[tokio::test]
async fn a_code_counts_once_for_a_minute_and_for_the_app_that_asked() {
    let app = social::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let nobody = ana.stranger();
    let (spa, other) = (Spa::open(), Spa::open());
    let try_with = async |person: &str, asker: &Person, spa: &Spa, verifier: &str| {
        let code = spa
            .through(asker, false, person)
            .await
            .word("code")
            .unwrap();
        let input = json!({"input": {"code": code, "codeVerifier": verifier}});
        let told = nobody.ask(COMPLETE, input).await["completeSocialLogin"].take();
        // Used up, whatever was wrong.
        let again = nobody.ask(COMPLETE, spa.redeem(&code)).await["completeSocialLogin"].take();
        assert_eq!(code_of(&again), "SOCIAL_LOGIN_INVALID");
        code_of(&told).to_owned()
    };
    assert_eq!(
        try_with("carla", &nobody, &spa, &spa.verifier).await,
        "none"
    );
    // Another app's verifier, none at all, the challenge itself (`plain`), and a tail more.
    for verifier in [
        &other.verifier,
        "",
        &spa.challenge(),
        &format!("{}x", spa.verifier),
    ] {
        assert_eq!(
            try_with("carla", &nobody, &spa, verifier).await,
            "SOCIAL_LOGIN_INVALID"
        );
    }
    let code = spa
        .through(&nobody, false, "carla")
        .await
        .word("code")
        .unwrap();
    app.clock.advance(std::time::Duration::from_secs(61));
    let told = nobody.ask(COMPLETE, spa.redeem(&code)).await;
    assert_eq!(
        code_of(&told["completeSocialLogin"]),
        "SOCIAL_LOGIN_INVALID"
    );
    // What was begun to sign in links nothing; what one person began is nobody else's.
    let code = spa
        .through(&nobody, false, "dora")
        .await
        .word("code")
        .unwrap();
    let told = ana.ask(LINK, spa.redeem(&code)).await;
    assert_eq!(code_of(&told["linkIdentity"]), "SOCIAL_LOGIN_INVALID");
    let code = spa.through(&ana, true, "dora").await.word("code").unwrap();
    let told = bob.ask(LINK, spa.redeem(&code)).await;
    assert_eq!(code_of(&told["linkIdentity"]), "SOCIAL_LOGIN_INVALID");
    let code = spa.through(&ana, true, "dora").await.word("code").unwrap();
    let told = nobody.ask(COMPLETE, spa.redeem(&code)).await;
    assert_eq!(
        code_of(&told["completeSocialLogin"]),
        "SOCIAL_LOGIN_INVALID"
    );
    assert_eq!(app.count("SELECT count(*) FROM identities").await, 1);
}

#[tokio::test]
async fn who_turns_back_or_meets_trouble_is_told_so_in_our_own_words() {
    let app = social::start().await;
    let nobody = stranger(&app).await;
    let back = Spa::open().through(&nobody, false, "-").await;
    let told = format!("{APP}&error=access_denied");
    assert_eq!((back.status, back.location.as_deref()), (303, Some(&*told)));
    let browser = Browser::open();
    let url = Spa::open().start(&nobody, false).await;
    let there = browser.get(&url).await;
    let cookie = browser.cookie().unwrap();
    assert!(
        cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax")
            && cookie.contains("Path=/auth"),
        "{cookie}"
    );
    let state = there.word("state").unwrap();
    assert_eq!(there.word("code_challenge_method").unwrap(), "S256");
    let iss = format!("{}/oidc/sandbox", app.bank.url());
    let query = format!(
        "state={state}&iss={iss}&error=%3Cscript%3E&error_description=%3Cscript%3Ealert(1)%3C/script%3E"
    );
    let seen = browser
        .get(&format!("{}/auth/sandbox/callback?{query}", app.url))
        .await;
    assert_eq!(
        seen.location.as_deref(),
        Some(&*format!("{APP}&error=provider_error"))
    );
    // The address of ours opens once.
    let again = browser.get(&url).await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("OIDC_TICKET") && again.location.is_none());
    assert_eq!(app.count("SELECT count(*) FROM login_attempts").await, 0);
}

#[tokio::test]
async fn two_tabs_of_one_browser_both_arrive_and_nothing_that_opens_is_on_disk() {
    let app = social::start().await;
    let nobody = stranger(&app).await;
    let (one, other, browser) = (Spa::open(), Spa::open(), Browser::open());
    let (first, second) = (
        one.start(&nobody, false).await,
        other.start(&nobody, false).await,
    );
    let ticket = first.rsplit('=').next().unwrap();
    assert!(app.keeps(APP).await && !app.keeps(ticket).await);
    let (first, second) = (browser.get(&first).await, browser.get(&second).await);
    let secrets = [first.word("state").unwrap(), first.word("nonce").unwrap()];
    let mut codes = Vec::new();
    for page in [&second, &first] {
        let back = browser.get(&format!("{}&person=ana", page.url())).await;
        let there = browser.get(back.url().as_str()).await;
        codes.push(there.word("code").unwrap());
    }
    for secret in secrets.iter().chain(&codes) {
        assert!(!app.keeps(secret).await);
    }
    assert!(
        !app.keeps("sandbox-ana").await,
        "who came is sealed until the app asks"
    );
    // Both at once, of somebody who is new: one account, and both are in it.
    let (a, b) = tokio::join!(
        nobody.ask(COMPLETE, other.redeem(&codes[0])),
        nobody.ask(COMPLETE, one.redeem(&codes[1])),
    );
    let id = |data: &Value| {
        data["completeSocialLogin"]["user"]["id"]
            .as_str()
            .map(str::to_owned)
    };
    assert!(id(&a).is_some(), "{a} {b}");
    assert_eq!(id(&a), id(&b), "{a} {b}");
}
