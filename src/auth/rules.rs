//! What an address, a password, a name and a birthday must be like to register. All faults are told
//! together.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::register::RegisterInput;
use crate::error::{ErrorCode, Refusal};

/// The longest address mail can be sent to.
const LONGEST_EMAIL: usize = 254;
const SHORTEST_PASSWORD: usize = 8;
/// In bytes; refused before anything is hashed.
pub(super) const LONGEST_PASSWORD: usize = 1024;
const LONGEST_NAME: usize = 200;
const FIRST_YEAR: i32 = 1900;

/// The commonest passwords and the words they are made of, lower-case, sorted.
const COMMON: &str = include_str!("common_passwords.txt");
/// How many digits and signs around a common word still make a common password.
const TRIMMINGS: usize = 6;

/// Somebody who may be registered.
pub(super) struct Applicant {
    pub(super) email: String,
    pub(super) email_key: String,
    pub(super) password: String,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) birth_date: Option<NaiveDate>,
}

/// Reads what was typed, or says everything that is wrong with it.
pub(super) fn applicant(
    input: RegisterInput,
    now: DateTime<Utc>,
) -> Result<Applicant, Vec<Refusal>> {
    let mut faults = Vec::new();
    let email = input.email.trim().to_owned();
    let key = email_key(&email);
    if key.is_none() {
        faults.push(fault(
            "email",
            "Write an e-mail address, such as ana@example.com.",
        ));
    }
    faults.extend(password_fault(&input.password, key.as_deref()));
    let first_name = name("firstName", input.first_name, &mut faults);
    let last_name = name("lastName", input.last_name, &mut faults);
    let birth_date = input.birth_date.map(|date| date.0);
    if birth_date.is_some_and(|date| date.year() < FIRST_YEAR || date > now.date_naive()) {
        faults.push(fault(
            "birthDate",
            "Write a day between 1900-01-01 and today.",
        ));
    }
    match key {
        Some(email_key) if faults.is_empty() => Ok(Applicant {
            email,
            email_key,
            password: input.password,
            first_name,
            last_name,
            birth_date,
        }),
        _ => Err(faults),
    }
}

/// The form in which addresses are compared, if this can be one. It is not checked whether mail
/// arrives there; only that nothing else than one address is said.
pub(super) fn email_key(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.split_once('@')?;
    let dots = |part: &str| part.starts_with('.') || part.ends_with('.') || part.contains("..");
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c);
    let sound = text.len() <= LONGEST_EMAIL
        && !local.is_empty()
        && local.len() <= 64
        && !domain.is_empty()
        && !domain.contains('@')
        && !dots(local)
        && !dots(domain)
        && !text.chars().any(odd);
    sound.then(|| text.to_lowercase())
}

fn password_fault(password: &str, email_key: Option<&str>) -> Option<Refusal> {
    if password.len() > LONGEST_PASSWORD {
        return Some(too_long());
    }
    let weak = |text: &str| Some(Refusal::new(ErrorCode::WeakPassword, text).on("password"));
    if password.chars().count() < SHORTEST_PASSWORD {
        return weak("This password is too short: use 8 characters or more.");
    }
    let folded = password.to_lowercase();
    let local = email_key.and_then(|key| key.split('@').next());
    if [email_key, local].contains(&Some(folded.trim())) {
        return weak("This password is the e-mail address: choose something only you know.");
    }
    if is_common(&folded) {
        return weak("This password is among the first that are tried: choose another.");
    }
    None
}

/// What is told where a password is longer than anybody types.
pub(super) fn too_long() -> Refusal {
    fault(
        "password",
        "This password is too long: use at most 1024 bytes.",
    )
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

fn name(field: &str, text: Option<String>, faults: &mut Vec<Refusal>) -> Option<String> {
    let text = text?.trim().to_owned();
    if text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        faults.push(fault(
            field,
            "Write a name of at most 200 characters, on one line.",
        ));
    }
    (!text.is_empty()).then_some(text)
}

fn fault(field: &str, message: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidInput, message).on(field)
}
