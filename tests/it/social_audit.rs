//! Every refusal of a social login leaves one line in the server's log, with where it came from, and an entry in the
//! log of the person whom it concerns, if she is known.

use serde_json::json;

use crate::{
    social::code_of,
    support::{
        Bank, Person, Place, Program,
        social::{APP, Browser, COMPLETE, LINK, START, Spa},
    },
};

const LOG: &str =
    "{ activity(first: 50, filter: {kinds: [IDENTITY_REFUSED]}) { nodes { kind address } } }";

/// A server as an operator runs it.
async fn serve(place: &Place, bank: &Bank) -> Program {
    let issuer = format!("{}/oidc/sandbox", bank.url());
    Program::serve(&[
        ("LISTEN", "127.0.0.1:0"),
        ("METRICS_LISTEN", "127.0.0.1:0"),
        ("DATABASE_URL", place.url()),
        ("SECRET_KEY", "Y2FuYXJ5LWtleS1vZi0zMi1ieXRlcy1pbi10aGlzLTE="),
        ("PLAID_ENV", "sandbox"),
        ("PLAID_CLIENT_ID", "client"),
        ("PLAID_SECRET", "secret"),
        ("PLAID_BASE_URL", &bank.url()),
        ("REDIRECT_URIS", APP),
        ("OIDC_PROVIDERS", "sandbox"),
        ("OIDC_SANDBOX_ISSUER", &issuer),
        ("OIDC_SANDBOX_CLIENT_ID", "client"),
        ("OIDC_SANDBOX_CLIENT_SECRET", "secret"),
        // A proxy that would see what is asked of an issuer, were it used: nobody is there.
        ("http_proxy", "http://127.0.0.1:9"),
        ("https_proxy", "http://127.0.0.1:9"),
        ("all_proxy", "http://127.0.0.1:9"),
    ])
    .await
}

/// How many refusals somebody reads of.
async fn read(person: &Person) -> usize {
    let log = person.ask(LOG, json!({})).await;
    log["activity"]["nodes"].as_array().unwrap().len()
}

#[tokio::test]
async fn each_refusal_is_one_line_and_one_entry_where_somebody_is_known() {
    let (place, bank) = (Place::make().await, Bank::open().await);
    let program = serve(&place, &bank).await;
    let ana = Person::register(&program.url, "ana").await;
    let bob = Person::register(&program.url, "bob").await;
    let nobody = ana.stranger();
    let mut lines = Vec::new();

    // Whoever comes as her, by an address that the issuer has verified: another person there, maybe.
    assert_eq!(
        code_of(&Spa::open().complete(&nobody, "ana").await),
        "EMAIL_TAKEN"
    );
    lines.push("the address has an account");
    assert_eq!(read(&ana).await, 1);
    // An address nobody vouches for may be anybody's, so it tells nothing in her log.
    bank.issuers(json!({"claims": {"email_verified": false}}))
        .await;
    assert_eq!(
        code_of(&Spa::open().complete(&nobody, "ana").await),
        "EMAIL_UNVERIFIED"
    );
    lines.push("the issuer does not vouch for the address");
    assert_eq!(read(&ana).await, 1);
    bank.issuers(json!({})).await;

    // An address that is not registered, by nobody and by somebody.
    for (person, link) in [(&nobody, false), (&ana, true)] {
        let mut input = Spa::open().input(link);
        input["redirectUri"] = json!("https://evil.example/");
        let told = person.ask(START, json!({"input": input})).await;
        assert_eq!(code_of(&told["startSocialLogin"]), "INVALID_INPUT");
        lines.push("the redirect address is not registered");
    }
    assert_eq!(read(&ana).await, 2);

    // Her code with another app's verifier, and under another person's token.
    let spa = Spa::open();
    for (person, verifier) in [(&ana, &Spa::open()), (&bob, &spa)] {
        let code = spa.through(&ana, true, "carla").await.word("code").unwrap();
        let told = person.ask(LINK, verifier.redeem(&code)).await;
        assert_eq!(code_of(&told["linkIdentity"]), "SOCIAL_LOGIN_INVALID");
        lines.push("a code was offered by somebody else");
    }
    let code = spa
        .through(&nobody, false, "carla")
        .await
        .word("code")
        .unwrap();
    let told = nobody.ask(COMPLETE, Spa::open().redeem(&code)).await;
    assert_eq!(
        code_of(&told["completeSocialLogin"]),
        "SOCIAL_LOGIN_INVALID"
    );
    lines.push("a code was offered by somebody else");
    assert_eq!((read(&ana).await, read(&bob).await), (4, 0));

    // What comes back in another browser.
    let back = Browser::open()
        .sign_in(&spa.start(&ana, true).await, "carla")
        .await;
    assert_eq!(Browser::open().get(&back).await.status, 400);
    lines.push("its state is unknown, used, another provider's or another browser's");
    assert_eq!((read(&ana).await, read(&bob).await), (5, 0));

    let log = String::from_utf8(program.kill()).unwrap();
    let refused: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("a social login is refused"))
        .collect();
    assert_eq!(refused.len(), lines.len(), "{refused:#?}");
    for (line, why) in refused.iter().zip(lines) {
        assert!(
            line.contains(why) && line.contains("127.0.0.1"),
            "{why}: {line}"
        );
    }
}
