//! What commands say. Results go to standard output; faults and the log go to standard error.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

use super::failure::Failure;

/// Prints a result.
///
/// # Errors
/// If standard output cannot take it. A reader that has gone away, such as `head`, is no fault.
pub(super) fn line(text: impl Display) -> Result<(), Failure> {
    heard(text).map(drop)
}

/// Prints a result of many; whether there is still somebody who reads.
///
/// # Errors
/// As [`line`].
pub(super) fn heard(text: impl Display) -> Result<bool, Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::io(format!("standard output: {error}"))),
    }
}

/// Prints what somebody who waits should know. There is nobody left to tell if that fails.
pub(super) fn remark(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "passbook: {text}");
}

/// Prints why a command ends. There is nobody left to tell if that fails.
pub(super) fn failure(failure: &Failure) {
    let mut stderr = io::stderr().lock();
    for fault in &failure.faults {
        let _ = writeln!(stderr, "passbook: {fault}");
    }
}
