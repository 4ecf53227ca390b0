//! Calls to MX that break off, meet each other, or come to somebody who is gone.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestApp;

const CREATE: &str = "POST /mx/users/{user_guid}/members";
const LIST: &str = "GET /mx/users/{user_guid}/members";
const MEMBER: &str = "/mx/users/{user_guid}/members/{member_guid}";

fn code(answer: &Value) -> &Value {
    &answer["userErrors"][0]["code"]
}

#[tokio::test]
async fn whoever_mx_knows_no_more_links_anew() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let old = ana.link_mx(&app, "mxuser").await;
    let forget = async || {
        let user = app.bank.members().await[0]["user_guid"].clone();
        let path = format!("/users/{}", user.as_str().unwrap());
        app.bank.mx_does(Method::DELETE, &path).await;
    };
    forget().await;
    let item = ana.link_mx(&app, "mxuser").await;
    assert_ne!(item, old);
    assert_eq!(app.bank.mx_users().await, 1);

    forget().await;
    let page = ana.widget(&app.bank).await;
    app.bank
        .fill(&page, &[("institution_code", "mxbank")])
        .await;
    app.bank.types(&page, "any").await;
    app.bank.members_are(1).await;

    // An order that broke off is at an end, since nobody will ever find its login.
    let away = json!([{"kind": "lost", "endpoint": CREATE, "count": 1},
                      {"kind": "status", "status": 503, "endpoint": LIST}]);
    app.bank.faults(away).await;
    let fields = ana.fields("Hazel").await;
    let typed = |field: &Value| json!({"fieldId": field["id"], "value": "mxuser"});
    let credentials: Value = fields.iter().map(typed).collect();
    let input = json!({"institutionCode": "hazel_bank", "credentials": credentials});
    assert_eq!(
        *code(&ana.order(input.clone()).await),
        "PROVIDER_UNAVAILABLE"
    );
    app.bank.faults(json!([])).await;
    forget().await;
    app.passes(Duration::from_mins(11), "linking.sweep").await;
    let open = "SELECT count(*) FROM link_intents WHERE finished_at IS NULL";
    assert_eq!(app.count(open).await, 0);
    let again = ana.order(input).await;
    assert!(again["item"]["id"].is_string(), "{again}");
}

#[tokio::test]
async fn a_call_that_died_is_gone_on_with_after_three_minutes() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let credentials = ana.credentials("mxuser", "any").await;
    let input =
        json!({"institutionCode": "mxbank", "credentials": credentials, "idempotencyKey": "key"});
    let held = json!([{"kind": "held", "endpoint": CREATE}]);
    app.bank.faults(held).await;
    let dying = {
        let (ana, input) = (ana.at(&app.url), input.clone());
        tokio::spawn(async move { ana.order(input).await })
    };
    app.bank.members_are(1).await;
    let app = app.crash().await;
    dying.abort();
    app.bank.faults(json!([])).await;
    assert_eq!(
        *code(&ana.order(input.clone()).await),
        "EXCHANGE_IN_PROGRESS"
    );
    app.clock.advance(Duration::from_secs(181));
    let answer = ana.order(input).await;
    let item = answer["item"]["id"].as_str();
    let item = item.unwrap_or_else(|| panic!("{answer}"));
    app.stands(&ana, item, "SUCCESS").await;
    assert_eq!(app.bank.members().await.len(), 1);
    assert_eq!(app.bank.calls(CREATE).await.len(), 1);
}

#[tokio::test]
async fn what_was_handed_over_is_looked_at_though_the_answer_was_lost() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "DENIED").await;
    app.stands(&ana, &item, "INVALID_CREDENTIALS").await;
    let lost = |call: String| json!([{"kind": "lost", "endpoint": call, "count": 1}]);
    app.bank.faults(lost(format!("PUT {MEMBER}"))).await;
    let good = ana.credentials("mxuser", "challenge").await;
    let told = ana.update(&item, good).await;
    assert_eq!(*code(&told), "PROVIDER_UNAVAILABLE", "{told}");
    app.passes(Duration::from_mins(11), "sync.sweep").await;
    let told = app.stands(&ana, &item, "CHALLENGED").await;

    // A question is looked at in ten minutes by itself: here it is asked again in the middle of a round.
    app.clock.advance(Duration::from_mins(5));
    let job = ana.ask_sync(&item).await;
    app.sync_ends(&ana, &job).await;
    app.bank.faults(lost(format!("PUT {MEMBER}/resume"))).await;
    let answered = ana.answer_all(&told, "correct").await;
    assert_eq!(*code(&answered), "PROVIDER_UNAVAILABLE", "{answered}");
    app.passes(Duration::from_mins(6), "sync.sweep").await;
    app.stands(&ana, &item, "SUCCESS").await;
    let member = app.bank.member().await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
}

#[tokio::test]
async fn a_login_that_is_gone_already_is_removed_and_one_being_removed_is_not_linked() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let member = &app.bank.members().await[0];
    let text = |name: &str| member[name].as_str().unwrap();
    let path = format!("/users/{}/members/{}", text("user_guid"), text("guid"));
    app.bank.mx_does(Method::DELETE, &path).await;
    ana.remove(&item).await;
    app.idle().await;
    let kept = "SELECT count(*) FROM items WHERE length(access_token) > 0";
    assert_eq!(app.count(kept).await, 0);

    let item = ana.link_mx(&app, "mxuser").await;
    let busy = json!([{"kind": "status", "status": 503, "endpoint": format!("DELETE {MEMBER}")}]);
    app.bank.faults(busy).await;
    ana.remove(&item).await;
    let credentials = ana.credentials("mxuser", "any").await;
    let input = json!({"institutionCode": "mxbank", "credentials": credentials});
    let told = ana.order(input.clone()).await;
    assert_eq!(*code(&told), "PROVIDER_UNAVAILABLE", "{told}");
    assert_eq!(told["userErrors"][0]["retryAfterSeconds"], 60);
    assert!(told["existingItem"].is_null());
    app.bank.faults(json!([])).await;
    app.clock.advance(Duration::from_hours(1));
    app.bank.members_are(0).await;
    let again = ana.order(input).await;
    assert!(again["item"]["id"].is_string(), "{again}");
}

#[tokio::test]
async fn a_bank_whose_person_leaves_while_it_is_linked_is_given_up() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    bob.link_mx(&app, "mxuser").await;
    let held = json!([{"kind": "held", "endpoint": CREATE}]);
    let credentials = ana.credentials("mxuser", "any").await;
    app.bank.faults(held).await;
    let input = json!({"institutionCode": "mxbank", "credentials": credentials});
    let document = "mutation($input: LinkInstitutionInput!) { linkInstitution(input: $input) { item { id } } }";
    let leaving = async {
        app.bank.members_are(2).await;
        ana.leaves().await;
        app.bank.faults(json!([])).await;
    };
    let (told, ()) = tokio::join!(ana.answer(document, json!({"input": input})), leaving);
    assert!(told["data"]["linkInstitution"]["item"].is_null(), "{told}");
    app.bank.members_are(1).await;
    assert_eq!(app.bank.mx_users().await, 1);
    assert_eq!(app.count("SELECT count(*) FROM items").await, 1);
}
