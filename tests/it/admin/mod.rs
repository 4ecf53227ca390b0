//! Administrators: what they see and do, what they do not, and the log of all that.

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

mod log;
mod people;
mod sight;
mod work;

impl TestApp {
    /// An administrator who has just registered.
    pub(crate) async fn administrator(&self, name: &str) -> Person {
        let person = self.person(name).await;
        let sql = format!("UPDATE users SET role = 'admin' WHERE email_key = '{name}@example.com'");
        assert_eq!(self.meddle(&sql).await, 1);
        person
    }
}

/// The id of a person.
async fn id_of(person: &Person) -> String {
    let mut data = person.ask("{ viewer { id } }", json!({})).await;
    let id = data["viewer"]["id"].take();
    id.as_str().unwrap().to_owned()
}

/// What an administrator is told at a field of `admin`.
async fn seen(admin: &Person, field: &str) -> Value {
    let mut data = admin
        .ask(&format!("{{ admin {{ {field} }} }}"), json!({}))
        .await;
    let fields = data["admin"].as_object_mut().unwrap();
    fields.values_mut().next().unwrap().take()
}

/// What came of a mutation with one id in its input.
async fn done(admin: &Person, mutation: &str, input: &str, id: &str, payload: &str) -> Value {
    let document = format!(
        "mutation($id: ID!) {{ {mutation}(input: {{{input}: $id}}) {{ {payload} userErrors {{ code field }} }} }}"
    );
    let mut data = admin.ask(&document, json!({"id": id})).await;
    data[mutation].take()
}

/// What came of a mutation about somebody.
async fn about(admin: &Person, mutation: &str, user: &str) -> Value {
    done(admin, mutation, "userId", user, "user { role lockedAt }").await
}

/// The code of a single refusal.
fn code(told: &Value) -> &str {
    told["userErrors"][0]["code"].as_str().unwrap_or_default()
}

/// The kinds of a person's log with their details, newest first.
async fn log_of(person: &Person) -> Vec<(String, Option<String>)> {
    let document = "{ activity(first: 100) { nodes { kind detail } } }";
    let data = person.ask(document, json!({})).await;
    let nodes = data["activity"]["nodes"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    nodes
        .map(|node| (text(&node["kind"]).unwrap(), text(&node["detail"])))
        .collect()
}

async fn has(person: &Person, kind: &str, detail: Option<&str>) -> bool {
    let log = log_of(person).await;
    log.contains(&(kind.to_owned(), detail.map(str::to_owned)))
}
