//! Reading a request body as strictly as Plaid does: first what is missing, then what is unknown, then what is wrong.
//! Derived deserialisation was refused: it stops at the first fault and cannot tell these three apart.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::error::PlaidError;

/// The fields of a JSON object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    values: Map<String, Value>,
    path: String,
}

impl Fields {
    /// Reads the body of a request.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, PlaidError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self {
                values,
                path: String::new(),
            }),
            Ok(_) => Err(PlaidError::saying(
                "INVALID_BODY",
                "the body must be a JSON object",
            )),
            Err(_) => Err(PlaidError::of("INVALID_BODY")),
        }
    }

    /// Refuses the object unless it has all of `required` and nothing that is in neither list.
    pub(crate) fn expect(&self, required: &[&str], optional: &[&str]) -> Result<(), PlaidError> {
        let missing: Vec<String> = required
            .iter()
            .filter(|name| !self.has(name))
            .map(|name| self.full(name))
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "the following required fields are missing: {}",
                missing.join(", ")
            );
            return Err(PlaidError::saying("MISSING_FIELDS", message));
        }
        let credentials = self
            .path
            .is_empty()
            .then_some(["client_id", "secret"])
            .into_iter()
            .flatten();
        let allowed: Vec<&str> = required
            .iter()
            .chain(optional)
            .copied()
            .chain(credentials)
            .collect();
        let unknown: Vec<String> = self
            .values
            .keys()
            .filter(|name| !allowed.contains(&name.as_str()))
            .map(|name| self.full(name))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the following fields are not recognized by this endpoint: {}",
            unknown.join(", ")
        );
        Err(PlaidError::saying("UNKNOWN_FIELDS", message))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    fn full(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn wrong(&self, name: &str, wanted: &str) -> PlaidError {
        PlaidError::invalid(format!("{} must be {wanted}", self.full(name)))
    }

    /// A string that has to be there and say something.
    pub(crate) fn text(&self, name: &str) -> Result<String, PlaidError> {
        match self.values.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            _ => Err(self.wrong(name, "a properly formatted, non-empty string")),
        }
    }

    /// A string that may be absent. Empty and absent are one; `null` is neither.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<String>, PlaidError> {
        match self.values.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(name, "a string")),
        }
    }

    /// A string that may be absent or `null`.
    pub(crate) fn nullable_text(&self, name: &str) -> Result<Option<String>, PlaidError> {
        if self.is_null(name) {
            Ok(None)
        } else {
            self.optional_text(name)
        }
    }

    pub(crate) fn is_null(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Value::Null))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, PlaidError> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(name, "a boolean")),
        }
    }

    /// A whole number of a range, or `None` when absent.
    pub(crate) fn whole(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, PlaidError> {
        let Some(value) = self.values.get(name) else {
            return Ok(None);
        };
        let number = value.as_u64().filter(|number| range.contains(number));
        let wanted = format!("an integer from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| self.wrong(name, &wanted))
    }

    /// A list of strings; `None` when absent or `null`.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, PlaidError> {
        let list = match self.values.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(self.wrong(name, "an array of strings")),
        };
        let texts: Option<Vec<String>> = list
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect();
        texts
            .map(Some)
            .ok_or_else(|| self.wrong(name, "an array of strings"))
    }

    /// An object below this one, empty when absent; `null` is refused unless the object is missing altogether.
    pub(crate) fn object(&self, name: &str) -> Result<Fields, PlaidError> {
        match self.values.get(name) {
            None => Ok(Fields {
                values: Map::new(),
                path: self.full(name),
            }),
            Some(Value::Object(values)) => Ok(Fields {
                values: values.clone(),
                path: self.full(name),
            }),
            Some(_) => Err(self.wrong(name, "an object")),
        }
    }

    /// A list of objects.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Fields>, PlaidError> {
        let Some(Value::Array(list)) = self.values.get(name) else {
            return Err(self.wrong(name, "an array of objects"));
        };
        let object = |(index, value): (usize, &Value)| match value {
            Value::Object(values) => Ok(Fields {
                values: values.clone(),
                path: format!("{}[{index}]", self.full(name)),
            }),
            _ => Err(self.wrong(name, "an array of objects")),
        };
        list.iter().enumerate().map(object).collect()
    }

    pub(crate) fn date(&self, name: &str) -> Result<NaiveDate, PlaidError> {
        let text = self.text(name)?;
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d")
            .ok()
            .filter(|_| text.len() == 10);
        date.ok_or_else(|| self.wrong(name, "a date like 2026-01-31"))
    }

    /// A number, exactly as it was written.
    pub(crate) fn decimal(&self, name: &str) -> Result<Decimal, PlaidError> {
        let text = match self.values.get(name) {
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(self.wrong(name, "a number")),
        };
        let exact = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
        exact.map_err(|_| self.wrong(name, "a number that a bank could hold"))
    }

    /// A URL with a scheme a webhook can be sent to.
    pub(crate) fn url(&self, name: &str) -> Result<Option<String>, PlaidError> {
        let Some(text) = self.nullable_text(name)? else {
            return Ok(None);
        };
        let sound = reqwest::Url::parse(&text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if sound {
            Ok(Some(text))
        } else {
            Err(self.wrong(name, "a valid URL"))
        }
    }

    /// A word out of a list.
    pub(crate) fn word(&self, name: &str, words: &[&str]) -> Result<Option<String>, PlaidError> {
        match self.nullable_text(name)? {
            Some(word) if !words.contains(&word.as_str()) => {
                Err(self.wrong(name, &format!("one of {}", words.join(", "))))
            }
            word => Ok(word),
        }
    }
}
