//! What Plaid answers instead of a result, and what to do about it. The type and the code decide,
//! never the HTTP status alone (a bank that is down is a 400) and never the wording.
//! <https://plaid.com/docs/errors/>

use std::time::Duration;

use serde::Deserialize;

use super::lenient::{Text, object};
use crate::{
    error::{ErrorClass, ProviderError},
    providers::http::RATE_WINDOW,
};

/// A bank that is down, or Plaid in maintenance, is not back within seconds.
const OUTAGE: Duration = Duration::from_mins(10);

/// The body of every error, and of an item's stored fault.
/// <https://plaid.com/docs/errors/#error-schema>
#[derive(Default, Deserialize)]
pub(super) struct PlaidError {
    #[serde(default)]
    error_type: Text,
    #[serde(default)]
    error_code: Text,
    #[serde(default)]
    error_code_reason: Text,
    #[serde(default)]
    error_message: Text,
    #[serde(default)]
    display_message: Text,
    #[serde(default)]
    request_id: Text,
}

impl PlaidError {
    /// Reads a body, if it is an error at all.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let error: Self = object(text)?;
        (error.error_code.0.is_some() || error.error_type.0.is_some()).then_some(error)
    }

    /// The error as the rest of the server knows it. `server_fault` says that the status was a 5xx,
    /// which decides only about types nobody has heard of.
    pub(super) fn classed(self, server_fault: bool) -> ProviderError {
        let class = class(
            self.error_type.as_str(),
            self.error_code.as_str(),
            server_fault,
        );
        let reason = match self.error_code_reason.0 {
            Some(reason) => format!(" ({reason})"),
            None => String::new(),
        };
        let detail = format!(
            "{}: {}{reason}",
            self.error_type.as_str(),
            self.error_message.as_str()
        );
        ProviderError {
            class,
            code: mask(self.error_code.0.as_deref().unwrap_or("unknown")),
            display_message: self.display_message.0.as_deref().map(mask),
            request_id: self.request_id.0,
            detail: mask(&detail),
        }
    }
}

/// Whether no answer came, so that what was asked may have been done all the same.
pub(super) fn is_lost(error: &ProviderError) -> bool {
    matches!(error.code.as_str(), "timeout" | "unreachable" | "truncated")
}

/// Whether the item is not there to be removed. A token that Plaid does not know proves it only if
/// it is a token `of_here`: to another environment every item is unknown, and lives on in its own.
pub(super) fn is_removed(error: &ProviderError, of_here: bool) -> bool {
    match error.code.as_str() {
        "ITEM_NOT_FOUND" | "ITEM_CONCURRENTLY_DELETED" => true,
        "INVALID_ACCESS_TOKEN" => of_here,
        _ => false,
    }
}

/// What to do about an error. A code that is not listed goes by its type, so that what Plaid adds
/// tomorrow has an effect today.
fn class(error_type: &str, code: &str, server_fault: bool) -> ErrorClass {
    match (error_type, code) {
        // The plan's quota is gone: waiting does not bring it back.
        ("RATE_LIMIT_EXCEEDED", "CREDITS_EXHAUSTED") => ErrorClass::Operator,
        // The codes of this type are one per endpoint, and more come.
        ("RATE_LIMIT_EXCEEDED", _) => ErrorClass::Retry(Some(RATE_WINDOW)),
        _ => known_code(code).unwrap_or_else(|| by_type(error_type, server_fault)),
    }
}

