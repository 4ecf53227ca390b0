//! The names of Plaid's products, to tell a known one from a mistyped one.

/// Every product name Plaid's API knows.
const NAMES: [&str; 38] = [
    "assets",
    "auth",
    "balance",
    "balance_plus",
    "beacon",
    "cra_base_report",
    "cra_cashflow_insights",
    "cra_income_insights",
    "cra_lend_score",
    "cra_monitoring",
    "cra_network_insights",
    "cra_partner_insights",
    "cra_plaid_credit_score",
    "credit_details",
    "employment",
    "identity",
    "identity_match",
    "identity_verification",
    "income",
    "income_verification",
    "investments",
    "investments_auth",
    "layer",
    "liabilities",
    "pay_by_bank",
    "payment_initiation",
    "processor_identity",
    "processor_payments",
    "profile",
    "protect_linked_bank",
    "protect_transactions",
    "recurring_transactions",
    "signal",
    "standing_orders",
    "statements",
    "transactions",
    "transactions_refresh",
    "transfer",
];

/// Countries Plaid serves.
pub(crate) const COUNTRIES: [&str; 20] = [
    "US", "GB", "ES", "NL", "FR", "IE", "CA", "DE", "IT", "PL", "DK", "NO", "SE", "EE", "LT", "LV",
    "PT", "BE", "AT", "FI",
];

/// Languages Link speaks.
pub(crate) const LANGUAGES: [&str; 17] = [
    "da", "nl", "en", "et", "fr", "de", "hi", "it", "lv", "lt", "no", "pl", "pt", "ro", "es", "sv",
    "vi",
];

pub(crate) fn is_product(name: &str) -> bool {
    NAMES.binary_search(&name).is_ok()
}

/// Products that cannot start a link.
pub(crate) fn starts_no_link(name: &str) -> bool {
    matches!(name, "balance" | "recurring_transactions")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_in_order() {
        assert!(super::NAMES.is_sorted());
    }
}
