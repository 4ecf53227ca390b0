//! `passbook serve` and `passbook worker`.

use clap::Args;

use super::{Overrides, configure, failure::Failure, open::Missing, signals, start::Process};

#[derive(Args, Debug, Default)]
pub(super) struct ServeArgs {
    /// Where to listen instead of `LISTEN`.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    #[command(flatten)]
    work: WorkArgs,
}

#[derive(Args, Debug, Default)]
pub(super) struct WorkArgs {
    /// The database instead of `DATABASE_URL`.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// How many jobs run at once instead of `WORKERS`.
    #[arg(long, value_name = "NUMBER")]
    workers: Option<String>,
    /// Refuse a database that is not up to date instead of migrating it.
    #[arg(long)]
    no_migrate: bool,
}

impl WorkArgs {
    fn missing(&self) -> Missing {
        if self.no_migrate {
            Missing::Refuse
        } else {
            Missing::Apply
        }
    }

    fn overrides(self) -> Overrides {
        let given = [
            ("DATABASE_URL", self.database_url),
            ("WORKERS", self.workers),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// Serves the API, and runs jobs unless told to run none.
pub(super) async fn serve(args: ServeArgs) -> Result<(), Failure> {
    let missing = args.work.missing();
    let mut overrides = args.work.overrides();
    overrides.extend(args.listen.map(|address| ("LISTEN", address)));
    let config = configure(overrides)?;
    let signals = signals::listen()?;
    let starting = async {
        let workers = config.workers;
        let mut process = Process::start(config, missing, signals.clone()).await?;
        process.serve().await?;
        if workers > 0 {
            process.work();
        }
        Ok(process)
    };
    run(starting, &signals).await
}

/// Runs jobs and serves nothing.
pub(super) async fn work(args: WorkArgs) -> Result<(), Failure> {
    let missing = args.missing();
    let config = configure(args.overrides())?;
    if config.workers == 0 {
        return Err(Failure::config(
            "WORKERS: is 0, and a worker does nothing else; use a number from 1 to 64",
        ));
    }
    let signals = signals::listen()?;
    let starting = async {
        let workers = config.workers;
        let mut process = Process::start(config, missing, signals.clone()).await?;
        process.work();
        tracing::info!(workers, "working");
        Ok(process)
    };
    run(starting, &signals).await
}

/// Runs a process once it has started; a signal before that ends it at once.
async fn run(
    starting: impl Future<Output = Result<Process, Failure>>,
    signals: &signals::Signals,
) -> Result<(), Failure> {
    let process = tokio::select! {
        process = starting => process?,
        () = signals.drain.cancelled() => return Ok(()),
    };
    process.run().await
}
