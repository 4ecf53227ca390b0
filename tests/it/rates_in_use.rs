//! What people have, in another currency: by hand, with rates that are round numbers.

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const BALANCES: &str = "query($in: CurrencyCode) { accounts { nodes { name balances(in: $in) { current { amount \
                        currency } converted { currency current { amount currency } available { amount } limit { \
                        amount } rate rateDate source rates { base quote } unavailableReason } } } } }";
const WORTH: &str = "query($in: CurrencyCode!) { netWorth(in: $in) { currency total { amount currency } assets { \
                     amount } liabilities { amount } countedAccounts leftOut { reason account { name } } rates { \
                     base rate } asOf oldestBalanceAt } }";

/// A server that knows what a bitcoin and a euro cost in dollars, and a person with four accounts.
async fn wealthy() -> (TestApp, Person) {
    let app = TestApp::with(&[("RATE_PAIRS", "BTC/USD,EUR/USD")]).await;
    app.becomes("SELECT count(*) FROM exchange_rates", 2).await;
    let rates = json!({"BTC/USD": {"rate": "50000.00000000"}, "EUR/USD": {"rate": "1.10000000"}});
    app.bank.rates(json!({"rates": rates})).await;
    let ana = app.person("ana").await;
    for base in ["BTC", "EUR"] {
        let document = "mutation($base: CurrencyCode!) { refreshExchangeRate(input: {base: $base, quote: \"USD\"}) \
                        { userErrors { message } } }";
        let told = ana.ask(document, json!({"base": base})).await;
        assert_eq!(told["refreshExchangeRate"]["userErrors"], json!([]));
    }
    let account = |name: &str, kind: [&str; 2], balance: f64, currency: &str| {
        json!({"type": kind[0], "subtype": kind[1], "starting_balance": balance, "currency": currency,
               "meta": {"name": name}})
    };
    let accounts = [
        account("Dollars", ["depository", "checking"], 110.0, "USD"),
        account("Euros", ["depository", "savings"], 100.0, "EUR"),
        account("Card", ["credit", "credit card"], 20.0, "USD"),
        account("Francs", ["depository", "checking"], 7.0, "CHF"),
    ];
    let body = json!({
        "institution_id": "ins_109508",
        "initial_products": ["transactions"],
        "options": {
            "override_username": "user_custom",
            "override_password": json!({"override_accounts": accounts}).to_string(),
            "transactions": {"days_requested": 30},
        },
    });
    let token = app.bank.ask("/sandbox/public_token/create", body).await;
    let linked = ana.exchange(token["public_token"].as_str().unwrap()).await;
    let job = linked["syncJob"]["id"].as_str().unwrap();
    assert_eq!(ana.sync_job_ends(job).await["status"], "SUCCEEDED");
    (app, ana)
}

/// The converted balances of an account.
async fn converted(person: &Person, name: &str, currency: &str) -> Value {
    let data = person.ask(BALANCES, json!({"in": currency})).await;
    let mut nodes = data["accounts"]["nodes"].as_array().unwrap().iter();
    let account = nodes.find(|account| account["name"] == name);
    account.unwrap()["balances"]["converted"].clone()
}

