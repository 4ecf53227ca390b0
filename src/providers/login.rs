//! What a bank asks for when a person signs in, and what she answers. What is typed is in memory only.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{ItemState, Linked};

/// One thing a bank asks for when a person signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialField {
    /// The provider's id of it.
    pub id: String,
    /// The provider's name of it, such as `LOGIN`.
    pub name: String,
    /// What the person is asked.
    pub label: String,
    /// How it is typed.
    pub kind: CredentialKind,
}

/// How a credential is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// In the open.
    Text,
    /// Hidden.
    Password,
    /// In some other way, in the open if nothing better is known.
    Other,
}

/// A credential or an answer: what it is for, and what the person typed.
#[derive(Debug)]
pub struct Secret {
    /// The provider's id of what was asked.
    pub id: String,
    /// What was typed.
    pub value: SecretString,
}

impl Secret {
    /// A copy, for whoever needs one of his own.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            id: self.id.clone(),
            value: self.value.clone(),
        }
    }
}

/// A login to make.
#[derive(Debug)]
pub struct NewLogin {
    /// The provider's id of the person.
    pub provider_user_id: String,
    /// The bank.
    pub institution_id: String,
    /// Our own name for the login, by which it is found again.
    pub name: String,
    /// What the person typed; nothing where the bank has a sign-in page of its own.
    pub credentials: Vec<Secret>,
    /// Where that page returns to.
    pub redirect_uri: Option<String>,
}

/// A login that was made.
#[derive(Debug)]
pub struct NewLinked {
    /// The login.
    pub linked: Linked,
    /// The bank's own sign-in page, where the person has to go.
    pub oauth_window: Option<SecretString>,
}

/// A login that is there.
#[derive(Debug)]
pub struct Login {
    /// The login.
    pub linked: Linked,
    /// Our own name for it, if we gave it one.
    pub name: Option<String>,
    /// The bank.
    pub institution_id: Option<String>,
    /// How it stands.
    pub state: ItemState,
}

/// A question of a bank's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The provider's id of it.
    pub id: String,
    /// The question.
    pub label: String,
    /// How it is answered.
    pub kind: ChallengeKind,
    /// What may be chosen.
    pub options: Vec<ChallengeOption>,
    /// A picture to look at, a `data:` address.
    pub image: Option<String>,
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeKind {
    /// By typing.
    Text,
    /// By choosing.
    Options,
    /// By typing what a picture shows.
    Image,
    /// By choosing a picture.
    ImageOptions,
}

/// One of several answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeOption {
    /// What to answer.
    pub value: String,
    /// What to show.
    pub label: String,
    /// A picture to show, a `data:` address.
    pub image: Option<String>,
}
