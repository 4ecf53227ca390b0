//! The banks one can link. Ids are Plaid's own sandbox ids, so that a client written against Plaid finds what it expects.

/// How a bank behaves when someone signs in or data is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Healthy,
    Degraded,
    Down,
    Unsupported,
}

/// A bank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Institution {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) country: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) colour: &'static str,
    pub(crate) url: &'static str,
    pub(crate) oauth: bool,
    pub(crate) health: Health,
    /// Whether accounts keep a `persistent_account_id` across links.
    pub(crate) lasting_ids: bool,
}

const fn bank(id: &'static str, name: &'static str, colour: &'static str) -> Institution {
    Institution {
        id,
        name,
        country: "US",
        currency: "USD",
        colour,
        url: "https://plaid.example/bank",
        oauth: false,
        health: Health::Healthy,
        lasting_ids: false,
    }
}

const fn oauth(id: &'static str, name: &'static str, colour: &'static str) -> Institution {
    Institution {
        oauth: true,
        lasting_ids: true,
        ..bank(id, name, colour)
    }
}

const fn ailing(id: &'static str, name: &'static str, health: Health) -> Institution {
    Institution {
        health,
        ..bank(id, name, "#8c8c8c")
    }
}

const fn abroad(at: Institution, country: &'static str, currency: &'static str) -> Institution {
    Institution {
        country,
        currency,
        ..at
    }
}

/// Every bank, in the order they are offered.
static BANKS: [Institution; 17] = [
    bank("ins_109508", "First Platypus Bank", "#0d4e8b"),
    bank("ins_109509", "First Gingham Credit Union", "#b3261e"),
    bank("ins_109510", "Tattersall Federal Credit Union", "#2e7d32"),
    bank("ins_109511", "Tartan Bank", "#7b1fa2"),
    bank("ins_109512", "Houndstooth Bank", "#424242"),
    bank("ins_130016", "Platypus Balance Bank", "#00695c"),
    bank("ins_135858", "Windowpane Bank", "#e65100"),
    oauth("ins_127287", "Platypus OAuth Bank", "#1565c0"),
    oauth("ins_132241", "First Platypus OAuth App2App Bank", "#283593"),
    oauth("ins_127990", "Argyle OAuth Bank", "#ad1457"),
    abroad(
        bank("ins_43", "Tartan-Dominion Bank of Canada", "#c62828"),
        "CA",
        "CAD",
    ),
    abroad(
        oauth("ins_116834", "Flexible Platypus Open Banking", "#4527a0"),
        "GB",
        "GBP",
    ),
    abroad(
        oauth("ins_117650", "Royal Bank of Plaid", "#00838f"),
        "GB",
        "GBP",
    ),
    abroad(
        oauth("ins_117181", "Platypus OAuth UK Bank", "#37474f"),
        "GB",
        "GBP",
    ),
    ailing(
        "ins_132363",
        "Pitch Platypus Bank (degraded)",
        Health::Degraded,
    ),
    ailing("ins_132361", "Platypus Bank (down)", Health::Down),
    ailing(
        "ins_133402",
        "Unsupported Platypus Bank",
        Health::Unsupported,
    ),
];

/// Products every bank here offers; the rest of Plaid's list is not acted out.
pub(crate) const OFFERED: [&str; 8] = [
    "assets",
    "auth",
    "balance",
    "identity",
    "investments",
    "liabilities",
    "recurring_transactions",
    "transactions",
];

pub(crate) fn find(id: &str) -> Option<&'static Institution> {
    BANKS.iter().find(|bank| bank.id == id)
}

/// Banks of these countries whose name holds `query`, in the list's order.
pub(crate) fn search(
    query: &str,
    countries: &[String],
) -> impl Iterator<Item = &'static Institution> {
    let query = query.trim().to_lowercase();
    BANKS
        .iter()
        .filter(move |bank| {
            countries.is_empty() || countries.iter().any(|country| country == bank.country)
        })
        .filter(move |bank| bank.name.to_lowercase().contains(&query))
}
