//! What keeps a server from starting, told before anything is begun.

use std::fs;

use super::Place;

#[test]
fn a_secret_key_that_protects_nothing_is_refused_and_not_shown() {
    let example = include_str!("../../.env.example");
    let example = example.split("SECRET_KEY=").nth(1).unwrap().lines().next();
    for (key, why) in [
        (example.unwrap(), "example"),
        ("c2hvcnQtc2VjcmV0LXRleHQ=", "17 bytes"),
        ("not base64!", "base64"),
        ("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=", "repeated"),
        ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,", "0 bytes"),
    ] {
        let place = Place::new();
        let (code, said) = place.fails(&["serve"], &[("SECRET_KEY", key)]);
        assert_eq!((code, said.lines().count()), (78, 1), "{said}");
        let told = said.starts_with("passbook: SECRET_KEY: ") && said.contains(why);
        assert!(told && said.contains("openssl rand"), "{said}");
        assert!(!said.contains(key), "{said}");
        let left = fs::read_dir(&place.0).unwrap().count();
        assert_eq!(left, 0, "nothing is begun with it");
    }
}

#[test]
fn a_secret_key_is_needed_with_postgresql_before_anything_is_touched() {
    let nobody = [("DATABASE_URL", "postgres://ana@127.0.0.1:1/passbook")];
    for command in ["serve", "worker"] {
        let (code, said) = Place::new().fails(&[command], &nobody);
        assert_eq!((code, said.lines().count()), (78, 1), "{said}");
        let told = said.starts_with("passbook: SECRET_KEY: is needed");
        assert!(told && said.contains("openssl rand"), "{said}");
    }
}

/// A database may come up later than its server, so this takes half a minute.
#[test]
fn a_database_that_nobody_answers_for_is_given_up_in_the_end_and_exits_75() {
    let settings = [
        (
            "DATABASE_URL",
            "postgres://ana:hunter2@127.0.0.1:1/passbook",
        ),
        ("SECRET_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ];
    let (code, said) = Place::new().fails(&["serve"], &settings);
    assert_eq!(code, 75, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let last = said.lines().last().unwrap();
    let told = "passbook: DATABASE_URL: postgres://ana:***@127.0.0.1:1/passbook cannot be reached";
    assert!(last.starts_with(told) && last.contains("check"), "{said}");
}

#[test]
fn a_name_in_the_env_file_that_nobody_reads_is_told_with_the_one_that_was_meant() {
    let place = Place::new();
    fs::write(place.0.join(".env"), "LISTN=127.0.0.1:0\n").unwrap();
    let (code, said) = place.fails(&["serve"], &[]);
    assert_eq!((code, said.lines().count()), (78, 1), "{said}");
    assert!(said.contains("LISTN") && said.contains("LISTEN?"), "{said}");
}
