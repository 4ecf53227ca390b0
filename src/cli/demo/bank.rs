//! The other side: the person at the bank's page, and the bank itself, which books what it likes.
//! Both are reached over HTTP like everything else.

use serde_json::Value;

use super::{broken, client};
use crate::cli::failure::Failure;

/// The bank that is linked, and who signs in there.
const INSTITUTION: &str = "ins_109508";
pub(super) const BANK: &str = "First Platypus Bank";
const USERNAME: &str = "user_good";
const PASSWORD: &str = "pass_good";

/// A form to send.
type Fields<'a> = Vec<(&'a str, &'a str)>;

/// The sandbox, seen from outside.
#[derive(Debug)]
pub(super) struct Bank {
    http: reqwest::Client,
    url: String,
}

/// The login as the bank keeps it.
#[derive(Debug)]
pub(super) struct Login {
    /// The bank's own id for it, which the API never shows.
    pub(super) id: String,
    pub(super) accounts: usize,
    /// How many transactions there will be when all of the history is ready.
    pub(super) entries: u64,
}

impl Bank {
    pub(super) fn new(url: &str) -> Result<Self, Failure> {
        let http = client::http()?;
        let url = url.to_owned();
        Ok(Self { http, url })
    }

    /// Walks through the hosted page as somebody with a browser would: bank, sign-in, accounts,
    /// consent. Returns how many accounts were shared.
    pub(super) async fn walk(&self, page: &str) -> Result<usize, Failure> {
        self.read(self.http.get(page)).await?;
        self.submit(page, &vec![("institution_id", INSTITUTION)])
            .await?;
        let login = vec![("username", USERNAME), ("password", PASSWORD)];
        let choice = self.submit(page, &login).await?;
        let accounts = offered(&choice);
        if accounts.is_empty() {
            return Err(broken("the bank's page offers no accounts"));
        }
        let shared = accounts.iter().map(|id| ("account_id", *id)).collect();
        self.submit(page, &shared).await?;
        self.submit(page, &vec![("action", "agree")]).await?;
        Ok(accounts.len())
    }

    /// Sends the form of the page and returns the page after it.
    async fn submit(&self, page: &str, fields: &Fields<'_>) -> Result<String, Failure> {
        let sent = self.http.post(page).form(fields).send().await;
        let status = sent.map_err(broken)?.status();
        if !status.is_redirection() {
            return Err(broken(format!("the bank's page answers {status}")));
        }
        self.read(self.http.get(page)).await
    }

    /// The login that the demo made, if it still works at the bank.
    pub(super) async fn login(&self) -> Result<Option<Login>, Failure> {
        let text = self.read(self.http.get(self.at("/control/items"))).await?;
        let list: Value = serde_json::from_str(&text).map_err(broken)?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let ours = |item: &&Value| {
            item["username"] == USERNAME
                && item["institution_id"] == INSTITUTION
                && item["removed"] == false
                && item["error"].is_null()
        };
        Ok(items.iter().find(ours).map(Login::from))
    }

    /// Changes what the bank has booked; it tells of it by a signed webhook. Returns the bank's ids
    /// of what was added.
    pub(super) async fn book(&self, login: &Login, change: Value) -> Result<Vec<String>, Failure> {
        let path = format!("/control/items/{}/transactions", login.id);
        let text = self
            .read(self.http.post(self.at(&path)).json(&change))
            .await?;
        let done: Value = serde_json::from_str(&text).map_err(broken)?;
        let added = done["added"].as_array().into_iter().flatten();
        Ok(added
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect())
    }

    /// How many transactions the bank's own books hold.
    pub(super) async fn books(&self, login: &Login) -> Result<usize, Failure> {
        let path = format!("/control/items/{}/oracle", login.id);
        let text = self.read(self.http.get(self.at(&path))).await?;
        Ok(text.lines().count())
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    async fn read(&self, request: reqwest::RequestBuilder) -> Result<String, Failure> {
        let answer = async { request.send().await?.error_for_status()?.text().await };
        let failed = |error| broken(format!("the sandbox: {error}"));
        answer.await.map_err(failed)
    }
}

impl From<&Value> for Login {
    fn from(item: &Value) -> Self {
        Self {
            id: item["item_id"].as_str().unwrap_or_default().to_owned(),
            accounts: item["accounts"].as_array().map_or(0, Vec::len),
            entries: item["entries"].as_u64().unwrap_or_default(),
        }
    }
}

/// The accounts that a page lets one choose.
fn offered(page: &str) -> Vec<&str> {
    let boxes = page.split("name=\"account_id\" value=\"").skip(1);
    boxes
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn accounts_are_found_in_the_page() {
        let page = "<input type=\"checkbox\" name=\"account_id\" value=\"a1\" checked><b>x</b>\
                    <input type=\"checkbox\" name=\"account_id\" value=\"b2\">";
        assert_eq!(super::offered(page), ["a1", "b2"]);
        assert!(super::offered("<p>Sign in</p>").is_empty());
    }
}
