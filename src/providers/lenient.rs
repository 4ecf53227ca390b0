//! Values as banks send them. A text may hold NULs and be 64 KiB long, a number may be `1e15` or
//! need 40 digits, a moment may lack its zone. What can be read exactly is read; what cannot is
//! nothing, and the row's own rules say whether the row can do without it.
//! Refused: rounding (an amount is exact or it is no amount), and failing a row for a field that
//! nobody needs.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Utc};
use rust_decimal::Decimal;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// Longest text that is kept, in bytes. Providers promise no bound; Plaid calls 280 characters usual.
/// <https://plaid.com/docs/api/#data-types>
pub(super) const TEXT_MAX: usize = 4096;

/// Longest identifier that is believed. Plaid's have about 37 characters.
const ID_MAX: usize = 256;

/// A text, or nothing: null, the empty string and every other JSON type are nothing. NULs are taken
/// out, for PostgreSQL stores none, and what is beyond [`TEXT_MAX`] is cut off.
#[derive(Clone, Default)]
pub(super) struct Text(pub(super) Option<String>);

impl Text {
    /// The text, empty if there is none.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson).map(Text)
    }
}

/// Takes whatever comes, and keeps it if it is a text.
struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(clean(text))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    // Some numbers come here too: with arbitrary precision serde_json shows them as a map of one entry.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// Reads a JSON object, and nothing but an object: serde would fill a struct from a list as well.
pub(super) fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    if !json.trim_ascii_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(json).ok()
}

/// The text without NULs and no longer than it may be; nothing if nothing is left.
pub(super) fn clean(text: &str) -> Option<String> {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let kept = &text[..end];
    let kept = if kept.contains('\0') {
        kept.replace('\0', "")
    } else {
        kept.to_owned()
    };
    (!kept.is_empty()).then_some(kept)
}

/// An identifier that can be stored and found again. It is taken whole or not at all: a mended
/// identifier would be another one.
pub(super) fn identifier(text: String) -> Option<String> {
    let believable = !text.is_empty() && text.len() <= ID_MAX && !text.contains('\0');
    believable.then_some(text)
}

/// The number exactly as the JSON wrote it; nothing if it is no number or does not fit.
pub(super) fn decimal(number: &RawValue) -> Option<Decimal> {
    let text = number.get();
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return None;
    }
    let amount = match Decimal::from_str_exact(text) {
        Ok(amount) => amount,
        Err(_) => from_digits(text)?,
    };
    // There is one zero: a bank's -0.00 is not less than nothing.
    Some(if amount.is_zero() {
        Decimal::ZERO
    } else {
        amount
    })
}

