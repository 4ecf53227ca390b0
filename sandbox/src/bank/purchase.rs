//! One everyday purchase out of a draw: mostly plain, now and then a refund, a foreign currency or a third decimal.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use rust_decimal::Decimal;

use super::merchants::{COMMON, Merchant, PLACES, RARE};
use super::transaction::{Category, Counterparty, Location, Text, Transaction};
use crate::seed::Seed;

pub(crate) fn everyday(
    id: String,
    account_id: String,
    chance: Seed,
    date: NaiveDate,
    currency: &Text,
) -> Transaction {
    let rarely = chance.at(12).below(5) == 0;
    let known: &[Merchant] = if rarely { &RARE } else { &COMMON };
    let Some(merchant) = chance.at(2).pick(known) else {
        return Transaction::plain(
            id,
            account_id,
            Decimal::ONE,
            date,
            Cow::Borrowed("PURCHASE"),
        );
    };
    let mut row = Transaction::plain(
        id,
        account_id,
        Decimal::ZERO,
        date,
        Cow::Borrowed(merchant.descriptor),
    );
    price(&mut row, merchant, chance, currency);
    row.authorized_date = date.checked_sub_signed(TimeDelta::days(
        i64::try_from(chance.at(4).below(3)).unwrap_or(0),
    ));
    if merchant.channel == "online" {
        let second = u32::try_from(chance.at(5).below(86_400)).unwrap_or(0);
        let time =
            NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap_or(NaiveTime::MIN);
        row.authorized_datetime = row.authorized_date.map(|day| day.and_time(time).and_utc());
        row.datetime = Some(date.and_time(time).and_utc());
    }
    row.payment_channel = Cow::Borrowed(merchant.channel);
    row.transaction_type = Cow::Borrowed(if merchant.channel == "online" {
        "digital"
    } else {
        "place"
    });
    row.personal_finance_category = Some(Category {
        primary: Cow::Borrowed(merchant.primary),
        detailed: Cow::Borrowed(merchant.detailed),
        confidence_level: Some(Cow::Borrowed(if chance.at(6).below(8) == 0 {
            "LOW"
        } else {
            "VERY_HIGH"
        })),
        version: None,
    });
    row.personal_finance_category_icon_url = icon(merchant.primary);
    name(&mut row, merchant);
    row.location = merchant
        .place
        .map(|place| location(place, chance.at(7)))
        .unwrap_or_default();
    row
}

fn price(row: &mut Transaction, merchant: &Merchant, chance: Seed, currency: &Text) {
    let (low, high) = merchant.cents;
    // Two draws, the lower one kept: small amounts are commoner than large ones.
    let cents = chance
        .at(8)
        .between(low, high)
        .min(chance.at(9).between(low, high));
    let cents = i64::try_from(cents).unwrap_or(0);
    row.amount = Decimal::new(cents, 2);
    row.iso_currency_code = Some(currency.clone());
    row.transaction_code = Some(Cow::Borrowed("purchase"));
    match chance.at(10).below(200) {
        0..5 => {
            row.amount = -row.amount;
            row.transaction_code = Some(Cow::Borrowed("refund"));
        }
        5 | 6 => {
            row.iso_currency_code =
                Some(Cow::Borrowed(if currency == "EUR" { "GBP" } else { "EUR" }));
        }
        7 => {
            row.amount = Decimal::new(cents * 3 / 2, 0);
            row.iso_currency_code = Some(Cow::Borrowed("JPY"));
        }
        8 | 9 => {
            row.amount += Decimal::new(i64::try_from(chance.at(11).between(1, 99)).unwrap_or(1), 4);
        }
        _ => {}
    }
}

fn name(row: &mut Transaction, merchant: &'static Merchant) {
    let entity: Text = Cow::Owned(Seed(0).of(merchant.name).id(37));
    row.merchant_name = Some(Cow::Borrowed(merchant.name));
    row.merchant_entity_id = Some(entity.clone());
    row.website = merchant.website.map(Cow::Borrowed);
    row.original_description = Some(Cow::Borrowed(merchant.descriptor));
    row.counterparties = vec![Counterparty {
        name: Cow::Borrowed(merchant.name),
        r#type: Cow::Borrowed(merchant.kind),
        website: merchant.website.map(Cow::Borrowed),
        logo_url: None,
        entity_id: Some(entity),
        confidence_level: Some(Cow::Borrowed("VERY_HIGH")),
    }];
}

fn location(place: usize, chance: Seed) -> Location {
    let Some(place) = PLACES.get(place) else {
        return Location::default();
    };
    let street = chance
        .at(1)
        .pick(&place.streets)
        .copied()
        .unwrap_or_default();
    Location {
        address: Some(Cow::Owned(format!(
            "{} {street}",
            chance.at(2).between(1, 1999)
        ))),
        city: Some(Cow::Borrowed(place.city)),
        region: Some(Cow::Borrowed(place.region)),
        postal_code: Some(Cow::Borrowed(place.postal_code)),
        country: Some(Cow::Borrowed(place.country)),
        lat: Some(Decimal::new(place.lat, 4)),
        lon: Some(Decimal::new(place.lon, 4)),
        store_number: Some(Cow::Owned(chance.at(3).between(1, 4_999).to_string())),
    }
}

pub(crate) fn icon(primary: &str) -> Text {
    Cow::Owned(format!(
        "https://plaid-category-icons.plaid.com/PFC_{primary}.png"
    ))
}
