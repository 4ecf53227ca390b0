//! What people give: passwords, tokens of mails, codes of the second factor.

use data_encoding::BASE32_NOPAD;
use passbook::clock::Clock;
use serde_json::json;

use crate::{
    canary::{CHANGED, GUESSED, PASSWORD},
    canary_mine::Mine,
    second_factor::code_at,
    support::{Mailbox, Person, Place},
};

/// Everything a password, an access token and a refresh token go through.
pub(crate) async fn sign_in(ana: &Person, mine: &mut Mine) {
    mine.plant("password", PASSWORD);
    mine.plant("guessed password", GUESSED);
    mine.plant("changed password", CHANGED);
    mine.plant("access token", &ana.token);
    mine.plant("refresh token", &ana.refresh_token);
    let login = "mutation($password: String!) { login(input: {email: \"ana@example.com\", password: $password}) { \
                 userErrors { code message } } }";
    let refused = ana
        .stranger()
        .answer(login, json!({"password": GUESSED}))
        .await;
    assert!(refused.to_string().contains("INVALID_CREDENTIALS"));
    mine.hear("refused sign-in", refused.to_string());
    // In the document itself, as careless programs write them, and in one that does not parse.
    for document in [
        format!(
            "mutation {{ login(input: {{email: \"ana@example.com\", password: \"{GUESSED}\"}}) {{ user {{ id }} }} }}"
        ),
        format!(
            "mutation {{ login(input: {{email: 5, password: \"{GUESSED}\"}}) {{ user {{ id }} }} }}"
        ),
        format!("mutation {{ login(input: {{email: \"a\", password: \"{GUESSED}\" }}) {{ user "),
    ] {
        let refused = ana.stranger().answer(&document, json!({})).await;
        mine.hear("refused document", refused.to_string());
    }
    let change = "mutation($old: String!, $new: String!) { changePassword(input: {currentPassword: $old, \
                  newPassword: $new}) { userErrors { code message } } }";
    let changed = ana
        .ask(change, json!({"old": PASSWORD, "new": CHANGED}))
        .await;
    assert_eq!(changed["changePassword"]["userErrors"], json!([]));
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { refreshToken \
                   userErrors { code message } } }";
    let next = ana
        .stranger()
        .ask(refresh, json!({"token": ana.refresh_token}))
        .await;
    let next = next["refreshSession"]["refreshToken"].as_str().unwrap();
    mine.plant("next refresh token", next);
    let mut bent = next.to_owned();
    bent.pop();
    let refused = ana.stranger().answer(refresh, json!({"token": bent})).await;
    mine.plant("refresh token without its end", &bent);
    mine.hear("refused refresh", refused.to_string());
}

/// Tokens that travel by mail, used and refused.
pub(crate) async fn by_mail(ana: &Person, mailbox: &Mailbox, mine: &mut Mine) {
    let proof = mailbox.next("ana@example.com", "Confirm").await.token();
    mine.plant("token that proves an address", &proof);
    let verify = "mutation($token: String!, $password: String) { verifyEmail(input: {token: $token, password: $password}) { \
                  userErrors { code message } } }";
    for (token, password) in [
        (&proof[1..], None),
        (&proof, Some(GUESSED)),
        (&proof, Some(CHANGED)),
    ] {
        let input = json!({"token": token, "password": password});
        let answer = ana.stranger().answer(verify, input).await;
        mine.hear("answer to a proof", answer.to_string());
    }
    let request = "mutation { requestPasswordReset(input: {email: \"ana@example.com\"}) { userErrors { code message } } }";
    ana.stranger().ask(request, json!({})).await;
    let token = mailbox.next("ana@example.com", "Choose").await.token();
    mine.plant("token that resets", &token);
    let reset = "mutation($token: String!) { resetPassword(input: {token: $token, password: \"password123\"}) { \
                 userErrors { code message } } }";
    let answer = ana.stranger().answer(reset, json!({"token": token})).await;
    mine.hear("refused reset", answer.to_string());
}

/// A secret for an app, its recovery codes, and a sign-in between password and code. It is off again then.
pub(crate) async fn second_factor(ana: &Person, place: &Place, mine: &mut Mine) {
    let enable = "mutation($password: String!) { enableTotp(input: {password: $password}) { secret userErrors { code } } }";
    let begun = ana.ask(enable, json!({"password": CHANGED})).await;
    let secret = begun["enableTotp"]["secret"].as_str().unwrap();
    mine.plant("secret of an app", secret);
    let confirm = "mutation($code: String!) { confirmTotp(input: {code: $code}) { recoveryCodes userErrors { code } } }";
    let bytes = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    mine.plant_bytes("secret of an app, as it is kept", &bytes);
    let code = code_at(&bytes, Clock::default().now());
    let done = ana.ask(confirm, json!({"code": code})).await;
    let codes = done["confirmTotp"]["recoveryCodes"].as_array().unwrap();
    for code in codes.iter().map(|code| code.as_str().unwrap()) {
        mine.plant("recovery code", code);
        mine.plant("recovery code without signs", &code.replace('-', ""));
    }
    let login = "mutation($password: String!) { login(input: {email: \"ana@example.com\", password: $password}) { \
                 secondFactor { token } } }";
    let asked = ana
        .stranger()
        .ask(login, json!({"password": CHANGED}))
        .await;
    let token = asked["login"]["secondFactor"]["token"].as_str().unwrap();
    mine.plant("token of a sign-in", token);
    let complete = "mutation($token: String!, $code: String!) { completeLogin(input: {token: $token, code: $code}) { \
                    userErrors { code message } } }";
    for code in ["000000", codes[0].as_str().unwrap()] {
        let input = json!({"token": token, "code": code});
        let answer = ana.stranger().answer(complete, input).await;
        mine.hear("answer to a code", answer.to_string());
    }
    mine.hear("database with a second factor", place.contents().await);
    let disable = "mutation($password: String!) { disableTotp(input: {password: $password}) { userErrors { code } } }";
    let done = ana.ask(disable, json!({"password": CHANGED})).await;
    assert_eq!(done["disableTotp"]["userErrors"], json!([]));
}
