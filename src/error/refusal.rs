//! Refusals: failures a client is expected to meet and can act on.

use super::{ErrorClass, ProviderError};

/// A refusal a client can act on.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What sort of refusal it is.
    pub code: ErrorCode,
    /// A sentence for people: what is wrong, and what to do.
    pub message: String,
    /// The path of the input field that is to blame, from the root of `input`.
    pub field: Option<Vec<String>>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How long to wait before that, in seconds.
    pub retry_after: Option<u32>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// What sort of refusal a `UserError` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum ErrorCode {
    /// A field of the input is not acceptable; `field` names it.
    InvalidInput,
    /// E-mail address or password is wrong. Which of the two is not told.
    InvalidCredentials,
    /// The address already has an account.
    EmailTaken,
    /// The provider does not vouch for an e-mail address, so that no account is made of it.
    EmailUnverified,
    /// The code of a social login is unknown, expired or used, or not this app's: begin again.
    SocialLoginInvalid,
    /// The identity is linked to another account.
    IdentityTaken,
    /// It is the only way into the account.
    LastSignIn,
    /// The account has no password: its owner signs in through a provider.
    NoPassword,
    /// The password is too easy to guess.
    WeakPassword,
    /// The account is locked. Told only to who has proven to be its owner.
    AccountLocked,
    /// The refresh token, or the token that a second factor completes, is unknown, expired or used up: sign in
    /// again.
    SessionExpired,
    /// You have no password here, and signed in too long ago for this: sign in again, then repeat it.
    SignInAgain,
    /// The token from a mail is unknown, expired or used, or a newer mail took its place: ask for another.
    MailTokenInvalid,
    /// This server does not offer it: its operator has not set it up, or does not want it.
    NotOffered,
    /// Nothing of yours has this id.
    NotFound,
    /// It does not stand so that this can be done; the message says why.
    InvalidState,
    /// The public token is expired, was used before, or belongs to another environment: open Link again.
    PublicTokenInvalid,
    /// The same public token, or the same bank, is being linked by another request right now.
    ExchangeInProgress,
    /// The key was used before with another input.
    IdempotencyKeyReused,
    /// The person must sign in at the bank again.
    ReauthenticationRequired,
    /// The bank asks the person something: `requiredAction` has the questions, `answerChallenge` answers.
    ChallengePending,
    /// These questions are not open any more: ask for `requiredAction` again.
    ChallengeExpired,
    /// Access to the bank is gone for good: link it anew.
    ItemDisconnected,
    /// The bank or its provider does not answer at the moment.
    ProviderUnavailable,
    /// The provider does not offer this for the bank.
    NotSupported,
    /// The operator must look at the server's provider credentials.
    ProviderMisconfigured,
    /// Too many requests.
    RateLimited,
    /// Something went wrong on the server; its operator finds it in the log.
    ServerError,
}

impl Refusal {
    /// A refusal that the same request would meet again.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            retryable: false,
            retry_after: None,
        }
    }

    /// Names the field of the input that is to blame.
    #[must_use]
    pub fn on(mut self, field: &str) -> Self {
        self.field = Some(field.split('.').map(str::to_owned).collect());
        self
    }

    /// Says that the request may succeed after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retryable = true;
        self.retry_after = Some(seconds);
        self
    }
}

/// What a person can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum UserAction {
    /// Sign in at the bank again: with a link token made for this item, in Link or on the hosted page, or with
    /// `updateCredentials` for a bank that takes credentials.
    Reauthenticate,
    /// Answer what the bank asks: the item's `requiredAction` has the questions.
    AnswerChallenge,
    /// Access is gone for good: link the bank anew.
    LinkAgain,
    /// Nothing: the server tries again by itself.
    Wait,
    /// Tell whoever runs this server.
    ContactOperator,
}

impl Refusal {
    /// A provider's error as something the person can act on; the provider's own text only where
    /// the provider means it for people.
    pub fn from_provider(error: &ProviderError) -> Self {
        let said = |default: &str| {
            error
                .display_message
                .clone()
                .unwrap_or_else(|| default.to_owned())
        };
        match error.class {
            ErrorClass::Retry(_)
            | ErrorClass::RestartPages
            | ErrorClass::ResetCursor
            | ErrorClass::Conflict
            | ErrorClass::NotReady => {
                let wait = match error.class {
                    ErrorClass::Retry(Some(wait)) => {
                        u32::try_from(wait.as_secs()).unwrap_or(u32::MAX)
                    }
                    _ => 60,
                };
                let text =
                    "The bank or its provider does not answer at the moment. Try again later.";
                Self::new(ErrorCode::ProviderUnavailable, said(text)).retry_after(wait)
            }
            ErrorClass::Credentials => {
                let text =
                    "The bank does not take the user name or the password. Enter them again.";
                Self::new(ErrorCode::ReauthenticationRequired, said(text))
            }
            ErrorClass::Challenge => {
                let text = "The bank asks something. Answer it with `answerChallenge`.";
                Self::new(ErrorCode::ChallengePending, said(text))
            }
            ErrorClass::Login | ErrorClass::Blocked => {
                let text = "The bank asks for a new sign-in. Sign in there again.";
                Self::new(ErrorCode::ReauthenticationRequired, said(text))
            }
            ErrorClass::Gone | ErrorClass::AccountGone => Self::new(
                ErrorCode::ItemDisconnected,
                said("Access to this bank has ended. Link it anew."),
            ),
            ErrorClass::Token => {
                let text = "This token is expired, was used before, or belongs to another environment. Open Link again.";
                Self::new(ErrorCode::PublicTokenInvalid, text)
            }
            ErrorClass::Unsupported => Self::new(
                ErrorCode::NotSupported,
                said("The bank does not offer this."),
            ),
            ErrorClass::Operator | ErrorClass::Bug => {
                let text = "The server's access to the bank provider is not set up right. Tell whoever runs it.";
                Self::new(ErrorCode::ProviderMisconfigured, text)
            }
        }
    }

    /// What the person can do about it.
    pub fn action(&self) -> Option<UserAction> {
        match self.code {
            ErrorCode::ReauthenticationRequired => Some(UserAction::Reauthenticate),
            ErrorCode::ChallengePending => Some(UserAction::AnswerChallenge),
            ErrorCode::ItemDisconnected | ErrorCode::PublicTokenInvalid => {
                Some(UserAction::LinkAgain)
            }
            ErrorCode::ProviderUnavailable | ErrorCode::RateLimited => Some(UserAction::Wait),
            ErrorCode::ProviderMisconfigured | ErrorCode::ServerError => {
                Some(UserAction::ContactOperator)
            }
            _ => None,
        }
    }
}

/// The first refusal's sentence, for where only one fits.
pub(super) fn sentence(refusals: &[Refusal]) -> &str {
    refusals
        .first()
        .map_or("This is not possible.", |refusal| &refusal.message)
}
