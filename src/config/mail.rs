//! `SMTP_URL`, `MAIL_FROM`, `APP_URL` and `REGISTRATION`: how mail leaves, where it leads, and who may register.

use std::net::SocketAddr;

use lettre::{AsyncSmtpTransport, Tokio1Executor, message::Mailbox};
use reqwest::Url;
use secrecy::SecretString;

use super::{
    MxEnv, PlaidEnv,
    reader::{Reader, is_in_the_clear, is_loopback},
};

/// How mail leaves, and where it leads.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// `SMTP_URL`, or what stands for it.
    pub way: MailWay,
    /// `APP_URL`: the app whose pages mails lead to; no slash at the end.
    pub app_url: Option<String>,
    /// `REGISTRATION`.
    pub registration: Registration,
}

/// How mail leaves.
#[derive(Clone, Debug)]
pub enum MailWay {
    /// Through a mail server.
    Smtp {
        /// `SMTP_URL`, with the password.
        url: SecretString,
        /// `MAIL_FROM`: an address, perhaps with a name before it.
        from: String,
    },
    /// Into the log, where nothing but this machine is involved.
    Log,
    /// Not at all.
    Off,
}

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Everybody, at once.
    Open,
    /// Everybody who proves to read what is sent to the address.
    Verified,
    /// Nobody.
    Closed,
}

/// What of the rest of the configuration decides whether everything is on this machine.
pub(super) struct Surroundings<'a> {
    pub(super) plaid: PlaidEnv,
    pub(super) mx: MxEnv,
    pub(super) listen: SocketAddr,
    pub(super) public_url: Option<&'a str>,
}

impl Surroundings<'_> {
    fn are_local(&self) -> bool {
        let is_here = |url| Url::parse(url).is_ok_and(|url| is_loopback(&url));
        self.plaid == PlaidEnv::Local
            && matches!(self.mx, MxEnv::Local | MxEnv::Off)
            && self.listen.ip().is_loopback()
            // Behind a proxy others come in too.
            && self.public_url.is_none_or(is_here)
    }
}

impl Reader {
    pub(super) fn mail(&mut self, around: &Surroundings<'_>) -> MailConfig {
        let app_url = self.url("APP_URL");
        if app_url.as_deref().is_some_and(is_in_the_clear) {
            self.fault(
                "APP_URL",
                "over http:// whoever is on the way gets the tokens that mails bring; use https://",
            );
        }
        let from = self.text("MAIL_FROM");
        if from.as_deref().is_some_and(|text| !is_sender(text)) {
            let remedy =
                "use an address such as passbook@example.com, or Passbook <passbook@example.com>";
            self.fault("MAIL_FROM", remedy);
        }
        let way = if let Some(url) = self.text("SMTP_URL") {
            self.smtp(&url, from, app_url.is_some())
        } else {
            if from.is_some() {
                self.fault("MAIL_FROM", "is of use only beside SMTP_URL");
            }
            let local = around.are_local();
            if local { MailWay::Log } else { MailWay::Off }
        };
        let registration = self.registration(&way);
        MailConfig {
            way,
            app_url,
            registration,
        }
    }

    fn smtp(&mut self, url: &str, from: Option<String>, leads_somewhere: bool) -> MailWay {
        if let Some(remedy) = smtp_fault(url.trim()) {
            self.fault("SMTP_URL", remedy);
        }
        if from.is_none() {
            self.fault(
                "MAIL_FROM",
                "is needed beside SMTP_URL; use an address such as passbook@example.com",
            );
        }
        if !leads_somewhere {
            self.fault(
                "APP_URL",
                "is needed beside SMTP_URL; use the address of your app, such as https://app.example.com",
            );
        }
        MailWay::Smtp {
            url: url.trim().into(),
            from: from.unwrap_or_default(),
        }
    }

    fn registration(&mut self, way: &MailWay) -> Registration {
        let usual = match way {
            MailWay::Smtp { .. } => Registration::Verified,
            MailWay::Log | MailWay::Off => Registration::Open,
        };
        let choices = [
            ("open", Registration::Open),
            ("verified", Registration::Verified),
            ("closed", Registration::Closed),
        ];
        let chosen = self.choice("REGISTRATION", usual, &choices);
        if chosen == Registration::Verified && matches!(way, MailWay::Off) {
            self.fault(
                "REGISTRATION",
                "`verified` sends mails; set SMTP_URL, or use `open` or `closed`",
            );
        }
        chosen
    }
}

