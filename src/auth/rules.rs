//! What an address, a password, a name and a birthday must be like. All faults are told together.

use async_graphql::MaybeUndefined;
use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::{
    password::Passwords,
    profile::UpdateProfileInput,
    register::RegisterInput,
    strength::{About, judge},
};
use crate::error::{Error, ErrorCode, Refusal, Result};

/// The longest address mail can be sent to.
const LONGEST_EMAIL: usize = 254;
/// In characters.
pub(super) const SHORTEST_PASSWORD: usize = 8;
/// In bytes; refused before anything is hashed.
pub(super) const LONGEST_PASSWORD: usize = 1024;
const LONGEST_NAME: usize = 200;
const FIRST_YEAR: i32 = 1900;

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
pub(super) async fn applicant(
    passwords: &Passwords,
    input: RegisterInput,
    now: DateTime<Utc>,
) -> Result<Applicant> {
    let about = About {
        email_key: None,
        first_name: input.first_name.as_deref(),
        last_name: input.last_name.as_deref(),
    };
    let sign_in = sign_in(passwords, &input.email, &input.password, about).await;
    let (sign_in, mut faults) = match sign_in {
        Ok(sign_in) => (Some(sign_in), Vec::new()),
        Err(Error::Refused(faults)) => (None, faults),
        Err(error) => return Err(error),
    };
    let first_name = name("firstName", input.first_name, &mut faults);
    let last_name = name("lastName", input.last_name, &mut faults);
    let birth_date = input.birth_date.map(|date| date.0);
    faults.extend(birth_date.and_then(|date| birth_date_fault(date, now)));
    match sign_in {
        Some((email, email_key)) if faults.is_empty() => Ok(Applicant {
            email,
            email_key,
            password: input.password,
            first_name,
            last_name,
            birth_date,
        }),
        _ => Err(Error::Refused(faults)),
    }
}

