//! How easily a password is guessed. Two judges: our own list of the commonest and the words they are made of, in
//! several languages, and zxcvbn, which knows the 30,000 commonest, keyboards, dates and sequences, and is told who the
//! person is. Both see the password as people do: compatibility forms, case and outer spaces aside, and what repeats
//! once.
//!
//! zxcvbn takes time that grows with the password, and with the signs in it that may stand for letters as the product
//! of what each may stand for: twenty of them cost a second of a processor. So it is asked only of what is short and
//! has few of them; nobody guesses the rest early.

use entity::user;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::spawn_blocking;
use unicode_normalization::UnicodeNormalization;
use zxcvbn::{
    Score,
    matching::{Match, patterns::MatchPattern},
    zxcvbn,
};

use super::rules::SHORTEST_PASSWORD;
use crate::error::{Error, Result};

/// The commonest passwords and the words they are made of, lower-case, sorted.
const COMMON: &str = include_str!("common_passwords.txt");
/// How many digits and signs around a common word still make a common password.
const TRIMMINGS: usize = 6;
/// Characters of a password that zxcvbn is asked about.
const JUDGED: usize = 40;
/// Signs, besides digits, that zxcvbn takes for letters, and how many different ones it is left with.
const STAND_INS: &str = "@({[<€!|$%+";
const FEW: usize = 3;
/// What is known of everybody.
const PRODUCT: &str = "passbook";

const REPEATS: &str = "This password repeats itself, which is tried early: choose another.";

/// What a password must not be made of.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub(super) email_key: Option<&'a str>,
    pub(super) first_name: Option<&'a str>,
    pub(super) last_name: Option<&'a str>,
}

impl<'a> About<'a> {
    pub(super) fn of(user: &'a user::Model) -> Self {
        Self {
            email_key: Some(&user.email_key),
            first_name: user.first_name.as_deref(),
            last_name: user.last_name.as_deref(),
        }
    }

    /// The words somebody would begin with who knows the person. The address gives several.
    fn words(&self) -> Vec<&'a str> {
        let parts = self.email_key.into_iter().flat_map(|key| {
            let (local, domain) = key.split_once('@').unwrap_or((key, ""));
            let pieces = |text: &'a str| text.split(['.', '-', '_', '+']);
            [key, local, domain]
                .into_iter()
                .chain(pieces(local))
                .chain(pieces(domain))
        });
        let names = [self.first_name, self.last_name].into_iter().flatten();
        let all = [PRODUCT].into_iter().chain(parts).chain(names);
        // Shorter ones are in everything.
        all.filter(|word| word.chars().count() > 2).collect()
    }
}