fn known_code(code: &str) -> Option<ErrorClass> {
    Some(match code {
        // The person can mend these in Link's update mode, some after a visit to the bank.
        "INVALID_CREDENTIALS" => ErrorClass::Credentials,
        "ITEM_LOGIN_REQUIRED"
        | "INVALID_MFA"
        | "INVALID_OTP"
        | "INVALID_SEND_METHOD"
        | "INSUFFICIENT_CREDENTIALS"
        | "USER_INPUT_TIMEOUT"
        | "INVALID_UPDATED_USERNAME"
        | "ITEM_LOCKED"
        | "PASSWORD_RESET_REQUIRED"
        | "USER_SETUP_REQUIRED"
        | "ACCESS_NOT_GRANTED"
        | "ADDITIONAL_CONSENT_REQUIRED"
        | "NO_ACCOUNTS" => ErrorClass::Login,
        "ITEM_NOT_FOUND" | "ITEM_CONCURRENTLY_DELETED" | "USER_PERMISSION_REVOKED" => {
            ErrorClass::Gone
        }
        "INVALID_PUBLIC_TOKEN" | "INVALID_LINK_TOKEN" => ErrorClass::Token,
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION" => ErrorClass::RestartPages,
        "INVALID_ACCOUNT_ID" => ErrorClass::AccountGone,
        "MFA_NOT_SUPPORTED"
        | "ITEM_NOT_SUPPORTED"
        | "NO_INVESTMENT_ACCOUNTS"
        | "NO_LIABILITY_ACCOUNTS"
        | "PRODUCTS_NOT_SUPPORTED"
        | "PRODUCT_NOT_ENABLED"
        | "INVALID_INSTITUTION"
        | "INSTITUTION_NO_LONGER_SUPPORTED"
        | "UNSUPPORTED_RESPONSE"
        | "UNAUTHORIZED_INSTITUTION"
        | "INSTITUTION_REGISTRATION_REQUIRED"
        | "INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT" => ErrorClass::Unsupported,
        // An access token that is refused is as a rule another environment's. Taking the item for
        // gone would throw away every token of a server that was started with the wrong PLAID_ENV.
        "INVALID_ACCESS_TOKEN"
        | "INVALID_API_KEYS"
        | "UNAUTHORIZED_ENVIRONMENT"
        | "UNAUTHORIZED_ROUTE_ACCESS"
        | "INVALID_PRODUCT" => ErrorClass::Operator,
        "INSTITUTION_DOWN"
        | "INSTITUTION_NOT_RESPONDING"
        | "INSTITUTION_NOT_AVAILABLE"
        | "PLANNED_MAINTENANCE" => ErrorClass::Retry(Some(OUTAGE)),
        "PRODUCT_NOT_READY" => ErrorClass::NotReady,
        "INTERNAL_SERVER_ERROR" | "plaid-internal-error" => ErrorClass::Retry(None),
        "INVALID_WEBHOOK_VERIFICATION_KEY_ID"
        | "MISSING_FIELDS"
        | "UNKNOWN_FIELDS"
        | "INVALID_FIELD"
        | "INVALID_BODY"
        | "INVALID_HEADERS"
        | "INVALID_CONFIGURATION"
        | "INCOMPATIBLE_API_VERSION"
        | "NOT_FOUND"
        | "NO_LONGER_AVAILABLE"
        | "SANDBOX_ONLY"
        | "SANDBOX_PRODUCT_NOT_ENABLED"
        | "SANDBOX_WEBHOOK_INVALID" => ErrorClass::Bug,
        _ => return None,
    })
}

fn by_type(error_type: &str, server_fault: bool) -> ErrorClass {
    match error_type {
        "ITEM_ERROR" => ErrorClass::Login,
        "API_ERROR" | "INSTITUTION_ERROR" => ErrorClass::Retry(None),
        _ if error_type.starts_with("INVALID_") => ErrorClass::Bug,
        _ if server_fault => ErrorClass::Retry(None),
        _ => ErrorClass::Bug,
    }
}

/// The text with everything that looks like a token of Plaid's blacked out: an error message may
/// echo what it was asked with.
pub(super) fn mask(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, end)) = first_token(rest) {
        shown.push_str(&rest[..start]);
        shown.push_str("[token]");
        rest = &rest[end..];
    }
    shown.push_str(rest);
    shown
}

