//! A bank that never holds still: rows are added, changed, posted and taken back while they are read,
//! pages begin again, and webhooks come twice, out of order and before their item is known.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    chance::Chance,
    support::bank::{Bank, Speaker},
};

/// So many batches of changes, one every [`PAUSE`]: they outlast the sync, the kill and the restart.
const BATCHES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// How much of a bank's rows is read to find some to change.
const HEAD: usize = 200_000;

/// Turns on what lasts.
pub(crate) async fn prepare(bank: &Bank) {
    let webhooks = json!({
        "duplicates": 2, "disorder_ms": 300, "before_exchange": true,
        // A server that is down is tried again after 0.3 s, 1.2 s, 4.8 s.
        "retry_scale": 0.01,
    });
    bank.ask("/control/settings", json!({"webhooks": webhooks}))
        .await;
}

/// Lets two or three pages of the next syncs begin again.
pub(crate) async fn plant(bank: &Bank, chance: &mut Chance) {
    let faults: Vec<Value> = (0..2 + chance.below(2))
        .map(|_| json!({"kind": "mutation", "page": chance.below(40), "count": 1}))
        .collect();
    bank.ask("/control/faults", json!({"faults": faults})).await;
}

/// Changes the rows of the item that was not seen before, again and again.
pub(crate) async fn changes(bank: Speaker, seen: Vec<String>, mut chance: Chance) {
    let item = bank.newest_item(&seen).await;
    let path = format!("/control/items/{}", item["item_id"].as_str().unwrap());
    let rows = bank.head(&format!("{path}/oracle"), HEAD).await;
    let id = |row: &Value| row["transaction_id"].as_str().unwrap().to_owned();
    let (pending, posted): (Vec<&Value>, Vec<&Value>) =
        rows.iter().partition(|row| row["pending"] == true);
    let mut pending: Vec<String> = pending.into_iter().map(id).collect();
    let mut posted: Vec<String> = posted.into_iter().map(id).collect();
    for batch in 0..BATCHES {
        let fresh = |n: usize| json!({"name": format!("FRESH {batch}.{n}"), "amount": n + batch, "pending": n == 0});
        let post: Vec<String> = pending.pop().into_iter().collect();
        let gone = posted.swap_remove(chance.below(posted.len()));
        let changed: Vec<Value> = (0..3)
            .map(|n| json!({"transaction_id": posted[chance.below(posted.len())], "name": format!("CHANGED {batch}.{n}")}))
            .collect();
        let wanted = json!({
            "add": [fresh(0), fresh(1), fresh(2)], "modify": changed, "post": post, "remove": [gone],
        });
        let done = bank.ask(&format!("{path}/transactions"), wanted).await;
        pending.extend(done["added"][0].as_str().map(str::to_owned));
        posted.extend(done["added"][1].as_str().map(str::to_owned));
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether any webhook is still on its way; one that was given up never comes.
pub(crate) async fn webhooks_waiting(bank: &Bank) -> bool {
    let webhooks = bank.speaker().lines("/control/webhooks").await;
    let lost = webhooks
        .iter()
        .find(|webhook| webhook["state"] == "given_up");
    assert!(lost.is_none(), "{lost:?}");
    webhooks.iter().any(|webhook| webhook["state"] == "waiting")
}
