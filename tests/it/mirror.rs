//! A copy of the transactions that follows the delta feed alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const CHANGES: &str = "query($after: String) { transactionChanges(after: $after, first: 37) { \
    pageInfo { hasNextPage endCursor } nodes { __typename \
    ... on TransactionUpserted { transaction { id amount { amount currency } direction date \
    authorizedDate datetime name merchantName pending paymentChannel createdAt updatedAt \
    category { primary detailed } account { id name } } } \
    ... on TransactionRemoved { id replacedById } } } }";

/// A client's copy.
#[derive(Default)]
pub(crate) struct Mirror {
    rows: BTreeMap<String, Value>,
    cursor: Value,
}

impl Mirror {
    /// Reads on until there is nothing more.
    pub(crate) async fn catch_up(&mut self, person: &Person) {
        loop {
            let mut data = person.ask(CHANGES, json!({"after": self.cursor})).await;
            let page = data["transactionChanges"].take();
            for node in page["nodes"].as_array().unwrap() {
                if let Some(id) = node["id"].as_str() {
                    self.rows.remove(id);
                } else {
                    let row = node["transaction"].clone();
                    self.rows
                        .insert(row["id"].as_str().unwrap().to_owned(), row);
                }
            }
            self.cursor = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                return;
            }
        }
    }

    pub(crate) async fn equals_what_is_there(&self, person: &Person) {
        let there: BTreeMap<String, Value> = person
            .transactions()
            .await
            .into_iter()
            .map(|row| (row["id"].as_str().unwrap().to_owned(), row))
            .collect();
        assert_eq!(self.rows, there);
    }
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// One thing that a bank may do.
fn something(dice: &mut Dice, rows: &[Value]) -> Value {
    let row = &rows[dice.below(rows.len())];
    let (id, pending) = (&row["transaction_id"], row["pending"] == true);
    match dice.below(4) {
        0 => {
            json!({"add": [{"name": "New", "amount": 3, "pending": true}, {"name": "Newer", "amount": 4}], "notify": false})
        }
        1 => {
            json!({"modify": [{"transaction_id": id, "amount": dice.below(1000)}], "notify": false})
        }
        2 if pending => json!({"post": [id], "notify": false}),
        _ => json!({"remove": [id], "notify": false}),
    }
}

#[tokio::test]
async fn a_mirror_equals_what_is_there_after_any_mix_of_changes() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (mut mirror, mut dice) = (Mirror::default(), Dice(7));
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    for round in 0..30 {
        for _ in 0..=dice.below(4) {
            let rows = app.bank.oracle(&there).await;
            let change = something(&mut dice, &rows);
            app.bank.change(&there, change).await;
        }
        if round % 7 == 6 {
            app.bank
                .event(&there, json!({"event": "expire_cursors"}))
                .await;
        }
        assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
        if dice.below(3) > 0 {
            mirror.catch_up(&ana).await;
            mirror.equals_what_is_there(&ana).await;
        }
    }
    mirror.catch_up(&ana).await;
    mirror.equals_what_is_there(&ana).await;
    assert_eq!(mirror.rows.len(), app.bank.oracle(&there).await.len());
    let (bob, mut other) = (app.person("bob").await, Mirror::default());
    bob.link(&app.bank, "user_good").await;
    other.catch_up(&bob).await;
    other.equals_what_is_there(&bob).await;
    let foreign = |id: &String| mirror.rows.contains_key(id);
    assert!(!other.rows.keys().any(foreign) && !other.rows.is_empty());
}

#[tokio::test]
async fn a_transaction_that_goes_and_comes_again_and_again_is_one() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut mirror = Mirror::default();
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let row = app.bank.oracle(&there).await.remove(0);
    let remove = json!({"remove": [row["transaction_id"]], "notify": false});
    let add = json!({"add": [{"transaction_id": row["transaction_id"], "name": "Again", "amount": 9}], "notify": false});
    mirror.catch_up(&ana).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        app.bank.change(&there, remove.clone()).await;
        assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
        mirror.catch_up(&ana).await;
        mirror.equals_what_is_there(&ana).await;
        app.bank.change(&there, add.clone()).await;
        assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
        mirror.catch_up(&ana).await;
        mirror.equals_what_is_there(&ana).await;
        let again = mirror.rows.values().find(|row| row["name"] == "Again");
        ids.push(again.unwrap()["id"].clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn a_mirror_follows_through_removal_and_a_new_link() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let mut mirror = Mirror::default();
    let first = ana.link(&app.bank, "user_transactions_dynamic").await;
    mirror.catch_up(&ana).await;
    let second = ana.link(&app.bank, "user_good").await;
    let document = "mutation($id: ID!) { removeItem(input: {itemId: $id}) { removedItemId } }";
    ana.ask(document, json!({"id": first})).await;
    mirror.catch_up(&ana).await;
    mirror.equals_what_is_there(&ana).await;
    assert!(!mirror.rows.is_empty());
    let stolen = bob.error(CHANGES, json!({"after": mirror.cursor})).await;
    assert_eq!(stolen, "BAD_USER_INPUT");

    ana.ask(document, json!({"id": second})).await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    mirror.catch_up(&ana).await;
    mirror.equals_what_is_there(&ana).await;
    assert_eq!(mirror.rows.len(), 50);
    let mut strangers = Mirror::default();
    strangers.catch_up(&bob).await;
    assert!(strangers.rows.is_empty());
}

#[tokio::test]
async fn a_posting_that_the_bank_takes_back_leaves_the_pending_one() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let lunch = json!({"add": [{"name": "Lunch", "amount": 12, "pending": true}], "notify": false});
    let pending = app.bank.change(&there, lunch).await["added"][0].clone();
    ana.sync(&item).await;
    let before = ana.transactions().await;
    let posted = app
        .bank
        .change(&there, json!({"post": [pending], "notify": false}))
        .await["posted"][0][1]
        .clone();
    ana.sync(&item).await;
    let again = json!({"remove": [posted], "add": [{"transaction_id": pending, "name": "Lunch", "amount": 12, "pending": true}], "notify": false});
    app.bank.change(&there, again).await;
    ana.sync(&item).await;
    let lunch = |rows: &[Value]| {
        rows.iter()
            .find(|row| row["name"] == "Lunch")
            .map(|row| (row["id"].clone(), row["pending"].clone()))
    };
    assert_eq!(lunch(&ana.transactions().await), lunch(&before));
}
