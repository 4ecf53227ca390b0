//! `passbook doctor`: looks at everything a server needs, whether or not one is running, changes
//! nothing, and says of each thing how it is and what to do. The exit code is 1 if anything is wrong.

use super::{
    Overrides,
    failure::{Exit, Failure},
    log, print,
};
use crate::config::Config;

mod addresses;
mod database;
mod keys;
mod mail;
mod mx;
mod provider;
mod rates;
mod social;
mod webhooks;

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// As it should be.
    Fine,
    /// It works, but somebody should know.
    Warning,
    /// It does not work.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    verdict: Verdict,
    /// The thing.
    subject: &'static str,
    /// How it is, and what to do.
    text: String,
}

impl Finding {
    fn fine(subject: &'static str, text: impl Into<String>) -> Self {
        Self::new(Verdict::Fine, subject, text)
    }

    fn warning(subject: &'static str, text: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, subject, text)
    }

    fn problem(subject: &'static str, text: impl Into<String>) -> Self {
        Self::new(Verdict::Problem, subject, text)
    }

    fn new(verdict: Verdict, subject: &'static str, text: impl Into<String>) -> Self {
        Self {
            verdict,
            subject,
            text: text.into(),
        }
    }
}

/// What a failed start would have said, as findings.
fn problems(subject: &'static str, failure: Failure) -> Vec<Finding> {
    let faults = failure.faults.into_iter();
    faults
        .map(|fault| Finding::problem(subject, fault))
        .collect()
}

/// Looks at everything.
pub(super) async fn run(overrides: Overrides) -> Result<(), Failure> {
    let config = match Config::from_env(overrides) {
        Ok(config) => config,
        Err(error) => return conclude(&problems("configuration", error.into())),
    };
    log::start(&config)?;
    let mut findings = vec![Finding::fine("configuration", "every setting can be read")];
    let db = database::look(&config, &mut findings).await;
    let keys = keys::look(&config, db.as_ref(), &mut findings).await;
    provider::look(&config, &mut findings).await;
    mx::look(&config, &mut findings).await;
    rates::look(&config, db.as_ref(), &mut findings).await;
    social::look(&config, &mut findings).await;
    webhooks::look(&config, keys.as_ref(), &mut findings).await;
    mail::look(&config, &mut findings).await;
    addresses::look(&config, &mut findings);
    conclude(&findings)
}

fn conclude(findings: &[Finding]) -> Result<(), Failure> {
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Fine => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "problem",
        };
        print::line(format_args!(
            "{verdict:<8} {:<14} {}",
            finding.subject, finding.text
        ))?;
    }
    let count = |verdict| findings.iter().filter(|f| f.verdict == verdict).count();
    let (problems, warnings) = (count(Verdict::Problem), count(Verdict::Warning));
    if problems > 0 {
        let faults = vec![format!("{problems} to mend, {warnings} to know about")];
        let exit = Exit::Problems;
        return Err(Failure { exit, faults });
    }
    Ok(())
}
