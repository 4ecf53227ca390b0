//! The program `passbook`.

use std::process::ExitCode;

fn main() -> ExitCode {
    passbook::cli::run()
}
