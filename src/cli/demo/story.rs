//! The story, chapter by chapter. Each waits for what it tells of and fails if it does not come.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{
    FOLDER,
    bank::{BANK, Bank, Login},
    broken,
    client::{Client, Watch},
    live, look,
    screen::{self, chapter, count, done},
};
use crate::cli::{failure::Failure, print};

/// The person of the story. She is invented, and so is all she owns.
pub(super) const EMAIL: &str = "ana@example.com";
pub(super) const PASSWORD: &str = "sandbox-platypus";

/// Where the parts of the story are.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) server: String,
    pub(super) sandbox: String,
}

/// An item that is linked, and the sync to wait for.
struct Linked {
    item_id: String,
    /// The sync that was asked for; all of them if the bank is new.
    sync_job_id: Option<String>,
}

/// Tells the story. Returns the bank's own id of the login, for more bookings.
pub(super) async fn tell(place: &Place) -> Result<String, Failure> {
    screen::title()?;
    chapter("Start", "serve, and the sandbox beside it")?;
    done(format_args!("server    {}/graphql", place.server))?;
    done(format_args!(
        "bank      {}, a stand-in for Plaid; nothing leaves this machine",
        place.sandbox
    ))?;
    done(format_args!("database  {FOLDER}/passbook.db"))?;
    let mut ana = Client::new(&place.server)?;
    let bank = Bank::new(&place.sandbox)?;
    sign_in(&mut ana).await?;
    let document = "subscription { syncJobUpdated { cursor syncJob { id status trigger progress { pages added } \
                    error { message } item { id transactionsStatus institution { name } } } } }";
    let mut syncs = ana.watch("syncJobUpdated", document, json!({})).await?;
    let linked = link(&ana, &bank).await?;
    let login = bank.login().await?.ok_or_else(|| {
        broken(format!(
            "the bank does not know the login any more; delete the folder {FOLDER} to start over"
        ))
    })?;
    let cursor = follow(&mut syncs, &linked, &login).await?;
    let mirror = live::watch(&ana, &bank, &login, cursor).await?;
    look::around(&ana, &linked.item_id, &login).await?;
    look::compare(&ana, &bank, &login, (&linked.item_id, &mirror)).await?;
    Ok(login.id)
}

async fn sign_in(ana: &mut Client) -> Result<(), Failure> {
    chapter("Sign up", "mutation register")?;
    let document = "mutation($input: RegisterInput!) { register(input: $input) { accessToken userErrors { code message } } }";
    let input = json!({"email": EMAIL, "password": PASSWORD, "firstName": "Ana"});
    let mut session = ana
        .ask("register", document, json!({"input": input}))
        .await?;
    if session["userErrors"][0]["code"] == "EMAIL_TAKEN" {
        let document = "mutation($input: LoginInput!) { login(input: $input) { accessToken userErrors { code message } } }";
        let input = json!({"email": EMAIL, "password": PASSWORD});
        session = ana
            .mutate("login", document, json!({"input": input}))
            .await?;
        done(format_args!(
            "{EMAIL} is registered since the last demo: signed in with login"
        ))?;
    } else {
        done(format_args!("registered {EMAIL}"))?;
    }
    let token = session["accessToken"].as_str();
    ana.sign_in(token.ok_or_else(|| broken(format!("register: {}", session["userErrors"])))?);
    Ok(())
}

