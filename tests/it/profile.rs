//! What a person says of herself, and her password.

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const UPDATE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { \
    user { firstName lastName birthDate } userErrors { code field } } }";
const CHANGE: &str = "mutation($old: String!, $new: String!) { \
    changePassword(input: {currentPassword: $old, newPassword: $new}) { user { email } userErrors { code field } } }";
const LOGIN: &str = "mutation($password: String!) { login(input: {email: \"ana@example.com\", \
    password: $password}) { user { id } userErrors { code } } }";
const OLD: &str = "correct horse battery";
const NEW: &str = "a better staple";

async fn update(person: &Person, input: Value) -> Value {
    let mut data = person.ask(UPDATE, json!({"input": input})).await;
    data["updateProfile"].take()
}

async fn change(person: &Person, old: &str, new: &str) -> Value {
    let mut data = person.ask(CHANGE, json!({"old": old, "new": new})).await;
    data["changePassword"]["userErrors"].take()
}

/// Whether somebody gets in with a password.
async fn opens(person: &Person, password: &str) -> bool {
    let variables = json!({"password": password});
    let data = person.stranger().ask(LOGIN, variables).await;
    data["login"]["user"].is_object()
}

async fn last_entry(person: &Person) -> Value {
    let log = "{ activity(first: 1) { nodes { kind } } }";
    let mut data = person.ask(log, json!({})).await;
    data["activity"]["nodes"][0]["kind"].take()
}

#[tokio::test]
async fn what_is_given_changes_and_what_is_left_out_stays() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let all = json!({"firstName": " Ana ", "lastName": "Lima", "birthDate": "1990-02-28"});
    let told = update(&ana, all).await;
    let user = json!({"firstName": "Ana", "lastName": "Lima", "birthDate": "1990-02-28"});
    assert_eq!(told, json!({"user": user, "userErrors": []}));
    assert_eq!(last_entry(&ana).await, "PROFILE_UPDATED");
    let told = update(&ana, json!({"lastName": null})).await;
    let user = json!({"firstName": "Ana", "lastName": null, "birthDate": "1990-02-28"});
    assert_eq!(told["user"], user);
    let viewer = "{ viewer { firstName lastName birthDate } }";
    assert_eq!(ana.ask(viewer, json!({})).await["viewer"], user);
    let his = bob.ask(viewer, json!({})).await;
    assert_eq!(his["viewer"]["firstName"], Value::Null);
    let stranger = ana.stranger();
    let told = stranger
        .error(UPDATE, json!({"input": {"firstName": "Eve"}}))
        .await;
    assert_eq!(told, "UNAUTHENTICATED");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_profile_is_told_and_nothing_changes() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let wrong =
        json!({"firstName": "A\nB", "lastName": "x".repeat(201), "birthDate": "1899-12-31"});
    let told = update(&ana, wrong).await;
    let faults = told["userErrors"].as_array().unwrap().iter();
    let fields: Vec<_> = faults
        .map(|fault| fault["field"][0].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["firstName", "lastName", "birthDate"]);
    let viewer = ana.ask("{ viewer { firstName } }", json!({})).await;
    assert_eq!(viewer["viewer"]["firstName"], Value::Null);
}

#[tokio::test]
async fn a_new_password_signs_all_other_devices_out() {
    let app = TestApp::start().await;
    let (ana, phone) = (app.person("ana").await, app.device("ana").await);
    let mut open = phone
        .watch("subscription { itemUpdated { cursor } }", json!({}))
        .await;
    assert_eq!(change(&ana, OLD, NEW).await, json!([]));
    assert_eq!(open.closed().await, 4403);
    let viewer = "{ viewer { id } }";
    assert_eq!(phone.error(viewer, json!({})).await, "UNAUTHENTICATED");
    ana.ask(viewer, json!({})).await;
    assert!(opens(&ana, NEW).await && !opens(&ana, OLD).await);
    let log = "{ activity(first: 20) { nodes { kind } } }";
    let log = ana.ask(log, json!({})).await.to_string();
    assert!(log.contains("PASSWORD_CHANGED"), "{log}");
}

#[tokio::test]
async fn who_does_not_know_the_password_does_not_change_it() {
    let app = TestApp::start().await;
    let (ana, phone) = (app.person("ana").await, app.device("ana").await);
    let wrong = json!([{"code": "INVALID_CREDENTIALS", "field": ["currentPassword"]}]);
    assert_eq!(change(&phone, "not this one", NEW).await, wrong);
    app.until("activities", "kind = 'password_change_failed'")
        .await;
    for (new, code) in [
        ("short", "WEAK_PASSWORD"),
        ("password123", "WEAK_PASSWORD"),
        ("ana@example.com", "WEAK_PASSWORD"),
        (&"x".repeat(1025), "INVALID_INPUT"),
    ] {
        let told = change(&ana, OLD, new).await;
        let wanted = json!([{"code": code, "field": ["newPassword"]}]);
        assert_eq!(told, wanted, "{new}");
    }
    let long = change(&ana, &"x".repeat(1025), NEW).await;
    assert_eq!(long[0]["field"], json!(["currentPassword"]));
    assert!(opens(&ana, OLD).await && !opens(&ana, NEW).await);
    ana.ask("{ viewer { id } }", json!({})).await;
    let stranger = ana.stranger();
    let told = stranger
        .error(CHANGE, json!({"old": OLD, "new": NEW}))
        .await;
    assert_eq!(told, "UNAUTHENTICATED");
}
