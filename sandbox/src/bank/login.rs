//! What a user name and password lead to: a person, a challenge, or a refusal.

use super::custom::{self, CustomUser};

/// Whose accounts are behind a login.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Person {
    /// `user_good`: data that never changes, up to the days asked for.
    Static,
    /// A persona with three months of data.
    Recent,
    /// `user_transactions_dynamic`: fifty rows, and a refresh brings more.
    Dynamic,
    /// `user_transactions_<n>`: `n` rows, otherwise like the dynamic user.
    Bulk(u64),
    /// `user_custom`: accounts and rows given in the password.
    Custom(Box<CustomUser>),
}

/// A question asked after the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A device is chosen, then a code is typed.
    Device,
    /// Rounds of questions with typed answers.
    Questions { rounds: u32, each: u32 },
    /// Rounds of questions with offered answers.
    Selections {
        rounds: u32,
        each: u32,
        options: u32,
    },
}

/// The outcome of signing in at a test bank.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Login {
    Welcome(Person),
    Challenged(Challenge, Person),
    Refused(String),
}

/// Signs in as Plaid's test banks do.
pub(crate) fn sign_in(username: &str, password: &str) -> Login {
    if username == "user_custom" {
        return custom::parse(password).map_or_else(Login::Refused, |(user, force_error)| {
            match force_error {
                Some(code) => Login::Refused(code),
                None => Login::Welcome(Person::Custom(Box::new(user))),
            }
        });
    }
    let Some((person, any_password)) = person(username) else {
        return Login::Refused("INVALID_CREDENTIALS".into());
    };
    if let Some(code) = password.strip_prefix("error_") {
        return Login::Refused(code.to_ascii_uppercase());
    }
    match challenge(password) {
        Some(challenge) => Login::Challenged(challenge, person),
        None if any_password || password == "pass_good" || password.starts_with('{') => {
            Login::Welcome(person)
        }
        None => Login::Refused("INVALID_CREDENTIALS".into()),
    }
}

fn person(username: &str) -> Option<(Person, bool)> {
    match username {
        "user_good" => Some((Person::Static, false)),
        "user_transactions_dynamic" => Some((Person::Dynamic, true)),
        "user_ewa_user" | "user_yuppie" | "user_small_business" => Some((Person::Recent, true)),
        _ => {
            let count: u64 = username.strip_prefix("user_transactions_")?.parse().ok()?;
            (count <= 10_000_000).then_some((Person::Bulk(count), true))
        }
    }
}

fn challenge(password: &str) -> Option<Challenge> {
    if password == "mfa_device" {
        return Some(Challenge::Device);
    }
    let numbers = |rest: &str| -> Option<Vec<u32>> {
        let parts: Vec<&str> = rest.split('_').skip(1).collect();
        parts
            .iter()
            .map(|part| part.parse().ok().filter(|number| (1..=9).contains(number)))
            .collect()
    };
    if let Some(rest) = password.strip_prefix("mfa_questions") {
        return match numbers(rest)?[..] {
            [] => Some(Challenge::Questions { rounds: 1, each: 1 }),
            [rounds, each] => Some(Challenge::Questions { rounds, each }),
            _ => None,
        };
    }
    match numbers(password.strip_prefix("mfa_selections")?)?[..] {
        [] => Some(Challenge::Selections {
            rounds: 1,
            each: 1,
            options: 0,
        }),
        [rounds, each, options] => Some(Challenge::Selections {
            rounds,
            each,
            options,
        }),
        _ => None,
    }
}

impl Challenge {
    /// How many rounds of answers are needed; a device takes two: the choice, then the code.
    pub(crate) fn rounds(&self) -> u32 {
        match self {
            Self::Device => 2,
            Self::Questions { rounds, .. } | Self::Selections { rounds, .. } => *rounds,
        }
    }

    /// The prompts of a round, counted from 0, each with its offered answers (none means that one types).
    pub(crate) fn prompts(&self, round: u32) -> Vec<(String, Vec<String>)> {
        match self {
            Self::Device if round == 0 => {
                vec![(
                    "Where should we send your code?".into(),
                    vec!["Text ••• ••• 1234".into(), "Email u•••@example.com".into()],
                )]
            }
            Self::Device => vec![("Enter the code we sent you".into(), Vec::new())],
            Self::Questions { each, .. } => (0..*each)
                .map(|n| {
                    (
                        format!("You say tomato, I say…? (answer_{round}_{n})"),
                        Vec::new(),
                    )
                })
                .collect(),
            Self::Selections {
                each, options: 0, ..
            } => (0..*each)
                .map(|_| ("Is this you?".into(), vec!["Yes".into(), "No".into()]))
                .collect(),
            Self::Selections { each, options, .. } => (0..*each)
                .map(|n| {
                    (
                        format!("Which one is yours? ({round}.{n})"),
                        (0..*options)
                            .map(|o| format!("answer_{round}_{n}_{o}"))
                            .collect(),
                    )
                })
                .collect(),
        }
    }

    /// Whether `answers` are right for a round.
    pub(crate) fn accepts(&self, round: u32, answers: &[String]) -> bool {
        let expected = self.prompts(round).len();
        answers.len() == expected
            && answers.iter().zip(0_u32..).all(|(answer, n)| match self {
                Self::Device if round == 0 => !answer.is_empty(),
                Self::Device => answer == "1234",
                Self::Questions { .. } => *answer == format!("answer_{round}_{n}"),
                Self::Selections { options: 0, .. } => answer == "Yes",
                Self::Selections { .. } => *answer == format!("answer_{round}_{n}_0"),
            })
    }

    pub(crate) fn kind(&self, round: u32) -> &'static str {
        match self {
            Self::Device if round == 0 => "device_list",
            Self::Device => "code",
            Self::Questions { .. } => "questions",
            Self::Selections { .. } => "selections",
        }
    }

    /// Plaid's word for where a person stood who left during a round.
    pub(crate) fn exit_status(&self, round: u32) -> &'static str {
        match self {
            Self::Device if round == 0 => "choose_device",
            Self::Device => "requires_code",
            Self::Questions { .. } => "requires_questions",
            Self::Selections { .. } => "requires_selections",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_choose_the_outcome() {
        assert_eq!(
            sign_in("user_good", "pass_good"),
            Login::Welcome(Person::Static)
        );
        assert_eq!(
            sign_in("user_good", "wrong"),
            Login::Refused("INVALID_CREDENTIALS".into())
        );
        assert_eq!(
            sign_in("nobody", "pass_good"),
            Login::Refused("INVALID_CREDENTIALS".into())
        );
        assert_eq!(
            sign_in("user_good", "error_ITEM_LOCKED"),
            Login::Refused("ITEM_LOCKED".into())
        );
        assert_eq!(
            sign_in("user_transactions_20000", "x"),
            Login::Welcome(Person::Bulk(20_000))
        );
        assert_eq!(
            sign_in("user_good", "mfa_questions_2_3"),
            Login::Challenged(Challenge::Questions { rounds: 2, each: 3 }, Person::Static)
        );
        assert!(Challenge::Questions { rounds: 2, each: 1 }.accepts(1, &["answer_1_0".into()]));
    }
}
