//! A password, from whoever sits at the terminal, from a file, or from standard input. Never from the command
//! line, where everybody on the machine can read it.

use std::{
    io::{IsTerminal, stdin},
    path::{Path, PathBuf},
};

use console::Term;
use secrecy::{ExposeSecret, SecretString};

use super::failure::{Exit, Failure};

/// More than any password has.
const LONGEST: u64 = 64 * 1024;

/// Asks for a password with these words, or reads the first line of standard input.
pub(super) async fn read(words: &str) -> Result<SecretString, Failure> {
    let words = words.to_owned();
    aside(move || ask(&words)).await
}

/// The password of somebody new: from a file, or asked for twice, or the first line of standard input.
pub(super) async fn choose(words: &str, file: Option<PathBuf>) -> Result<SecretString, Failure> {
    if let Some(file) = file {
        return aside(move || from_file(&file)).await;
    }
    let words = words.to_owned();
    aside(move || {
        let first = ask(&words)?;
        if stdin().is_terminal() {
            let second = ask("Once more: ")?;
            if first.expose_secret() != second.expose_secret() {
                let text = "the two passwords are not the same; nothing was changed";
                return Err(Failure::new(Exit::Usage, text));
            }
        }
        Ok(first)
    })
    .await
}

/// Not on the runtime: somebody types.
async fn aside(
    read: impl FnOnce() -> Result<SecretString, Failure> + Send + 'static,
) -> Result<SecretString, Failure> {
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|error| Failure::io(error.to_string()))?
}

fn ask(words: &str) -> Result<SecretString, Failure> {
    let read = || {
        if stdin().is_terminal() {
            let terminal = Term::stderr();
            terminal.write_str(words)?;
            return terminal.read_secure_line();
        }
        let mut line = String::new();
        stdin().read_line(&mut line)?;
        Ok::<_, std::io::Error>(line)
    };
    let line = read().map_err(|error| Failure::io(format!("standard input: {error}")))?;
    first_line(&line).ok_or_else(|| {
        let text = "standard input: no password; write it there, or run this in a terminal";
        Failure::new(Exit::Usage, text)
    })
}

fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let shown = path.display();
    let size = std::fs::metadata(path).map(|about| about.len());
    let text = size.and_then(|size| match size {
        0..=LONGEST => std::fs::read_to_string(path),
        _ => Ok(String::new()),
    });
    let text = text.map_err(|error| {
        let text = format!("--password-file: {shown} cannot be read: {error}");
        Failure::io(text)
    })?;
    first_line(&text).ok_or_else(|| {
        let text = format!("--password-file: {shown} has no password on its first line");
        Failure::new(Exit::Usage, text)
    })
}

fn first_line(text: &str) -> Option<SecretString> {
    let line = text.split('\n').next().unwrap_or_default();
    let password = line.trim_end_matches('\r');
    (!password.is_empty()).then(|| password.to_owned().into())
}
