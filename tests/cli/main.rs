//! The program as a supervisor sees it: exit codes, one line per fault, and how it ends.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, what cannot go on should stop with the place it stopped at"
)]

mod metrics;
mod rates;
mod rates_live;
mod refusals;
mod rekey;
mod user;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    time::Duration,
};

use uuid::Uuid;

/// How long a program may take that has to end by itself: one that waits for its database takes half
/// a minute.
const PATIENCE: Duration = Duration::from_mins(2);

/// An empty directory to run the program in; gone when the test is over.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("passbook-{}", Uuid::now_v7()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_passbook"));
        command
            .args(args)
            .current_dir(&self.0)
            .env_clear()
            .env("LISTEN", "127.0.0.1:0")
            .env("SANDBOX_LISTEN", "127.0.0.1:0");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        ends(self.command(args))
    }

    /// Runs the program with settings; its exit code and what it said on standard error.
    fn fails(&self, args: &[&str], settings: &[(&str, &str)]) -> (i32, String) {
        let mut command = self.command(args);
        command.envs(settings.iter().copied());
        let output = ends(command);
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    /// Starts a server and waits until it says that it serves.
    fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    fn serve_with(&self, settings: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve"]);
        command.envs(settings.iter().copied());
        let (child, serving) = says(command, "serving ");
        let (url, _) = serving.split_once("/graphql").unwrap();
        Server(child, url.to_owned())
    }
}

/// Starts a program that goes on, and waits for a line of its log: what stands there after `words`.
fn says(mut command: Command, words: &str) -> (Child, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = log.by_ref().map(Result::unwrap);
    let line = lines.find_map(|line| Some(line.split_once(words)?.1.to_owned()));
    assert!(line.is_some(), "the program ended before it said {words:?}");
    // Somebody has to read on, or the program waits for its log.
    std::thread::spawn(move || log.for_each(drop));
    (child, line.unwrap())
}

/// What a program leaves that has to end by itself.
fn ends(mut command: Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    ended(command.spawn().unwrap())
}

/// What a program leaves that is about to end.
fn ended(child: Child) -> Output {
    let id = child.id().to_string();
    let (sender, ended) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = ended.recv_timeout(PATIENCE);
    if output.is_err() {
        let _ = Command::new("kill").args(["-s", "KILL", &id]).status();
    }
    output.unwrap().unwrap()
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running process, and where it serves.
struct Server(Child, String);

/// Sends a process a signal.
fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(status.unwrap().success());
}

impl Server {
    fn signal(&self, name: &str) {
        signal(&self.0, name);
    }

