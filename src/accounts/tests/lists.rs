//! The shorter lists, and what the nouns make of their rows.

use async_graphql::Value;
use chrono::TimeDelta;
use entity::{account as accounts, institution, item as items, sync_job as jobs};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::json;
use uuid::Uuid;

use super::{account, api, data, each, item, movement, store, sync_job};
use crate::app::testing::everywhere;

#[tokio::test]
async fn an_item_says_what_its_person_has_to_do() {
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let row = item(app, ana).await;
        let action = async |change: &dyn Fn(&mut items::ActiveModel)| {
            let mut row = row.clone().into_active_model();
            change(&mut row);
            row.reset_all().update(app.db.migrate()).await.unwrap();
            let query = "{ items { nodes { linkStatus linkErrorCode requiredAction { __typename \
                ... on ReauthenticateAction { reason itemId } ... on ConsentExpiringAction { expiresAt } } } } }";
            data(&api, ana, query, Value::Null).await["items"]["nodes"][0].take()
        };
        assert_eq!(action(&|_| {}).await["requiredAction"], json!(null));
        let login = action(&|row| {
            row.link_status = Set(items::LinkStatus::LoginRequired);
            row.link_error = Set(Some("ITEM_LOGIN_REQUIRED".to_owned()));
            row.new_accounts = Set(true);
        });
        let login = login.await;
        assert_eq!(login["requiredAction"]["reason"], json!("LOGIN_REQUIRED"));
        assert_eq!(login["linkErrorCode"], json!("ITEM_LOGIN_REQUIRED"));
        let consent = async |days: i64| {
            action(&|row| {
                row.consent_expires_at = Set(Some(app.clock.now() + TimeDelta::days(days)));
                row.new_accounts = Set(true);
                row.link_error = Set(Some("a sentence, not a code".to_owned()));
            })
            .await
        };
        for (days, name) in [(13, "ConsentExpiringAction"), (-1, "ConsentExpiringAction"), (15, "NewAccountsAction")] {
            let answer = consent(days).await;
            assert_eq!(answer["requiredAction"]["__typename"], json!(name));
            assert_eq!(answer["linkErrorCode"], json!(null));
        }
        let gone = action(&|row| {
            row.link_status = Set(items::LinkStatus::Disconnected);
            row.new_accounts = Set(true);
        });
        assert_eq!(gone.await["requiredAction"], json!(null));
    })
    .await;
}

#[tokio::test]
async fn accounts_are_found_by_item_type_and_whether_they_are_open() {
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let (home, work) = (item(app, ana).await, item(app, ana).await);
        account(app, &home, "Checking").await;
        account(app, &work, "Payroll").await;
        let mut card = account(app, &home, "Card").await.into_active_model();
        card.kind = Set(accounts::AccountKind::Credit);
        card.currency = Set(None);
        card.balance_limit = Set(Some("-0.001".to_owned()));
        card.update(app.db.migrate()).await.unwrap();
        let mut closed = account(app, &home, "Old").await.into_active_model();
        closed.closed_at = Set(Some(app.clock.now()));
        closed.update(app.db.migrate()).await.unwrap();
        let found = async |filter: &str| {
            let query = format!("{{ accounts{filter} {{ nodes {{ name }} }} }}");
            each(&data(&api, ana, &query, Value::Null).await["accounts"], "name").join(" ")
        };
        let home = crate::graphql::id::encode("item", home.id);
        assert_eq!(found("").await, "Checking Payroll Card");
        assert_eq!(found("(last: 2)").await, "Payroll Card");
        assert_eq!(found("(filter: {types: [CREDIT, LOAN]})").await, "Card");
        assert_eq!(found("(filter: {includeClosed: true, types: [DEPOSITORY]})").await, "Checking Payroll Old");
        assert_eq!(found(&format!("(filter: {{itemIds: [\"{}\"]}})", *home)).await, "Checking Card");
        let query = "{ items(first: 1) { nodes { open: accounts { name } all: accounts(includeClosed: true) { name } } } \
            accounts(filter: {types: [CREDIT]}) { nodes { type balances { current { amount currency } available { amount } limit { amount } } } } }";
        let answer = data(&api, ana, query, Value::Null).await;
        let lists = &answer["items"]["nodes"][0];
        assert_eq!((lists["open"].as_array().unwrap().len(), lists["all"].as_array().unwrap().len()), (2, 3));
        let balances = json!({
            "current": { "amount": "110.50", "currency": "XXX" }, "available": null, "limit": { "amount": "-0.001" }
        });
        assert_eq!(answer["accounts"]["nodes"][0], json!({ "type": "CREDIT", "balances": balances }));
    })
    .await;
}