/// Links the bank, or finds it linked and asks for a sync.
async fn link(ana: &Client, bank: &Bank) -> Result<Linked, Failure> {
    chapter(
        "Link a bank",
        "mutation createLinkToken, the hosted page, a webhook",
    )?;
    let document = "subscription { itemUpdated { item { id linkStatus institution { name } } } }";
    let items = "{ items(first: 100) { nodes { id institution { name } } } }";
    let items = ana.ask("items", items, json!({})).await?;
    let mut items = items["nodes"].as_array().into_iter().flatten();
    let before = items.find(|item| item["institution"]["name"] == BANK);
    if let Some(item_id) = before.and_then(|item| item["id"].as_str()) {
        done(format_args!(
            "{BANK} is linked since the last demo: asked for a sync with syncItem"
        ))?;
        let document = "mutation($input: SyncItemInput!) { syncItem(input: $input) { syncJob { id } userErrors { code message } } }";
        let asked = ana
            .mutate("syncItem", document, json!({"input": {"itemId": item_id}}))
            .await?;
        let sync_job_id = asked["syncJob"]["id"].as_str().map(str::to_owned);
        return Ok(Linked {
            item_id: item_id.to_owned(),
            sync_job_id,
        });
    }
    let mut changes = ana.watch("itemUpdated", document, json!({})).await?;
    let document = "mutation { createLinkToken { hostedLinkUrl userErrors { code message } } }";
    let begun = ana.mutate("createLinkToken", document, json!({})).await?;
    let page = begun["hostedLinkUrl"]
        .as_str()
        .ok_or_else(|| broken("there is no hosted page"))?;
    let accounts = bank.walk(page).await?;
    done(format_args!(
        "signed in at {BANK} on its page, as a person would, and shared {accounts} accounts"
    ))?;
    let event = changes.next().await?;
    let item_id = event["item"]["id"]
        .as_str()
        .ok_or_else(|| broken("the bank was not linked"))?;
    done("the bank told of it by a signed webhook, and the server exchanged the token by itself")?;
    Ok(Linked {
        item_id: item_id.to_owned(),
        sync_job_id: None,
    })
}

/// Follows the syncs until all there is to have is here. Returns where the person's feed stands then.
async fn follow(syncs: &mut Watch, linked: &Linked, login: &Login) -> Result<Value, Failure> {
    chapter("Sync", "subscription syncJobUpdated, over a WebSocket")?;
    let bar = match linked.sync_job_id {
        Some(_) => ProgressBar::hidden(),
        None => screen::bar(login.entries),
    };
    let (mut added, mut told) = (BTreeMap::new(), BTreeSet::new());
    loop {
        let mut event = syncs.next().await?;
        let job = event["syncJob"].take();
        if job["item"]["id"] != linked.item_id.as_str() {
            continue;
        }
        let id = job["id"].as_str().unwrap_or_default().to_owned();
        added.insert(
            id.clone(),
            job["progress"]["added"].as_u64().unwrap_or_default(),
        );
        bar.set_position(added.values().sum());
        bar.set_message(doing(&job));
        match job["status"].as_str() {
            Some("FAILED" | "CANCELLED") => {
                bar.abandon();
                return Err(broken(format!(
                    "the sync failed: {}",
                    job["error"]["message"]
                )));
            }
            Some("SUCCEEDED") if told.insert(id.clone()) => {
                bar.suspend(|| result(&job, linked.sync_job_id.is_some()))?;
            }
            _ => {}
        }
        let asked = linked.sync_job_id.as_ref().is_none_or(|asked| *asked == id);
        if asked && job["status"] == "SUCCEEDED" && job["item"]["transactionsStatus"] == "COMPLETE"
        {
            bar.set_message("");
            bar.finish();
            if !bar.is_hidden() {
                // It leaves the cursor behind itself.
                print::line("")?;
            }
            return Ok(event["cursor"].take());
        }
    }
}

/// What a sync is doing.
fn doing(job: &Value) -> String {
    match job["status"].as_str() {
        Some("WAITING") => "the bank is still collecting".to_owned(),
        Some("RUNNING") => format!("page {}", job["progress"]["pages"]),
        _ => String::new(),
    }
}

/// What a sync has brought.
fn result(job: &Value, even_nothing: bool) -> Result<(), Failure> {
    let progress = &job["progress"];
    let number = |name: &str| progress[name].as_u64().unwrap_or_default();
    let by = match job["trigger"].as_str() {
        Some("LINK") => "asked for by the link",
        Some("WEBHOOK") => "asked for by a webhook of the bank's",
        _ => "asked for by the person",
    };
    match (number("added"), number("pages")) {
        (0, _) if even_nothing => done(format_args!("nothing new, {by}")),
        (0, _) => Ok(()),
        (added, pages) => done(format_args!(
            "{} on {}, {by}",
            count(added, "new transaction"),
            count(pages, "page")
        )),
    }
}
