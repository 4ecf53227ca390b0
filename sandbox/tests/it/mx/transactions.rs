//! Lists of transactions: what stands, since when, and how pages shift.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Mx, copy};

const ALL: &str = "from_date=2020-01-01&records_per_page=100";

#[tokio::test]
async fn rows_are_unsigned_with_a_direction_and_the_newest_first() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let rows = mx.rows(&member, ALL).await;
    assert_eq!(rows.len(), 180);
    assert!(rows.is_sorted_by(|a, b| a["date"].as_str() >= b["date"].as_str()));
    assert!(
        rows.iter()
            .all(|row| !row["amount"].to_string().starts_with('-'))
    );
    let pay = rows
        .iter()
        .find(|row| row["category"] == "Paycheck")
        .unwrap();
    assert_eq!(
        (&pay["type"], pay["amount"].to_string()),
        (&json!("CREDIT"), "2145.63".to_owned())
    );
    assert_eq!(
        (&pay["user_id"], &pay["top_level_category"]),
        (&json!("ana"), &json!("Income"))
    );
    let pending: Vec<&Value> = rows
        .iter()
        .filter(|row| row["status"] == "PENDING")
        .collect();
    assert_eq!(pending.len(), 4);
    assert!(pending.iter().all(|row| row["posted_at"].is_null()));
    assert_eq!(copy(rows), mx.oracle(&member).await);
    assert_eq!(mx.rows(&format!("/users/{ana}"), ALL).await.len(), 180);
    let account = mx.get(&format!("{member}/accounts")).await["accounts"][0]["guid"]
        .as_str()
        .unwrap()
        .to_owned();
    let of_one = mx
        .rows(&format!("/users/{ana}/accounts/{account}"), ALL)
        .await;
    assert!(!of_one.is_empty() && of_one.iter().all(|row| row["account_guid"] == account));
}

#[tokio::test]
async fn dates_bound_a_list_and_days_of_change_another() {
    let mx = Mx::open().await;
    mx.bank
        .control(
            "/clock",
            json!({ "set": "2026-03-31T12:00:00Z", "hold": true }),
        )
        .await;
    let ana = mx.user("ana").await;
    let member = mx.link_at(&ana, "mxbank", "mxuser_1460", "any").await;
    mx.step(&member, 4).await;
    let usual = mx.rows(&member, "records_per_page=1000").await;
    assert_eq!(
        usual.last().unwrap()["date"],
        "2025-12-01",
        "120 days unless told"
    );
    assert_eq!(
        mx.rows(&member, "from_date=2024-01-01&records_per_page=1000")
            .await
            .len(),
        1460
    );
    let march = mx
        .rows(&member, "from_date=2026-03-01&to_date=2026-03-02")
        .await;
    assert_eq!(march.len(), 4);

    mx.bank
        .control("/clock", json!({ "advance_seconds": 2 * 86_400 }))
        .await;
    let changed = march[0]["guid"].as_str().unwrap();
    mx.change(&member, json!({ "modify": [{ "guid": changed, "amount": 1.25 }], "add": [{ "description": "NEW" }] })).await;
    let since = mx.rows(&member, "from_updated_at=2026-04-01").await;
    assert_eq!(since.len(), 2);
    assert_eq!(
        mx.rows(&member, "from_created_at=2026-04-01").await[0]["description"],
        "NEW"
    );
    let one = since.iter().find(|row| row["guid"] == changed).unwrap();
    assert_eq!(
        (one["amount"].to_string(), &one["updated_at"]),
        ("1.25".to_owned(), &json!("2026-04-02T12:00:00Z"))
    );
    assert_eq!(one["created_at"], "2026-03-31T12:00:00Z");

    for wrong in [
        "from_date=yesterday",
        "from_updated_at=2025-01-01&to_updated_at=2025-12-01",
    ] {
        assert_eq!(
            mx.refused(
                Method::GET,
                &format!("{member}/transactions?{wrong}"),
                Value::Null
            )
            .await,
            400
        );
    }
}

#[tokio::test]
async fn what_was_pending_comes_back_under_another_guid() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let before = mx.oracle(&member).await;
    mx.aggregate(&member).await;
    mx.step(&member, 4).await;
    let after = mx.oracle(&member).await;
    let pending = before.values().filter(|row| row["status"] == "PENDING");
    for row in pending {
        assert!(!after.contains_key(row["guid"].as_str().unwrap()));
        let posted = after.values().find(|other| {
            other["description"] == row["description"]
                && other["amount"] == row["amount"]
                && other["status"] == "POSTED"
        });
        assert!(
            posted.is_some_and(|posted| posted["guid"] != row["guid"]),
            "{row}"
        );
    }
    assert_eq!(
        after
            .values()
            .filter(|row| row["status"] == "PENDING")
            .count(),
        3
    );
    assert_eq!(after.len(), before.len() + 3);

    mx.bank
        .control("/settings", json!({ "mx": { "new_rows": 0 } }))
        .await;
    mx.aggregate(&member).await;
    mx.step(&member, 4).await;
    assert_eq!(mx.oracle(&member).await, after);
}