/// Reads what somebody is to sign in with, who is known by what is told of her: the address as it was
/// typed, and as it is compared.
pub(super) async fn sign_in(
    passwords: &Passwords,
    email: &str,
    password: &str,
    about: About<'_>,
) -> Result<(String, String)> {
    let mut faults = Vec::new();
    let email = email.trim().to_owned();
    let key = email_key(&email);
    if key.is_none() {
        faults.push(no_address());
    }
    let about = About {
        email_key: key.as_deref(),
        ..about
    };
    faults.extend(password_fault(passwords, "password", password, &about).await?);
    match key {
        Some(key) if faults.is_empty() => Ok((email, key)),
        _ => Err(Error::Refused(faults)),
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

/// Refuses a password that is not to be set.
pub(super) async fn demand_sound(
    passwords: &Passwords,
    field: &str,
    password: &str,
    about: &About<'_>,
) -> Result<()> {
    let fault = password_fault(passwords, field, password, about).await?;
    fault.map_or(Ok(()), |fault| Err(fault.into()))
}

/// What is wrong with a password that is to be set.
async fn password_fault(
    passwords: &Passwords,
    field: &str,
    password: &str,
    about: &About<'_>,
) -> Result<Option<Refusal>> {
    if password.len() > LONGEST_PASSWORD {
        return Ok(Some(too_long(field)));
    }
    let weak = |text: &str| Refusal::new(ErrorCode::WeakPassword, text).on(field);
    if password.chars().count() < SHORTEST_PASSWORD {
        let text = "This password is too short: use 8 characters or more.";
        return Ok(Some(weak(text)));
    }
    Ok(judge(passwords, password, about).await?.map(weak))
}

/// What is told where there is no e-mail address.
pub(super) fn no_address() -> Refusal {
    fault("email", "Write an e-mail address, such as ana@example.com.")
}

/// What is told where a password is longer than anybody types.
pub(super) fn too_long(field: &str) -> Refusal {
    fault(field, "This password is too long: use at most 1024 bytes.")
}

/// Reads what of a profile is to change, or says everything that is wrong with it. An empty name is
/// none.
pub(super) fn profile(
    input: UpdateProfileInput,
    now: DateTime<Utc>,
) -> Result<UpdateProfileInput, Vec<Refusal>> {
    let mut faults = Vec::new();
    let mut read = |field, given| match given {
        MaybeUndefined::Value(text) => Some(name(field, Some(text), &mut faults)).into(),
        other => other,
    };
    let first_name = read("firstName", input.first_name);
    let last_name = read("lastName", input.last_name);
    let birth_date = input.birth_date;
    let born = birth_date.value().map(|date| date.0);
    faults.extend(born.and_then(|date| birth_date_fault(date, now)));
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(UpdateProfileInput {
        first_name,
        last_name,
        birth_date,
    })
}

fn birth_date_fault(date: NaiveDate, now: DateTime<Utc>) -> Option<Refusal> {
    let possible = date.year() >= FIRST_YEAR && date <= now.date_naive();
    let text = "Write a day between 1900-01-01 and today.";
    (!possible).then(|| fault("birthDate", text))
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

/// An address as somebody else says it, if it can be one.
pub(super) fn likely_email(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    email_key(text).map(|_| text.to_owned())
}

/// A name as somebody else says it, if it can be one.
pub(super) fn likely_name(text: Option<&str>) -> Option<String> {
    let mut faults = Vec::new();
    let name = name("name", text.map(str::to_owned), &mut faults);
    name.filter(|_| faults.is_empty())
}

/// A birthday as somebody else says it, if it can be one: without a year it is none.
pub(super) fn likely_birth_date(text: Option<&str>, now: DateTime<Utc>) -> Option<NaiveDate> {
    let date = text?.parse().ok()?;
    birth_date_fault(date, now).is_none().then_some(date)
}

fn fault(field: &str, message: &str) -> Refusal {
    Refusal::new(ErrorCode::InvalidInput, message).on(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graphql::scalar::Date, metrics::Metrics};

    fn input(email: &str, password: &str) -> RegisterInput {
        RegisterInput {
            email: email.to_owned(),
            password: password.to_owned(),
            first_name: None,
            last_name: None,
            birth_date: None,
        }
    }

    async fn told(input: RegisterInput) -> Vec<(String, ErrorCode)> {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let passwords = Passwords::new(Metrics::default()).unwrap();
        let faults = match applicant(&passwords, input, now).await {
            Err(Error::Refused(faults)) => faults,
            other => other.map(|_| Vec::new()).unwrap(),
        };
        faults
            .into_iter()
            .map(|fault| (fault.field.unwrap().join("."), fault.code))
            .collect()
    }

    #[test]
    fn addresses_are_compared_without_regard_to_case() {
        assert_eq!(
            email_key("  Ana.Lima+bank@Example.COM "),
            Some("ana.lima+bank@example.com".to_owned())
        );
        for email in ["a@b", "ü@münchen.example", "o'hara@x.example"] {
            assert!(email_key(email).is_some(), "{email}");
        }
    }

    #[test]
    fn what_is_not_one_address_is_refused() {
        let long = format!("{}@{}.example", "a".repeat(60), "b".repeat(200));
        let local = format!("{}@x.example", "a".repeat(65));
        for email in [
            "",
            "@",
            "ana",
            "ana@",
            "@example.com",
            "a@b@c",
            "a b@example.com",
            "ana@example.com\r\nBcc: all@example.com",
            "ana@exa\0mple.com",
            "ana@example.com.",
            "ana@.example.com",
            "ana@example..com",
            ".ana@example.com",
            "a,b@example.com",
            "Ana <ana@example.com>",
            "ana@example.com\u{85}x",
            &long,
            &local,
        ] {
            assert_eq!(email_key(email), None, "{email:?}");
        }
    }

    #[tokio::test]
    async fn passwords_that_are_tried_first_are_refused() {
        for password in [
            "password",
            "Password123",
            "PASSWORD!",
            "passbook2024!",
            "Passbook1",
            "qwertyuiop",
            "12345678",
            "aaaaaaaa",
            "        ",
            "!!letmein!!",
            "ana@example.com",
            "Ana@Example.com",
            "short",
            "пароль1",
            "iloveyou",
        ] {
            let faults = told(input("ana@example.com", password)).await;
            assert_eq!(
                faults,
                [("password".to_owned(), ErrorCode::WeakPassword)],
                "{password}"
            );
        }
        assert_eq!(
            told(input("longname@example.com", "LongName")).await.len(),
            1
        );
    }

    #[tokio::test]
    async fn other_passwords_are_taken_as_typed() {
        for password in [
            "correct horse battery staple",
            "天气很好我们去爬山",
            "🦀 eats 🐙 on sundays",
            "nul\0 inside",
            "  leading and trailing  ",
            "password4821-9950372",
            &"many odd words that nobody puts together, é ".repeat(20),
        ] {
            assert_eq!(
                told(input("ana@example.com", password)).await,
                [],
                "{password}"
            );
        }
        let faults = told(input("ana@example.com", &"ab éé".repeat(147))).await;
        assert_eq!(faults, [("password".to_owned(), ErrorCode::InvalidInput)]);
    }

    #[tokio::test]
    async fn all_faults_are_told_together() {
        let date = |text: &str| Some(Date(text.parse().unwrap()));
        let faults = told(RegisterInput {
            first_name: Some("A\nB".to_owned()),
            last_name: Some("ü".repeat(201)),
            birth_date: date("1899-12-31"),
            ..input("nobody", "short")
        })
        .await;
        let fields: Vec<&str> = faults.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(
            fields,
            ["email", "password", "firstName", "lastName", "birthDate"]
        );
        // The clock of this test stands at 2027-01-15.
        for (day, count) in [("2027-01-15", 0), ("2027-01-16", 1), ("1900-01-01", 0)] {
            let typed = RegisterInput {
                birth_date: date(day),
                ..input("ana@example.com", "four odd words here")
            };
            assert_eq!(told(typed).await.len(), count, "{day}");
        }
    }

    #[tokio::test]
    async fn an_empty_name_is_no_name() {
        let typed = RegisterInput {
            first_name: Some("  Ana ".to_owned()),
            last_name: Some("   ".to_owned()),
            ..input("ana@example.com", "four odd words here")
        };
        let passwords = Passwords::new(Metrics::default()).unwrap();
        let ana = applicant(&passwords, typed, DateTime::UNIX_EPOCH).await;
        let ana = ana.ok().unwrap();
        assert_eq!(
            (ana.first_name.as_deref(), ana.last_name),
            (Some("Ana"), None)
        );
    }
}
