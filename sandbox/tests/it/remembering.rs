//! The state file: a restart forgets nothing that was answered.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use passbook_sandbox::Options;
use serde_json::json;

use crate::support::{Bank, Copy, at_once};

/// A file of its own for each test, gone afterwards.
struct StateFile(PathBuf);

impl StateFile {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!(
            "passbook-sandbox-{}-{name}.ndjson",
            std::process::id()
        ));
        let _ = fs::remove_file(&path);
        Self(path)
    }

    async fn bank(&self) -> Bank {
        Bank::open_with(Options {
            state: Some(self.0.clone()),
            settings: at_once(),
            ..Options::default()
        })
        .await
    }
}

impl Drop for StateFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn linked_banks_cursors_and_rows_survive() {
    let file = StateFile::new("survive");
    let bank = file.bank().await;
    let ana = bank.link("user_transactions_dynamic").await;
    let mut copy = Copy::new();
    let cursor = bank.sync(&ana, "", 500, &mut copy).await;
    bank.ok(
        "/transactions/refresh",
        json!({ "access_token": ana.token }),
    )
    .await;
    let (before, unused) = (
        bank.oracle(&ana).await,
        bank.public_token("user_good", json!({})).await,
    );
    // Not shut down: dropped, as when the process is killed.
    drop(bank);

    let bank = file.bank().await;
    assert_eq!(bank.oracle(&ana).await, before);
    bank.sync(&ana, &cursor, 4, &mut copy).await;
    assert_eq!(copy, before);
    let ben = bank.exchange(&unused).await;
    assert_ne!(ben.token, ana.token);
    // What is drawn from now on was not drawn before.
    for _ in 0..8 {
        let carla = bank.link("user_good").await;
        assert!(carla.item_id != ana.item_id && carla.item_id != ben.item_id);
    }
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off() {
    let file = StateFile::new("torn");
    let bank = file.bank().await;
    let ana = bank.link("user_good").await;
    bank.sandbox.shutdown().await;
    OpenOptions::new()
        .append(true)
        .open(&file.0)
        .unwrap()
        .write_all(br#"{"at":"2026-"#)
        .unwrap();

    let bank = file.bank().await;
    bank.ok("/item/get", json!({ "access_token": ana.token }))
        .await;
    let ben = bank.link("user_good").await;
    bank.sandbox.shutdown().await;
    let bank = file.bank().await;
    bank.ok("/item/get", json!({ "access_token": ben.token }))
        .await;
}
