//! What mails say: in plain English, short, with what to do and what to do if it was somebody else.
//! Nothing that was typed into a form stands in them.

use chrono::{DateTime, Utc};

/// What there is to say.
#[derive(Clone, Debug)]
pub(super) enum Say {
    /// Prove the address you register with.
    Registration(Way),
    /// Prove the address of your account.
    VerifyEmail(Way),
    /// Prove the next address of your account.
    ChangeEmail(Way),
    /// Set a new password.
    ResetPassword(Way),
    /// Somebody wants to use the address of your account for another one.
    AddressTaken,
    /// Another address is to take the place of yours.
    EmailChanging,
    /// Your password was set anew.
    PasswordReset,
    /// An account elsewhere lets you in from now on.
    IdentityLinked,
    /// An account elsewhere lets you in no more.
    IdentityUnlinked,
}

/// How the reader goes on.
#[derive(Clone)]
pub(super) struct Way {
    /// Where her app is, if we know.
    pub(super) app_url: Option<String>,
    pub(super) token: String,
    pub(super) until: DateTime<Utc>,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Way {
    /// The token stands behind a `#`, which browsers send to no server.
    fn tell(&self, page: &str, mutation: &str) -> String {
        let Self {
            app_url,
            token,
            until,
        } = self;
        let until = until.format("%Y-%m-%d %H:%M");
        let way = match app_url {
            Some(base) => format!("{base}/{page}#token={token}"),
            None => format!("Token for `{mutation}`: {token}"),
        };
        format!("{way}\n\nThis works once, until {until} UTC.")
    }
}

/// Subject and text.
pub(super) fn letter(say: &Say) -> (&'static str, String) {
    let (subject, body) = match say {
        Say::Registration(way) => (
            "Confirm your e-mail address",
            format!(
                "Somebody, probably you, is registering with this address. To confirm it, open this page and give the \
                 password you have chosen:\n\n{}\n\nIf it was not you, do nothing: without this there will be no account.",
                way.tell("verify-email", "verifyEmail")
            ),
        ),
        Say::VerifyEmail(way) => (
            "Confirm your e-mail address",
            format!(
                "To confirm that this is the address of your account, open this page:\n\n{}\n\nIf you have no account, \
                 or did not ask for this, do nothing.",
                way.tell("verify-email", "verifyEmail")
            ),
        ),
        Say::ChangeEmail(way) => (
            "Confirm your new e-mail address",
            format!(
                "To make this the address of your account, open this page:\n\n{}\n\nUntil then the old one counts. If you \
                 did not ask for this, do nothing.",
                way.tell("verify-email", "verifyEmail")
            ),
        ),
        Say::ResetPassword(way) => (
            "Choose a new password",
            format!(
                "To choose a new password for your account, open this page:\n\n{}\n\nIt signs all your devices out. If you \
                 did not ask for this, do nothing: your password stays as it is.",
                way.tell("reset-password", "resetPassword")
            ),
        ),
        Say::AddressTaken => (
            "You have an account already",
            "Somebody, perhaps you, wanted to use this address for an account. It has one already: sign in, or ask for a \
             new password.\n\nIf it was not you, there is nothing to do."
                .to_owned(),
        ),
        Say::EmailChanging => (
            "Your e-mail address is about to change",
            "Somebody who is signed in to your account and knows its password wants another address to take the place of \
             this one. It counts once it is confirmed.\n\nIf it was not you, change your password now: that takes it back."
                .to_owned(),
        ),
        Say::PasswordReset => (
            "Your password was changed",
            "The password of your account was changed with a mail to this address, and all devices were signed out. Accounts \
             elsewhere that are linked to it still let you in: unlink what you do not know.\n\nIf it was not you, somebody \
             reads your mail: secure your mailbox first, then ask for a new password."
                .to_owned(),
        ),
        Say::IdentityLinked => (
            "An account elsewhere was linked to yours",
            "Somebody who is signed in to your account linked an account elsewhere to it, which opens it from now on, \
             whatever becomes of your password.\n\nIf it was not you, unlink it now, and then choose a new password."
                .to_owned(),
        ),
        Say::IdentityUnlinked => (
            "An account elsewhere was unlinked from yours",
            "Somebody who is signed in to your account unlinked an account elsewhere from it, which opens it no more.\n\n\
             If it was not you, choose a new password now, and look at what is linked to your account."
                .to_owned(),
        ),
    };
    (subject, format!("Hello,\n\n{body}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(app_url: Option<&str>) -> Way {
        Way {
            app_url: app_url.map(str::to_owned),
            token: "pmt_x".to_owned(),
            until: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    #[test]
    fn a_mail_leads_to_the_app_or_names_the_token() {
        let (_, text) = letter(&Say::ResetPassword(way(Some("https://app.example.com"))));
        assert!(
            text.contains("\nhttps://app.example.com/reset-password#token=pmt_x\n"),
            "{text}"
        );
        assert!(text.contains("until 2027-01-15 08:00 UTC"), "{text}");
        let (_, text) = letter(&Say::VerifyEmail(way(None)));
        assert!(text.contains("Token for `verifyEmail`: pmt_x\n"), "{text}");
    }

    #[test]
    fn no_token_is_shown() {
        assert!(!format!("{:?}", Say::Registration(way(None))).contains("pmt_"));
    }
}
