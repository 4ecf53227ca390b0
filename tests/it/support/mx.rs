//! What a story does with banks that MX connects.

use std::time::Duration;

use reqwest::{Method, StatusCode, header::LOCATION, redirect::Policy};
use serde_json::{Value, json};

use super::{Bank, MX_PASSWORD, MX_USER, Person, TestApp, patiently};

/// The shape of an item in these stories.
const ITEM: &str = "id linkStatus linkErrorCode linkErrorMessage transactionsStatus lastSyncedAt removedAt \
    requiredAction { __typename ... on ReauthenticateAction { itemId reason } ... on AnswerChallengeAction { \
    itemId expiresAt challenges { id label kind image options { value label image } } } }";

impl Bank {
    /// The members MX knows, oldest first.
    pub(crate) async fn members(&self) -> Vec<Value> {
        let told = self.look("/control/members").await;
        told["members"].as_array().unwrap().clone()
    }

    /// How many users MX knows.
    pub(crate) async fn mx_users(&self) -> u64 {
        let request = reqwest::Client::builder().build().unwrap();
        let request = request.get(format!("{}/mx/users", self.url()));
        let request = request.header("accept", "application/vnd.mx.api.v1+json");
        let answer = request.basic_auth("client", Some("key")).send().await;
        let text = answer.unwrap().text().await.unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        let count = told["pagination"]["total_entries"].as_u64();
        count.unwrap_or_else(|| panic!("{told}"))
    }

    /// Calls MX as another of its clients would.
    pub(crate) async fn mx_does(&self, method: Method, path: &str) {
        let request = reqwest::Client::builder().build().unwrap();
        let request = request.request(method, format!("{}/mx{path}", self.url()));
        let request = request.header("accept", "application/vnd.mx.api.v1+json");
        let answer = request.basic_auth("client", Some("key")).send().await;
        let answer = answer.unwrap();
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().await.unwrap()
        );
    }

    /// Waits until MX knows so many members.
    pub(crate) async fn members_are(&self, count: usize) {
        patiently(async { while self.members().await.len() != count {} }).await;
    }

    /// The guid of the only member.
    pub(crate) async fn member(&self) -> String {
        let members = self.members().await;
        assert_eq!(members.len(), 1, "{members:?}");
        members[0]["guid"].as_str().unwrap().to_owned()
    }

    /// Sets something of a member.
    pub(crate) async fn set_member(&self, guid: &str, fields: Value) {
        self.ask(&format!("/control/members/{guid}"), fields).await;
    }

    /// Takes steps of a member's job.
    pub(crate) async fn step(&self, guid: &str, steps: u32) {
        let path = format!("/control/members/{guid}/step");
        self.ask(&path, json!({"steps": steps})).await;
    }

    /// Changes a member's transactions.
    pub(crate) async fn change_member(&self, guid: &str, changes: Value) -> Value {
        let path = format!("/control/members/{guid}/transactions");
        self.ask(&path, changes).await
    }

    /// What a client that has read everything must hold, as our own rows: name, amount, pending.
    pub(crate) async fn member_truth(&self, guid: &str) -> Vec<(String, String, bool)> {
        let told = self.look(&format!("/control/members/{guid}/oracle")).await;
        let lines = match told {
            Value::String(lines) => lines,
            one => one.to_string(),
        };
        let rows = lines.lines().map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            let sign = if row["type"] == "DEBIT" { "-" } else { "" };
            let amount = format!("{sign}{}", row["amount"]);
            let name = row["original_description"].as_str().unwrap().to_owned();
            (name, plain(&amount), row["status"] == "PENDING")
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort();
        rows
    }

    /// Lets MX live at a pace, or step by step by the story's hand.
    pub(crate) async fn mx(&self, settings: Value) {
        self.settings(json!({"mx": settings})).await;
    }

    /// Sends a body to where MX's webhooks go.
    pub(crate) async fn mx_sends(&self, body: Value, times: u32) {
        let made = json!({"body": body, "times": times});
        self.ask("/control/mx/webhooks/send", made).await;
    }

    /// Signs in on a page of MX's.
    pub(crate) async fn types(&self, page: &str, password: &str) {
        let typed = [
            ("action", "sign_in"),
            ("LOGIN", "mxuser"),
            ("PASSWORD", password),
        ];
        self.fill(page, &typed).await;
    }

    /// Fills in a form; where it leads, as the page says.
    pub(crate) async fn leads(&self, page: &str, fields: &[(&str, &str)]) -> String {
        let client = reqwest::Client::builder().redirect(Policy::none());
        let form = reqwest::Url::parse_with_params("http://form/", fields).unwrap();
        let request = client.build().unwrap().post(page);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = form.query().unwrap_or_default().to_owned();
        let answer = request.body(body).send().await.unwrap();
        let to = answer.headers().get(LOCATION);
        let to = to.unwrap_or_else(|| panic!("{page} leads nowhere: {}", answer.status()));
        to.to_str().unwrap().to_owned()
    }

    /// Where a page of MX's is that opens once.
    pub(crate) async fn opened(&self, address: &str) -> String {
        let client = reqwest::Client::builder().redirect(Policy::none());
        let answer = client.build().unwrap().get(address).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        format!(
            "{}{}",
            self.url(),
            answer.headers()[LOCATION].to_str().unwrap()
        )
    }
}

