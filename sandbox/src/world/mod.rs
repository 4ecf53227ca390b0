//! Who linked what: items, tokens, link sessions, and what happened to each since.
//!
//! Every change is an [`op::Op`]; the state is the fold of them, in memory and, where a state file is kept, again after a restart.
//! Times that something becomes true by itself (history ready, token dead) are stored as moments and compared with the clock,
//! so that moving the clock needs no bookkeeping.

pub(crate) mod item;
pub(crate) mod journal;
pub(crate) mod ledger;
pub(crate) mod link;
pub(crate) mod mx;
pub(crate) mod op;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use self::item::Item;
use self::journal::Journal;
use self::link::Link;
use self::mx::Mx;
use self::op::{Line, Op};
use crate::seed::Seed;

/// A public token and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct PublicToken {
    pub(crate) item_id: String,
    pub(crate) expires_at: DateTime<Utc>,
    /// The access token it was exchanged for.
    pub(crate) exchanged: Option<String>,
}

/// The whole state.
#[derive(Debug)]
pub(crate) struct World {
    seed: Seed,
    drawn: u64,
    pub(crate) items: BTreeMap<String, Item>,
    access_tokens: HashMap<String, String>,
    pub(crate) public_tokens: HashMap<String, PublicToken>,
    pub(crate) links: HashMap<String, Link>,
    hosted: HashMap<String, String>,
    pub(crate) mx: Mx,
    journal: Journal,
}

impl World {
    pub(crate) fn new(seed: u64, journal: Journal) -> Self {
        Self {
            seed: Seed(seed),
            drawn: 0,
            items: BTreeMap::new(),
            access_tokens: HashMap::new(),
            public_tokens: HashMap::new(),
            links: HashMap::new(),
            hosted: HashMap::new(),
            mx: Mx::default(),
            journal,
        }
    }

    /// A draw nobody had before, for a new id or a new person's data.
    pub(crate) fn draw(&mut self, purpose: &str) -> Seed {
        self.drawn += 1;
        self.seed.of(purpose).at(self.drawn)
    }

    /// Writes a change down and makes it so.
    pub(crate) fn commit(&mut self, at: DateTime<Utc>, op: Op) {
        let line = Line {
            at,
            drawn: self.drawn,
            op,
        };
        self.journal.write(&line);
        self.apply(line);
    }

    /// Makes a change so that was written down before.
    pub(crate) fn apply(&mut self, written: Line) {
        let Line {
            at,
            drawn,
            op: change,
        } = written;
        self.drawn = self.drawn.max(drawn);
        match change {
            Op::ItemLinked(item) => drop(self.items.insert(item.item_id.clone(), Item::new(*item))),
            Op::PublicTokenIssued {
                public_token,
                item_id,
                expires_at,
            } => {
                self.public_tokens.insert(
                    public_token,
                    PublicToken {
                        item_id,
                        expires_at,
                        exchanged: None,
                    },
                );
            }
            Op::Exchanged {
                public_token,
                access_token,
            } => self.exchange(&public_token, access_token),
            Op::TokenRotated { old, new } => {
                if let Some(item_id) = self.access_tokens.remove(&old) {
                    self.access_tokens.insert(new, item_id);
                }
            }
            Op::LinkTokenCreated(link) => self.open(*link),
            Op::SessionRecorded {
                link_token,
                session,
            } => {
                if let Some(link) = self.links.get_mut(&link_token) {
                    link.record(session);
                }
            }
            Op::Item { item_id, event } => {
                if let Some(item) = self.items.get_mut(&item_id) {
                    item.apply(at, event);
                }
            }
            Op::Mx(op) => self.mx.apply(at, op),
        }
    }

    fn open(&mut self, link: Link) {
        if let Some(hosted_id) = &link.hosted_id {
            self.hosted
                .insert(hosted_id.clone(), link.link_token.clone());
        }
        self.links.insert(link.link_token.clone(), link);
    }

    fn exchange(&mut self, public_token: &str, access_token: String) {
        if let Some(token) = self.public_tokens.get_mut(public_token) {
            token.exchanged = Some(access_token.clone());
            self.access_tokens
                .insert(access_token, token.item_id.clone());
        }
    }

    pub(crate) fn item_of(&self, access_token: &str) -> Option<&Item> {
        self.items.get(self.access_tokens.get(access_token)?)
    }

    pub(crate) fn access_token_of(&self, item_id: &str) -> Option<&str> {
        self.access_tokens
            .iter()
            .find(|(_, held)| *held == item_id)
            .map(|(token, _)| token.as_str())
    }

    pub(crate) fn link_behind(&self, hosted_id: &str) -> Option<&Link> {
        self.links.get(self.hosted.get(hosted_id)?)
    }

    /// Resolves once everything committed so far is in the state file.
    pub(crate) fn written(&self) -> journal::Written {
        self.journal.written()
    }
}
