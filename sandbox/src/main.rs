//! The sandbox alone, for development and drills: `passbook-sandbox [--listen ADDRESS] [--seed NUMBER] [--state FILE]`.

use std::io::Write;
use std::process::ExitCode;

use passbook_sandbox::{Options, Sandbox};

const USAGE: u8 = 64;
const UNAVAILABLE: u8 = 69;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            say(&format!(
                "{problem}\nusage: passbook-sandbox [--listen ADDRESS] [--public-url URL] [--seed NUMBER] [--state FILE]"
            ));
            return ExitCode::from(USAGE);
        }
    };
    match Sandbox::start(options).await {
        Ok(sandbox) => {
            say(&format!("sandbox listening on {}", sandbox.url()));
            let _ = tokio::signal::ctrl_c().await;
            sandbox.shutdown().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(UNAVAILABLE)
        }
    }
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        listen: ([127, 0, 0, 1], 8010).into(),
        ..Options::default()
    };
    while let Some(name) = words.next() {
        let value = words
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        let unreadable = |wanted: &str| format!("{name} {value}: not {wanted}");
        match name.as_str() {
            "--listen" => {
                options.listen = value
                    .parse()
                    .map_err(|_| unreadable("an address like 127.0.0.1:8010"))?;
            }
            "--public-url" => options.public_url = Some(value),
            "--seed" => options.seed = value.parse().map_err(|_| unreadable("a whole number"))?,
            "--state" => options.state = Some(value.into()),
            _ => return Err(format!("{name} is not an option")),
        }
    }
    Ok(options)
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
