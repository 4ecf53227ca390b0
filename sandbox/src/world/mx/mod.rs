//! MX's half of the world: users, their members, and the rows of each.
//!
//! A change is written down as the whole thing it made, not as the difference: a user and a member are small, and the last line about one
//! is the truth. Rows are many, so those are written as the history they were made from and as what was put and taken away since.

pub(crate) mod member;
pub(crate) mod row;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use self::member::Member;
use self::row::Row;
use crate::bank::history::History;
use crate::bank::transaction::Transaction;

/// A user as MX keeps one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) guid: String,
    /// Its place among the users, in the order they came.
    pub(crate) number: u64,
    pub(crate) id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) metadata: Option<String>,
    pub(crate) is_disabled: bool,
}

/// A change to MX's half. Lines once written must stay readable, as those of [`super::op::Op`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MxOp {
    UserPut(Box<User>),
    UserGone {
        guid: String,
    },
    MemberPut(Box<Member>),
    MemberGone {
        guid: String,
    },
    /// Rows the bank holds, of which those older than what is there already are taken in.
    History {
        member_guid: String,
        history: Box<History>,
    },
    Rows {
        member_guid: String,
        put: Vec<Row>,
        gone: Vec<String>,
    },
}

/// Where a row stands in a list: the newest day first, and on a day what came last.
type Place = (Reverse<NaiveDate>, Reverse<u64>);

/// A member and its rows.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) member: Member,
    pub(crate) history: Option<Arc<History>>,
    rows: BTreeMap<Place, Arc<Row>>,
    places: HashMap<String, Place>,
    counted: u64,
}

/// MX's half of the state.
#[derive(Debug, Default)]
pub(crate) struct Mx {
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) members: BTreeMap<String, Held>,
}

impl Held {
    fn new(member: Member) -> Self {
        Self {
            member,
            history: None,
            rows: BTreeMap::new(),
            places: HashMap::new(),
            counted: 0,
        }
    }

    /// Every row, the newest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    pub(crate) fn row(&self, guid: &str) -> Option<&Arc<Row>> {
        self.rows.get(self.places.get(guid)?)
    }

    fn put(&mut self, row: Row) {
        let number = if let Some(place) = self.places.remove(&row.guid) {
            self.rows.remove(&place);
            place.1.0
        } else {
            self.counted += 1;
            self.counted
        };
        let place = (Reverse(row.date), Reverse(number));
        self.places.insert(row.guid.clone(), place);
        self.rows.insert(place, Arc::new(row));
    }

    fn take(&mut self, guid: &str) {
        if let Some(place) = self.places.remove(guid) {
            self.rows.remove(&place);
        }
    }

    fn read(&mut self, history: History, at: DateTime<Utc>) {
        let oldest = self.rows.last_key_value().map(|(place, _)| place.0.0);
        for index in 0..history.len() {
            let Some(made) = history.row(index) else {
                continue;
            };
            match oldest {
                None => self.put(Row::of(&made, at)),
                Some(oldest) if made.date < oldest => self.put(Row::of(&older(made), at)),
                Some(_) => {}
            }
        }
        self.history = Some(Arc::new(history));
    }
}

/// A row out of a longer history. Generated rows are numbered from the oldest, so one number means another row there.
fn older(made: Transaction) -> Transaction {
    Transaction {
        transaction_id: format!("{}-older", made.transaction_id),
        ..made
    }
}

impl Mx {
    pub(crate) fn apply(&mut self, at: DateTime<Utc>, op: MxOp) {
        match op {
            MxOp::UserPut(user) => drop(self.users.insert(user.guid.clone(), *user)),
            MxOp::UserGone { guid } => drop(self.users.remove(&guid)),
            MxOp::MemberPut(member) => match self.members.get_mut(&member.guid) {
                Some(held) => held.member = *member,
                None => drop(self.members.insert(member.guid.clone(), Held::new(*member))),
            },
            MxOp::MemberGone { guid } => drop(self.members.remove(&guid)),
            MxOp::History {
                member_guid,
                history,
            } => {
                if let Some(held) = self.members.get_mut(&member_guid) {
                    held.read(*history, at);
                }
            }
            MxOp::Rows {
                member_guid,
                put,
                gone,
            } => {
                if let Some(held) = self.members.get_mut(&member_guid) {
                    for guid in &gone {
                        held.take(guid);
                    }
                    for row in put {
                        held.put(row);
                    }
                }
            }
        }
    }

    /// The members of a user, in the order they came.
    pub(crate) fn members_of<'a>(&'a self, user_guid: &'a str) -> Vec<&'a Held> {
        let mut found: Vec<&Held> = self
            .members
            .values()
            .filter(|held| held.member.user_guid == user_guid)
            .collect();
        found.sort_by_key(|held| held.member.number);
        found
    }
}
