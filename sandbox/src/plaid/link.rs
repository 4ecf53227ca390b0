//! `/link/token/create`.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::error::PlaidError;
use super::fields::Fields;
use super::item::moment;
use super::products::{self, COUNTRIES, LANGUAGES};
use super::request::{self, Answer, Request};
use crate::bank::institutions;
use crate::world::World;
use crate::world::link::Link;
use crate::world::op::Op;

const KNOWN: [&str; 42] = [
    "access_token",
    "access_tokens",
    "account_filters",
    "additional_consented_products",
    "android_package_name",
    "appearance_mode",
    "auth",
    "base_report",
    "card_switch",
    "cashflow_report",
    "consumer_report_permissible_purpose",
    "cra_enabled",
    "cra_options",
    "credit_partner_insights",
    "employment",
    "enable_multi_item_link",
    "eu_config",
    "financekit_supported",
    "hosted_link",
    "identity",
    "identity_verification",
    "income_verification",
    "institution_data",
    "institution_id",
    "investments",
    "investments_auth",
    "link_customization_name",
    "optional_products",
    "payment_configuration",
    "payment_initiation",
    "products",
    "redirect_uri",
    "required_if_supported_products",
    "statements",
    "third_party_user_token",
    "transactions",
    "transfer",
    "update",
    "user",
    "user_id",
    "user_token",
    "webhook",
];
const USER: [&str; 11] = [
    "client_user_id",
    "legal_name",
    "name",
    "phone_number",
    "phone_number_verified_time",
    "email_address",
    "email_address_verified_time",
    "ssn",
    "date_of_birth",
    "address",
    "id_number",
];
const LONGEST_URL_SECONDS: u64 = 21 * 86_400;

#[derive(Serialize)]
struct Created<'a> {
    link_token: String,
    expiration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hosted_link_url: Option<String>,
    request_id: &'a str,
}

/// What to open, and whether it is a repair.
struct Purpose {
    item_id: Option<String>,
    products: Vec<String>,
    account_selection: bool,
}

struct Hosted {
    wanted: bool,
    completion_redirect_uri: Option<String>,
    lifetime: Option<u64>,
}

/// `/link/token/create`
pub(crate) fn create(request: &Request) -> Answer {
    let fields = &request.fields;
    fields.expect(&["client_name", "language", "country_codes"], &KNOWN)?;
    let client_name = named(fields)?;
    let language = fields
        .word("language", &LANGUAGES)?
        .ok_or_else(|| PlaidError::invalid("language must be a string"))?;
    let country_codes = countries(fields)?;
    check_user(fields)?;
    let hosted = hosted(fields)?;
    let redirect_uri = redirect(fields)?;
    let days_requested = days(fields)?;
    let webhook = fields.url("webhook")?;
    let account_filters = fields
        .object("account_filters")
        .map(|_| fields.raw("account_filters").cloned())?;
    let institution_id = fields.optional_text("institution_id")?;
    if institution_id
        .as_deref()
        .is_some_and(|id| institutions::find(id).is_none())
    {
        return Err(PlaidError::of("INVALID_INSTITUTION"));
    }
    let mut world = request.world();
    let purpose = purpose(request, &world)?;
    let now = request.now();
    let expires_at = expiry(now, &hosted, purpose.item_id.is_some());
    let hosted_id = hosted.wanted.then(|| world.draw("hosted link").id(24));
    let link = Link {
        link_token: format!("link-sandbox-{}", world.draw("link token").uuid()),
        hosted_id,
        created_at: now,
        expires_at,
        client_name,
        language,
        country_codes,
        products: purpose.products,
        webhook,
        redirect_uri,
        completion_redirect_uri: hosted.completion_redirect_uri,
        days_requested,
        account_filters,
        institution_id,
        item_id: purpose.item_id,
        account_selection: purpose.account_selection,
        sessions: Vec::new(),
    };
    let created = Created {
        link_token: link.link_token.clone(),
        expiration: moment(expires_at),
        hosted_link_url: link
            .hosted_id
            .as_ref()
            .map(|id| format!("{}/hl/{id}", request.app.public_url)),
        request_id: &request.request_id,
    };
    world.commit(now, Op::LinkTokenCreated(Box::new(link)));
    drop(world);
    request.answer(&created)
}

