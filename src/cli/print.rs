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
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::io(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints why a command ends. There is nobody left to tell if that fails.
pub(super) fn failure(failure: &Failure) {
    let mut stderr = io::stderr().lock();
    for fault in &failure.faults {
        let _ = writeln!(stderr, "passbook: {fault}");
    }
}