/// Where the first token is: `access-`, `public-` or `link-`, an environment, and a UUID.
/// <https://plaid.com/docs/api/#api-keys-and-tokens>
fn first_token(text: &str) -> Option<(usize, usize)> {
    let kinds = ["access-", "public-", "link-"];
    let starts = kinds.iter().flat_map(|kind| text.match_indices(kind));
    let tokens = starts.filter_map(|(start, kind)| {
        let environment = start + kind.len();
        let dash = environment + text[environment..].find(|c: char| !c.is_ascii_lowercase())?;
        let id = dash + text[dash..].strip_prefix('-').map(|_| 1)?;
        let outside = |c: char| !(c.is_ascii_hexdigit() || c == '-');
        let end = text[id..]
            .find(outside)
            .map_or(text.len(), |length| id + length);
        (dash > environment && end > id).then_some((start, end))
    });
    tokens.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of contracts, one line per code: type, code, class.
    const TABLE: &str = "
        ITEM_ERROR ITEM_LOGIN_REQUIRED login
        ITEM_ERROR INVALID_CREDENTIALS credentials
        ITEM_ERROR INVALID_MFA login
        ITEM_ERROR INVALID_SEND_METHOD login
        ITEM_ERROR INSUFFICIENT_CREDENTIALS login
        ITEM_ERROR USER_INPUT_TIMEOUT login
        ITEM_ERROR INVALID_OTP login
        ITEM_ERROR INVALID_UPDATED_USERNAME login
        ITEM_ERROR ITEM_LOCKED login
        ITEM_ERROR PASSWORD_RESET_REQUIRED login
        ITEM_ERROR USER_SETUP_REQUIRED login
        ITEM_ERROR MFA_NOT_SUPPORTED unsupported
        ITEM_ERROR ITEM_NOT_SUPPORTED unsupported
        ITEM_ERROR ITEM_NOT_FOUND gone
        ITEM_ERROR ITEM_CONCURRENTLY_DELETED gone
        INVALID_INPUT USER_PERMISSION_REVOKED gone
        ITEM_ERROR USER_PERMISSION_REVOKED gone
        ITEM_ERROR ACCESS_NOT_GRANTED login
        INVALID_INPUT ADDITIONAL_CONSENT_REQUIRED login
        ITEM_ERROR NO_ACCOUNTS login
        ITEM_ERROR NO_INVESTMENT_ACCOUNTS unsupported
        ITEM_ERROR NO_LIABILITY_ACCOUNTS unsupported
        ITEM_ERROR PRODUCTS_NOT_SUPPORTED unsupported
        ITEM_ERROR PRODUCT_NOT_ENABLED unsupported
        ITEM_ERROR PRODUCT_NOT_READY not-ready
        TRANSACTIONS_ERROR TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION restart
        INVALID_REQUEST INVALID_FIELD bug
        INVALID_INPUT INVALID_ACCESS_TOKEN operator
        INVALID_INPUT INVALID_PUBLIC_TOKEN token
        INVALID_INPUT INVALID_LINK_TOKEN token
        INVALID_INPUT INVALID_API_KEYS operator
        INVALID_INPUT UNAUTHORIZED_ENVIRONMENT operator
        INVALID_INPUT UNAUTHORIZED_ROUTE_ACCESS operator
        INVALID_INPUT INVALID_PRODUCT operator
        INVALID_INPUT INVALID_ACCOUNT_ID account-gone
        INVALID_INPUT INVALID_INSTITUTION unsupported
        INSTITUTION_ERROR INSTITUTION_NO_LONGER_SUPPORTED unsupported
        INSTITUTION_ERROR UNSUPPORTED_RESPONSE unsupported
        INSTITUTION_ERROR UNAUTHORIZED_INSTITUTION unsupported
        INSTITUTION_ERROR INSTITUTION_REGISTRATION_REQUIRED unsupported
        INSTITUTION_ERROR INSTITUTION_NOT_ENABLED_IN_ENVIRONMENT unsupported
        INVALID_INPUT INVALID_WEBHOOK_VERIFICATION_KEY_ID bug
        INVALID_REQUEST MISSING_FIELDS bug
        INVALID_REQUEST UNKNOWN_FIELDS bug
        INVALID_REQUEST INVALID_BODY bug
        INVALID_REQUEST INVALID_HEADERS bug
        INVALID_REQUEST INVALID_CONFIGURATION bug
        INVALID_REQUEST INCOMPATIBLE_API_VERSION bug
        INVALID_REQUEST NOT_FOUND bug
        INVALID_REQUEST NO_LONGER_AVAILABLE bug
        INVALID_REQUEST SANDBOX_ONLY bug
        SANDBOX_ERROR SANDBOX_PRODUCT_NOT_ENABLED bug
        SANDBOX_ERROR SANDBOX_WEBHOOK_INVALID bug
        RATE_LIMIT_EXCEEDED TRANSACTIONS_SYNC_LIMIT retry-60
        RATE_LIMIT_EXCEEDED ACCOUNTS_LIMIT retry-60
        RATE_LIMIT_EXCEEDED ITEM_GET_LIMIT retry-60
        RATE_LIMIT_EXCEEDED SOME_FUTURE_LIMIT retry-60
        RATE_LIMIT_EXCEEDED CREDITS_EXHAUSTED operator
        INSTITUTION_ERROR INSTITUTION_DOWN retry-600
        INSTITUTION_ERROR INSTITUTION_NOT_RESPONDING retry-600
        INSTITUTION_ERROR INSTITUTION_NOT_AVAILABLE retry-600
        API_ERROR INTERNAL_SERVER_ERROR retry
        API_ERROR plaid-internal-error retry
        API_ERROR PLANNED_MAINTENANCE retry-600
        ITEM_ERROR SOMETHING_NEW login
        API_ERROR SOMETHING_NEW retry
        INSTITUTION_ERROR SOMETHING_NEW retry
        INVALID_REQUEST SOMETHING_NEW bug
        INVALID_INPUT SOMETHING_NEW bug
        INVALID_RESULT SOMETHING_NEW bug
        TRANSFER_ERROR SOMETHING_NEW bug
        BRAND_NEW_ERROR SOMETHING_NEW bug";

    fn word(class: ErrorClass) -> String {
        match class {
            ErrorClass::Retry(None) => "retry".into(),
            ErrorClass::Retry(Some(wait)) => format!("retry-{}", wait.as_secs()),
            ErrorClass::NotReady => "not-ready".into(),
            ErrorClass::Login => "login".into(),
            ErrorClass::Credentials => "credentials".into(),
            ErrorClass::Challenge => "challenge".into(),
            ErrorClass::Blocked => "blocked".into(),
            ErrorClass::Conflict => "conflict".into(),
            ErrorClass::Gone => "gone".into(),
            ErrorClass::Token => "token".into(),
            ErrorClass::RestartPages => "restart".into(),
            ErrorClass::ResetCursor => "reset".into(),
            ErrorClass::AccountGone => "account-gone".into(),
            ErrorClass::Unsupported => "unsupported".into(),
            ErrorClass::Operator => "operator".into(),
            ErrorClass::Bug => "bug".into(),
        }
    }

    #[test]
    fn every_documented_code_has_its_class() {
        for line in TABLE.lines().filter(|line| !line.trim().is_empty()) {
            let [kind, code, expected] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            assert_eq!(word(class(kind, code, false)), expected, "{kind} {code}");
        }
        assert_eq!(class("BRAND_NEW_ERROR", "X", true), ErrorClass::Retry(None));
        assert_eq!(class("INVALID_INPUT", "X", true), ErrorClass::Bug);
    }

    #[test]
    fn an_echoed_token_is_blacked_out() {
        let uuid = "b0e2c4ee-a763-4df5-bfe9-46a46bce993d";
        let echo = format!("bad access-sandbox-{uuid}, public-production-{uuid} and link-x-0.");
        assert_eq!(mask(&echo), "bad [token], [token] and [token].");
        for innocent in [
            "",
            "the access-",
            "link-",
            "public-key",
            "é access--1",
            "/link/token/create",
        ] {
            assert_eq!(mask(innocent), innocent);
        }
        let body = format!(
            r#"{{"error_type":"INVALID_INPUT","error_code":"INVALID_ACCESS_TOKEN","request_id":"r1",
                "error_message":"no access-sandbox-{uuid}","display_message":"é public-a-{uuid}"}}"#
        );
        let error = PlaidError::parse(&body).unwrap().classed(false);
        assert!(!format!("{error:?} {error}").contains("4df5"));
        assert_eq!(error.request_id.as_deref(), Some("r1"));
    }

    #[test]
    fn what_names_no_error_is_none() {
        for body in [
            "",
            "<html>",
            "[]",
            "null",
            "{}",
            r#"["API_ERROR"]"#,
            r#"{"error_type":null,"error_code":7}"#,
        ] {
            assert!(PlaidError::parse(body).is_none(), "{body}");
        }
    }
}
