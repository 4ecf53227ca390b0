//! How a command ends when it cannot do what it should: one line per fault on standard error, each
//! naming the setting or path and the remedy, and an exit code of sysexits. Never a `Debug` text.

use std::process::ExitCode;

use crate::{config::ConfigError, error::Error};

/// The exit codes of this program, by the names and numbers of sysexits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// `doctor` found something wrong, or `demo` did not come to its end.
    Problems = 1,
    /// The command line is wrong.
    Usage = 64,
    /// What was given will not do, or does not fit what is there.
    Data = 65,
    /// Nobody has the address of a person that was given.
    NoUser = 67,
    /// An address to listen on is taken.
    Unavailable = 69,
    /// Our bug.
    Software = 70,
    /// A file cannot be read or written.
    Io = 74,
    /// Trying again later may help: the database is away or in use.
    Temporary = 75,
    /// The configuration is wrong, or does not fit the database.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ends.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) faults: Vec<String>,
}

impl Failure {
    pub(super) fn new(exit: Exit, fault: impl Into<String>) -> Self {
        let faults = vec![fault.into()];
        Self { exit, faults }
    }

    pub(super) fn config(fault: impl Into<String>) -> Self {
        Self::new(Exit::Config, fault)
    }

    pub(super) fn io(fault: impl Into<String>) -> Self {
        Self::new(Exit::Io, fault)
    }

    pub(super) fn temporary(fault: impl Into<String>) -> Self {
        Self::new(Exit::Temporary, fault)
    }
}

impl From<ConfigError> for Failure {
    fn from(ConfigError(faults): ConfigError) -> Self {
        let exit = Exit::Config;
        Self { exit, faults }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error {
            Error::Unavailable(_) => Exit::Temporary,
            _ => Exit::Software,
        };
        // Drivers break their messages into lines; a fault is one line.
        let chain = error.chain().replace(['\n', '\r'], " ");
        Self::new(exit, chain)
    }
}
