//! What a bank asks after the password, in each of MX's forms, and what it takes for an answer.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::login::{self, Outcome};
use crate::bank::logo;
use crate::seed::Seed;
use crate::world::mx::member::{Asked, Given};
use crate::world::mx::row::guid;

/// The form of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Text,
    Options,
    Image,
    ImageOptions,
    Token,
}

/// What is asked, and how it goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Challenge {
    pub(crate) kind: Kind,
    pub(crate) rounds: u32,
    /// Two questions at once.
    pub(crate) pair: bool,
    /// A wrong answer is asked for again instead of ending the job.
    pub(crate) again: bool,
    seed: u64,
}

/// What answers lead to.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The next of the rounds.
    Next,
    /// Wrong; asked again if so wished.
    Wrong,
    /// What signing in would have led to.
    Outcome(Outcome),
}

const CHOICES: [(&str, &str); 3] = [
    ("correct", "The right one"),
    ("wrong_1", "A wrong one"),
    ("wrong_2", "Another wrong one"),
];

impl Kind {
    pub(crate) fn find(word: &str) -> Option<Self> {
        Some(match word {
            "challenge" => Self::Text,
            "options" => Self::Options,
            "image" => Self::Image,
            "image_options" => Self::ImageOptions,
            "token" => Self::Token,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Options => "OPTIONS",
            Self::Image => "IMAGE_DATA",
            Self::ImageOptions => "IMAGE_OPTIONS",
            Self::Token => "TOKEN",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Text => "What city were you born in?",
            Self::Options => "Which of these is yours?",
            Self::Image => "What do you see in this picture?",
            Self::ImageOptions => "Which of these pictures did you choose?",
            Self::Token => "Enter the code that was sent to you.",
        }
    }
}

impl Challenge {
    pub(crate) fn new(kind: Kind, rounds: u32) -> Self {
        Self {
            kind,
            rounds,
            pair: false,
            again: false,
            seed: 0,
        }
    }

    /// With ids that come from `seed`, so that no two are asked under one id.
    pub(crate) fn seeded(self, seed: Seed) -> Self {
        Self {
            seed: seed.0,
            ..self
        }
    }

    fn questions(&self, round: u32) -> impl Iterator<Item = Seed> {
        let seed = Seed(self.seed).of("round").at(u64::from(round));
        (0..if self.pair { 2 } else { 1 }).map(move |n| seed.at(n))
    }

    /// The ids that answers have to name.
    pub(crate) fn guids(&self, round: u32) -> Vec<String> {
        self.questions(round)
            .map(|seed| guid("CRD", seed))
            .collect()
    }
}

/// The questions of a round, as MX lists them.
pub(crate) fn shown(asked: &Asked) -> Vec<Value> {
    let Asked {
        challenge, round, ..
    } = asked;
    let questions = challenge.questions(*round).zip(1..);
    questions
        .map(|(seed, n)| {
            let label = if n == 1 && *round == 0 {
                challenge.kind.label().to_owned()
            } else {
                format!("{} ({}.{n})", challenge.kind.label(), round + 1)
            };
            question(challenge.kind, seed, &label)
        })
        .collect()
}

fn question(kind: Kind, seed: Seed, label: &str) -> Value {
    let mut question = json!({
        "guid": guid("CRD", seed), "type": kind.name(), "label": label, "field_name": label, "image_data": null,
        "options": [], "image_options": [],
    });
    let choices = |picture: bool| -> Value {
        let choice = |((value, label), n): (&(&str, &str), u64)| {
            let mut choice = json!({ "guid": guid("CRD", seed.of("choice").at(n)), "label": label, "value": value });
            if picture {
                choice["data_uri"] = image(seed.at(n)).into();
                choice["label"] = format!("IMAGE_{}", n + 1).into();
            }
            choice
        };
        CHOICES.iter().zip(0..).map(choice).collect()
    };
    match kind {
        Kind::Options => question["options"] = choices(false),
        Kind::ImageOptions => question["image_options"] = choices(true),
        Kind::Image => question["image_data"] = image(seed).into(),
        Kind::Text | Kind::Token => {}
    }
    question
}

fn image(seed: Seed) -> String {
    let png = logo::draw(&seed.id(8), "#0d4e8b");
    format!("data:image/png;base64,{png}")
}

/// Judges the answers to a round. An option may be named by its value or by its id.
pub(crate) fn judge(asked: &Asked, answers: &[Given]) -> Verdict {
    let Asked {
        challenge, round, ..
    } = asked;
    for seed in challenge.questions(*round) {
        let own = guid("CRD", seed);
        let right = guid("CRD", seed.of("choice").at(0));
        let given = answers.iter().find(|answer| answer.guid == own);
        match given.map(|answer| answer.value.as_str()) {
            Some("correct") => {}
            Some(value) if value == right => {}
            Some(value) => return login::keyword(value).map_or(Verdict::Wrong, Verdict::Outcome),
            None => return Verdict::Wrong,
        }
    }
    if round + 1 < challenge.rounds {
        Verdict::Next
    } else {
        Verdict::Outcome(Outcome::Connected)
    }
}
