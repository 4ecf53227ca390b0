//! What the settings mean, and what is refused.

use super::*;

fn faults(pairs: &[(&str, &str)]) -> Vec<String> {
    Config::from_pairs(pairs.iter().copied()).map_or_else(|e| e.0, |_| Vec::new())
}

#[test]
fn nothing_set_is_a_working_configuration() {
    let config = Config::from_pairs([]).unwrap();
    assert_eq!(config.sqlite_path(), Some(PathBuf::from("passbook.db")));
    assert_eq!(config.plaid.env, PlaidEnv::Local);
    assert_eq!(config.access_token_ttl, Duration::from_mins(30));
    assert_eq!(config.wire, WireConfig::default());
}

#[test]
fn all_faults_are_told_at_once() {
    let told = faults(&[
        ("LISTEN", "nowhere"),
        ("WORKERS", "99"),
        ("ACCESS_TOKEN_TTL", "soon"),
        ("PUBLIC_URL", "app.example"),
        ("DATABASE_URL", "mysql://x"),
        ("LOG_FORMAT", "xml"),
        ("MAX_QUERY_COST", "99"),
        ("MAX_QUERY_DEPTH", "deep"),
        ("MAX_QUERY_BYTES", "4096"),
        ("MAX_BODY_BYTES", "2048"),
        ("MAX_CONNECTIONS", "-1"),
        ("OPERATION_TIMEOUT", "11m"),
        ("INTROSPECTION", "yes"),
        ("PLAID_ENV", "sandbox"),
    ]);
    for name in [
        "LISTEN",
        "WORKERS",
        "ACCESS_TOKEN_TTL",
        "PUBLIC_URL",
        "DATABASE_URL",
        "LOG_FORMAT",
        "MAX_QUERY_COST",
        "MAX_QUERY_DEPTH",
        "MAX_BODY_BYTES",
        "MAX_CONNECTIONS",
        "OPERATION_TIMEOUT",
        "INTROSPECTION",
    ] {
        assert_eq!(
            told.iter().filter(|line| line.starts_with(name)).count(),
            1,
            "{name}: {told:?}"
        );
    }
    assert!(told.iter().any(|line| line.starts_with("PLAID_CLIENT_ID")));
}

#[test]
fn a_typing_error_is_answered_with_the_name_that_was_meant() {
    assert_eq!(
        faults(&[("DATABSE_URL", "x")]),
        ["DATABSE_URL: there is no such setting; did you mean DATABASE_URL?"]
    );
}

#[test]
fn an_address_names_its_file() {
    for (url, path) in [
        ("sqlite://passbook.db", "passbook.db"),
        ("sqlite:passbook.db", "passbook.db"),
        ("sqlite:///var/lib/a%20b.db", "/var/lib/a b.db"),
    ] {
        assert_eq!(sqlite_path(url), Some(PathBuf::from(path)), "{url}");
    }
    assert_eq!(sqlite_path("postgres://localhost/sqlite:x"), None);
}

#[test]
fn an_address_that_cannot_work_is_refused_and_not_shown() {
    for url in [
        "sqlite://passbook.db?mode=ro",
        "sqlite://?mode=memory",
        "sqlite:",
        "sqlite://:memory:",
        "postgres://ana:hunter/2@db.example/passbook",
        "postgres://db.example/passbook?sslmode=hunter",
    ] {
        let told = faults(&[("DATABASE_URL", url)]);
        assert!(
            told.len() == 1 && told[0].starts_with("DATABASE_URL") && !told[0].contains("hunt"),
            "{url}: {told:?}"
        );
    }
}

#[test]
fn the_example_lists_every_setting_and_no_other() {
    let example = include_str!("../../.env.example");
    let listed: Vec<&str> = example
        .lines()
        .map(|line| line.trim_start_matches('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        .collect();
    // `acme` stands for any provider, and what presets need is shown as well.
    let preset = |name: &String| {
        ["OIDC_GOOGLE_", "OIDC_FACEBOOK_"]
            .iter()
            .any(|of| name.starts_with(of))
    };
    let listed = listed
        .iter()
        .map(|name| name.replace("OIDC_ACME_", "OIDC_<NAME>_"));
    let mut sorted: Vec<String> = listed.filter(|name| !preset(name)).collect();
    sorted.sort_unstable();
    assert_eq!(sorted, NAMES);
    assert!(example.contains(&format!("SECRET_KEY={EXAMPLE_SECRET_KEY}")));
}

#[test]
fn the_documentation_lists_every_setting_and_no_other() {
    let readme = include_str!("../../docs/operating.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let names = rows.filter_map(|row| row.split('|').nth(1));
    let mut listed: Vec<&str> = names
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().trim_matches('`'))
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, NAMES);
}

#[test]
fn a_bad_key_is_refused_and_not_shown() {
    for key in [
        "c2hvcnQ=",
        EXAMPLE_SECRET_KEY,
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "not base64!",
    ] {
        let told = faults(&[("SECRET_KEY", key)]);
        assert!(
            told.len() == 1 && told[0].starts_with("SECRET_KEY") && !told[0].contains(key),
            "{told:?}"
        );
    }
}

#[test]
fn bank_tokens_do_not_go_over_a_wire_in_the_clear() {
    for (url, fine) in [
        ("http://127.0.0.1:8010", true),
        ("http://127.9.9.9", true),
        ("http://[::1]:8010", true),
        ("http://localhost:8010", true),
        ("https://plaid.example", true),
        ("http://plaid.example", false),
        ("http://10.0.0.7:8010", false),
        ("http://0.0.0.0:8010", false),
        ("http://localhost.example", false),
    ] {
        let told = faults(&[("PLAID_BASE_URL", url)]);
        assert_eq!(told.is_empty(), fine, "{url}: {told:?}");
        let named = |line: &String| line.starts_with("PLAID_BASE_URL") && line.contains("https://");
        assert!(told.iter().all(named), "{told:?}");
    }
}

#[test]
fn credentials_and_the_local_environment_contradict_each_other() {
    let told = faults(&[("PLAID_CLIENT_ID", "abc"), ("PLAID_SECRET", "def")]);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("PLAID_ENV"));
}
