//! `/institutions/*`.

use serde::Serialize;

use super::error::PlaidError;
use super::fields::Fields;
use super::products::{self, COUNTRIES};
use super::request::{Answer, Request};
use crate::bank::institutions::{self, Health, Institution, OFFERED};
use crate::bank::logo;

#[derive(Serialize)]
struct Body {
    institution_id: &'static str,
    name: &'static str,
    products: &'static [&'static str],
    country_codes: [&'static str; 1],
    routing_numbers: Vec<String>,
    dtc_numbers: Vec<String>,
    oauth: bool,
    /// Not in every edition of the API document, but Plaid's clients of 2026 demand it.
    connection_availability: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_color: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_metadata: Option<AuthMetadata>,
}

#[derive(Serialize)]
struct Status {
    item_logins: Line,
    transactions_updates: Line,
}

/// One line of an institution's status.
#[derive(Serialize)]
struct Line {
    status: &'static str,
    last_status_change: &'static str,
    breakdown: Breakdown,
}

#[derive(Serialize)]
struct Breakdown {
    success: f64,
    error_plaid: f64,
    error_institution: f64,
    refresh_interval: &'static str,
}

#[derive(Serialize)]
struct AuthMetadata {
    supported_methods: Methods,
}

#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "Plaid writes a flag for each method"
)]
struct Methods {
    instant_auth: bool,
    instant_match: bool,
    automated_micro_deposits: bool,
    instant_micro_deposits: bool,
}

#[derive(Serialize)]
struct One<'a> {
    institution: Body,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Many<'a> {
    institutions: Vec<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    request_id: &'a str,
}

const OPTIONS: [&str; 7] = [
    "include_optional_metadata",
    "include_status",
    "include_auth_metadata",
    "include_payment_initiation_metadata",
    "products",
    "routing_numbers",
    "oauth",
];

/// `/institutions/get_by_id`
pub(crate) fn get_by_id(request: &Request) -> Answer {
    let fields = &request.fields;
    fields.expect(&["institution_id", "country_codes"], &["options"])?;
    let options = fields.object("options")?;
    options.expect(&[], &OPTIONS[..4])?;
    let countries = countries(fields)?;
    let bank = institutions::find(&fields.text("institution_id")?)
        .filter(|bank| countries.iter().any(|country| country == bank.country))
        .ok_or_else(|| PlaidError::of("INVALID_INSTITUTION"))?;
    request.answer(&One {
        institution: body(bank, &options)?,
        request_id: &request.request_id,
    })
}

/// `/institutions/search`
pub(crate) fn search(request: &Request) -> Answer {
    let fields = &request.fields;
    fields.expect(&["query", "country_codes"], &["products", "options"])?;
    let options = fields.object("options")?;
    options.expect(&[], &[&OPTIONS[..], &["payment_initiation"]].concat())?;
    wanted_products(fields)?;
    let countries = countries(fields)?;
    let query = fields.text("query")?;
    let found = institutions::search(&query, &countries).take(10);
    let institutions = found
        .map(|bank| body(bank, &options))
        .collect::<Result<_, _>>()?;
    request.answer(&Many {
        institutions,
        total: None,
        request_id: &request.request_id,
    })
}

/// `/institutions/get`
pub(crate) fn get(request: &Request) -> Answer {
    let fields = &request.fields;
    fields.expect(&["count", "offset", "country_codes"], &["options"])?;
    let options = fields.object("options")?;
    options.expect(&[], &OPTIONS)?;
    wanted_products(&options)?;
    let countries = countries(fields)?;
    let page = |name, range| {
        fields
            .whole(name, range)
            .map(|number| usize::try_from(number.unwrap_or(0)).unwrap_or(0))
    };
    let (count, offset) = (
        page("count", 1..=500)?,
        page("offset", 0..=u64::from(u32::MAX))?,
    );
    let found: Vec<_> = institutions::search("", &countries).collect();
    let total = Some(found.len());
    let institutions = found
        .into_iter()
        .skip(offset)
        .take(count)
        .map(|bank| body(bank, &options))
        .collect::<Result<_, _>>()?;
    request.answer(&Many {
        institutions,
        total,
        request_id: &request.request_id,
    })
}

fn countries(fields: &Fields) -> Result<Vec<String>, PlaidError> {
    let countries = fields.texts("country_codes")?.unwrap_or_default();
    let known = !countries.is_empty()
        && countries
            .iter()
            .all(|country| COUNTRIES.contains(&country.as_str()));
    if known {
        Ok(countries)
    } else {
        Err(PlaidError::invalid(
            "country_codes must hold at least one supported country",
        ))
    }
}

fn wanted_products(fields: &Fields) -> Result<(), PlaidError> {
    let products = fields.texts("products")?.unwrap_or_default();
    let unknown = products
        .iter()
        .find(|product| !products::is_product(product));
    unknown.map_or(Ok(()), |product| {
        Err(PlaidError::invalid(format!(
            "products: {product} is not a product"
        )))
    })
}

fn body(bank: &'static Institution, options: &Fields) -> Result<Body, PlaidError> {
    let optional = options.flag("include_optional_metadata")?;
    let status = options.flag("include_status")?.then(|| status(bank.health));
    let methods = || Methods {
        instant_auth: true,
        instant_match: true,
        automated_micro_deposits: true,
        instant_micro_deposits: false,
    };
    Ok(Body {
        institution_id: bank.id,
        name: bank.name,
        products: &OFFERED,
        country_codes: [bank.country],
        routing_numbers: if bank.country == "US" {
            vec!["011000138".into()]
        } else {
            Vec::new()
        },
        dtc_numbers: Vec::new(),
        oauth: bank.oauth,
        connection_availability: if bank.health == Health::Unsupported {
            "NOT_SUPPORTED"
        } else {
            "SUPPORTED"
        },
        url: optional.then_some(bank.url),
        primary_color: optional.then_some(bank.colour),
        logo: optional.then(|| logo::draw(bank.name, bank.colour)),
        status,
        auth_metadata: options
            .flag("include_auth_metadata")?
            .then(|| AuthMetadata {
                supported_methods: methods(),
            }),
    })
}

fn status(health: Health) -> Status {
    let line = || {
        let (status, success) = match health {
            Health::Healthy => ("HEALTHY", 0.95),
            Health::Degraded => ("DEGRADED", 0.6),
            Health::Down | Health::Unsupported => ("DOWN", 0.02),
        };
        let breakdown = Breakdown {
            success,
            error_plaid: 0.0,
            error_institution: 1.0 - success,
            refresh_interval: "NORMAL",
        };
        Line {
            status,
            last_status_change: "2026-01-05T06:00:00Z",
            breakdown,
        }
    };
    Status {
        item_logins: line(),
        transactions_updates: line(),
    }
}
