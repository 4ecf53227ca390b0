//! `passbook sandbox`: the built-in sandbox alone, or beside a server whose `PLAID_ENV` is `local`.

use std::path::PathBuf;

use clap::Args;
use passbook_sandbox::{Error, Options, Sandbox};

use super::{
    Overrides, configure,
    failure::{Exit, Failure},
    print,
    providers::sandbox_elsewhere,
    signals,
};
use crate::{
    config::{Config, MxEnv, PlaidEnv},
    server,
};

#[derive(Args, Debug)]
pub(super) struct SandboxArgs {
    /// Where to listen instead of `SANDBOX_LISTEN`.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// What all chance comes from: the same seed makes the same banks and transactions.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A file that remembers linked banks across restarts.
    #[arg(long, value_name = "PATH")]
    state: Option<PathBuf>,
    /// The address browsers reach the hosted link page at, if it is another than the one listened on.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

pub(super) async fn run(args: SandboxArgs) -> Result<(), Failure> {
    let listen = args.listen.map(|address| ("SANDBOX_LISTEN", address));
    let overrides: Overrides = listen.into_iter().collect();
    let config = configure(overrides)?;
    let signals = signals::listen()?;
    let sandbox = start(Options {
        listen: config.sandbox_listen,
        public_url: args.public_url,
        seed: args.seed,
        state: args.state,
        ..Options::default()
    })
    .await?;
    print::line(format!(
        "The sandbox is at {}; any client id and secret will do. Point a server at it with PLAID_BASE_URL.",
        sandbox.url()
    ))?;
    signals.drain.cancelled().await;
    tokio::select! {
        () = sandbox.shutdown() => {}
        () = signals.now.cancelled() => {}
    }
    Ok(())
}

/// Starts a sandbox in the background.
pub(super) async fn start(options: Options) -> Result<Sandbox, Failure> {
    let listen = options.listen;
    Sandbox::start(options).await.map_err(|error| match error {
        Error::Listen { source, .. } => Failure::new(
            Exit::Unavailable,
            format!("SANDBOX_LISTEN: {listen} {}", server::remedy(&source)),
        ),
        Error::State { path, source } => Failure::io(format!(
            "{path}: the sandbox cannot keep its banks there: {source}; name another file, or remove this one"
        )),
        error => Failure::new(Exit::Software, format!("the sandbox does not start: {error}")),
    })
}

/// Starts the built-in sandbox if a provider's environment is local and nobody says where one runs
/// already.
pub(super) async fn beside(config: &Config) -> Result<Option<Sandbox>, Failure> {
    let plaid = config.plaid.env == PlaidEnv::Local;
    let mx = config.mx.env == MxEnv::Local && config.mx.base_url.is_none();
    if sandbox_elsewhere(config).is_some() || !(plaid || mx) {
        return Ok(None);
    }
    let state = config.sqlite_path().map(journal);
    if state.is_none() {
        tracing::warn!(
            "banks linked in the built-in sandbox are forgotten when it ends; `passbook sandbox --state` keeps them"
        );
    }
    let options = Options {
        listen: config.sandbox_listen,
        state,
        ..Options::default()
    };
    start(options).await.map(Some)
}

/// Where the sandbox remembers linked banks: beside the database that holds their tokens.
fn journal(database: PathBuf) -> PathBuf {
    let mut path = database.into_os_string();
    path.push(".sandbox");
    PathBuf::from(path)
}
