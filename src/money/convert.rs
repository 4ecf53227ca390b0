//! Amounts of one currency in another. The product of amount and rates is taken first and divided
//! once, with 28 significant digits; what is shown is rounded once, half to even.

use rust_decimal::Decimal;

use super::decimals;

/// How many decimals a factor between two currencies is shown with.
const FACTOR_PLACES: u32 = 16;

/// How many decimals an amount is shown with whose currency ISO 4217 does not know: a coin's
/// smallest part, as the markets count it.
const COIN_PLACES: u32 = 8;

/// The currencies of ISO 4217, those of funds among them.
const ISO: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN \
    BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP \
    GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW \
    KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO \
    NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP \
    STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF \
    XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// A rate, and whether it is used from its quote to its base.
pub type Step = (Decimal, bool);

/// An amount taken through rates; nothing if it does not fit 28 digits on the way.
pub fn convert(amount: Decimal, steps: &[Step]) -> Option<Decimal> {
    let (mut product, mut divisor) = (amount, Decimal::ONE);
    for (rate, inverted) in steps {
        let side = if *inverted {
            &mut divisor
        } else {
            &mut product
        };
        *side = side.checked_mul(*rate)?;
    }
    product.checked_div(divisor)
}

/// What one unit becomes, to 16 decimals.
pub fn factor(steps: &[Step]) -> Option<Decimal> {
    let factor = convert(Decimal::ONE, steps)?;
    Some(factor.round_dp(FACTOR_PLACES).normalize())
}

/// An amount rounded half to even, to the decimals its currency has: those of ISO 4217, or eight.
pub fn rounded(amount: Decimal, currency: &str) -> Decimal {
    let known = ISO.split(' ').any(|code| code == currency);
    let places = if known {
        u32::try_from(decimals(currency)).unwrap_or(COIN_PLACES)
    } else {
        COIN_PLACES
    };
    amount.round_dp(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn examples_by_hand() {
        let bitcoin = number("50000");
        // 0.5 BTC at 50,000; 110 USD at 1 : 50,000; 110 EUR at 1.1 USD each, at 1 : 50,000.
        for (amount, steps, to, told) in [
            ("0.5", vec![(bitcoin, false)], "USD", "25000"),
            ("110", vec![(bitcoin, true)], "BTC", "0.0022"),
            (
                "110",
                vec![(number("1.1"), false), (bitcoin, true)],
                "BTC",
                "0.00242",
            ),
            ("1", vec![(number("3"), true)], "USD", "0.33"),
            ("1", vec![(number("3"), true)], "BTC", "0.33333333"),
            ("0.125", vec![], "USD", "0.12"),
            ("0.135", vec![], "USD", "0.14"),
            ("-2.5", vec![], "JPY", "-2"),
            ("1.0005", vec![], "KWD", "1"),
            ("1.00015", vec![], "CLF", "1.0002"),
            ("1.005", vec![], "XCG", "1"),
        ] {
            let amount = convert(number(amount), &steps).unwrap();
            assert_eq!(rounded(amount, to).normalize(), number(told), "{told}");
        }
    }

    #[test]
    fn a_factor_is_what_one_unit_becomes() {
        assert_eq!(factor(&[]), Some(Decimal::ONE));
        assert_eq!(factor(&[(number("8"), true)]), Some(number("0.125")));
        let third = factor(&[(number("3"), true)]).unwrap();
        assert_eq!(third, number("0.3333333333333333"));
    }

    #[test]
    fn what_does_not_fit_is_no_amount() {
        assert_eq!(convert(Decimal::MAX, &[(number("2"), false)]), None);
        assert_eq!(convert(Decimal::ONE, &[(Decimal::ZERO, true)]), None);
    }
}
