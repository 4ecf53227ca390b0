//! The banks one can link through MX's face. `mxbank` and `mx_bank_oauth` are MX's own test banks; the others are invented. So
//! many parishes have a credit union that a search for them has more than one page, and some are switched off.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::seed::Seed;
use crate::world::mx::row::guid;

/// A bank as MX offers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bank {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) country: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) colour: &'static str,
    pub(crate) oauth: bool,
    /// Whether a member is aggregated no more than once in some hours.
    pub(crate) throttled: bool,
    /// Whether it asks for a PIN besides.
    pub(crate) pin: bool,
}

const fn bank(code: &'static str, name: &'static str, colour: &'static str) -> Bank {
    Bank {
        code,
        name,
        country: "US",
        currency: "USD",
        colour,
        oauth: false,
        throttled: true,
        pin: false,
    }
}

const fn test_bank(at: Bank) -> Bank {
    Bank {
        throttled: false,
        ..at
    }
}

const BLUE: &str = "#0d4e8b";
const GREEN: &str = "#2e7d32";
const RED: &str = "#b3261e";

static BANKS: [Bank; 32] = [
    test_bank(bank("mxbank", "MX Bank", BLUE)),
    Bank {
        oauth: true,
        ..test_bank(bank("mx_bank_oauth", "MX Bank (OAuth)", "#1565c0"))
    },
    bank("gingham_credit_union", "Gingham Credit Union", RED),
    Bank {
        pin: true,
        ..bank("houndstooth_bank", "Houndstooth Bank", "#424242")
    },
    Bank {
        country: "CA",
        currency: "CAD",
        ..bank("tartan_dominion", "Tartan-Dominion Bank of Canada", RED)
    },
    bank("alder_community_bank", "Alder Community Bank", GREEN),
    bank("beech_savings_bank", "Beech Savings Bank", BLUE),
    bank("birch_federal", "Birch Federal Credit Union", GREEN),
    bank("cedar_state_bank", "Cedar State Bank", RED),
    bank("chestnut_trust", "Chestnut Trust", BLUE),
    bank("cypress_bank", "Cypress Bank", GREEN),
    bank("dogwood_credit_union", "Dogwood Credit Union", RED),
    bank("elm_street_bank", "Elm Street Bank", BLUE),
    bank("fir_national_bank", "Fir National Bank", GREEN),
    bank("ginkgo_bank", "Ginkgo Bank 銀杏", RED),
    bank("hawthorn_savings", "Hawthorn Savings & Loan", BLUE),
    bank("hazel_bank", "Hazel Bank", GREEN),
    bank("hickory_credit_union", "Hickory Credit Union", RED),
    bank("holly_bank", "Holly Bank", BLUE),
    bank("juniper_bank", "Juniper Bank", GREEN),
    bank("larch_mutual", "Larch Mutual Bank", RED),
    bank("laurel_bank", "Laurel Bank", BLUE),
    bank("linden_bank", "Linden Bank", GREEN),
    bank("magnolia_bank", "Magnolia Bank", RED),
    bank("maple_leaf_bank", "Maple Bank", BLUE),
    bank("oak_and_ash", "Oak & Ash <Private> Bank", GREEN),
    bank("olive_branch_bank", "Olive Branch Bank", RED),
    bank("poplar_bank", "Poplar Bank", BLUE),
    bank("rowan_credit_union", "Rowan Credit Union", GREEN),
    bank("sequoia_bank", "Sequoia Bank", RED),
    bank("spruce_bank", "Spruce Bank", BLUE),
    bank("willow_bank", "Willow Bank", GREEN),
];

/// What the code of a parish's credit union begins with.
const PARISH: &str = "parish_";

/// How many parishes have a credit union.
const PARISHES: usize = 130;

static ALL: LazyLock<Vec<Bank>> = LazyLock::new(|| {
    let parish = |number: usize| {
        bank(
            format!("{PARISH}{number}").leak(),
            format!("Parish No. {number} Credit Union").leak(),
            GREEN,
        )
    };
    BANKS
        .into_iter()
        .chain((1..=PARISHES).map(parish))
        .collect()
});

/// A field that a bank asks for.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) guid: String,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) label: &'static str,
}

pub(crate) fn find(code: &str) -> Option<&'static Bank> {
    ALL.iter().find(|bank| bank.code == code)
}

/// Banks whose name holds `name`, in these countries if any are named.
pub(crate) fn search<'a>(
    name: &str,
    countries: &'a [&'a str],
) -> impl Iterator<Item = &'static Bank> + use<'a> {
    let name = name.trim().to_lowercase();
    ALL.iter().filter(move |bank| {
        bank.name.to_lowercase().contains(&name)
            && (countries.is_empty() || countries.contains(&bank.country))
    })
}

impl Bank {
    pub(crate) fn guid(&self) -> String {
        guid("INS", Seed(0).of("institution").of(self.code))
    }

    /// Whether the client has switched it off, so that nobody shall link it: four of the first hundred parishes.
    pub(crate) fn is_disabled(&self) -> bool {
        let number = self.code.strip_prefix(PARISH).and_then(|n| n.parse().ok());
        number.is_some_and(|number: usize| number % 30 == 1)
    }

    /// What it asks for, in the order of the form. A bank one signs in to at its own page asks for nothing.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let known = [
            ("LOGIN", "TEXT", "Username"),
            ("PASSWORD", "PASSWORD", "Password"),
            ("PIN", "TEXT", "PIN"),
        ];
        let count = match self {
            Self { oauth: true, .. } => 0,
            Self { pin: true, .. } => 3,
            _ => 2,
        };
        let field = |(name, kind, label)| Field {
            guid: guid("CRD", Seed(0).of(self.code).of(name)),
            name,
            kind,
            label,
        };
        known.into_iter().take(count).map(field).collect()
    }

    /// As MX tells of it.
    pub(crate) fn shown(&self, public_url: &str) -> Value {
        let site = format!("https://{}.example", self.code.replace('_', "-"));
        let logo = format!("{public_url}/mx/logos/{}", self.code);
        json!({
            "code": self.code,
            "name": self.name,
            "url": site,
            "small_logo_url": logo,
            "medium_logo_url": logo,
            "iso_country_code": self.country,
            "supports_oauth": self.oauth,
            "supports_account_identification": true,
            "supports_account_statement": true,
            "supports_account_verification": true,
            "supports_tax_document": false,
            "supports_transaction_history": true,
            "is_disabled_by_client": self.is_disabled(),
            "forgot_password_url": format!("{site}/forgot-password"),
            "forgot_username_url": format!("{site}/forgot-username"),
            "trouble_signing_in_url": format!("{site}/trouble"),
            "instructional_text": null,
            "instructional_text_steps": [],
        })
    }
}
