//! A mail server on this machine that keeps what arrives, and refuses when told to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

use super::{TestApp, patiently};

/// A mail that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) to: Vec<String>,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Received {
    /// What its text leads to.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self.text.split_once("#token=").expect("no token");
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

/// The mail server.
#[derive(Clone)]
pub(crate) struct Mailbox {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    mails: Mutex<Vec<Received>>,
    arrived: Notify,
    /// What recipients are answered; 0 for yes.
    answer: AtomicU16,
}

impl Mailbox {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<State>::default();
        let kept = state.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(talk(connection, kept.clone()));
            }
        });
        Self { port, state }
    }

    /// Where it is, with what stands before the host.
    pub(crate) fn url(&self, login: &str) -> String {
        format!("smtp://{login}127.0.0.1:{}", self.port)
    }

    /// A server that sends its mails here.
    pub(crate) async fn app(&self, registration: &str) -> TestApp {
        let url = self.url("");
        TestApp::with(&[
            ("SMTP_URL", &url),
            ("MAIL_FROM", "Passbook <passbook@example.com>"),
            ("APP_URL", "https://app.example.com"),
            ("REGISTRATION", registration),
        ])
        .await
    }

    /// From now on recipients are answered so; 0 lets mails in again.
    pub(crate) fn answers(&self, code: u16) {
        self.state.answer.store(code, Ordering::SeqCst);
    }

    /// The next mail to an address, with this in its subject.
    pub(crate) async fn next(&self, to: &str, subject: &str) -> Received {
        let found = async {
            loop {
                let arrived = self.state.arrived.notified();
                let fits = |mail: &Received| {
                    mail.to == [to] && mail.head.contains(&format!("Subject: {subject}"))
                };
                {
                    let mut mails = self.state.mails.lock().unwrap();
                    if let Some(at) = mails.iter().position(fits) {
                        return mails.remove(at);
                    }
                }
                arrived.await;
            }
        };
        patiently(found).await
    }

    /// Mails that nobody has taken.
    pub(crate) fn left(&self) -> Vec<Received> {
        self.state.mails.lock().unwrap().clone()
    }
}

type Spoken = Lines<BufReader<OwnedReadHalf>>;

async fn talk(connection: TcpStream, state: Arc<State>) {
    let (read, mut write) = connection.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut to = Vec::new();
    say(&mut write, "220 mailbox").await;
    while let Ok(Some(line)) = lines.next_line().await {
        let word = line.split([' ', ':']).next().unwrap_or_default();
        let answer = match word.to_ascii_uppercase().as_str() {
            "EHLO" => "250-mailbox\r\n250 AUTH PLAIN".to_owned(),
            "AUTH" => "235 come in".to_owned(),
            "RCPT" => match state.answer.load(Ordering::SeqCst) {
                0 => {
                    to.push(line.split(['<', '>']).nth(1).unwrap().to_owned());
                    "250 yes".to_owned()
                }
                code => format!("{code} not now for {line}"),
            },
            "DATA" => {
                say(&mut write, "354 go on").await;
                let Some(mail) = receive(&mut lines, std::mem::take(&mut to)).await else {
                    return;
                };
                state.mails.lock().unwrap().push(mail);
                state.arrived.notify_waiters();
                "250 kept".to_owned()
            }
            "QUIT" => {
                say(&mut write, "221 bye").await;
                return;
            }
            _ => "250 yes".to_owned(),
        };
        say(&mut write, &answer).await;
    }
}

async fn say(write: &mut OwnedWriteHalf, text: &str) {
    // Whoever has hung up hears nothing.
    let _ = write.write_all(format!("{text}\r\n").as_bytes()).await;
}

async fn receive(lines: &mut Spoken, to: Vec<String>) -> Option<Received> {
    let mut all = String::new();
    loop {
        let line = lines.next_line().await.ok()??;
        if line == "." {
            break;
        }
        all.push_str(&line);
        all.push('\n');
    }
    let (head, body) = all.split_once("\n\n")?;
    let quoted = head.contains("quoted-printable");
    let text = if quoted {
        unquoted(body)
    } else {
        body.to_owned()
    };
    Some(Received {
        to,
        head: head.to_owned(),
        text,
    })
}

/// Quoted-printable as it was; the mails here are ASCII.
fn unquoted(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut parts = joined.split('=');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(2);
        text.push(char::from(u8::from_str_radix(code, 16).unwrap()));
        text.push_str(rest);
    }
    text
}
