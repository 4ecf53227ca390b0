//! Guessing passwords: refused after a few, for everybody alike, and nobody is kept out by a stranger.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Mailbox, Person, TestApp};

const LOGIN: &str = "mutation($email: String!, $password: String!) { login(input: {email: $email, \
    password: $password}) { accessToken userErrors { code retryable retryAfterSeconds } } }";
const RIGHT: &str = "correct horse battery";
/// The stories' own requests come through a proxy that is on this machine.
const BEHIND_PROXY: [(&str, &str); 2] = [
    ("TRUSTED_PROXIES", "127.0.0.1"),
    ("METRICS_LISTEN", "127.0.0.1:0"),
];

/// What somebody at an address is told who tries a password.
async fn tries(stranger: &Person, address: &str, name: &str, password: &str) -> String {
    let email = format!("{name}@example.com");
    let variables = json!({"email": email, "password": password});
    let from = stranger.from(address);
    let mut data = from.ask(LOGIN, variables).await;
    let payload = data["login"].take();
    if payload["accessToken"].is_string() {
        return "in".to_owned();
    }
    let told = &payload["userErrors"][0];
    assert_eq!(told["retryable"], told["code"] == "RATE_LIMITED", "{told}");
    told["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_account_is_guessed_at_five_times_from_one_address_and_then_no_more() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let ana = app.person("ana").await;
    let stranger = ana.stranger();
    let before = app.hashes().await;
    // Somebody who has an account and somebody who has none: told apart by nothing.
    for (name, address) in [("ana", "192.0.2.1"), ("nobody", "192.0.2.2")] {
        for _ in 0..5 {
            let told = tries(&stranger, address, name, "wrong").await;
            assert_eq!(told, "INVALID_CREDENTIALS", "{name}");
        }
        for password in ["wrong", RIGHT] {
            let told = tries(&stranger, address, name, password).await;
            assert_eq!(told, "RATE_LIMITED", "{name}");
        }
    }
    assert_eq!(
        app.hashes().await - before,
        10,
        "a refused guess costs no hash"
    );
    // Time brings them back, one by one.
    app.clock.advance(Duration::from_secs(13));
    assert_eq!(
        tries(&stranger, "192.0.2.1", "ana", "wrong").await,
        "INVALID_CREDENTIALS"
    );
    assert_eq!(
        tries(&stranger, "192.0.2.1", "ana", "wrong").await,
        "RATE_LIMITED"
    );
}

#[tokio::test]
async fn a_stranger_with_many_addresses_keeps_nobody_out() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let ana = app.person("ana").await;
    let stranger = ana.stranger();
    let home = "198.51.100.7";
    assert_eq!(tries(&stranger, home, "ana", RIGHT).await, "in");
    let mut told = Vec::new();
    for host in 1..=14 {
        told.push(tries(&stranger, &format!("192.0.2.{host}"), "ana", "wrong").await);
    }
    let refused = told.iter().filter(|code| *code == "RATE_LIMITED").count();
    // None of the ten was hers: she was let in.
    assert_eq!(refused, 4, "{told:?}");
    // She is known at home, and what she has open goes on.
    assert_eq!(tries(&stranger, home, "ana", RIGHT).await, "in");
    ana.ask("{ viewer { id } }", json!({})).await;
    assert_eq!(
        tries(&stranger, "192.0.2.99", "ana", RIGHT).await,
        "RATE_LIMITED"
    );
    app.clock.advance(Duration::from_mins(3));
    assert_eq!(tries(&stranger, "192.0.2.99", "ana", RIGHT).await, "in");
}