/// Reads the forms that `Decimal` does not: exponents, and zeros beyond its 28 decimals.
fn from_digits(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.trim_start_matches('-').is_empty() {
        return Some(Decimal::ZERO);
    }
    let trimmed = i32::try_from(digits.len() - significant.len()).ok()?;
    let scale = i32::try_from(fraction.len())
        .ok()?
        .checked_sub(trimmed)?
        .checked_sub(exponent)?;
    let mantissa: i128 = significant.parse().ok()?;
    let (mantissa, scale) = match u32::try_from(scale) {
        Ok(scale) => (mantissa, scale),
        Err(_) => (
            mantissa.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?,
            0,
        ),
    };
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

/// A calendar day, `YYYY-MM-DD` and nothing else.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    if text.len() != 10 {
        return None;
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// A moment, to the microsecond our databases keep. Without a zone it is UTC, without a time of day
/// it is midnight.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let moment = DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.with_timezone(&Utc))
        .ok()
        .or_else(|| {
            let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok();
            naive.map(|moment| moment.and_utc())
        })
        .or_else(|| date(text).map(|day| day.and_time(NaiveTime::MIN).and_utc()))?;
    Some(moment.trunc_subsecs(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        decimal(raw).map(|amount| amount.to_string())
    }

    #[test]
    fn numbers_are_read_from_their_own_text() {
        for (json, amount) in [
            ("12.5", "12.5"),
            ("0.1", "0.1"),
            ("23631.9805", "23631.9805"),
            ("0.005", "0.005"),
            ("-0", "0"),
            ("-0.00", "0"),
            ("0e400", "0"),
            ("1e15", "1000000000000000"),
            ("1E+2", "100"),
            ("-12.50e1", "-125"),
            ("125e-3", "0.125"),
            ("1.5E0", "1.5"),
            ("1000000000000000.01", "1000000000000000.01"),
            (
                "79228162514264337593543950335",
                "79228162514264337593543950335",
            ),
            (
                "0.0000000000000000000000000001",
                "0.0000000000000000000000000001",
            ),
            ("4.0000000000000000000000000000000000", "4"),
        ] {
            assert_eq!(read(json).as_deref(), Some(amount), "{json}");
        }
    }

    #[test]
    fn what_cannot_be_held_exactly_is_no_amount() {
        let digits = "9".repeat(200);
        for json in [
            "1e400",
            "1e29",
            "-1e99999999999999999999",
            "1e-29",
            "79228162514264337593543950336",
            "0.10000000000000000000000000000000001",
            "100000000000000000000.1234567891",
            digits.as_str(),
            "\"12.50\"",
            "true",
            "[1]",
            "{}",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn any_json_is_a_text_or_nothing() {
        let json = r#"["a\u0000b", "", null, 5, 1e400, true, [1, [2]], {"a": {"b": 1}}, "z"]"#;
        let texts: Vec<Text> = serde_json::from_str(json).unwrap();
        let texts: Vec<&str> = texts.iter().map(Text::as_str).collect();
        assert_eq!(texts, ["ab", "", "", "", "", "", "", "", "z"]);
    }

    #[test]
    fn a_list_is_no_object() {
        #[derive(Deserialize)]
        struct One {
            a: u8,
        }
        assert_eq!(object::<One>(" {\"a\": 1}").map(|one| one.a), Some(1));
        assert!(object::<One>("[1]").is_none());
        assert!(object::<One>("{\"a\": 1} {}").is_none());
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let kept = clean(&format!("a{}", "é".repeat(40_000))).unwrap();
        assert_eq!(kept.len(), TEXT_MAX - 1);
        assert!(kept.ends_with('é'));
        assert_eq!(clean("\0\0"), None);
    }

    #[test]
    fn identifiers_are_whole_or_not_at_all() {
        assert_eq!(identifier("abC".into()), Some("abC".into()));
        for bad in [String::new(), "a\0b".into(), "x".repeat(ID_MAX + 1)] {
            assert_eq!(identifier(bad), None);
        }
    }

    #[test]
    fn days_and_moments_are_read_or_refused() {
        assert_eq!(date("9999-12-31"), NaiveDate::from_ymd_opt(9999, 12, 31));
        assert_eq!(date("0001-01-01"), NaiveDate::from_ymd_opt(1, 1, 1));
        for bad in [
            "2026-02-30",
            "09/24/2023",
            "2026-1-05",
            "2026-01-05T00:00:00Z",
            "",
            "+2026-1-1",
        ] {
            assert_eq!(date(bad), None, "{bad}");
        }
        let read = |text| moment(text).map(|moment| moment.to_rfc3339());
        for (text, moment) in [
            ("2026-01-05T00:00:00Z", "2026-01-05T00:00:00+00:00"),
            ("2026-01-05T10:00:00+02:00", "2026-01-05T08:00:00+00:00"),
            ("2026-01-05T10:00:00", "2026-01-05T10:00:00+00:00"),
            ("2026-01-05", "2026-01-05T00:00:00+00:00"),
            (
                "2024-07-29T20:24:05.330312653Z",
                "2024-07-29T20:24:05.330312+00:00",
            ),
        ] {
            assert_eq!(read(text).as_deref(), Some(moment), "{text}");
        }
        assert_eq!(read("yesterday"), None);
    }
}
