//! `passbook rekey`.

use std::fs;

use super::Place;

const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn everything_moves_to_the_newest_key_and_a_stranger_key_moves_nothing() {
    let place = Place::new();
    assert_eq!(place.run(&["migrate"]).status.code(), Some(0));
    let first = place.run(&["rekey"]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let old = fs::read_to_string(place.0.join("passbook.key")).unwrap();
    let both = format!("{NEW},{}", old.trim());

    let (code, said) = place.fails(&["rekey"], &[("SECRET_KEY", NEW)]);
    assert_eq!(code, 78, "the database is sealed with another: {said}");
    let mut command = place.command(&["rekey"]);
    let moved = command.env("SECRET_KEY", &both).output().unwrap();
    let said = String::from_utf8(moved.stdout).unwrap();
    assert_eq!(moved.status.code(), Some(0), "{said}");
    assert!(said.contains("REFRESH_TOKEN_TTL"), "{said}");
    let (code, said) = place.fails(&["rekey"], &[("SECRET_KEY", NEW)]);
    assert_eq!(code, 0, "the old key is not needed any more: {said}");
}
