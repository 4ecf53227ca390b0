//! What goes to and fro with an issuer and with Plaid.

use serde_json::json;

use crate::{
    canary_mine::Mine,
    support::{
        Bank, Person,
        social::{Browser, COMPLETE, Spa},
    },
};

/// Somebody who signs in with an account elsewhere, after a try that another app spoils.
pub(crate) async fn by_an_issuer(ana: &Person, bank: &Bank, mine: &mut Mine) {
    let (nobody, spa, browser) = (ana.stranger(), Spa::open(), Browser::open());
    let first = spa.start(&nobody, false).await;
    mine.plant("ticket", &last_word(&first));
    mine.plant("verifier of the app", &spa.verifier);
    let page = browser.get(&first).await;
    mine.plant("nonce", &page.word("nonce").unwrap());
    let back = browser.get(&format!("{}&person=eva", page.url())).await;
    let back = String::from(back.url());
    let cookie = browser.cookie().unwrap();
    let cookie = cookie.split([';', '=']).nth(1).unwrap();
    mine.plant("cookie of a social login", cookie);
    for (name, value) in reqwest::Url::parse(&back).unwrap().query_pairs() {
        match &*name {
            "state" => mine.plant("state", &value),
            "code" => mine.plant("code of the issuer", &value),
            _ => {}
        }
    }
    let seen = browser.get(&back).await;
    let code = seen.word("code").unwrap();
    mine.plant("code of the app", &code);
    mine.hear("second visit", browser.get(&back).await.body);
    let wrong = Spa::open().redeem(&code);
    let refused = nobody.answer(COMPLETE, wrong).await;
    assert!(refused.to_string().contains("SOCIAL_LOGIN_INVALID"));
    mine.hear("refused social login", refused.to_string());
    let told = Spa::open().complete(&nobody, "eva").await;
    for (name, field) in [
        ("access token of a social login", "accessToken"),
        ("refresh token of a social login", "refreshToken"),
    ] {
        mine.plant(name, told[field].as_str().unwrap());
    }
    let exchanged = bank.exchanges_of_codes().await;
    assert_eq!(exchanged.len(), 2);
    for exchange in exchanged {
        for (name, field) in [
            ("verifier for the issuer", "code_verifier"),
            ("access token of the issuer", "access_token"),
            ("ID token", "id_token"),
        ] {
            mine.plant(name, exchange[field].as_str().unwrap());
        }
    }
}

/// The value of the last parameter of an address.
fn last_word(url: &str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    url.query_pairs().last().unwrap().1.into_owned()
}

/// A bank by Plaid, well and in trouble, followed through a socket.
pub(crate) async fn link_with_plaid(ana: &Person, bank: &Bank, mine: &mut Mine) {
    let webhook = format!("{}/webhooks/plaid", ana.url);
    let public = bank.public_token("user_good", &webhook).await;
    mine.plant("public token", &public);
    let linked = ana.exchange(&public).await;
    let item = linked["item"]["id"].as_str().unwrap();
    ana.sync_job_ends(linked["syncJob"]["id"].as_str().unwrap())
        .await;
    let there = bank.item().await;
    mine.plant(
        "Plaid's access token",
        there["access_token"].as_str().unwrap(),
    );
    let down = json!([{"kind": "error", "code": "INTERNAL_SERVER_ERROR", "endpoint": "/transactions/sync", "count": 1}]);
    bank.faults(down).await;
    let ended = ana.sync(item).await;
    mine.hear("sync in trouble", ended.to_string());
    let refused = ana.exchange("public-sandbox-of-nobody").await;
    assert_ne!(refused["userErrors"], json!([]));
    mine.hear("refused exchange", refused.to_string());
    let link = "mutation { createLinkToken { linkToken userErrors { code } } }";
    let link = ana.ask(link, json!({})).await;
    let token = link["createLinkToken"]["linkToken"].as_str().unwrap();
    assert!(token.starts_with("link-"), "{token}");
    mine.plant("link token", token);
}
