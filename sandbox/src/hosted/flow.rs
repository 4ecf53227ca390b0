//! Where people are on their way through Link, and what each form they send does.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::finish;
use crate::app::App;
use crate::bank::accounts::Account;
use crate::bank::institutions::{self, Institution};
use crate::bank::login::{self, Challenge, Login, Person};
use crate::bank::opening;
use crate::plaid::linking;
use crate::seed::Seed;
use crate::world::World;
use crate::world::link::{Link, LinkEvent, Session};
use crate::world::op::Op;

/// One person's way.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) session: Session,
    pub(crate) step: Step,
    pub(crate) bank: Option<&'static Institution>,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) person: Option<Person>,
    pub(crate) seed: Seed,
    pub(crate) accounts: Vec<Account>,
    pub(crate) chosen: Vec<String>,
    /// The code of the last thing that went wrong.
    pub(crate) error: Option<String>,
}

/// What is asked next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Bank,
    SignIn,
    Challenge { challenge: Challenge, round: u32 },
    Accounts,
    Consent,
}

/// The fields of a form.
#[derive(Debug)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Fields {
    fn one(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .collect()
    }
}

impl Flow {
    /// The first step of a new session.
    pub(crate) fn enter(app: &App, world: &mut World, link: &Link) -> Self {
        let link_session_id = world.draw("link session").uuid().to_string();
        let session = Session {
            link_session_id,
            started_at: app.clock.now(),
            finished_at: None,
            outcome: None,
            events: Vec::new(),
        };
        let repaired = link.item_id.as_ref().and_then(|id| world.items.get(id));
        let wanted = repaired
            .map(|item| item.linked.institution_id.as_str())
            .or(link.institution_id.as_deref());
        let bank = wanted.and_then(institutions::find);
        let mut flow = Self {
            session,
            step: if bank.is_some() {
                Step::SignIn
            } else {
                Step::Bank
            },
            bank,
            username: repaired
                .map(|item| item.linked.username.clone())
                .unwrap_or_default(),
            password: String::new(),
            person: None,
            seed: Seed(0),
            accounts: Vec::new(),
            chosen: Vec::new(),
            error: None,
        };
        flow.event(app, world, "OPEN", &[]);
        let op = Op::SessionRecorded {
            link_token: link.link_token.clone(),
            session: flow.session.clone(),
        };
        world.commit(app.clock.now(), op);
        flow
    }

    /// Notes a step in the session's events.
    pub(crate) fn event(
        &mut self,
        app: &App,
        world: &mut World,
        name: &str,
        more: &[(&str, &str)],
    ) {
        let mut metadata = Map::new();
        metadata.insert("request_id".into(), app.request_id().into());
        if let Some(bank) = self.bank {
            metadata.insert("institution_id".into(), bank.id.into());
            metadata.insert("institution_name".into(), bank.name.into());
        }
        metadata.extend(
            more.iter()
                .map(|(key, value)| ((*key).to_owned(), Value::from(*value))),
        );
        self.session.events.push(LinkEvent {
            event_id: world.draw("link event").uuid().to_string(),
            timestamp: app.clock.now(),
            event_name: name.to_owned(),
            event_metadata: Value::Object(metadata),
        });
    }

    /// Takes a form; tells how the session ended, if it did.
    pub(crate) fn take(
        &mut self,
        app: &Arc<App>,
        world: &mut World,
        link: &Link,
        fields: &Fields,
    ) -> Option<finish::Ending> {
        let action = fields.one("action");
        if action == "exit" {
            return Some(finish::Ending::Left);
        }
        if action == "back" {
            self.back(link);
            return None;
        }
        self.error = None;
        match self.step.clone() {
            Step::Bank => self.choose_bank(app, world, fields.one("institution_id")),
            Step::SignIn => self.sign_in(app, world, link, fields),
            Step::Challenge { challenge, round } => {
                self.answer(app, world, link, (&challenge, round, &fields.all("answer")));
            }
            Step::Accounts => self.choose_accounts(app, world, link, &fields.all("account_id")),
            Step::Consent => return Some(finish::Ending::Agreed),
        }
        None
    }

    fn back(&mut self, link: &Link) {
        self.error = None;
        self.step = match self.step {
            Step::Consent if !link.is_update() => Step::Accounts,
            Step::SignIn if !link.is_update() => Step::Bank,
            _ => Step::SignIn,
        };
    }