#[tokio::test]
async fn who_has_an_account_is_not_read_from_what_is_refused() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let stranger = app.person("ana").await.stranger();
    // She and the stranger come from one address: a café, or a proxy that nobody has named.
    let shared = "192.0.2.1";
    assert_eq!(tries(&stranger, shared, "ana", RIGHT).await, "in");
    let mut seen = Vec::new();
    for name in ["ana", "nobody"] {
        let before = app.hashes().await;
        let mut told = Vec::new();
        for _ in 0..12 {
            told.push(tries(&stranger, shared, name, "wrong").await);
            app.clock.advance(Duration::from_millis(12_500));
        }
        seen.push((told, app.hashes().await - before));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(
        seen[0].0.contains(&"RATE_LIMITED".to_owned()),
        "{:?}",
        seen[0]
    );
    // What a stranger does there keeps her from nothing.
    assert_eq!(tries(&stranger, shared, "ana", RIGHT).await, "in");
    app.until("activities", "kind = 'sign_in_failed'").await;
}

#[tokio::test]
async fn whoever_is_known_in_a_network_is_known_under_all_its_addresses() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let ana = app.person("ana").await;
    let stranger = ana.stranger();
    assert_eq!(
        tries(&stranger, "2001:db8:1:2::7", "ana", RIGHT).await,
        "in"
    );
    // A session that began at home goes on elsewhere.
    let phone = ana.stranger().from("2001:db8:5:6::7");
    let begun = phone
        .ask(
            "mutation { login(input: {email: \"ana@example.com\", password: \"correct horse battery\"}) { refreshToken } }",
            json!({}),
        )
        .await;
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { accessToken } }";
    let token = json!({"token": begun["login"]["refreshToken"]});
    phone.from("203.0.113.9").ask(refresh, token).await;
    for host in 1..=14 {
        tries(&stranger, &format!("192.0.2.{host}"), "ana", "wrong").await;
    }
    for (address, told) in [
        ("2001:db8:1:2:aaaa::8", "in"),
        ("2001:db8:5:6:bbbb::8", "in"),
        ("203.0.113.9", "in"),
        ("2001:db8:1:3::7", "RATE_LIMITED"),
        ("203.0.113.10", "RATE_LIMITED"),
    ] {
        let found = tries(&stranger, address, "ana", RIGHT).await;
        assert_eq!(found, told, "{address}");
    }
}

#[tokio::test]
async fn a_thief_is_not_known_where_he_was() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let ana = app.person("ana").await;
    let stranger = ana.stranger();
    let thief = stranger.from("192.0.2.66");
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { accessToken } }";
    let token = json!({"token": ana.refresh_token});
    let stolen = thief.ask(refresh, token.clone()).await;
    assert!(stolen["refreshSession"]["accessToken"].is_string());
    app.clock.advance(Duration::from_secs(11));
    let told = ana.ask(refresh, token).await;
    assert!(told["refreshSession"]["accessToken"].is_null());
    assert_eq!(
        app.text("SELECT revoked_reason FROM sessions").await,
        "refresh_reuse"
    );
    for host in 1..=12 {
        tries(&stranger, &format!("192.0.2.{host}"), "ana", "wrong").await;
    }
    let told = tries(&stranger, "192.0.2.66", "ana", RIGHT).await;
    assert_eq!(told, "RATE_LIMITED");
}

