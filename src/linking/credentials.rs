//! What a person types for her bank. It comes in by an input object, passes through memory as secrets
//! and goes out to the provider; nothing here can be printed.

use std::collections::HashSet;

use secrecy::{ExposeSecret, SecretString};

use crate::{
    error::{Error, Result},
    providers::Secret,
};

/// Most things a bank asks for at once.
const MOST: usize = 20;
/// Longest id that is taken, in bytes.
const ID_MAX: usize = 200;
/// Longest value that is taken, in bytes.
const VALUE_MAX: usize = 2_000;

/// Checks pairs of what was asked and what was typed. `field` is the list in the input, `id` the name
/// of the id in it.
pub(super) fn secrets(
    field: &str,
    id: &str,
    pairs: Vec<(String, SecretString)>,
) -> Result<Vec<Secret>> {
    if pairs.len() > MOST {
        let text = format!("Send at most {MOST}.");
        return Err(Error::invalid(field, text));
    }
    let mut seen = HashSet::new();
    for (number, (asked, value)) in pairs.iter().enumerate() {
        let place = |name: &str| format!("{field}.{number}.{name}");
        // What the id names, only the provider knows; one that names nothing is its to refuse.
        let fine = asked.len() <= ID_MAX;
        if !fine || !seen.insert(asked.as_str()) {
            let text = "Send each id once, as it was given to you.";
            return Err(Error::invalid(&place(id), text));
        }
        let length = value.expose_secret().len();
        if length == 0 || length > VALUE_MAX {
            let text = format!("Send 1 to {VALUE_MAX} bytes.");
            return Err(Error::invalid(&place("value"), text));
        }
    }
    let pairs = pairs.into_iter();
    Ok(pairs.map(|(id, value)| Secret { id, value }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_named_and_not_shown() {
        let pair = |id: &str, value: &str| (id.to_owned(), SecretString::from(value));
        for pairs in [
            vec![pair(&"x".repeat(ID_MAX + 1), "hunter2")],
            vec![pair("CRD-1", "hunter2"), pair("CRD-1", "hunter2")],
            vec![pair("CRD-1", "")],
            vec![pair("CRD-1", &"hunter2".repeat(300))],
            (0..=MOST)
                .map(|n| pair(&n.to_string(), "hunter2"))
                .collect(),
        ] {
            let error = secrets("credentials", "fieldId", pairs).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("hunter2"));
        }
        assert_eq!(
            secrets("answers", "challengeId", vec![pair("CRD-1", "x")])
                .unwrap()
                .len(),
            1
        );
    }
}
