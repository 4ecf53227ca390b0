//! Mail: whether the mail server answers and takes the credentials, and whether the app that mails lead to may call
//! this server. Nothing is sent.

use reqwest::Url;

use super::Finding;
use crate::{
    config::{Config, MailWay},
    mailer::Mailer,
};

const SUBJECT: &str = "mail";

pub(super) async fn look(config: &Config, findings: &mut Vec<Finding>) {
    match &config.mail.way {
        MailWay::Off => {
            let text = "SMTP_URL is not set, so nobody can prove an address or get past a forgotten password";
            findings.push(Finding::warning(SUBJECT, text));
        }
        MailWay::Log => {
            let text = "goes into the log, since everything is on this machine; SMTP_URL sends it";
            findings.push(Finding::fine(SUBJECT, text));
        }
        MailWay::Smtp { .. } => {
            findings.push(visit(config).await);
            findings.extend(foreign_app(config));
        }
    }
}

async fn visit(config: &Config) -> Finding {
    let mailer = match Mailer::of(&config.mail) {
        Ok(Some(mailer)) => mailer,
        Ok(None) => return Finding::fine(SUBJECT, "is off"),
        Err(error) => return Finding::problem(SUBJECT, error.chain()),
    };
    match mailer.check().await {
        Ok(()) => Finding::fine(SUBJECT, "the mail server answers and takes the credentials"),
        Err(why) => Finding::problem(
            SUBJECT,
            format!(
                "SMTP_URL: the mail server cannot be used: {why}; check host, port, user and password, and the way \
                 out of this machine"
            ),
        ),
    }
}

/// What to tell if the page that mails lead to could not call us.
fn foreign_app(config: &Config) -> Option<Finding> {
    let origin = |text: &str| Some(Url::parse(text).ok()?.origin().ascii_serialization());
    let app = origin(config.mail.app_url.as_deref()?)?;
    let own = config.public_url.as_deref().and_then(origin);
    let known = own.as_ref() == Some(&app) || config.allowed_origins.contains(&app);
    (!known).then(|| {
        let text = format!(
            "APP_URL: the pages of {app}, which mails lead to, may not call this server; add it to ALLOWED_ORIGINS"
        );
        Finding::warning(SUBJECT, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_that_may_not_call_the_server_is_named() {
        let foreign = |pair: Option<(&'static str, &'static str)>| {
            let mail = [
                ("SMTP_URL", "smtps://mail.example"),
                ("MAIL_FROM", "passbook@example.com"),
                ("APP_URL", "https://app.example.com/passbook"),
            ];
            let config = Config::from_pairs(mail.into_iter().chain(pair)).unwrap();
            foreign_app(&config).is_some()
        };
        assert!(foreign(None));
        assert!(foreign(Some((
            "ALLOWED_ORIGINS",
            "https://other.example.com"
        ))));
        assert!(!foreign(Some((
            "ALLOWED_ORIGINS",
            "https://app.example.com"
        ))));
        assert!(!foreign(Some(("PUBLIC_URL", "https://app.example.com"))));
    }
}