fn named(fields: &Fields) -> Result<String, PlaidError> {
    let name = fields.text("client_name")?;
    let fits = (1..=30).contains(&name.chars().count());
    if fits {
        Ok(name)
    } else {
        Err(PlaidError::invalid(
            "client_name must be 1 to 30 characters long",
        ))
    }
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

fn check_user(fields: &Fields) -> Result<(), PlaidError> {
    if !fields.has("user") && !fields.has("user_id") {
        return Err(PlaidError::saying(
            "MISSING_FIELDS",
            "the following required fields are missing: user",
        ));
    }
    let user = fields.object("user")?;
    if fields.has("user") {
        user.expect(&["client_user_id"], &USER)?;
        let id = user.text("client_user_id")?;
        // Plaid refuses what looks like an address or a telephone number: the id must not tell who it is.
        let digits = id.chars().filter(char::is_ascii_digit).count();
        let telephone = id.starts_with('+') && digits >= 8 && digits + 1 == id.len();
        if id.contains('@') || telephone {
            return Err(PlaidError::invalid(
                "user.client_user_id must not hold personal information",
            ));
        }
    }
    Ok(())
}

fn hosted(fields: &Fields) -> Result<Hosted, PlaidError> {
    let hosted = fields.object("hosted_link")?;
    hosted.expect(
        &[],
        &[
            "delivery_method",
            "completion_redirect_uri",
            "url_lifetime_seconds",
            "is_mobile_app",
        ],
    )?;
    hosted.word("delivery_method", &["sms", "email"])?;
    hosted.flag("is_mobile_app")?;
    let completion_redirect_uri = hosted.optional_text("completion_redirect_uri")?;
    if completion_redirect_uri
        .as_deref()
        .is_some_and(|uri| reqwest::Url::parse(uri).is_err())
    {
        return Err(PlaidError::invalid(
            "hosted_link.completion_redirect_uri must be a URI",
        ));
    }
    Ok(Hosted {
        wanted: fields.has("hosted_link"),
        completion_redirect_uri,
        lifetime: hosted.whole("url_lifetime_seconds", 1..=LONGEST_URL_SECONDS)?,
    })
}

/// In the sandbox a redirect may use plain HTTP; a query or fragment is refused as in production.
fn redirect(fields: &Fields) -> Result<Option<String>, PlaidError> {
    let Some(text) = fields.optional_text("redirect_uri")? else {
        return Ok(None);
    };
    let parsed = reqwest::Url::parse(&text).ok();
    let sound = parsed.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if sound {
        return Ok(Some(text));
    }
    Err(PlaidError::invalid(
        "redirect_uri must be an http or https URL without a query, registered for this client",
    ))
}

fn days(fields: &Fields) -> Result<u64, PlaidError> {
    let transactions = fields.object("transactions")?;
    transactions.expect(&[], &["days_requested"])?;
    Ok(transactions.whole("days_requested", 1..=730)?.unwrap_or(90))
}

fn purpose(request: &Request, world: &World) -> Result<Purpose, PlaidError> {
    let fields = &request.fields;
    let update = fields.object("update")?;
    update.expect(
        &[],
        &[
            "account_selection_enabled",
            "reauthorization_enabled",
            "user",
            "item_ids",
        ],
    )?;
    let lists = [
        "products",
        "required_if_supported_products",
        "optional_products",
        "additional_consented_products",
    ];
    let products = listed(fields, &lists)?;
    let Some(access_token) = fields.nullable_text("access_token")? else {
        if fields.texts("products")?.unwrap_or_default().is_empty() {
            return Err(PlaidError::invalid(
                "products must name at least one product",
            ));
        }
        return Ok(Purpose {
            item_id: None,
            products,
            account_selection: false,
        });
    };
    let item = request::find(world, &access_token)?;
    if !fields.texts("products")?.unwrap_or_default().is_empty() {
        return Err(PlaidError::invalid(
            "products must be left out in update mode",
        ));
    }
    request.noted.borrow_mut().item_id = Some(item.id().to_owned());
    let account_selection = update.flag("account_selection_enabled")?;
    Ok(Purpose {
        item_id: Some(item.id().to_owned()),
        products: Vec::new(),
        account_selection,
    })
}

/// The products of all lists, of which no two may share one.
fn listed(fields: &Fields, lists: &[&str]) -> Result<Vec<String>, PlaidError> {
    let mut all: Vec<String> = Vec::new();
    for list in lists {
        for product in fields.texts(list)?.unwrap_or_default() {
            if !products::is_product(&product) {
                return Err(PlaidError::invalid(format!(
                    "{list}: {product} is not a product"
                )));
            }
            if products::starts_no_link(&product) {
                return Err(PlaidError::saying(
                    "INVALID_PRODUCT",
                    format!("{product} cannot be asked for in {list}"),
                ));
            }
            if all.contains(&product) {
                return Err(PlaidError::invalid(format!(
                    "{list}: {product} is named twice"
                )));
            }
            if *list != "additional_consented_products" {
                all.push(product);
            }
        }
    }
    Ok(all)
}

fn expiry(now: DateTime<Utc>, hosted: &Hosted, update: bool) -> DateTime<Utc> {
    let lifetime = match (hosted.wanted, hosted.lifetime) {
        (true, Some(seconds)) => TimeDelta::seconds(i64::try_from(seconds).unwrap_or(1_800)),
        (true, None) => TimeDelta::minutes(30),
        _ if update => TimeDelta::minutes(30),
        _ => TimeDelta::hours(4),
    };
    now + lifetime
}
