//! What drills and benchmarks share: the real program and its sandbox, each a process of its own, and
//! a person and a bank that speak to them over HTTP and WebSocket alone. Databases are new and go at
//! the end: a file always, and a database of the PostgreSQL that `TEST_DATABASE_URL` names if it is
//! set.

pub(crate) mod bank;
pub(crate) mod figures;
pub(crate) mod person;
pub(crate) mod place;
pub(crate) mod program;
pub(crate) mod wire;

use bank::Bank;
use place::Place;
use program::Server;

/// What every one of them can be told; Cargo adds `--bench` by itself.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// Only this database: `sqlite` or `postgres`.
    #[arg(long)]
    only: Option<String>,
    /// Whose chance it is: the same seed makes the same banks and the same choices.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    #[arg(long, hide = true)]
    bench: bool,
}

impl Common {
    /// The databases to run on.
    pub(crate) async fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for make in ["sqlite", "postgres"] {
            if self.only.as_deref().is_none_or(|only| only == make) {
                places.extend(Place::make(make).await);
            }
        }
        places
    }
}

/// A server, its bank and its database.
pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) bank: Bank,
    // Last, so that it goes when nobody uses it any more.
    pub(crate) place: Place,
}

impl House {
    /// Opens one whose bank is ready at once.
    pub(crate) async fn open(place: Place, seed: u64) -> Self {
        Self::with(place, seed, &[]).await
    }

    /// Opens one with settings of its own.
    pub(crate) async fn with(place: Place, seed: u64, settings: &[(&str, &str)]) -> Self {
        let bank = Bank::open(&place, seed).await;
        let server = Server::start(&place, bank.url(), settings).await;
        Self {
            server,
            bank,
            place,
        }
    }
}