#[tokio::test]
async fn an_address_tries_so_many_accounts_and_a_network_is_one_address() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let stranger = app.person("ana").await.stranger();
    for host in 0..20 {
        let address = format!("2001:db8:1:2::{host:x}");
        let told = tries(&stranger, &address, &format!("name{host}"), "wrong").await;
        assert_eq!(told, "INVALID_CREDENTIALS", "{host}");
    }
    let next = tries(&stranger, "2001:db8:1:2:ffff::1", "another", "wrong").await;
    assert_eq!(next, "RATE_LIMITED");
    let neighbour = tries(&stranger, "2001:db8:1:3::1", "another", "wrong").await;
    assert_eq!(neighbour, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn what_an_untrusted_sender_says_of_its_address_is_not_believed() {
    let app = TestApp::with(&[("TRUSTED_PROXIES", "10.0.0.1")]).await;
    let ana = app.person("ana").await;
    let mut told = Vec::new();
    for host in 1..=8 {
        told.push(tries(&ana.stranger(), &format!("192.0.2.{host}"), "ana", "wrong").await);
    }
    let refused = told.iter().filter(|code| *code == "RATE_LIMITED").count();
    assert_eq!(refused, 3, "{told:?}");
    let sessions = ana
        .ask("{ sessions { nodes { address } } }", json!({}))
        .await;
    assert_eq!(
        sessions["sessions"]["nodes"],
        json!([{"address": "127.0.0.1"}])
    );
}

#[tokio::test]
async fn replicas_count_together_and_a_restart_forgets_nothing() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let stranger = app.person("ana").await.stranger();
    let second = app.replica().await;
    let elsewhere = second.as_ref().map_or(&app.url, |second| &second.url);
    for server in [&app.url, elsewhere, &app.url, elsewhere, &app.url] {
        let told = tries(&stranger.at(server), "192.0.2.1", "ana", "wrong").await;
        assert_eq!(told, "INVALID_CREDENTIALS");
    }
    let told = tries(&stranger.at(elsewhere), "192.0.2.1", "ana", "wrong").await;
    assert_eq!(told, "RATE_LIMITED");
    drop(second);
    let app = app.restart().await;
    let told = tries(&stranger.at(&app.url), "192.0.2.1", "ana", "wrong").await;
    assert_eq!(told, "RATE_LIMITED");
}

#[tokio::test]
async fn an_address_registers_so_many_people() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let stranger = app.person("ana").await.stranger();
    let register = "mutation($email: String!) { register(input: {email: $email, password: \"four odd words here\"}) \
        { user { id } userErrors { code retryAfterSeconds } } }";
    let mut told = Vec::new();
    for n in 0..7 {
        let from = stranger.from("192.0.2.1");
        let variables = json!({"email": format!("p{n}@example.com")});
        let data = from.ask(register, variables).await;
        told.push(data["register"]["userErrors"][0]["code"].clone());
    }
    let limited = json!("RATE_LIMITED");
    assert_eq!(told[4], Value::Null);
    assert_eq!((&told[5], &told[6]), (&limited, &limited));
}

#[tokio::test]
async fn who_is_signed_in_guesses_her_password_no_faster() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let ana = app.person("ana").await;
    let change = "mutation($old: String!) { changePassword(input: {currentPassword: $old, \
        newPassword: \"four odd words here\"}) { userErrors { code } } }";
    let mut told = Vec::new();
    for host in 1..=7 {
        let from = ana.from(&format!("192.0.2.{host}"));
        let data = from.ask(change, json!({"old": "wrong"})).await;
        told.push(data["changePassword"]["userErrors"][0]["code"].clone());
    }
    let refused = told.iter().filter(|code| *code == "RATE_LIMITED").count();
    assert_eq!(refused, 2, "{told:?}");
}

