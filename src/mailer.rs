//! The way out for mail: a mail server, or on a machine by itself the log. Mails are plain text, which every
//! program shows, which hides no address behind another, and which nobody's input can make a page of.
//! What a person typed comes into a header only as an address that was parsed.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        self,
        extension::ClientId,
        response::{Category, Severity},
    },
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::{
    config::{MailConfig, MailWay},
    error::{Error, Result},
};

/// How long the mail server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// Sends mail.
#[derive(Clone)]
pub struct Mailer(Way);

#[derive(Clone)]
enum Way {
    Smtp { server: Smtp, from: Box<Mailbox> },
    Log,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Way::Smtp { .. } => "Mailer(smtp)",
            Way::Log => "Mailer(log)",
        })
    }
}

/// What is sent.
pub struct Letter {
    /// The same each time the same letter is sent, so that programs show it once.
    pub id: Uuid,
    /// One address.
    pub to: String,
    /// One line.
    pub subject: &'static str,
    /// Plain text. It may hold a token.
    pub text: String,
}

/// A letter holds tokens and somebody's address, so only its id is shown.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Letter").field(&self.id).finish()
    }
}

impl Mailer {
    /// The way out that the configuration names, if it names one.
    pub fn of(config: &MailConfig) -> Result<Option<Self>> {
        let way = match &config.way {
            MailWay::Off => return Ok(None),
            MailWay::Log => Way::Log,
            MailWay::Smtp { url, from } => {
                let from: Mailbox = from.parse().map_err(Error::internal)?;
                // Some servers want a name, and that of the machine tells more than anybody needs.
                let name = ClientId::Domain(from.email.domain().to_owned());
                let server = Smtp::from_url(url.expose_secret()).map_err(Error::internal)?;
                let server = server.hello_name(name).timeout(Some(PATIENCE));
                Way::Smtp {
                    server: server.build(),
                    from: Box::new(from),
                }
            }
        };
        Ok(Some(Self(way)))
    }

    /// Whether mails reach people, and not only the log.
    pub fn delivers(&self) -> bool {
        matches!(self.0, Way::Smtp { .. })
    }

    /// Sends a letter.
    ///
    /// # Errors
    /// [`Error::Undelivered`], transient unless the server will never take this one.
    pub async fn send(&self, letter: Letter, now: DateTime<Utc>) -> Result<()> {
        match &self.0 {
            Way::Smtp { server, from } => {
                let message = message(from, letter, now)?;
                let sent = tokio::time::timeout(PATIENCE * 3, server.send(message)).await;
                let slow = |_| undelivered(true, "the mail server is too slow".to_owned());
                sent.map_err(slow)?
                    .map(drop)
                    .map_err(|error| refused(&error))
            }
            Way::Log => {
                let Letter {
                    to, subject, text, ..
                } = letter;
                tracing::info!("a mail to {to}, since there is no SMTP_URL: {subject}\n{text}");
                Ok(())
            }
        }
    }

    /// Whether the mail server answers and takes the credentials; why not, if not.
    pub async fn check(&self) -> Result<(), String> {
        let Way::Smtp { server, .. } = &self.0 else {
            return Ok(());
        };
        match tokio::time::timeout(PATIENCE, server.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("it hangs up".to_owned()),
            Ok(Err(error)) => Err(cause(&error)),
            Err(_) => Err("it does not answer in time".to_owned()),
        }
    }
}

fn message(from: &Mailbox, letter: Letter, now: DateTime<Utc>) -> Result<Message> {
    let unfit = |_| undelivered(false, "this cannot be the address of a mail".to_owned());
    let to: Address = letter.to.parse().map_err(unfit)?;
    let id = format!("<{}@{}>", letter.id, from.email.domain());
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject)
        .date(now.into())
        .message_id(Some(id))
        // So that no absence notice answers.
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text)
        .map_err(Error::internal)
}

/// What the server said, by its number: its words may hold the address. A refusal of the mailbox or the mail
/// is final; one of ourselves is the operator's to mend, and waits for it.
fn refused(error: &smtp::Error) -> Error {
    let last = error.status().is_some_and(|code| {
        code.severity == Severity::PermanentNegativeCompletion
            && code.category == Category::MailSystem
    });
    undelivered(!last, cause(error))
}

fn cause(error: &smtp::Error) -> String {
    if let Some(code) = error.status() {
        return format!("the mail server answered {code}");
    }
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// A mail that did not leave.
pub fn undelivered(transient: bool, why: String) -> Error {
    Error::Undelivered {
        transient,
        source: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str) -> Letter {
        Letter {
            id: Uuid::from_u128(1),
            to: to.to_owned(),
            subject: "Subject",
            text: "Text with a token".to_owned(),
        }
    }

    #[test]
    fn nothing_but_one_address_becomes_a_recipient() {
        let from: Mailbox = "Passbook <passbook@example.com>".parse().unwrap();
        let now = DateTime::UNIX_EPOCH;
        for to in [
            "ana@example.com\r\nBcc: eve@example.com",
            "ana@example.com, eve@example.com",
            "Ana <ana@example.com>",
            "ana",
            "",
        ] {
            let refused = message(&from, letter(to), now).unwrap_err();
            assert!(!refused.is_transient(), "{to:?}");
            assert!(
                !refused.chain().contains("ana"),
                "{to:?}: {}",
                refused.chain()
            );
        }
        let made = message(&from, letter("ana@example.com"), now)
            .unwrap()
            .formatted();
        let made = String::from_utf8(made).unwrap();
        let (head, _) = made.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: Passbook <passbook@example.com>",
            "To: ana@example.com",
            "Subject: Subject",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
            "Message-ID: <00000000-0000-0000-0000-000000000001@example.com>",
        ] {
            assert!(head.contains(line), "{line}: {head}");
        }
    }

    #[test]
    fn neither_the_way_nor_a_letter_is_shown() {
        let pairs = [
            ("SMTP_URL", "smtps://ana:hunter2@mail.example:465"),
            ("MAIL_FROM", "passbook@example.com"),
            ("APP_URL", "https://app.example.com"),
        ];
        let config = crate::config::Config::from_pairs(pairs).unwrap();
        let mailer = Mailer::of(&config.mail).unwrap().unwrap();
        assert_eq!(format!("{mailer:?}"), "Mailer(smtp)");
        assert!(!format!("{:?}", letter("ana@example.com")).contains("token"));
    }
}
