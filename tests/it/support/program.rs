//! The program itself, as a process of its own: what it says is heard from its first word to its last.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use tokio::sync::mpsc;

/// A server that runs as an operator runs it, with nothing set but what a story sets.
pub(crate) struct Program {
    child: Child,
    settings: Vec<(String, String)>,
    pub(crate) url: String,
    pub(crate) metrics: String,
    said: Arc<Mutex<Vec<u8>>>,
    hearing: Option<std::thread::JoinHandle<()>>,
}

impl Program {
    /// Starts a server and waits until it serves.
    pub(crate) async fn serve(settings: &[(&str, &str)]) -> Self {
        let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let settings: Vec<_> = settings.iter().map(own).collect();
        let mut child = command("serve", &settings)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = child.stderr.take().unwrap();
        let said = Arc::<Mutex<Vec<u8>>>::default();
        let (lines, mut told) = mpsc::unbounded_channel();
        let kept = said.clone();
        let hearing = std::thread::spawn(move || {
            for line in BufReader::new(log).split(b'\n').map(Result::unwrap) {
                // Nobody waits for lines any more once it serves.
                let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
                kept.lock().unwrap().extend([line, vec![b'\n']].concat());
            }
        });
        let metrics = after(&mut told, "metrics at ").await;
        let serving = after(&mut told, "serving ").await;
        Self {
            child,
            settings,
            url: serving.split_once("/graphql").unwrap().0.to_owned(),
            metrics,
            said,
            hearing: Some(hearing),
        }
    }

    /// Everything another command says under the same settings.
    pub(crate) async fn says(&self, name: &str) -> Vec<u8> {
        self.says_with(name, &[]).await
    }

    /// The same with some other settings.
    pub(crate) async fn says_with(&self, name: &str, others: &[(&str, &str)]) -> Vec<u8> {
        let mut command = command(name, &self.settings);
        command.envs(others.iter().copied());
        // The bank it may ask runs in this process.
        let ended = tokio::task::spawn_blocking(move || command.output());
        let output = ended.await.unwrap().unwrap();
        [output.stdout, output.stderr].concat()
    }

    /// Ends it as at `kill -9`; everything it ever said.
    pub(crate) fn kill(mut self) -> Vec<u8> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.hearing.take().unwrap().join().unwrap();
        std::mem::take(&mut self.said.lock().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(name: &str, settings: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passbook"));
    command
        .arg(name)
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)));
    command
}

/// What stands after some words in a line that is still to come.
async fn after(told: &mut mpsc::UnboundedReceiver<String>, words: &str) -> String {
    loop {
        let line = super::patiently(told.recv()).await;
        let line = line.unwrap_or_else(|| panic!("it ended before it said {words:?}"));
        if let Some((_, rest)) = line.split_once(words) {
            return rest.to_owned();
        }
    }
}
