//! The state file: one change a line, appended and never rewritten.
//!
//! A writer thread owns the file. A request is answered when its lines have been handed to the operating system, so a killed process has
//! lost nothing it answered for; a power cut may lose the last moments, which a test bank may. A torn last line is cut off at the start.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::Path;

use tokio::sync::{mpsc, watch};

use super::op::Line;

/// The end that changes are written to.
#[derive(Debug)]
pub(crate) struct Journal {
    lines: Option<mpsc::UnboundedSender<Vec<u8>>>,
    sent: u64,
    settled: watch::Receiver<u64>,
}

/// A wait for what was sent so far.
#[derive(Debug)]
pub(crate) struct Written {
    sent: u64,
    settled: watch::Receiver<u64>,
}

impl Written {
    /// Resolves when the lines are in the file, or when they never will be.
    pub(crate) async fn settle(mut self) {
        let _ = self.settled.wait_for(|settled| *settled >= self.sent).await;
    }
}

impl Journal {
    /// A journal that keeps nothing.
    pub(crate) fn none() -> Self {
        let (_, settled) = watch::channel(0);
        Self {
            lines: None,
            sent: 0,
            settled,
        }
    }

    /// Reads the lines of a state file, then goes on writing to it.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Line>)> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        // It holds the tokens of every linked bank.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let (lines, sound) = read(&file)?;
        file.set_len(sound)?;
        file.seek(io::SeekFrom::End(0))?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let (settle, settled) = watch::channel(0);
        std::thread::Builder::new()
            .name("sandbox-state".into())
            .spawn(move || write(file, receiver, &settle))?;
        Ok((
            Self {
                lines: Some(sender),
                sent: 0,
                settled,
            },
            lines,
        ))
    }

    pub(crate) fn write(&mut self, line: &Line) {
        let Some(lines) = &self.lines else { return };
        match serde_json::to_vec(line) {
            Ok(mut bytes) => {
                bytes.push(b'\n');
                self.sent += 1;
                let _ = lines.send(bytes);
            }
            Err(error) => tracing::error!(%error, "a change could not be written down"),
        }
    }

    pub(crate) fn written(&self) -> Written {
        Written {
            sent: if self.lines.is_some() { self.sent } else { 0 },
            settled: self.settled.clone(),
        }
    }
}

/// The readable lines, and where they end.
fn read(file: &File) -> io::Result<(Vec<Line>, u64)> {
    let mut reader = BufReader::new(file);
    let (mut lines, mut sound, mut text) = (Vec::new(), 0, Vec::new());
    loop {
        text.clear();
        let length = reader.read_until(b'\n', &mut text)?;
        if length == 0 {
            return Ok((lines, sound));
        }
        match serde_json::from_slice(&text) {
            Ok(line) if text.ends_with(b"\n") => lines.push(line),
            _ if reader.fill_buf()?.is_empty() => return Ok((lines, sound)),
            Ok(_) => {}
            Err(error) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("line {}: {error}", lines.len() + 1),
                ));
            }
        }
        sound += length as u64;
    }
}

fn write(mut file: File, mut lines: mpsc::UnboundedReceiver<Vec<u8>>, settle: &watch::Sender<u64>) {
    while let Some(line) = lines.blocking_recv() {
        if let Err(error) = file.write_all(&line) {
            tracing::error!(%error, "the state file cannot be written; changes from now on are lost at a restart");
        }
        settle.send_modify(|settled| *settled += 1);
    }
}
