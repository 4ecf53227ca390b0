//! Every import points down the ladder that `src/lib.rs` draws.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// Rooms on one rung, which may not import each other; or a room that may import everything above it.
const RUNGS: &[&[&str]] = &[
    &["error"],
    &["clock", "metrics", "money", "seal"],
    &["config"],
    &["viewer"],
    &["database", "signed_url"],
    &["feed", "ticker", "activity", "audit"],
    &["providers", "mailer"],
    &["app"],
    &["jobs", "relay"],
    &["graphql", "mail"],
    &["auth", "accounts", "exports", "rates", "secrets", "sync"],
    &["linking"],
    &["webhooks", "deletion"],
    &["admin"],
    &["schema", "worker"],
    &["transport"],
    &["server"],
    &["cli"],
];

#[test]
fn every_import_points_down_the_ladder() {
    let rungs: HashMap<&str, usize> = RUNGS
        .iter()
        .enumerate()
        .flat_map(|(n, rooms)| rooms.iter().map(move |room| (*room, n)))
        .collect();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut climbs = Vec::new();
    for file in files(&src) {
        let room = room(&src, &file);
        if room == "lib" || room == "main" {
            continue;
        }
        let Some(own) = rungs.get(room.as_str()) else {
            climbs.push(format!("{room} stands on no rung"));
            continue;
        };
        for other in imports(&fs::read_to_string(&file).unwrap()) {
            match rungs.get(other.as_str()) {
                Some(rung) if other == room || rung < own => {}
                _ => climbs.push(format!(
                    "{} -> {other}",
                    file.strip_prefix(&src).unwrap().display()
                )),
            }
        }
    }
    assert!(climbs.is_empty(), "{climbs:#?}");
}

#[test]
fn the_table_of_contents_stands_in_the_order_of_the_ladder() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let source = fs::read_to_string(source).unwrap();
    let rooms = source.lines().filter_map(|line| {
        let room = line.strip_prefix("pub mod ")?;
        room.strip_suffix(';')
    });
    let rung = |room: &str| RUNGS.iter().position(|rooms| rooms.contains(&room));
    let rungs: Vec<_> = rooms.map(|room| (rung(room), room)).collect();
    assert_eq!(rungs.len(), RUNGS.concat().len());
    let climbs = rungs.windows(2).filter(|pair| pair[0].0 > pair[1].0);
    assert_eq!(climbs.count(), 0, "{rungs:?}");
}

#[test]
fn a_climb_is_found_however_it_is_written() {
    let source = "use crate::error::Error;\nuse crate::{\n    app::App,\n    linking::{notice, Offer},\n};\nfn f() { crate::server::run(); }";
    let mut found = imports(source);
    found.sort();
    assert_eq!(found, ["app", "error", "linking", "server"]);
}

/// Where clients are made. Each says itself how long it waits, and follows no redirect, which would carry what it sends
/// elsewhere.
const CLIENTS: [&str; 6] = [
    "cli/demo/client.rs",
    "cli/doctor/webhooks.rs",
    "cli/rates/client.rs",
    "providers/alphavantage/client.rs",
    "providers/guard/mod.rs",
    "providers/http.rs",
];

#[test]
fn every_client_is_made_where_it_can_be_looked_at() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut made = Vec::new();
    for file in files(&src) {
        let text = fs::read_to_string(&file).unwrap();
        let count =
            text.matches("Client::builder()").count() + text.matches("ClientBuilder").count();
        if count > 0 {
            let name = file.strip_prefix(&src).unwrap().display().to_string();
            assert_eq!(count, 1, "{name}");
            assert!(text.contains("Policy::none())"), "{name}");
            made.push(name);
        }
    }
    made.sort();
    assert_eq!(made, CLIENTS);
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// The first name below `src`.
fn room(src: &Path, file: &Path) -> String {
    let first = file.strip_prefix(src).unwrap().components().next().unwrap();
    let name = first.as_os_str().to_string_lossy();
    name.trim_end_matches(".rs").to_owned()
}

/// The rooms a source names behind `crate::`, in a list or alone.
fn imports(source: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            rooms.extend(firsts(list));
        } else {
            rooms.push(word(rest));
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

/// The first word of each member of a brace list.
fn firsts(list: &str) -> Vec<String> {
    let (mut depth, mut members, mut member) = (0_usize, Vec::new(), String::new());
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => members.push(word(&std::mem::take(&mut member))),
            _ if depth == 0 => member.push(letter),
            _ => {}
        }
    }
    members.push(word(&member));
    members
}

fn word(text: &str) -> String {
    let name: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    // Macros at the root of the crate belong to no room.
    if text.trim_start()[name.len()..].starts_with('!') {
        String::new()
    } else {
        name
    }
}