fn is_sender(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Why mail could not leave by an address. It may hold a password and is not shown.
fn smtp_fault(text: &str) -> Option<&'static str> {
    let wanted = "use smtps://USER:PASSWORD@HOST:465 or smtp://USER:PASSWORD@HOST:587?tls=required, with special \
                  characters percent-encoded";
    let Ok(url) = Url::parse(text) else {
        return Some(wanted);
    };
    if url.password() == Some("your-password") {
        return Some("this is the example's value; use your mail server's");
    }
    let built = AsyncSmtpTransport::<Tokio1Executor>::from_url(text).is_ok();
    if !built || url.host_str().is_none_or(str::is_empty) {
        return Some(wanted);
    }
    let required = url
        .query_pairs()
        .any(|pair| pair == ("tls".into(), "required".into()));
    let guarded = url.scheme() == "smtps" || required;
    (!guarded && !is_loopback(&url)).then_some(
        "the way would read the password and every token; use smtps://, or add ?tls=required for STARTTLS",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const MAIL: [(&str, &str); 3] = [
        ("SMTP_URL", "smtps://ana:hunter2@mail.example:465"),
        ("MAIL_FROM", "Passbook <passbook@example.com>"),
        ("APP_URL", "https://app.example.com/"),
    ];
    const REAL: [(&str, &str); 3] = [
        ("PLAID_ENV", "production"),
        ("PLAID_CLIENT_ID", "abc"),
        ("PLAID_SECRET", "def"),
    ];

    fn mail(pairs: &[(&str, &str)]) -> MailConfig {
        Config::from_pairs(pairs.iter().copied()).unwrap().mail
    }

    fn faults(pairs: &[(&str, &str)]) -> Vec<String> {
        Config::from_pairs(pairs.iter().copied()).map_or_else(|e| e.0, |_| Vec::new())
    }

    #[test]
    fn without_a_mail_server_mails_go_into_the_log_of_a_machine_by_itself_and_nowhere_else() {
        assert!(matches!(mail(&[]).way, MailWay::Log));
        assert!(matches!(mail(&REAL).way, MailWay::Off));
        assert!(matches!(
            mail(&[("LISTEN", "0.0.0.0:8000")]).way,
            MailWay::Off
        ));
        for (url, off) in [
            ("https://api.example.com", true),
            ("http://localhost:8000", false),
        ] {
            let way = mail(&[("PUBLIC_URL", url)]).way;
            assert_eq!(matches!(way, MailWay::Off), off, "{url}");
        }
        assert_eq!(mail(&[]).registration, Registration::Open);
    }

    #[test]
    fn with_one_addresses_are_proven_before_there_is_an_account() {
        let set = mail(&MAIL);
        assert!(matches!(set.way, MailWay::Smtp { .. }));
        assert_eq!(set.app_url.as_deref(), Some("https://app.example.com"));
        assert_eq!(set.registration, Registration::Verified);
        assert!(!format!("{set:?}").contains("hunter2"));
    }

    #[test]
    fn what_cannot_send_is_named_and_no_password_shown() {
        let with = |name, value| {
            let others = MAIL.into_iter().filter(move |(known, _)| *known != name);
            others.chain([(name, value)]).collect::<Vec<_>>()
        };
        for (pairs, named) in [
            (with("SMTP_URL", "mail.example:465"), "SMTP_URL"),
            (
                with("SMTP_URL", "https://ana:hunter2@mail.example"),
                "SMTP_URL",
            ),
            (
                with("SMTP_URL", "smtp://ana:hunter2@mail.example"),
                "SMTP_URL",
            ),
            (
                with(
                    "SMTP_URL",
                    "smtp://ana:hunter2@mail.example?tls=opportunistic",
                ),
                "SMTP_URL",
            ),
            (with("SMTP_URL", "smtps://ana:hunter2@"), "SMTP_URL"),
            (
                with("SMTP_URL", "smtps://ana:your-password@mail.example"),
                "SMTP_URL",
            ),
            (with("MAIL_FROM", "nobody"), "MAIL_FROM"),
            (
                with("MAIL_FROM", "a@b.example\r\nBcc: c@d.example"),
                "MAIL_FROM",
            ),
            (with("MAIL_FROM", ""), "MAIL_FROM"),
            (with("APP_URL", "http://app.example.com"), "APP_URL"),
            (with("APP_URL", ""), "APP_URL"),
            (with("REGISTRATION", "ajar"), "REGISTRATION"),
            (vec![MAIL[1]], "MAIL_FROM"),
            (
                [&REAL[..], &[("REGISTRATION", "verified")]].concat(),
                "REGISTRATION",
            ),
        ] {
            let told = faults(&pairs);
            assert!(
                told.len() == 1 && told[0].starts_with(named) && !told[0].contains("hunt"),
                "{pairs:?}: {told:?}"
            );
        }
        for url in [
            "smtp://ana:hunter2@mail.example:587?tls=required",
            "smtp://127.0.0.1:2525",
            "smtps://mail.example",
        ] {
            assert!(faults(&with("SMTP_URL", url)).is_empty(), "{url}");
        }
    }
}
