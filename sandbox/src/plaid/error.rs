//! Plaid's errors: the type, status and texts that belong to each code.

use axum::http::StatusCode;
use serde::Serialize;

/// A refusal in Plaid's words, before it has a request id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaidError {
    pub(crate) error_type: &'static str,
    pub(crate) error_code: String,
    pub(crate) error_message: String,
    pub(crate) display_message: Option<&'static str>,
    pub(crate) status: u16,
}

/// An error as a body, or inside an item or a webhook.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ErrorBody {
    error_type: &'static str,
    error_code: String,
    error_message: String,
    display_message: Option<&'static str>,
    documentation_url: String,
    suggested_action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

impl PlaidError {
    /// The error a code stands for; a code not in the list is an item error.
    pub(crate) fn of(code: &str) -> Self {
        let (error_type, status, message, display_message) = known(code);
        Self {
            error_type,
            error_code: code.to_owned(),
            error_message: message.to_owned(),
            display_message,
            status,
        }
    }

    pub(crate) fn saying(code: &str, message: impl Into<String>) -> Self {
        Self {
            error_message: message.into(),
            ..Self::of(code)
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::saying("INVALID_FIELD", message)
    }

    pub(crate) fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// As the body of an answer.
    pub(crate) fn answering(self, request_id: String) -> ErrorBody {
        ErrorBody {
            request_id: Some(request_id),
            ..self.body()
        }
    }

    /// As part of a webhook or an item.
    pub(crate) fn enclosed(self) -> ErrorBody {
        ErrorBody {
            status: Some(self.status),
            ..self.body()
        }
    }

    fn body(self) -> ErrorBody {
        let section = self
            .error_type
            .trim_end_matches("_ERROR")
            .to_lowercase()
            .replace('_', "-");
        let anchor = self.error_code.to_lowercase();
        ErrorBody {
            error_type: self.error_type,
            error_code: self.error_code,
            error_message: self.error_message,
            display_message: self.display_message,
            documentation_url: format!("https://plaid.com/docs/errors/{section}/#{anchor}"),
            suggested_action: None,
            request_id: None,
            status: None,
        }
    }
}

type Known = (&'static str, u16, &'static str, Option<&'static str>);

fn known(code: &str) -> Known {
    request(code)
        .or_else(|| input(code))
        .or_else(|| item(code))
        .or_else(|| elsewhere(code))
        .unwrap_or((
            "ITEM_ERROR",
            400,
            "the item is in an error state",
            Some("Something went wrong with this connection. Try again later."),
        ))
}

fn request(code: &str) -> Option<Known> {
    let (status, message) = match code {
        "MISSING_FIELDS" => (400, "required fields are missing"),
        "UNKNOWN_FIELDS" => (400, "the request has fields this endpoint does not know"),
        "INVALID_FIELD" => (400, "a field is invalid"),
        "INVALID_BODY" => (400, "the request body is not valid JSON"),
        "INVALID_HEADERS" => (400, "the Content-Type header must be application/json"),
        "INVALID_CONFIGURATION" => (400, "the product is not configured for this client"),
        "INCOMPATIBLE_API_VERSION" => (
            400,
            "this endpoint is not part of the requested API version",
        ),
        "SANDBOX_ONLY" => (400, "this endpoint is only available in the sandbox"),
        "NOT_FOUND" => (404, "there is no such endpoint"),
        _ => return None,
    };
    Some(("INVALID_REQUEST", status, message, None))
}

fn input(code: &str) -> Option<Known> {
    let message = match code {
        "INVALID_API_KEYS" => "the client_id or secret is not valid",
        "INVALID_ACCESS_TOKEN" => "the access token is not one of this environment",
        "INVALID_PUBLIC_TOKEN" => {
            "the public token is expired, used or not one of this environment"
        }
        "INVALID_LINK_TOKEN" => "the link token is expired, used or not one of this environment",
        "INVALID_INSTITUTION" => "there is no institution with this id",
        "INVALID_ACCOUNT_ID" => "one of the account ids is not of this item",
        "INVALID_PRODUCT" => "a product is unknown, or not enabled for this client",
        "INVALID_WEBHOOK_VERIFICATION_KEY_ID" => {
            "there is no webhook verification key with this id"
        }
        "UNAUTHORIZED_ENVIRONMENT" => "this client may not use this environment",
        "UNAUTHORIZED_ROUTE_ACCESS" => "this client may not use this endpoint",
        "USER_PERMISSION_REVOKED" => "the user has taken back the permission to this item",
        "ADDITIONAL_CONSENT_REQUIRED" => "the user has not consented to this product",
        _ => return None,
    };
    Some(("INVALID_INPUT", 400, message, None))
}

/// Item errors: code, what the developer reads, what the user reads.
const ITEM: [(&str, &str, &str); 20] = [
    (
        "ITEM_LOGIN_REQUIRED",
        "the login of this item has changed; the user has to sign in again through update mode",
        "Please sign in to your bank again to keep this connection working.",
    ),
    (
        "INVALID_CREDENTIALS",
        "the credentials were not right",
        "The user name or password is not right. Please try again.",
    ),
    (
        "INVALID_UPDATED_USERNAME",
        "the user name is not the item's",
        "Please use the user name this bank was linked with.",
    ),
    (
        "INSUFFICIENT_CREDENTIALS",
        "the user left before signing in",
        "The sign-in was not finished. Please try again.",
    ),
    (
        "INVALID_MFA",
        "the answer to the security question was not right",
        "That answer is not right. Please try again.",
    ),
    (
        "INVALID_SEND_METHOD",
        "the chosen device is not one of those offered",
        "Please choose another way to receive the code.",
    ),
    (
        "INVALID_OTP",
        "the one-time code was not right",
        "That code is not right. Please try again.",
    ),
    (
        "USER_INPUT_TIMEOUT",
        "the user did not answer in time",
        "That took too long. Please try again.",
    ),
    (
        "ITEM_LOCKED",
        "the account is locked at the bank",
        "Your bank has locked this login. Please unlock it at your bank first.",
    ),
    (
        "PASSWORD_RESET_REQUIRED",
        "the bank demands a new password",
        "Please set a new password at your bank first.",
    ),
    (
        "USER_SETUP_REQUIRED",
        "the bank demands a step from the user",
        "Please sign in at your bank's own site first.",
    ),
    (
        "MFA_NOT_SUPPORTED",
        "this kind of security question is not supported",
        "This kind of security question is not supported.",
    ),
    (
        "ITEM_NOT_SUPPORTED",
        "this item is not supported",
        "This kind of account is not supported.",
    ),
    (
        "ITEM_NOT_FOUND",
        "the item does not exist; it was removed",
        "This connection no longer exists.",
    ),
    (
        "ITEM_CONCURRENTLY_DELETED",
        "the item was removed while it was read",
        "This connection no longer exists.",
    ),
    (
        "NO_ACCOUNTS",
        "there are no accounts on this item",
        "There are no accounts here that can be shared.",
    ),
    (
        "ACCESS_NOT_GRANTED",
        "the user did not grant access to this data",
        "Please allow access to this data at your bank.",
    ),
    (
        "PRODUCT_NOT_READY",
        "the product is not ready yet",
        "This data is still being prepared.",
    ),
    (
        "PRODUCTS_NOT_SUPPORTED",
        "the item does not support this product",
        "This bank does not offer this data.",
    ),
    (
        "PRODUCT_NOT_ENABLED",
        "the product is not enabled on this item",
        "This data was not asked for.",
    ),
];

fn item(code: &str) -> Option<Known> {
    let (_, message, display) = ITEM.iter().find(|(known, ..)| *known == code)?;
    Some(("ITEM_ERROR", 400, message, Some(display)))
}

fn elsewhere(code: &str) -> Option<Known> {
    let bank_trouble = Some("Your bank cannot be reached right now. Please try again later.");
    Some(match code {
        "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION" => (
            "TRANSACTIONS_ERROR",
            400,
            "the transactions changed between pages; start again from the cursor of the first page",
            None,
        ),
        "SANDBOX_PRODUCT_NOT_ENABLED" => (
            "SANDBOX_ERROR",
            400,
            "the item lacks the product of this webhook",
            None,
        ),
        "SANDBOX_WEBHOOK_INVALID" => (
            "SANDBOX_ERROR",
            400,
            "the webhook cannot be fired for this item",
            None,
        ),
        "INSTITUTION_DOWN" => (
            "INSTITUTION_ERROR",
            400,
            "the institution is down",
            bank_trouble,
        ),
        "INSTITUTION_NOT_RESPONDING" => (
            "INSTITUTION_ERROR",
            400,
            "the institution is not responding",
            bank_trouble,
        ),
        "INSTITUTION_NOT_AVAILABLE" => (
            "INSTITUTION_ERROR",
            400,
            "the institution is not available",
            bank_trouble,
        ),
        "INSTITUTION_NO_LONGER_SUPPORTED" | "UNSUPPORTED_RESPONSE" | "UNAUTHORIZED_INSTITUTION" => {
            (
                "INSTITUTION_ERROR",
                400,
                "the institution is not supported",
                Some("This bank is not supported."),
            )
        }
        "INTERNAL_SERVER_ERROR" => ("API_ERROR", 500, "something went wrong on the server", None),
        "PLANNED_MAINTENANCE" => (
            "API_ERROR",
            503,
            "the API is under planned maintenance",
            None,
        ),
        _ if code.ends_with("_LIMIT") || code == "RATE_LIMIT_EXCEEDED" => (
            "RATE_LIMIT_EXCEEDED",
            429,
            "too many requests; try again later",
            None,
        ),
        "CREDITS_EXHAUSTED" => (
            "RATE_LIMIT_EXCEEDED",
            429,
            "the plan's quota is used up",
            None,
        ),
        _ => return None,
    })
}
