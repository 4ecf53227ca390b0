//! What comes back by the calendar: pay, rent, subscriptions, transfers, interest. A day's first rows are what is due on it.

use chrono::{Datelike, NaiveDate};

/// A recurring payment. Cents are positive when money leaves the account, as Plaid counts.
#[derive(Debug)]
pub(crate) struct Recurring {
    pub(crate) name: &'static str,
    pub(crate) merchant: Option<&'static str>,
    pub(crate) website: Option<&'static str>,
    pub(crate) cents: i64,
    pub(crate) on: Payer,
    pub(crate) primary: &'static str,
    pub(crate) detailed: &'static str,
    pub(crate) code: &'static str,
    pub(crate) counterparty: &'static str,
}

/// The account a recurring payment touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payer {
    Checking,
    Saving,
    Card,
}

const fn due(
    name: &'static str,
    merchant: (&'static str, &'static str),
    payment: (i64, Payer, &'static str),
    category: (&'static str, &'static str),
    counterparty: &'static str,
) -> Recurring {
    Recurring {
        name,
        merchant: if merchant.0.is_empty() {
            None
        } else {
            Some(merchant.0)
        },
        website: if merchant.1.is_empty() {
            None
        } else {
            Some(merchant.1)
        },
        cents: payment.0,
        on: payment.1,
        primary: category.0,
        detailed: category.1,
        code: payment.2,
        counterparty,
    }
}

const PAY: Recurring = due(
    "ACME WIDGETS PAYROLL PPD ID: 9483920",
    ("Acme Widgets", ""),
    (-214_563, Payer::Checking, "direct debit"),
    ("INCOME", "INCOME_WAGES"),
    "income_source",
);
const RENT: Recurring = due(
    "Check 1042 RENT",
    ("", ""),
    (165_000, Payer::Checking, "cheque"),
    ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_RENT"),
    "merchant",
);
const CARD_PAYMENT: Recurring = due(
    "AUTOPAY CREDIT CARD 3333",
    ("", ""),
    (41_000, Payer::Checking, "bill payment"),
    ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"),
    "financial_institution",
);
const CARD_RECEIVED: Recurring = due(
    "PAYMENT THANK YOU",
    ("", ""),
    (-41_000, Payer::Card, "bill payment"),
    ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"),
    "financial_institution",
);
const TO_SAVING: Recurring = due(
    "Transfer to Saving ...1111",
    ("", ""),
    (25_000, Payer::Checking, "transfer"),
    ("TRANSFER_OUT", "TRANSFER_OUT_SAVINGS"),
    "financial_institution",
);
const FROM_CHECKING: Recurring = due(
    "Transfer from Checking ...0000",
    ("", ""),
    (-25_000, Payer::Saving, "transfer"),
    ("TRANSFER_IN", "TRANSFER_IN_SAVINGS"),
    "financial_institution",
);
const INTEREST: Recurring = due(
    "INTRST PYMNT",
    ("", ""),
    (-422, Payer::Saving, "interest"),
    ("INCOME", "INCOME_INTEREST_EARNED"),
    "financial_institution",
);
const STREAMING: Recurring = due(
    "LUMEN STREAMING",
    ("Lumen Streaming", "lumen.example"),
    (1_549, Payer::Card, "standing order"),
    ("ENTERTAINMENT", "ENTERTAINMENT_TV_AND_MOVIES"),
    "merchant",
);
const MUSIC: Recurring = due(
    "TONLEITER MUSIC P2F91",
    ("Tonleiter", "tonleiter.example"),
    (999, Payer::Card, "standing order"),
    ("ENTERTAINMENT", "ENTERTAINMENT_MUSIC_AND_AUDIO"),
    "merchant",
);
const GYM: Recurring = due(
    "IRON & OAK GYM",
    ("Iron & Oak Gym", "ironandoak.example"),
    (4_900, Payer::Card, "standing order"),
    ("PERSONAL_CARE", "PERSONAL_CARE_GYMS_AND_FITNESS_CENTERS"),
    "merchant",
);
const POWER: Recurring = due(
    "BAYSIDE POWER & LIGHT",
    ("Bayside Power & Light", "baysidepower.example"),
    (8_731, Payer::Checking, "direct debit"),
    (
        "RENT_AND_UTILITIES",
        "RENT_AND_UTILITIES_GAS_AND_ELECTRICITY",
    ),
    "merchant",
);
const PHONE: Recurring = due(
    "TELEFÓN MOBILE BILL",
    ("Telefón Mobile", "telefon.example"),
    (5_500, Payer::Card, "bill payment"),
    ("RENT_AND_UTILITIES", "RENT_AND_UTILITIES_TELEPHONE"),
    "merchant",
);
/// Paid in the unit the card rewards in, which no bank calls a currency; the amount is set where the row is made.
const REWARD: Recurring = due(
    "CRYPTO CASH BACK",
    ("", ""),
    (-12_345, Payer::Card, "cashback"),
    ("INCOME", "INCOME_OTHER_INCOME"),
    "financial_institution",
);

/// The `slot`th payment due on `day`, counting from 0. Pay comes first, so that it is never crowded out.
pub(crate) fn due_on(day: NaiveDate, slot: u64) -> Option<&'static Recurring> {
    let pay = (day.num_days_from_ce().rem_euclid(14) == 4).then_some(&PAY);
    let mut due = pay.into_iter().chain(monthly(day.day()));
    due.nth(usize::try_from(slot).ok()?)
}

fn monthly(day_of_month: u32) -> Option<&'static Recurring> {
    Some(match day_of_month {
        1 => &RENT,
        3 => &STREAMING,
        5 => &TO_SAVING,
        6 => &FROM_CHECKING,
        9 => &MUSIC,
        12 => &POWER,
        17 => &GYM,
        20 => &CARD_PAYMENT,
        21 => &CARD_RECEIVED,
        24 => &PHONE,
        26 => &REWARD,
        28 => &INTEREST,
        _ => return None,
    })
}