    fn ends(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_wrong_command_line_exits_64() {
    let place = Place::new();
    assert_eq!(place.fails(&["sevre"], &[]).0, 64);
    assert_eq!(place.fails(&["serve", "--port", "1"], &[]).0, 64);
    assert_eq!(place.run(&["--help"]).status.code(), Some(0));
    assert_eq!(place.run(&["--version"]).status.code(), Some(0));
}

#[test]
fn every_wrong_setting_is_a_line_of_its_own_and_exits_78() {
    let settings = [("LISTEN", "nowhere"), ("WORKERS", "99")];
    let (code, said) = Place::new().fails(&["serve"], &settings);
    assert_eq!(code, 78);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("LISTEN") && lines[1].contains("WORKERS"));
}

#[test]
fn the_command_line_comes_before_the_environment() {
    let place = Place::new();
    let said = place.fails(
        &["migrate", "--database-url", "sqlite://here.db"],
        &[("DATABASE_URL", "sqlite:///nowhere/there.db")],
    );
    assert_eq!(said.0, 0, "{}", said.1);
    assert!(place.0.join("here.db").exists());
}

#[test]
fn a_file_that_is_no_database_is_named_and_exits_74() {
    let place = Place::new();
    fs::write(place.0.join("passbook.db"), "Dear diary,\n".repeat(1000)).unwrap();
    let (code, said) = place.fails(&["serve"], &[]);
    assert_eq!((code, said.lines().count()), (74, 1), "{said}");
    assert!(said.contains("passbook.db"));
}

#[test]
fn a_database_behind_this_release_is_refused_if_asked_to() {
    let place = Place::new();
    let (code, said) = place.fails(&["serve", "--no-migrate"], &[]);
    assert_eq!(code, 78);
    assert!(said.contains("passbook migrate"), "{said}");
}

#[test]
fn a_proxy_that_nobody_has_named_is_told_of() {
    let place = Place::new();
    let mut command = place.command(&["serve"]);
    command.env("PUBLIC_URL", "https://api.example.com");
    let (child, told) = says(command, "TRUSTED_PROXIES is empty");
    let server = Server(child, String::new());
    assert!(told.contains("TRUSTED_PROXIES=127.0.0.1"), "{told}");
    drop(server);

    // One that has no such address is known by what it forwards, and told of once.
    let server = place.command(&["serve"]).stderr(Stdio::piped()).spawn();
    let mut server = Server(server.unwrap(), String::new());
    let log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let mut log = log.map(Result::unwrap);
    let serving = log.find_map(|line| Some(line.split_once("serving http://")?.1.to_owned()));
    let address = serving.unwrap().split('/').next().unwrap().to_owned();
    for _ in 0..2 {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.1\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    server.signal("TERM");
    let said: Vec<String> = log.collect();
    let told = said
        .iter()
        .filter(|line| line.contains("not in TRUSTED_PROXIES"));
    assert_eq!(told.count(), 1, "{said:?}");
}

#[cfg(unix)]
#[test]
fn a_server_has_its_database_alone_and_ends_with_0_when_told() {
    let place = Place::new();
    let server = place.serve();
    let (code, said) = place.fails(&["serve"], &[]);
    assert_eq!((code, said.lines().count()), (75, 1), "{said}");
    assert!(said.contains("passbook.db") && said.contains(&server.0.id().to_string()));
    assert_eq!(place.run(&["doctor"]).status.code(), Some(0));
    server.signal("TERM");
    assert_eq!(server.ends(), Some(0));
    let left = place.0.join("passbook.db-wal");
    assert!(!left.exists(), "the write-ahead log was not folded in");
    assert_eq!(place.run(&["migrate"]).status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn what_a_server_keeps_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let server = place.serve();
    for name in [
        "passbook.db",
        "passbook.db-wal",
        "passbook.db.lock",
        "passbook.db.sandbox",
        "passbook.key",
    ] {
        let mode = place.0.join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
    server.signal("INT");
    assert_eq!(server.ends(), Some(0));
}

#[test]
fn a_server_with_other_keys_is_refused_and_the_doctor_says_why() {
    let place = Place::new();
    let make = place.serve();
    drop(make);
    let other = [("SECRET_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")];
    let (code, said) = place.fails(&["serve"], &other);
    assert_eq!((code, said.lines().count()), (78, 1), "{said}");
    fs::rename(place.0.join("passbook.key"), place.0.join("elsewhere")).unwrap();
    let (code, said) = place.fails(&["serve"], &[]);
    assert!(code == 78 && said.contains("passbook.key"), "{said}");
    assert!(!place.0.join("passbook.key").exists());
    let output = place.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    let keys = said.lines().find(|line| line.starts_with("problem  keys"));
    assert!(keys.is_some_and(|line| line.contains("backup")), "{said}");
}

#[test]
fn the_doctor_knows_who_answers_at_the_public_address() {
    let (place, other) = (Place::new(), Place::new());
    let (ours, theirs) = (place.serve(), other.serve());
    let page = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stranger = format!("http://{}", page.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in page.incoming().map(Result::unwrap) {
            let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
            lines.find(String::is_empty);
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n";
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    });
    for (address, code, told) in [
        (ours.1.as_str(), 0, "leads to this Passbook"),
        (theirs.1.as_str(), 1, "another SECRET_KEY"),
        (stranger.as_str(), 1, "not this Passbook"),
    ] {
        let mut doctor = place.command(&["doctor"]);
        let output = doctor.env("PUBLIC_URL", address).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let webhooks = said.lines().find(|line| line.contains(" webhooks "));
        assert!(webhooks.is_some_and(|line| line.contains(told)), "{said}");
        assert_eq!(output.status.code(), Some(code), "{said}");
    }
}

#[test]
fn an_address_that_is_taken_exits_69_and_names_its_setting() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for name in ["LISTEN", "METRICS_LISTEN", "SANDBOX_LISTEN"] {
        let (code, said) = place.fails(&["serve"], &[(name, &address)]);
        assert_eq!(code, 69, "{said}");
        let told = format!("passbook: {name}: ");
        assert!(said.lines().any(|line| line.starts_with(&told)), "{said}");
    }
}

#[test]
fn the_demo_shows_everything_and_the_next_one_goes_on_from_there() {
    let place = Place::new();
    let real = [
        ("DATABASE_URL", "postgres://nobody@db.invalid/real"),
        ("PLAID_ENV", "production"),
    ];
    for told in [
        "registered ana@example.com",
        "is linked since the last demo",
    ] {
        let mut command = place.command(&["demo", "--once"]);
        command.envs(real);
        let output = ends(command);
        let said = String::from_utf8(output.stdout).unwrap();
        let faults = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}{faults}");
        assert!(faults.is_empty() && !said.contains('\u{1b}'), "{faults}");
        for line in [told, "3,150.00 USD", "it kept its id", "as many here"] {
            assert!(said.contains(line), "{line}: {said}");
        }
    }
    assert!(place.0.join("passbook-demo/passbook.db").exists());
}

#[cfg(unix)]
#[test]
fn a_demo_that_is_stopped_before_its_end_has_failed() {
    let place = Place::new();
    let mut child = place
        .command(&["demo", "--once"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    said.find(|line| line.as_ref().unwrap().contains("signed in"));
    let demo = Server(child, String::new());
    demo.signal("TERM");
    assert_eq!(demo.ends(), Some(1));
}

#[test]
fn the_schema_needs_no_configuration() {
    let output = Place::new()
        .command(&["schema"])
        .env("LISTEN", "nowhere")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let committed = include_str!("../../schema.graphql");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), committed);
}
