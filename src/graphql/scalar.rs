//! The scalars. Each travels as a string in the form its specification names, and a value that is
//! not of that form is refused with the remedy.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// An exact decimal number, written as a string such as `"-12.50"`. It is never rounded and never a
/// floating-point number; write it in arguments as a string too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(pub String);

/// An exact decimal number, written as a string such as `"-12.50"`. It is never rounded and never a
/// floating-point number; write it in arguments as a string too.
#[Scalar(specified_by_url = "https://scalars.graphql.org/chillicream/decimal.html")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let parsed: Result<rust_decimal::Decimal, _> = text.parse();
        parsed
            .map(|decimal| Self(decimal.normalize().to_string()))
            .map_err(|_| {
                InputValueError::custom(
                    "write a decimal number as a string of at most 28 digits, such as \"-12.50\"",
                )
            })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A calendar day without a time zone, `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub NaiveDate);

/// A calendar day without a time zone, `YYYY-MM-DD`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let strict = text.len() == 10;
        let day = strict
            .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
            .flatten();
        day.map(Self)
            .ok_or_else(|| InputValueError::custom("write a day that exists as \"YYYY-MM-DD\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A moment in UTC, RFC 3339, such as `2026-01-31T12:00:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// A moment in UTC, RFC 3339, such as `2026-01-31T12:00:00.000Z`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let moment = chrono::DateTime::parse_from_rfc3339(text);
        moment
            .map(|moment| Self(moment.with_timezone(&Utc)))
            .map_err(|_| InputValueError::custom("write a moment as \"YYYY-MM-DDTHH:MM:SSZ\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// A whole number of 64 bits, written as a string such as `"2147483648"`: numbers of JSON are exact in JavaScript
/// only up to 2^53, and `Int` ends at 2^31. The form is that of Protocol Buffers' `int64` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BigInt(pub i64);

/// A whole number of 64 bits, written as a string such as `"2147483648"`: numbers of JSON are exact in JavaScript
/// only up to 2^53, and `Int` ends at 2^31. The form is that of Protocol Buffers' `int64` in JSON.
#[Scalar(specified_by_url = "https://protobuf.dev/programming-guides/json/")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        text.parse().map(Self).map_err(|_| {
            InputValueError::custom("write a whole number as a string, such as \"2147483648\"")
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A currency: three capital letters of ISO 4217, or the market's code where ISO has none (`BTC`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyCode(pub String);

/// A currency: three capital letters of ISO 4217, or the market's code where ISO has none (`BTC`).
#[Scalar(specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text)
                if (3..=10).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_alphanumeric()) =>
            {
                Ok(Self(text.to_ascii_uppercase()))
            }
            Value::String(_) => Err(InputValueError::custom(
                "write a currency code such as \"USD\"",
            )),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}
