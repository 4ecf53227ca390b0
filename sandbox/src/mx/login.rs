//! What a user name and password lead to at MX's test banks.
//!
//! `challenge`, `options`, `image` and the server's errors are those of MX's page on its test bank; the names of all statuses as passwords,
//! `image_options`, `token`, the rounds and `mxuser_<n>` are ours.

use super::challenge::{Challenge, Kind};
use super::status;

/// The outcome of one sign-in.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Connected,
    Challenged(Challenge),
    /// The status it ends in.
    Ended(&'static str),
}

const MOST_ROWS: u64 = 1_000_000;

/// Signs in. A user name nobody has is denied.
pub(crate) fn sign_in(username: &str, password: &str) -> Outcome {
    if username.is_empty() && password.is_empty() {
        Outcome::Ended("IMPAIRED")
    } else if username == "mxuser" || rows(username).is_some() {
        keyword(password).unwrap_or(Outcome::Connected)
    } else {
        Outcome::Ended("DENIED")
    }
}

/// How many rows are behind `mxuser_<n>`.
pub(crate) fn rows(username: &str) -> Option<u64> {
    let count = username.strip_prefix("mxuser_")?.parse().ok()?;
    (count <= MOST_ROWS).then_some(count)
}

/// What a keyword brings about, as a password or as an answer.
pub(crate) fn keyword(word: &str) -> Option<Outcome> {
    let ended = match word {
        "BAD_REQUEST" | "SERVER_ERROR" | "UNAVAILABLE" | "SERVICE_UNAVAILABLE" => "FAILED",
        "UNAUTHORIZED" | "INVALID" | "FORBIDDEN" => "DENIED",
        "CONNECTED" => return Some(Outcome::Connected),
        "CHALLENGED" => return Some(Outcome::Challenged(Challenge::new(Kind::Text, 1))),
        _ => match status::find(word) {
            Some(status) => status,
            None => return challenge(word).map(Outcome::Challenged),
        },
    };
    Some(Outcome::Ended(ended))
}

/// `challenge`, `options`, `image`, `image_options` or `token`, and how it goes on: `_twice` and `_thrice` ask so many rounds, `_pair`
/// asks two things at once, `_again` asks anew after a wrong answer.
fn challenge(word: &str) -> Option<Challenge> {
    let (word, again) = match word.strip_suffix("_again") {
        Some(word) => (word, true),
        None => (word, false),
    };
    let (word, pair) = match word.strip_suffix("_pair") {
        Some(word) => (word, true),
        None => (word, false),
    };
    let (word, rounds) = if let Some(word) = word.strip_suffix("_twice") {
        (word, 2)
    } else if let Some(word) = word.strip_suffix("_thrice") {
        (word, 3)
    } else {
        (word, 1)
    };
    let kind = Kind::find(word)?;
    let mut challenge = Challenge::new(kind, rounds);
    (challenge.pair, challenge.again) = (pair, again);
    Some(challenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(password: &str) -> &'static str {
        match sign_in("mxuser", password) {
            Outcome::Connected => "CONNECTED",
            Outcome::Challenged(_) => "CHALLENGED",
            Outcome::Ended(status) => status,
        }
    }

    #[test]
    fn passwords_choose_the_outcome() {
        assert_eq!(ended("anything"), "CONNECTED");
        assert_eq!(
            ended("bad_request"),
            "CONNECTED",
            "keywords are told by case"
        );
        assert_eq!(ended("BAD_REQUEST"), "FAILED");
        assert_eq!(ended("UNAUTHORIZED"), "DENIED");
        assert_eq!(ended("LOCKED"), "LOCKED");
        assert_eq!(ended("image_options_twice"), "CHALLENGED");
        assert!(matches!(sign_in("nobody", "x"), Outcome::Ended("DENIED")));
        assert!(matches!(sign_in("mxuser_5000", "x"), Outcome::Connected));
    }

    #[test]
    fn a_challenge_says_how_it_goes_on() {
        let Some(Outcome::Challenged(challenge)) = keyword("options_thrice_again") else {
            panic!("no challenge");
        };
        assert!(challenge.rounds == 3 && challenge.again && !challenge.pair);
    }
}