#[tokio::test]
async fn who_is_signed_in_guesses_it_no_more_often_in_an_hour_whatever_she_asks_for() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let asked = [
        "enableTotp(input: {password: \"wrong\"})",
        "changePassword(input: {currentPassword: \"wrong\", newPassword: \"four odd words here\"})",
        "deleteAccount(input: {password: \"wrong\"})",
    ];
    let mut told = Vec::new();
    // As fast as the smaller allowance lets her, for six minutes.
    for field in asked.iter().cycle().take(30) {
        let document = format!("mutation {{ {field} {{ userErrors {{ code }} }} }}");
        let data = ana.ask(&document, json!({})).await;
        let name = field.split('(').next().unwrap();
        told.push(data[name]["userErrors"][0]["code"].clone());
        app.clock.advance(Duration::from_secs(12));
    }
    let guessed = told.iter().filter(|code| *code == "INVALID_CREDENTIALS");
    assert_eq!(guessed.count(), 12, "{told:?}");
    assert!(told.iter().rev().take(3).any(|code| code == "RATE_LIMITED"));
    // Others have their own, and hers comes back.
    let document =
        "mutation { enableTotp(input: {password: \"correct horse battery\"}) { secret } }";
    let his = bob.ask(document, json!({})).await;
    assert!(his["enableTotp"]["secret"].is_string());
    app.clock.advance(Duration::from_mins(20));
    let hers = ana.ask(document, json!({})).await;
    assert!(hers["enableTotp"]["secret"].is_string());
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_told_so_often_to_an_address() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let nobody = Person::nobody(&app.url);
    let register = "mutation($password: String!) { register(input: {email: \"ana@example.com\", password: $password}) \
        { user { id } userErrors { code } } }";
    let mut told = Vec::new();
    for n in 0..22 {
        let from = nobody.from("192.0.2.1");
        let data = from
            .ask(register, json!({"password": format!("password{n}")}))
            .await;
        told.push(data["register"]["userErrors"][0]["code"].clone());
    }
    let limited = told.iter().filter(|code| *code == "RATE_LIMITED").count();
    assert_eq!(
        (&told[19], limited),
        (&json!("WEAK_PASSWORD"), 2),
        "{told:?}"
    );
    // Mistakes cost none of the accounts an address makes, and nobody elsewhere anything.
    app.clock.advance(Duration::from_secs(13));
    for address in ["192.0.2.1", "192.0.2.2"] {
        let data = nobody
            .from(address)
            .ask(register, json!({"password": "four odd words here"}))
            .await;
        assert_ne!(data["register"]["userErrors"][0]["code"], "RATE_LIMITED");
    }
}

/// A server that proves addresses and knows of a proxy.
async fn with_mails(mailbox: &Mailbox) -> TestApp {
    TestApp::with(&[
        ("SMTP_URL", &mailbox.url("")),
        ("MAIL_FROM", "Passbook <passbook@example.com>"),
        ("APP_URL", "https://app.example.com"),
        ("REGISTRATION", "verified"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ])
    .await
}

#[tokio::test]
async fn a_stranger_who_registers_somebody_keeps_her_from_nothing() {
    let mailbox = Mailbox::open().await;
    let app = with_mails(&mailbox).await;
    let nobody = Person::nobody(&app.url);
    let register = "mutation { register(input: {email: \"ana@example.com\", password: \"four odd words here\"}) \
        { verificationSent userErrors { code retryAfterSeconds } } }";
    let mut sent = 0;
    let mut told = Vec::new();
    for _ in 0..4 {
        let data = nobody.from("192.0.2.66").ask(register, json!({})).await;
        told.push(data["register"]["userErrors"][0]["code"].clone());
    }
    assert_eq!((&told[2], &told[3]), (&Value::Null, &json!("RATE_LIMITED")));
    let hers = nobody.from("198.51.100.7").ask(register, json!({})).await;
    assert_eq!(hers["register"]["verificationSent"], true, "{hers}");
    // Nor does anybody, from however many places, fill her mailbox.
    for host in 1..=20 {
        let from = nobody.from(&format!("203.0.113.{host}"));
        let data = from.ask(register, json!({})).await;
        sent += i32::from(data["register"]["verificationSent"] == true);
    }
    assert_eq!(sent, 8, "twelve to one mailbox, four of them before");
}

#[tokio::test]
async fn an_address_asks_for_so_many_mails_whomever_they_go_to() {
    let mailbox = Mailbox::open().await;
    let app = with_mails(&mailbox).await;
    let nobody = Person::nobody(&app.url);
    let request = "mutation($email: String!) { requestPasswordReset(input: {email: $email}) { userErrors { code } } }";
    let ask = async |address: &str, n: usize| {
        let email = json!({"email": format!("p{n}@example.com")});
        let data = nobody.from(address).ask(request, email).await;
        data["requestPasswordReset"]["userErrors"][0]["code"].clone()
    };
    for n in 0..20 {
        assert_eq!(ask("192.0.2.1", n).await, Value::Null, "{n}");
    }
    assert_eq!(ask("192.0.2.1", 20).await, "RATE_LIMITED");
    assert_eq!(ask("192.0.2.2", 20).await, Value::Null);
}
