//! What a bank asks a person before it lets her in.

use async_graphql::{Enum, ID, SimpleObject};
use entity::challenge;

use super::{id, scalar::DateTime};
use crate::{
    error::{Error, Result},
    providers,
};

/// The bank asks the person something before it lets her in. Show the challenges, and call
/// `answerChallenge` with an answer for each.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct AnswerChallengeAction {
    /// What to pass to `answerChallenge`.
    pub item_id: ID,
    /// What the bank asks.
    pub challenges: Vec<Challenge>,
    /// When the bank is expected to wait no longer. Banks do not say; an answer after that is tried all
    /// the same.
    pub expires_at: Option<DateTime>,
}

/// One thing a bank asks.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Challenge {
    /// What to pass to `answerChallenge` as `challengeId`.
    pub id: ID,
    /// The question, as the bank words it.
    pub label: String,
    /// How it is answered.
    pub kind: ChallengeKind,
    /// What may be chosen; empty where the answer is typed.
    pub options: Vec<ChallengeOption>,
    /// A picture to show with the question, a `data:` address.
    pub image: Option<String>,
}

/// How something that a bank asks is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "providers::ChallengeKind")]
pub enum ChallengeKind {
    /// By typing.
    Text,
    /// By choosing one of the options.
    Options,
    /// By typing what the picture shows.
    Image,
    /// By choosing one of the options, which are pictures.
    ImageOptions,
}

/// One of several answers.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct ChallengeOption {
    /// What to pass to `answerChallenge` as `value`.
    pub value: String,
    /// What to show.
    pub label: String,
    /// A picture to show instead, a `data:` address.
    pub image: Option<String>,
}

impl AnswerChallengeAction {
    /// What a row holds.
    ///
    /// # Errors
    /// If the row was not written here.
    pub fn of(row: &challenge::Model) -> Result<super::item::RequiredAction> {
        let questions: Vec<providers::Challenge> =
            serde_json::from_value(row.questions.clone()).map_err(Error::internal)?;
        Ok(Self {
            item_id: id::encode(id::ITEM, row.item_id),
            challenges: questions.into_iter().map(Challenge::from).collect(),
            expires_at: Some(DateTime(row.expires_at)),
        }
        .into())
    }
}

impl From<providers::Challenge> for Challenge {
    fn from(asked: providers::Challenge) -> Self {
        let option = |option: providers::ChallengeOption| ChallengeOption {
            value: option.value,
            label: option.label,
            image: option.image,
        };
        Self {
            id: ID(asked.id),
            label: asked.label,
            kind: asked.kind.into(),
            options: asked.options.into_iter().map(option).collect(),
            image: asked.image,
        }
    }
}