#[tokio::test]
async fn what_an_aggregation_changed_is_found_by_the_day_it_did() {
    let mx = Mx::open().await;
    mx.bank
        .control(
            "/clock",
            json!({ "set": "2026-03-31T12:00:00Z", "hold": true }),
        )
        .await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let before = mx.oracle(&member).await;
    mx.bank
        .control("/clock", json!({ "advance_seconds": 2 * 86_400 }))
        .await;
    mx.aggregate(&member).await;
    mx.step(&member, 4).await;
    let since = copy(mx.rows(&member, "from_updated_at=2026-04-01").await);
    let after = mx.oracle(&member).await;
    let differs = |(guid, row): &(&String, &Value)| before.get(*guid) != Some(*row);
    let changed: Vec<&String> = after.iter().filter(differs).map(|(guid, _)| guid).collect();
    assert_eq!(changed.len(), 4 + 1 + 3);
    assert_eq!(since.keys().collect::<Vec<_>>(), changed);
}

#[tokio::test]
async fn a_row_that_changes_its_day_stands_once() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let guid = mx.oracle(&member).await.keys().next().unwrap().clone();
    mx.change(
        &member,
        json!({ "modify": [{ "guid": guid, "date": "2026-01-01" }] }),
    )
    .await;
    let rows = mx.rows(&member, ALL).await;
    let found: Vec<&Value> = rows.iter().filter(|row| row["guid"] == guid).collect();
    assert_eq!((rows.len(), found.len()), (180, 1));
    assert_eq!(found[0]["date"], "2026-01-01");
}

#[tokio::test]
async fn a_longer_history_adds_rows_and_changes_none() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let before = mx.oracle(&member).await;
    let (status, _) = mx
        .ask(
            Method::POST,
            &format!("{member}/extend_history"),
            Value::Null,
        )
        .await;
    assert_eq!(status, 202);
    mx.step(&member, 4).await;
    let after = mx.oracle(&member).await;
    assert!(after.len() > 1_400, "{}", after.len());
    assert!(
        before
            .iter()
            .all(|(guid, row)| after.get(guid) == Some(row))
    );
}

#[tokio::test]
async fn pages_shift_when_something_comes_or_goes_between_two() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let sound: Vec<Value> = mx.rows(&member, "records_per_page=50").await;
    let guids = |rows: &[Value]| {
        rows.iter()
            .map(|row| row["guid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    // A row comes on top after page 2: the last of page 2 is met again on page 3.
    mx.change(
        &member,
        json!({ "after_page": 2, "add": [{ "description": "CAME BETWEEN" }] }),
    )
    .await;
    let shifted = guids(&mx.rows(&member, "records_per_page=50").await);
    assert_eq!(shifted.len(), 181);
    assert_eq!(shifted[99], shifted[100]);
    assert_eq!(
        guids(&mx.rows(&member, "records_per_page=50").await).len(),
        181
    );

    // One goes after page 1: the first of page 2 slips away unseen.
    let gone = shifted[10].clone();
    mx.change(&member, json!({ "after_page": 1, "remove": [gone] }))
        .await;
    let before = guids(&mx.rows(&member, "records_per_page=1000").await);
    // That was page 1 of another list, and the order stood; so it has been carried out.
    assert_eq!(before.len(), 181);
    let after = guids(&mx.rows(&member, "records_per_page=50").await);
    assert_eq!(after.len(), 180);
    assert!(!after.contains(&gone) && sound.len() == 180);
}

#[tokio::test]
async fn rows_can_be_posted_and_removed_by_order() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let row =
        json!({ "description": "KIOSK", "amount": 12.34, "type": "DEBIT", "status": "PENDING" });
    let added = mx.change(&member, json!({ "add": [row] })).await["added"][0].clone();
    let path = format!("/users/{ana}/transactions/{}", added.as_str().unwrap());
    assert_eq!(
        mx.get(&path).await["transaction"]["amount"].to_string(),
        "12.34"
    );
    let posted = mx.change(&member, json!({ "post": [added] })).await["posted"][0][1].clone();
    assert_eq!(mx.refused(Method::GET, &path, Value::Null).await, 404);
    assert_eq!(
        mx.oracle(&member).await[posted.as_str().unwrap()]["status"],
        "POSTED"
    );
    mx.change(&member, json!({ "remove": [posted] })).await;
    assert_eq!(mx.oracle(&member).await.len(), 180);
    let misspelt = json!({ "add": [{ "ammount": 1 }] });
    let path = format!(
        "/control/members/{}/transactions",
        super::client::guid(&member)
    );
    assert_eq!(
        mx.bank
            .send(&path, misspelt.to_string())
            .await
            .unwrap()
            .status(),
        400
    );
}