/// Why a password is guessed early; nothing if it is not. Found out beside the runtime: it takes a processor for
/// milliseconds.
pub(super) async fn judge(password: &str, about: &About<'_>) -> Result<Option<&'static str>> {
    let password = SecretString::from(password);
    let [email_key, first_name, last_name] =
        [about.email_key, about.first_name, about.last_name].map(|text| text.map(str::to_owned));
    let judged = spawn_blocking(move || {
        let about = About {
            email_key: email_key.as_deref(),
            first_name: first_name.as_deref(),
            last_name: last_name.as_deref(),
        };
        weakness(password.expose_secret(), &about)
    });
    judged.await.map_err(Error::internal)
}

fn weakness(password: &str, about: &About<'_>) -> Option<&'static str> {
    let folded = password.nfkc().collect::<String>().to_lowercase();
    let folded = folded.trim();
    let local = about.email_key.and_then(|key| key.split('@').next());
    if [about.email_key, local].contains(&Some(folded)) {
        return Some("This password is the e-mail address: choose something only you know.");
    }
    if is_common(folded) {
        return Some("This password is among the first that are tried: choose another.");
    }
    let base = once(folded);
    if base.len() < folded.len() && base.chars().count() < SHORTEST_PASSWORD {
        return Some(REPEATS);
    }
    if !is_judged(&base) {
        return None;
    }
    let judged = zxcvbn(&base, &about.words());
    // A million guesses, which is what can be tried over the wire in years.
    (judged.score() < Score::Two).then(|| reason(judged.sequence()))
}

/// The text, or the shortest part of it whose repetition it is, the last perhaps cut off.
fn once(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let half = letters.len() / 2;
    let repeats = |length: &usize| letters.iter().zip(&letters[*length..]).all(|(a, b)| a == b);
    let length = (1..=half).find(repeats).unwrap_or(letters.len());
    letters.iter().take(length).collect()
}

fn is_judged(text: &str) -> bool {
    let stand_ins = STAND_INS.chars().filter(|sign| text.contains(*sign));
    stand_ins.count() <= FEW && text.chars().count() <= JUDGED
}

/// What the largest part of a weak password is.
fn reason(parts: &[Match]) -> &'static str {
    let largest = parts.iter().max_by_key(|part| part.token.len());
    match largest.map(|part| &part.pattern) {
        Some(MatchPattern::Repeat(_)) => REPEATS,
        Some(MatchPattern::Sequence(_) | MatchPattern::Spatial(_)) => {
            "This password is a row of letters, digits or keys, which is tried early: choose another."
        }
        Some(MatchPattern::Date(_) | MatchPattern::Regex(_)) => {
            "This password is a date, which is tried early: choose another."
        }
        _ => {
            "This password is made of common words, or of your name or address, which are tried early: add some words \
             that have nothing to do with each other."
        }
    }
}

fn is_common(folded: &str) -> bool {
    let listed = |word: &str| COMMON.lines().any(|line| line == word);
    let core = folded.trim_matches(|c: char| !c.is_alphabetic());
    let trimmings = folded.chars().count() - core.chars().count();
    let mut letters = folded.chars();
    let first = letters.next();
    listed(folded)
        || (trimmings <= TRIMMINGS && listed(core))
        || letters.all(|letter| Some(letter) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: About<'static> = About {
        email_key: Some("ana.lima@verdant.example"),
        first_name: Some("Anastasia"),
        last_name: Some("Wolkenstein"),
    };

    #[test]
    fn what_is_guessed_early_is_weak_and_the_reason_is_told() {
        for (password, part) in [
            ("ｐａｓｓｗｏｒｄ１２３", "first that are tried"),
            ("ana.lima@verdant.example", "e-mail address"),
            ("verdant2024", "name or address"),
            ("Wolkenstein1", "name or address"),
            ("anastasia!", "name or address"),
            ("nietsneklow", "name or address"),
            ("P@ssb00k99", "common words"),
            ("klaster99", "common words"),
            ("trustno1trustno1", "common words"),
            (
                "p4ssw0rd!p4ssw0rd!p4ssw0rd!p4ssw0rd!p4ssw0rd!",
                "common words",
            ),
            ("ab éab éab éab éab", "repeats"),
            ("abababababab", "repeats"),
            ("zyxwvutsrq", "row"),
            ("19840217", "date"),
        ] {
            let told = weakness(password, &ANA);
            assert!(
                told.is_some_and(|text| text.contains(part)),
                "{password}: {told:?}"
            );
        }
    }

    #[test]
    fn other_passwords_are_fine() {
        for password in [
            "correct horse battery",
            "four odd words here",
            "nul\0 inside",
            "🦀 eats 🐙 on sundays",
            "grün-läuft-der-bär",
            "kX9#vq2!",
            "  leading and trailing  ",
            "a long one, with many words that nobody would put together in just this order",
            "4@8({[<3€69!1|7$5%2z",
        ] {
            assert_eq!(weakness(password, &ANA), None, "{password}");
        }
    }

    #[test]
    fn the_list_is_sorted_lower_case_and_without_repeats() {
        let words: Vec<&str> = COMMON.lines().collect();
        assert!(words.len() > 100 && words.is_sorted_by(|a, b| a < b));
        assert!(words.iter().all(|word| *word == word.to_lowercase().trim()));
    }
}
