//! What MX calls the kinds of spending that the bank's generator names in Plaid's words.

use crate::bank::transaction::Category;

/// MX's category, and the one above it.
pub(crate) fn of(category: Option<&Category>) -> (&'static str, &'static str) {
    let Some(category) = category else {
        return ("Uncategorized", "Uncategorized");
    };
    detailed(&category.detailed).unwrap_or_else(|| primary(&category.primary))
}

fn detailed(words: &str) -> Option<(&'static str, &'static str)> {
    Some(match words {
        "INCOME_WAGES" => ("Paycheck", "Income"),
        "INCOME_INTEREST_EARNED" => ("Interest Income", "Income"),
        "RENT_AND_UTILITIES_RENT" => ("Mortgage & Rent", "Home"),
        "RENT_AND_UTILITIES_TELEPHONE" => ("Mobile Phone", "Bills & Utilities"),
        "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT" => ("Credit Card Payment", "Transfer"),
        "FOOD_AND_DRINK_GROCERIES" => ("Groceries", "Food & Dining"),
        "FOOD_AND_DRINK_COFFEE" => ("Coffee Shops", "Food & Dining"),
        "FOOD_AND_DRINK_FAST_FOOD" => ("Fast Food", "Food & Dining"),
        "FOOD_AND_DRINK_RESTAURANT" => ("Restaurants", "Food & Dining"),
        "ENTERTAINMENT_TV_AND_MOVIES" | "ENTERTAINMENT_MUSIC_AND_AUDIO" => {
            ("Streaming", "Entertainment")
        }
        "GENERAL_MERCHANDISE_PET_SUPPLIES" => ("Pet Food & Supplies", "Pets"),
        "GENERAL_MERCHANDISE_CLOTHING_AND_ACCESSORIES" => ("Clothing", "Shopping"),
        "TRANSPORTATION_GAS" => ("Gas", "Auto & Transport"),
        "TRANSPORTATION_PUBLIC_TRANSIT" => ("Public Transportation", "Auto & Transport"),
        "TRAVEL_FLIGHTS" => ("Air Travel", "Travel"),
        "TRAVEL_LODGING" => ("Hotel", "Travel"),
        _ => return None,
    })
}

fn primary(words: &str) -> (&'static str, &'static str) {
    match words {
        "INCOME" => ("Income", "Income"),
        "TRANSFER_IN" | "TRANSFER_OUT" => ("Transfer", "Transfer"),
        "LOAN_PAYMENTS" => ("Loan Payment", "Financial"),
        "BANK_FEES" => ("Bank Fee", "Fees & Charges"),
        "ENTERTAINMENT" => ("Entertainment", "Entertainment"),
        "FOOD_AND_DRINK" => ("Food & Dining", "Food & Dining"),
        "GENERAL_MERCHANDISE" => ("Shopping", "Shopping"),
        "HOME_IMPROVEMENT" => ("Home Improvement", "Home"),
        "MEDICAL" | "PERSONAL_CARE" => ("Health & Fitness", "Health & Fitness"),
        "RENT_AND_UTILITIES" => ("Utilities", "Bills & Utilities"),
        "TRANSPORTATION" => ("Auto & Transport", "Auto & Transport"),
        "TRAVEL" => ("Travel", "Travel"),
        _ => ("Uncategorized", "Uncategorized"),
    }
}