#[tokio::test]
async fn a_balance_is_told_in_another_currency_beside_its_own() {
    let (app, ana) = wealthy().await;
    for (name, currency, amount, rate, bases) in [
        ("Dollars", "BTC", "0.0022", "0.00002", json!(["BTC"])),
        ("Euros", "USD", "110.00", "1.1", json!(["EUR"])),
        ("Euros", "BTC", "0.0022", "0.000022", json!(["EUR", "BTC"])),
        ("Card", "EUR", "18.18", "0.9090909090909091", json!(["EUR"])),
        ("Francs", "CHF", "7.00", "1", json!([])),
    ] {
        let told = converted(&ana, name, currency).await;
        let current = json!({"amount": amount, "currency": currency});
        assert_eq!(
            (&told["current"], &told["rate"]),
            (&current, &json!(rate)),
            "{name} {currency}"
        );
        let used: Vec<&Value> = told["rates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rate| &rate["base"])
            .collect();
        assert_eq!(json!(used), bases, "{name} {currency}");
        assert!(
            told["rateDate"].is_string() && told["unavailableReason"].is_null(),
            "{told}"
        );
        let source = if bases == json!([]) {
            "the same currency"
        } else {
            "the sandbox"
        };
        assert_eq!(told["source"], source);
    }
    let none = converted(&ana, "Francs", "USD").await;
    let absent = [
        "current",
        "available",
        "limit",
        "rate",
        "rateDate",
        "source",
    ];
    assert!(absent.iter().all(|field| none[field].is_null()), "{none}");
    assert_eq!(
        (&none["currency"], &none["unavailableReason"]),
        (&json!("USD"), &json!("NO_PAIR"))
    );
    let plain = ana.ask(BALANCES, json!({})).await;
    assert!(plain["accounts"]["nodes"][0]["balances"]["converted"].is_null());
    let bob = app.person("bob").await;
    assert_eq!(
        bob.ask(BALANCES, json!({"in": "USD"})).await["accounts"]["nodes"],
        json!([])
    );
}

#[tokio::test]
async fn a_balance_is_converted_by_its_day_or_the_last_before_and_by_none_after() {
    let (app, ana) = wealthy().await;
    for (at, rate) in [
        ("2026-01-31T23:59:59Z", "40000"),
        ("2026-01-31T08:00:00Z", "1"),
        ("2026-02-03T00:00:00Z", "44000"),
    ] {
        let pinned = json!({"BTC/USD": {"rate": rate, "at": at}});
        app.bank.rates(json!({"rates": pinned})).await;
        let document = "mutation { refreshExchangeRate(input: {base: \"BTC\", quote: \"USD\"}) { exchangeRate { rate } } }";
        let told = ana.ask(document, json!({})).await;
        // The newest is told, whatever was fetched.
        assert_eq!(told["refreshExchangeRate"]["exchangeRate"]["rate"], "50000");
    }
    for (day, amount, date, reason) in [
        ("2026-01-30", None, None, Some("NO_RATE")),
        ("2026-01-31", Some("0.00275"), Some("2026-01-31"), None),
        ("2026-02-02", Some("0.00275"), Some("2026-01-31"), None),
        ("2026-02-03", Some("0.0025"), Some("2026-02-03"), None),
    ] {
        let set = format!(
            "UPDATE accounts SET balances_at = '{day} 12:00:00+00:00' WHERE name = 'Dollars'"
        );
        app.meddle(&set).await;
        let told = converted(&ana, "Dollars", "BTC").await;
        assert_eq!(told["current"]["amount"], json!(amount), "{day}");
        assert_eq!(
            (&told["rateDate"], &told["unavailableReason"]),
            (&json!(date), &json!(reason)),
            "{day}"
        );
    }
}

#[tokio::test]
async fn net_worth_is_what_is_held_less_what_is_owed_and_says_what_it_leaves_out() {
    let (app, ana) = wealthy().await;
    let worth = ana.ask(WORTH, json!({"in": "USD"})).await["netWorth"].take();
    assert_eq!(
        worth["total"],
        json!({"amount": "200.00", "currency": "USD"})
    );
    assert_eq!(
        (&worth["assets"]["amount"], &worth["liabilities"]["amount"]),
        (&json!("220.00"), &json!("20.00"))
    );
    assert_eq!(worth["countedAccounts"], 3);
    assert_eq!(
        worth["leftOut"],
        json!([{"reason": "NO_PAIR", "account": {"name": "Francs"}}])
    );
    assert_eq!(worth["rates"], json!([{"base": "EUR", "rate": "1.1"}]));
    let bitcoin = ana.ask(WORTH, json!({"in": "BTC"})).await["netWorth"].take();
    assert_eq!(bitcoin["total"]["amount"], "0.004");

    // Where nothing could be added up there is no sum, not one of zero.
    let unknown = ana.ask(WORTH, json!({"in": "ABC"})).await["netWorth"].take();
    let sums = ["total", "assets", "liabilities"].map(|sum| unknown[sum].clone());
    assert_eq!(Value::from(sums.to_vec()), json!([null, null, null]));
    assert_eq!(unknown["leftOut"].as_array().unwrap().len(), 4);

    // A bank that owes on a card, one that is owed on an account, one that says nothing.
    for (name, set) in [
        ("Card", "balance_current = '-5'"),
        ("Euros", "balance_current = '-10'"),
        ("Dollars", "balance_current = NULL"),
    ] {
        app.meddle(&format!("UPDATE accounts SET {set} WHERE name = '{name}'"))
            .await;
    }
    let worth = ana.ask(WORTH, json!({"in": "USD"})).await["netWorth"].take();
    let told = ["total", "assets", "liabilities"].map(|field| worth[field]["amount"].clone());
    assert_eq!(
        Value::from(told.to_vec()),
        json!(["-6.00", "5.00", "11.00"])
    );
    let reasons: Vec<&Value> = worth["leftOut"]
        .as_array()
        .unwrap()
        .iter()
        .map(|out| &out["reason"])
        .collect();
    assert_eq!(json!(reasons), json!(["NO_AMOUNT", "NO_PAIR"]));
    app.meddle("UPDATE accounts SET balance_current = '79228162514264337593543950335'")
        .await;
    let worth = ana.ask(WORTH, json!({"in": "USD"})).await["netWorth"].take();
    let reasons: Vec<&Value> = worth["leftOut"]
        .as_array()
        .unwrap()
        .iter()
        .map(|out| &out["reason"])
        .collect();
    assert!(reasons.contains(&&json!("OUT_OF_RANGE")), "{worth}");
    let bob = app.person("bob").await;
    let nothing = bob.ask(WORTH, json!({"in": "USD"})).await["netWorth"].take();
    assert_eq!(
        (&nothing["total"]["amount"], &nothing["countedAccounts"]),
        (&json!("0.00"), &json!(0))
    );
    assert_eq!(
        ana.stranger().error(WORTH, json!({"in": "USD"})).await,
        "UNAUTHENTICATED"
    );
}
