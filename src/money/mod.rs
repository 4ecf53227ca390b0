//! Exact money. An amount is a decimal from the provider's JSON text to the client's string and
//! never a float. In the database it is text in a form whose byte order is its numeric order, so
//! that both databases sort and filter it by plain comparison and neither can round it.
//! Refused: `NUMERIC` (SQLite turns it into a float), minor units (banks report more than two
//! decimals), and a second column for the order (state that can be derived).

use rust_decimal::Decimal;

mod convert;
mod pair;

pub use convert::{Step, convert, factor, rounded};
pub use pair::{Leg, NoPair, Pair, route};

/// A 28-digit decimal times ten to this power is the largest that keys can tell apart.
const BIAS: i32 = 50;

/// The sortable form of an amount: sign, exponent, digits. Negative amounts have exponent and
/// digits complemented and a terminator above every digit, so that longer means smaller.
///
/// ```
/// use passbook::money::to_key;
/// use rust_decimal::Decimal;
/// let mut keys = ["12.5", "-3", "0", "100", "-12.5"].map(|s| to_key(s.parse::<Decimal>().unwrap()));
/// keys.sort();
/// assert_eq!(keys[0], to_key("-12.5".parse().unwrap()));
/// assert_eq!(keys[4], to_key("100".parse().unwrap()));
/// ```
pub fn to_key(amount: Decimal) -> String {
    let amount = amount.normalize();
    if amount.is_zero() {
        return "0".to_owned();
    }
    let digits = amount.mantissa().unsigned_abs().to_string();
    let scale = i32::try_from(amount.scale()).unwrap_or_default();
    let exponent = i32::try_from(digits.len()).unwrap_or_default() - scale + BIAS;
    let digits = digits.trim_end_matches('0');
    if amount.is_sign_positive() {
        return format!("1{exponent:02}{digits}");
    }
    let complement: String = digits
        .bytes()
        .map(|b| char::from(b'0' + (b'9' - b)))
        .collect();
    format!("-{:02}{complement}~", 99 - exponent)
}

/// The amount a sortable form stands for; nothing if it is not one.
pub fn from_key(key: &str) -> Option<Decimal> {
    let sign = key.get(..1)?;
    if key == "0" {
        return Some(Decimal::ZERO);
    }
    let exponent: i32 = key.get(1..3)?.parse().ok()?;
    let (exponent, digits) = match sign {
        "1" => (exponent, key.get(3..)?.to_owned()),
        "-" => {
            let complement = key.get(3..)?.strip_suffix('~')?;
            let digits = complement
                .bytes()
                .map(|b| char::from(b'0' + b'9'.saturating_sub(b)));
            (99 - exponent, digits.collect())
        }
        _ => return None,
    };
    let mantissa: i128 = digits.parse().ok()?;
    let scale = i32::try_from(digits.len()).ok()? - (exponent - BIAS);
    let (mantissa, scale) = match u32::try_from(scale) {
        Ok(scale) => (mantissa, scale),
        Err(_) => (
            mantissa.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?,
            0,
        ),
    };
    let signed = if sign == "-" { -mantissa } else { mantissa };
    Decimal::try_from_i128_with_scale(signed, scale)
        .ok()
        .map(|amount| amount.normalize())
}

/// The amount as a client reads it: exact, with at least the decimals the currency is written with.
pub fn display(amount: Decimal, currency: &str) -> String {
    let amount = amount.normalize();
    let decimals = usize::try_from(amount.scale())
        .unwrap_or_default()
        .max(decimals(currency));
    format!("{amount:.decimals$}")
}

/// How many decimals ISO 4217 writes the currency with; 2 where it says nothing.
fn decimals(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts() -> Vec<Decimal> {
        let texts = "-79228162514264337593543950335 -1000000000000000 -100.01 -100 -12.5 -12.49 -1 -0.10 -0.011 -0.01 \
                     0 0.0000000000000000000000000001 0.005 0.01 0.1 1 9.99 10 12.49 12.5 23631.9805 1000000000000000 \
                     79228162514264337593543950335";
        texts
            .split_whitespace()
            .map(|t| t.parse().unwrap())
            .collect()
    }

    #[test]
    fn keys_sort_as_the_amounts_do() {
        let keys: Vec<String> = amounts().into_iter().map(to_key).collect();
        let mut sorted = keys.clone();
        sorted.sort();
        assert_eq!(keys, sorted);
    }

    #[test]
    fn every_amount_survives_the_round_trip() {
        for amount in amounts() {
            assert_eq!(from_key(&to_key(amount)), Some(amount), "{amount}");
        }
    }

    #[test]
    fn what_is_no_key_is_no_amount() {
        for text in ["", "1", "-5212", "2521", "152x", "-47", "é52"] {
            assert_eq!(from_key(text), None, "{text}");
        }
    }

    #[test]
    fn people_read_the_decimals_they_expect() {
        let read = |amount: &str, currency| display(amount.parse().unwrap(), currency);
        assert_eq!(read("-12.5", "USD"), "-12.50");
        assert_eq!(read("23631.9805", "USD"), "23631.9805");
        assert_eq!(read("1250", "JPY"), "1250");
        assert_eq!(read("1", "KWD"), "1.000");
    }
}