#[tokio::test]
async fn syncs_come_newest_first_and_say_what_went_wrong() {
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let (home, work) = (item(app, ana).await, item(app, ana).await);
        let first = sync_job(app, &home).await;
        sync_job(app, &work).await;
        let mut failed = sync_job(app, &home).await.into_active_model();
        failed.status = Set(jobs::SyncJobStatus::Failed);
        failed.trigger = Set(jobs::SyncTrigger::Webhook);
        failed.error_code = Set(Some("REAUTHENTICATION_REQUIRED".to_owned()));
        failed.error_message = Set(Some("Sign in again.".to_owned()));
        failed.error_action = Set(Some("A_WORD_OF_TOMORROW".to_owned()));
        failed.update(app.db.migrate()).await.unwrap();
        let query = "{ syncJobs { totalCount nodes { status trigger error { code message action retryable } item { latestSyncJob { status } } } } \
            failed: syncJobs(filter: {statuses: [FAILED], triggers: [WEBHOOK, LINK]}) { totalCount } }";
        let answer = data(&api, ana, query, Value::Null).await;
        let jobs = &answer["syncJobs"]["nodes"];
        assert_eq!((jobs[0]["status"].as_str(), jobs[2]["status"].as_str()), (Some("FAILED"), Some("QUEUED")));
        let error = json!({ "code": "REAUTHENTICATION_REQUIRED", "message": "Sign in again.", "action": null, "retryable": false });
        assert_eq!((&jobs[0]["error"], &jobs[1]["error"]), (&error, &json!(null)));
        for (job, latest) in [(0, "FAILED"), (1, "QUEUED"), (2, "FAILED")] {
            assert_eq!(jobs[job]["item"]["latestSyncJob"]["status"], json!(latest));
        }
        assert_eq!(answer["failed"]["totalCount"], json!(1));
        let one = format!("{{ syncJob(id: \"{}\") {{ progress {{ pages }} maxAttempts }} }}", *crate::graphql::id::encode("job", first.id));
        assert_eq!(data(&api, ana, &one, Value::Null).await["syncJob"]["maxAttempts"], json!(5));
    })
    .await;
}

#[tokio::test]
async fn what_a_transaction_knows_is_read_and_what_is_broken_is_left_out() {
    everywhere(async |app| {
        let (ana, api) = (app.person("ana").await, api(app));
        let bank = institution::ActiveModel {
            id: Set(Uuid::now_v7()),
            provider: Set(items::Provider::Plaid),
            provider_institution_id: Set("ins_1".to_owned()),
            name: Set("First Platypus Bank".to_owned()),
            oauth: Set(false),
            updated_at: Set(app.clock.now()),
            ..Default::default()
        };
        let bank = bank.insert(app.db.migrate()).await.unwrap();
        let mut item = item(app, ana).await.into_active_model();
        item.institution_id = Set(Some(bank.id));
        let item = item.update(app.db.migrate()).await.unwrap();
        let account = account(app, &item, "A").await;
        let mut whole = movement(&account, 2, "-1250", "Shop");
        whole.currency = Set("JPY".to_owned());
        whole.location = Set(Some(json!({ "city": "Kyoto", "postalCode": "600", "latitude": 34.98 }).to_string()));
        whole.counterparties = Set(Some(json!([{ "name": "Shop", "type": "merchant", "logoUrl": "https://x/y.png" }]).to_string()));
        let mut broken = movement(&account, 1, "0", "Zero");
        broken.location = Set(Some("[]{".to_owned()));
        broken.counterparties = Set(Some("{}".to_owned()));
        store(app, vec![whole, broken]).await;
        let query = "{ transactions { nodes { amount { amount currency } direction location { city postalCode latitude address } \
            counterparties { name type logoUrl website } account { item { institution { name } } } } } }";
        let nodes = data(&api, ana, query, Value::Null).await["transactions"]["nodes"].take();
        let (whole, broken) = (&nodes[0], &nodes[1]);
        assert_eq!(whole["amount"], json!({ "amount": "-1250", "currency": "JPY" }));
        assert_eq!((&whole["direction"], &broken["direction"]), (&json!("OUTFLOW"), &json!("INFLOW")));
        assert_eq!(whole["location"]["postalCode"], json!("600"));
        assert_eq!(whole["counterparties"][0]["type"], json!("merchant"));
        assert_eq!((&broken["location"], &broken["counterparties"]), (&json!(null), &json!([])));
        assert_eq!(whole["account"]["item"]["institution"]["name"], json!("First Platypus Bank"));
    })
    .await;
}