    /// Shows an error where the person stands.
    pub(crate) fn fail(&mut self, app: &App, world: &mut World, code: &str) {
        self.error = Some(code.to_owned());
        self.event(
            app,
            world,
            "ERROR",
            &[
                ("error_code", code),
                (
                    "error_type",
                    crate::plaid::error::PlaidError::of(code).error_type,
                ),
            ],
        );
    }

    fn choose_bank(&mut self, app: &App, world: &mut World, institution_id: &str) {
        self.bank = institutions::find(institution_id);
        self.event(app, world, "SELECT_INSTITUTION", &[]);
        match linking::bank(institution_id) {
            Ok(_) => self.step = Step::SignIn,
            Err(error) => self.fail(app, world, &error.error_code),
        }
    }

    fn sign_in(&mut self, app: &App, world: &mut World, link: &Link, fields: &Fields) {
        let before =
            std::mem::replace(&mut self.username, fields.one("username").trim().to_owned());
        fields.one("password").clone_into(&mut self.password);
        self.event(app, world, "SUBMIT_CREDENTIALS", &[]);
        if link.is_update() && before != self.username {
            self.username = before;
            return self.fail(app, world, "INVALID_UPDATED_USERNAME");
        }
        match login::sign_in(&self.username, &self.password) {
            Login::Refused(code) => self.fail(app, world, &code),
            Login::Welcome(person) => self.welcome(app, world, link, person),
            Login::Challenged(challenge, person) => {
                self.person = Some(person);
                self.step = Step::Challenge {
                    challenge,
                    round: 0,
                };
            }
        }
    }

    fn answer(
        &mut self,
        app: &App,
        world: &mut World,
        link: &Link,
        asked: (&Challenge, u32, &[String]),
    ) {
        let (challenge, round, answers) = asked;
        self.event(
            app,
            world,
            "SUBMIT_MFA",
            &[("mfa_type", challenge.kind(round))],
        );
        if !challenge.accepts(round, answers) {
            return self.fail(app, world, "INVALID_MFA");
        }
        if round + 1 < challenge.rounds() {
            self.step = Step::Challenge {
                challenge: challenge.clone(),
                round: round + 1,
            };
        } else if let Some(person) = self.person.take() {
            self.welcome(app, world, link, person);
        }
    }

    /// Lets a person in who proved who he is.
    fn welcome(&mut self, app: &App, world: &mut World, link: &Link, person: Person) {
        let repaired = link.item_id.as_ref().and_then(|id| world.items.get(id));
        if repaired.is_some_and(|item| item.error.as_deref() == Some("USER_PERMISSION_REVOKED")) {
            // What was revoked does not come back to life; it takes a new link.
            return self.fail(app, world, "ACCESS_NOT_GRANTED");
        }
        if let Some(item) = repaired {
            self.accounts.clone_from(&item.accounts);
            self.chosen.clone_from(&item.chosen);
            self.step = if link.account_selection {
                Step::Accounts
            } else {
                Step::Consent
            };
        } else if let Some(bank) = self.bank {
            self.seed = world.draw("item");
            self.accounts = opening::accounts(&person, bank, self.seed);
            self.accounts.retain(|account| link.admits(account));
            self.chosen = self
                .accounts
                .iter()
                .map(|account| account.account_id.clone())
                .collect();
            self.step = Step::Accounts;
        }
        self.person = Some(person);
        if self.accounts.is_empty() {
            self.step = Step::SignIn;
            self.fail(app, world, "NO_ACCOUNTS");
        }
    }

    fn choose_accounts(&mut self, app: &App, world: &mut World, link: &Link, wanted: &[String]) {
        let known = self.accounts.iter().map(|account| &account.account_id);
        self.chosen = known.filter(|id| wanted.contains(id)).cloned().collect();
        self.event(
            app,
            world,
            "TRANSITION_VIEW",
            &[("view_name", "SELECT_ACCOUNT")],
        );
        if self.chosen.is_empty() {
            return self.fail(app, world, "NO_ACCOUNTS");
        }
        tracing::debug!(
            link_token = link.link_token,
            accounts = self.chosen.len(),
            "accounts chosen"
        );
        self.step = Step::Consent;
    }

    /// Plaid's word for where somebody stood who left.
    pub(crate) fn exit_status(&self) -> &'static str {
        match &self.step {
            Step::Bank if self.error.as_deref() == Some("INSTITUTION_NO_LONGER_SUPPORTED") => {
                "institution_not_supported"
            }
            Step::Bank => "institution_not_found",
            Step::SignIn => "requires_credentials",
            Step::Challenge { challenge, round } => challenge.exit_status(*round),
            Step::Accounts | Step::Consent => "requires_account_selection",
        }
    }
}
