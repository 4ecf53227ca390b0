//! Pages: what they may be asked for, and what a cursor is good for.

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const LISTS: [&str; 5] = ["items", "accounts", "transactions", "syncJobs", "activity"];

/// The first error of a list asked for with these arguments, without the request's id.
async fn refusal(person: &Person, list: &str, arguments: &str) -> Value {
    let document = format!("{{ {list}({arguments}) {{ pageInfo {{ endCursor }} }} }}");
    let mut answer = person.answer(&document, json!({})).await;
    let mut error = answer["errors"][0].take();
    error["extensions"]["requestId"].take();
    assert_eq!(
        error["extensions"]["code"], "BAD_USER_INPUT",
        "{document}: {answer}"
    );
    error
}

async fn end_of(person: &Person, list: &str) -> String {
    let document = format!("{{ {list}(first: 1) {{ pageInfo {{ endCursor }} }} }}");
    let data = person.ask(&document, json!({})).await;
    data[list]["pageInfo"]["endCursor"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_page_of_no_sensible_size_is_refused_and_the_argument_named() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for list in LISTS {
        for (arguments, named) in [
            ("first: 0", "first"),
            ("first: -1", "first"),
            ("first: 101", "first"),
            ("last: 101", "last"),
            ("first: 5, last: 5", "last"),
        ] {
            let error = refusal(&ana, list, arguments).await;
            assert!(
                error["message"].as_str().unwrap().contains(named),
                "{error}"
            );
        }
    }
    for arguments in ["first: 0", "first: -1", "first: 501"] {
        refusal(&ana, "transactionChanges", arguments).await;
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_person_its_list_and_nothing_else() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    ana.link(&app.bank, "user_transactions_dynamic").await;
    bob.link(&app.bank, "user_good").await;
    for list in LISTS {
        let own = end_of(&ana, list).await;
        let mut edited = own.clone().into_bytes();
        let middle = edited.len() / 2;
        edited[middle] = if edited[middle] == b'A' { b'B' } else { b'A' };
        let other = if list == "items" { "accounts" } else { "items" };
        let wrong = [
            String::from_utf8(edited).unwrap(),
            end_of(&bob, list).await,
            end_of(&ana, other).await,
            own[..own.len() - 4].to_owned(),
            "nonsense".to_owned(),
            String::new(),
        ];
        let mut answers = Vec::new();
        for cursor in &wrong {
            answers.push(refusal(&ana, list, &format!("first: 1, after: \"{cursor}\"")).await);
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn a_page_stays_where_it_is_while_rows_come_in() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let document = "query($after: String, $before: String, $first: Int, $last: Int) { transactions(first: $first, \
                    after: $after, last: $last, before: $before) { nodes { id } pageInfo { startCursor endCursor } } }";
    // More of one day than a page holds.
    let day = json!({"add": vec![json!({"name": "Same day", "amount": 1}); 25], "notify": false});
    app.bank.change(&there, day).await;
    ana.sync(&item).await;
    let all = ana.transactions().await;
    assert_eq!(all.len(), 75);
    let first = ana.ask(document, json!({"first": 10})).await;
    let today = json!({"add": [{"name": "News", "amount": 1}], "notify": false});
    app.bank.change(&there, today).await;
    ana.sync(&item).await;

    let end = &first["transactions"]["pageInfo"]["endCursor"];
    let next = ana.ask(document, json!({"first": 10, "after": end})).await;
    let ids = |page: &Value| -> Vec<Value> {
        let nodes = page["transactions"]["nodes"].as_array().unwrap().clone();
        nodes
            .into_iter()
            .map(|mut node| node["id"].take())
            .collect()
    };
    let expected: Vec<Value> = all[10..20].iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids(&next), expected);
    let start = &next["transactions"]["pageInfo"]["startCursor"];
    let back = ana
        .ask(document, json!({"last": 10, "before": start}))
        .await;
    assert_eq!(ids(&back), ids(&first));
}
