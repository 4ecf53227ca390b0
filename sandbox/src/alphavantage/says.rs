//! What an answer says, in the real one's words of 2025 and of the years before, and as gateways in between would.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::market::Rate;

/// An answer. Those without a rate can be ordered through the control path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Says {
    /// A rate.
    #[serde(skip)]
    Rate(Rate),
    /// As if nobody had ordered anything.
    Usual,
    /// `Error Message`: the parameters.
    InvalidCall,
    /// `Error Message`: the key.
    InvalidKey,
    /// `Note`, as it was until 2023.
    Note,
    /// `Information`: the day's calls are used up.
    DailyLimit,
    /// `Information`: more than a call a second.
    TooFast,
    /// `Information`: the demo key.
    Demo,
    /// `Information`: only with a plan.
    Premium,
    /// `{}`
    Empty,
    /// 503 with a page.
    Unavailable,
    /// 200 with a page.
    Page,
    /// Nothing for two minutes.
    Hang,
}

impl Says {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Rate(_) | Self::Usual => "OK",
            Self::InvalidCall => "invalid_call",
            Self::InvalidKey => "invalid_key",
            Self::Note => "note",
            Self::DailyLimit => "daily_limit",
            Self::TooFast => "too_fast",
            Self::Demo => "demo",
            Self::Premium => "premium",
            Self::Empty => "empty",
            Self::Unavailable => "unavailable",
            Self::Page => "page",
            Self::Hang => "hang",
        }
    }

    /// The answer to somebody with this key, whom some answers tell his key.
    pub(crate) fn response(&self, key: &str) -> (u16, Response) {
        let page = "<html><body><h1>Service Unavailable</h1></body></html>";
        let (status, kind, text) = match self.body(key) {
            Some(body) => (StatusCode::OK, "application/json", format!("{body:#}")),
            None if *self == Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "text/html",
                page.to_owned(),
            ),
            None => (StatusCode::OK, "text/html", page.to_owned()),
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let kind = header::HeaderValue::from_static(kind);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        (status.as_u16(), response)
    }

    fn body(&self, key: &str) -> Option<Value> {
        let information = |text: String| json!({ "Information": text });
        let error = |text: &str| json!({ "Error Message": text });
        Some(match self {
            Self::Rate(rate) => exchange_rate(rate),
            Self::InvalidCall => error(
                "Invalid API call. Please retry or visit the documentation \
                 (https://www.alphavantage.co/documentation/) for CURRENCY_EXCHANGE_RATE.",
            ),
            Self::InvalidKey => error(
                "the parameter apikey is invalid or missing. Please claim your free API key on \
                 (https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds.",
            ),
            Self::Note => json!({ "Note": "Thank you for using Alpha Vantage! Our standard API call frequency is \
                5 calls per minute and 500 calls per day. Please visit https://www.alphavantage.co/premium/ if you \
                would like to target a higher API call frequency." }),
            Self::DailyLimit => information(format!(
                "We have detected your API key as {key} and our standard API rate limit is 25 requests per day. \
                 Please subscribe to any of the premium plans at https://www.alphavantage.co/premium/ to instantly \
                 remove all daily rate limits."
            )),
            Self::TooFast => information(
                "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more \
                 sparingly (1 request per second). You may subscribe to any of the premium plans at \
                 https://www.alphavantage.co/premium/ to lift the free key rate limit (25 requests per day)."
                    .to_owned(),
            ),
            Self::Demo => information(
                "The **demo** API key is for demo purposes only. Please claim your free API key at \
                 (https://www.alphavantage.co/support/#api-key) to explore our full API offerings."
                    .to_owned(),
            ),
            Self::Premium => information(
                "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the \
                 premium plans at https://www.alphavantage.co/premium/ to instantly unlock all premium endpoints"
                    .to_owned(),
            ),
            Self::Empty | Self::Usual => json!({}),
            Self::Unavailable | Self::Page | Self::Hang => return None,
        })
    }
}

fn exchange_rate(rate: &Rate) -> Value {
    let mut fields = json!({
        "1. From_Currency Code": rate.base.0,
        "2. From_Currency Name": rate.base.1,
        "3. To_Currency Code": rate.quote.0,
        "4. To_Currency Name": rate.quote.1,
        "5. Exchange Rate": rate.rate,
        "6. Last Refreshed": rate.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        "7. Time Zone": "UTC",
    });
    for (name, value) in [("8. Bid Price", &rate.bid), ("9. Ask Price", &rate.ask)] {
        if let Some(value) = value {
            fields[name] = json!(value);
        }
    }
    json!({ "Realtime Currency Exchange Rate": fields })
}