/// An amount as people write it.
fn plain(amount: &str) -> String {
    let amount: rust_decimal::Decimal = amount.parse().unwrap();
    amount.normalize().to_string()
}

impl TestApp {
    /// Has MX send its webhooks here.
    pub(crate) async fn hears_mx(&self) {
        let url = format!("{}/webhooks/mx", self.url);
        let target = json!({"url": url, "user": MX_USER, "password": MX_PASSWORD});
        self.bank.ask("/control/mx/webhooks", target).await;
    }

    /// Waits until an item of a person's stands so. While its sync waits for MX, time passes.
    pub(crate) async fn becomes_so(
        &self,
        person: &Person,
        item: &str,
        so: impl Fn(&Value) -> bool,
    ) -> Value {
        let stands = async {
            loop {
                let told = person.mx_item(item).await;
                if so(&told) {
                    return told;
                }
                self.while_it_waits().await;
            }
        };
        patiently(stands).await
    }

    /// The same for the health of its login.
    pub(crate) async fn stands(&self, person: &Person, item: &str, status: &str) -> Value {
        self.becomes_so(person, item, |told| told["linkStatus"] == status)
            .await
    }

    /// Waits until a sync job has ended, and lets time pass while it waits for MX.
    pub(crate) async fn sync_ends(&self, person: &Person, job: &str) -> Value {
        let document = "query($id: ID!) { syncJob(id: $id) { status trigger finishedAt error { code action } \
                        progress { added modified removed } } }";
        let ended = async {
            loop {
                let mut data = person.ask(document, json!({"id": job})).await;
                if data["syncJob"]["finishedAt"].is_string() {
                    return data["syncJob"].take();
                }
                self.while_it_waits().await;
            }
        };
        patiently(ended).await
    }

    /// Lets three seconds pass if a job waits for them.
    pub(crate) async fn while_it_waits(&self) {
        let waiting = "SELECT count(*) FROM jobs WHERE state = 'waiting'";
        if self.count(waiting).await > 0 {
            self.clock.advance(Duration::from_secs(3));
        }
    }
}

impl Person {
    /// A page of MX's to link a bank on, opened.
    pub(crate) async fn widget(&self, bank: &Bank) -> String {
        let document = "mutation { createLinkToken(input: {provider: MX}) { hostedLinkUrl userErrors { code } } }";
        let data = self.ask(document, json!({})).await;
        let address = data["createLinkToken"]["hostedLinkUrl"].as_str();
        let address = address.unwrap_or_else(|| panic!("{data}"));
        bank.opened(address).await
    }

