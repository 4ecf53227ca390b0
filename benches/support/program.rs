//! The program as processes: started, looked at through `/proc`, and killed.

use std::{
    fs::{self, File},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::place::Place;

/// How long a process may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);
const SECRET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A process of the program; killed when it is dropped.
pub(crate) struct Program(Child);

impl Program {
    pub(crate) fn start(place: &Place, args: &[&str], settings: &[(&str, &str)]) -> Self {
        let log = place.directory.join(format!("{}.log", args[0]));
        let log = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_passbook"))
            .args(args)
            .current_dir(&place.directory)
            .env_clear()
            .env("RUST_LOG", "warn")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }

    /// `kill -9`, and waits until nothing of the process is left.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Time on the processors so far, in seconds.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
        // The name, in parentheses, may hold anything.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2);
        ticks
            .map(|ticks| ticks.parse::<f64>().unwrap())
            .sum::<f64>()
            / 100.0
    }

    /// The most memory it ever had, in MiB.
    pub(crate) fn peak_memory(&self) -> f64 {
        self.memory("VmHWM:")
    }

    /// The memory it has, in MiB.
    pub(crate) fn resident_memory(&self) -> f64 {
        self.memory("VmRSS:")
    }

    fn memory(&self, which: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(which));
        let kib: f64 = line
            .and_then(|line| line.split_whitespace().nth(1))
            .and_then(|kib| kib.parse().ok())
            .unwrap();
        kib / 1024.0
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address nobody has.
pub(crate) fn address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Asks until the answer is a good one.
pub(crate) async fn answers(url: &str) {
    let http = reqwest::Client::builder().build().unwrap();
    let began = Instant::now();
    loop {
        match http.get(url).send().await {
            Ok(answer) if answer.status().is_success() => return,
            _ => assert!(began.elapsed() < PATIENCE, "{url} does not answer"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// `passbook serve`, at one address over all its lives.
pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) url: String,
    bank: String,
}

impl Server {
    pub(crate) async fn start(place: &Place, bank: &str, settings: &[(&str, &str)]) -> Self {
        let address = address();
        let server = Self {
            program: serve(place, bank, &address, settings),
            url: format!("http://{address}"),
            bank: bank.to_owned(),
        };
        server.ready().await;
        server
    }

    /// Starts it anew, after it was killed.
    pub(crate) fn restart(&mut self, place: &Place) {
        self.restart_with(place, &[]);
    }

    /// Ends it if it runs, and starts it anew with settings of its own.
    pub(crate) fn restart_with(&mut self, place: &Place, settings: &[(&str, &str)]) {
        self.program.kill();
        let address = self.url.trim_start_matches("http://");
        self.program = serve(place, &self.bank, address, settings);
    }

    pub(crate) async fn ready(&self) {
        answers(&format!("{}/readyz", self.url)).await;
    }
}

fn serve(place: &Place, bank: &str, address: &str, settings: &[(&str, &str)]) -> Program {
    let usual = [
        ("LISTEN", address),
        ("DATABASE_URL", place.url.as_str()),
        ("SECRET_KEY", SECRET_KEY),
        ("PLAID_BASE_URL", bank),
    ];
    Program::start(place, &["serve"], &[&usual, settings].concat())
}
