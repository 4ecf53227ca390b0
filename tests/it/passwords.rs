//! What a password may be: anything but what is guessed early, exactly as it was typed.

use serde_json::json;

use crate::support::{Person, TestApp};

const REGISTER: &str = "mutation($email: String!, $password: String!) { register(input: {email: $email, \
    password: $password, firstName: \"Anastasia\", lastName: \"Wolkenstein\"}) { accessToken userErrors { code message field } } }";
const LOGIN: &str = "mutation($email: String!, $password: String!) { login(input: {email: $email, \
    password: $password}) { accessToken userErrors { code } } }";

async fn opens(person: &Person, email: &str, password: &str) -> bool {
    let input = json!({"email": email, "password": password});
    let data = person.ask(LOGIN, input).await;
    data["login"]["accessToken"].is_string()
}

#[tokio::test]
async fn a_password_is_what_was_typed_to_the_last_sign() {
    let app = TestApp::start().await;
    let nobody = Person::nobody(&app.url);
    // 65 characters with emoji, spaces and letters that have two forms; and one with a NUL in it.
    let long = format!(
        "{} caf\u{e9} 🦀 {}b",
        "über-land ".repeat(3),
        "zwölf boxkämpfer".repeat(2)
    );
    let decomposed = long.replace('\u{e9}', "e\u{301}");
    let (with_nul, cut) = ("before\0after and more", "before");
    assert!(long.chars().count() >= 65, "{}", long.chars().count());
    for (email, password) in [
        ("ana@example.com", long.as_str()),
        ("bob@example.com", with_nul),
    ] {
        let input = json!({"email": email, "password": password});
        let told = nobody.ask(REGISTER, input).await;
        assert_eq!(told["register"]["userErrors"], json!([]), "{password:?}");
    }
    for (password, fits) in [
        (long.as_str(), true),
        (&decomposed, true),
        (&long[..long.len() - 1], false),
        (long.trim_end_matches('b').trim(), false),
    ] {
        assert_eq!(
            opens(&nobody, "ana@example.com", password).await,
            fits,
            "{password:?}"
        );
    }
    for (password, fits) in [
        (with_nul, true),
        (cut, false),
        ("before\0", false),
        ("before\0after and mor", false),
    ] {
        assert_eq!(
            opens(&nobody, "bob@example.com", password).await,
            fits,
            "{password:?}"
        );
    }
}

#[tokio::test]
async fn what_is_guessed_early_is_refused_with_the_reason() {
    let app = TestApp::start().await;
    let nobody = Person::nobody(&app.url);
    for (password, part) in [
        ("password123", "first that are tried"),
        ("ｐａｓｓｗｏｒｄ１２３", "first that are tried"),
        ("Passbook2026", "first that are tried"),
        ("P@ssb00k99", "common words"),
        ("lima.verde@example.com", "e-mail address"),
        ("lima.verde", "e-mail address"),
        ("Wolkenstein1", "your name"),
        ("klaster99", "common words"),
        ("abababababab", "repeats itself"),
        ("zyxwvutsrq", "a row of"),
        ("1984-02-17", "a date"),
        ("seven77", "too short"),
    ] {
        let input = json!({"email": "Lima.Verde@example.com", "password": password});
        let told = nobody.ask(REGISTER, input).await;
        let told = &told["register"]["userErrors"];
        assert_eq!(told.as_array().unwrap().len(), 1, "{password}: {told}");
        let told = &told[0];
        assert_eq!(
            (&told["code"], &told["field"]),
            (&json!("WEAK_PASSWORD"), &json!(["password"])),
            "{password}"
        );
        assert!(
            told["message"].as_str().unwrap().contains(part),
            "{password}: {told}"
        );
    }
    assert_eq!(app.count("SELECT count(*) FROM users").await, 0);
}
