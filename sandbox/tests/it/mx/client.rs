//! Somebody who talks to MX's face, and to control.

use std::collections::BTreeMap;

use passbook_sandbox::{Options, Settings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Bank, at_once};

pub(crate) const VERSION: &str = "application/vnd.mx.api.v1+json";

/// MX, and somebody with keys to it.
pub(crate) struct Mx {
    pub(crate) bank: Bank,
    http: reqwest::Client,
}

/// A client's copy of a member's transactions, by guid.
pub(crate) type Copy = BTreeMap<String, Value>;

/// Settings under which nothing happens but by control.
pub(crate) fn by_control() -> Settings {
    let mut settings = at_once();
    settings.mx.by_control = true;
    settings
}

impl Mx {
    /// MX with its steps in the test's hand.
    pub(crate) async fn open() -> Self {
        Self::with(by_control()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::open_with(Options {
            settings,
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn open_with(options: Options) -> Self {
        Self {
            bank: Bank::open_with(options).await,
            http: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/mx{path}", self.bank.sandbox.url()))
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self
            .request(method, path)
            .basic_auth("client", Some("key"))
            .header("accept", VERSION);
        let request = if body.is_null() {
            request
        } else {
            request
                .header("content-type", "application/json")
                .body(body.to_string())
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The status of a call that has to be refused with a sentence.
    pub(crate) async fn refused(&self, method: Method, path: &str, body: Value) -> u16 {
        let (status, answer) = self.ask(method, path, body).await;
        assert!(status >= 400, "{path}: {answer}");
        assert!(answer["error"]["message"].is_string(), "{answer}");
        status
    }

    pub(crate) async fn user(&self, id: &str) -> String {
        let body = json!({ "user": { "id": id } });
        let (status, answer) = self.ask(Method::POST, "/users", body).await;
        assert_eq!(status, 200, "{answer}");
        answer["user"]["guid"].as_str().unwrap().to_owned()
    }

    /// What a bank's fields are answered with.
    pub(crate) async fn credentials(&self, bank: &str, values: &[&str]) -> Value {
        let answer = self.get(&format!("/institutions/{bank}/credentials")).await;
        let fields = answer["credentials"].as_array().unwrap().iter();
        fields
            .zip(values)
            .map(|(field, value)| json!({ "guid": field["guid"], "value": value }))
            .collect()
    }

    /// Makes a member at MX's test bank; its path.
    pub(crate) async fn link(&self, user: &str, password: &str) -> String {
        self.link_at(user, "mxbank", "mxuser", password).await
    }

    pub(crate) async fn link_at(
        &self,
        user: &str,
        bank: &str,
        name: &str,
        password: &str,
    ) -> String {
        let credentials = self.credentials(bank, &[name, password]).await;
        let body = json!({ "member": { "institution_code": bank, "credentials": credentials } });
        let path = format!("/users/{user}/members");
        let (status, answer) = self.ask(Method::POST, &path, body).await;
        assert_eq!(status, 202, "{answer}");
        format!("{path}/{}", answer["member"]["guid"].as_str().unwrap())
    }

    /// Lets the member at this path take steps.
    pub(crate) async fn step(&self, member: &str, steps: u32) {
        let path = format!("/members/{}/step", guid(member));
        self.bank.control(&path, json!({ "steps": steps })).await;
    }

    /// A new member that has been aggregated.
    pub(crate) async fn linked(&self, user: &str) -> String {
        let member = self.link(user, "any").await;
        self.step(&member, 4).await;
        assert_eq!(self.status(&member).await["connection_status"], "CONNECTED");
        member
    }

    pub(crate) async fn status(&self, member: &str) -> Value {
        self.get(&format!("{member}/status")).await["member"].clone()
    }

    pub(crate) async fn aggregate(&self, member: &str) {
        let path = format!("{member}/aggregate");
        let (status, answer) = self.ask(Method::POST, &path, Value::Null).await;
        assert_eq!(status, 202, "{answer}");
    }

    /// Answers everything that is asked with one word.
    pub(crate) async fn answer(&self, member: &str, word: &str) {
        let asked = self.get(&format!("{member}/challenges")).await["challenges"].clone();
        let answers: Value = asked
            .as_array()
            .unwrap()
            .iter()
            .map(|challenge| json!({ "guid": challenge["guid"], "value": word }))
            .collect();
        let body = json!({ "member": { "challenges": answers } });
        let path = format!("{member}/resume");
        let (status, answer) = self.ask(Method::PUT, &path, body).await;
        assert_eq!(status, 202, "{answer}");
        assert_eq!(answer["member"]["connection_status"], "RESUMED");
    }

    /// Changes a member's rows.
    pub(crate) async fn change(&self, member: &str, changes: Value) -> Value {
        let path = format!("/members/{}/transactions", guid(member));
        self.bank.control(&path, changes).await
    }

    /// Every row of a list, page by page.
    pub(crate) async fn rows(&self, path: &str, query: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let path = format!("{path}/transactions?page={page}&{query}");
            let answer = self.get(&path).await;
            rows.extend(answer["transactions"].as_array().unwrap().clone());
            if answer["pagination"]["current_page"].as_u64().unwrap()
                >= answer["pagination"]["total_pages"].as_u64().unwrap()
            {
                break;
            }
        }
        rows
    }

    /// What MX says a complete copy holds.
    pub(crate) async fn oracle(&self, member: &str) -> Copy {
        let path = format!("/control/members/{}/oracle", guid(member));
        let text = self.bank.read(&path).await;
        copy(text.lines().map(|line| serde_json::from_str(line).unwrap()))
    }
}

pub(crate) fn copy(rows: impl IntoIterator<Item = Value>) -> Copy {
    rows.into_iter()
        .map(|row| (row["guid"].as_str().unwrap().to_owned(), row))
        .collect()
}

/// The guid at the end of a member's path.
pub(crate) fn guid(member: &str) -> &str {
    member.rsplit('/').next().unwrap()
}