    /// Her only item.
    pub(crate) async fn only_item(&self) -> String {
        let data = self.ask("{ items { nodes { id } } }", json!({})).await;
        let items = data["items"]["nodes"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{items:?}");
        items[0]["id"].as_str().unwrap().to_owned()
    }

    /// Deletes her account.
    pub(crate) async fn leaves(&self) {
        let document = "mutation { deleteAccount(input: {password: \"correct horse battery\"}) { deletedUserId \
                        userErrors { code } } }";
        let data = self.ask(document, json!({})).await;
        let id = &data["deleteAccount"]["deletedUserId"];
        assert!(id.is_string(), "{data}");
    }

    /// How an item stands.
    pub(crate) async fn mx_item(&self, id: &str) -> Value {
        let document = format!("query($id: ID!) {{ item(id: $id) {{ {ITEM} }} }}");
        let mut data = self.ask(&document, json!({"id": id})).await;
        data["item"].take()
    }

    /// What a bank asks for when somebody signs in: ids by name.
    pub(crate) async fn fields(&self, search: &str) -> Vec<Value> {
        let document = "query($search: String!) { institutions(provider: MX, search: $search) { nodes { code \
                        credentialFields { id name label kind } } } }";
        let data = self.ask(document, json!({"search": search})).await;
        let fields = &data["institutions"]["nodes"][0]["credentialFields"];
        fields.as_array().unwrap().clone()
    }

    /// Credentials for MX's test bank.
    pub(crate) async fn credentials(&self, user: &str, password: &str) -> Value {
        let fields = self.fields("MX Bank").await;
        let value = |field: &Value| match field["name"].as_str().unwrap() {
            "LOGIN" => json!({"fieldId": field["id"], "value": user}),
            _ => json!({"fieldId": field["id"], "value": password}),
        };
        fields.iter().map(value).collect()
    }

    /// Orders a bank.
    pub(crate) async fn order(&self, input: Value) -> Value {
        let document = "mutation($input: LinkInstitutionInput!) { linkInstitution(input: $input) { item { id \
                        linkStatus } syncJob { id status trigger } existingItem { id } oauthWindowUrl \
                        userErrors { code message field retryable retryAfterSeconds } } }";
        let mut data = self.ask(document, json!({"input": input})).await;
        data["linkInstitution"].take()
    }

    /// Orders MX's test bank; returns the item.
    pub(crate) async fn order_mx(&self, user: &str, password: &str) -> String {
        let credentials = self.credentials(user, password).await;
        let input = json!({"institutionCode": "mxbank", "credentials": credentials});
        let ordered = self.order(input).await;
        assert_eq!(ordered["userErrors"], json!([]), "{ordered}");
        ordered["item"]["id"].as_str().unwrap().to_owned()
    }

    /// Links MX's test bank and waits until it is here.
    pub(crate) async fn link_mx(&self, app: &TestApp, user: &str) -> String {
        let item = self.order_mx(user, "any").await;
        app.stands(self, &item, "SUCCESS").await;
        item
    }

    /// Answers what a bank asks, each question alike.
    pub(crate) async fn answer_all(&self, item: &Value, value: &str) -> Value {
        let asked = item["requiredAction"]["challenges"].as_array();
        let asked = asked.unwrap_or_else(|| panic!("nothing asked: {item}"));
        let answers = asked
            .iter()
            .map(|asked| json!({"challengeId": asked["id"], "value": value}));
        let answers: Value = answers.collect();
        self.give(item["id"].as_str().unwrap(), answers).await
    }

    /// Gives answers.
    pub(crate) async fn give(&self, item: &str, answers: Value) -> Value {
        let document = "mutation($input: AnswerChallengeInput!) { answerChallenge(input: $input) { item { \
                        linkStatus requiredAction { __typename } } syncJob { id } userErrors { code field } } }";
        let input = json!({"itemId": item, "answers": answers});
        let mut data = self.ask(document, json!({"input": input})).await;
        data["answerChallenge"].take()
    }

    /// Gives new credentials.
    pub(crate) async fn update(&self, item: &str, credentials: Value) -> Value {
        let document = "mutation($input: UpdateCredentialsInput!) { updateCredentials(input: $input) { item { \
                        linkStatus } syncJob { id } userErrors { code field } } }";
        let input = json!({"itemId": item, "credentials": credentials});
        let mut data = self.ask(document, json!({"input": input})).await;
        data["updateCredentials"].take()
    }

    /// Asks for a sync; returns the job.
    pub(crate) async fn ask_sync(&self, item: &str) -> String {
        let document = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } userErrors { code } } }";
        let data = self.ask(document, json!({"id": item})).await;
        let job = data["syncItem"]["syncJob"]["id"].as_str();
        job.unwrap_or_else(|| panic!("{data}")).to_owned()
    }

    /// Her transactions as the bank would tell them: name, amount, pending.
    pub(crate) async fn holds(&self) -> Vec<(String, String, bool)> {
        let rows = self.transactions().await;
        let mut held: Vec<_> = rows
            .iter()
            .map(|row| {
                let name = row["name"].as_str().unwrap().to_owned();
                let amount = plain(row["amount"]["amount"].as_str().unwrap());
                (name, amount, row["pending"] == true)
            })
            .collect();
        held.sort();
        held
    }
}
