//! The program: its commands, how they start and how they end. Results go to standard output, the
//! log and faults to standard error, one line each. Exit codes are those of sysexits: 64 for the
//! command line, 65 for what cannot be done with what is given, 67 for a person nobody is, 69 for an address that is taken, 70 for a bug of ours, 74 for files, 75 for what
//! may work later, 78 for the configuration.

use std::{process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};

mod demo;
mod doctor;
mod failure;
mod keys;
mod log;
mod migrate;
mod open;
mod parts;
mod password;
mod print;
mod providers;
mod rates;
mod rekey;
mod sandbox;
mod serve;
mod signals;
mod source;
mod start;
mod table;
mod user;

use failure::{Exit, Failure};

use crate::{config::Config, schema};

/// The backend for bank-connected apps: sign-in, bank links, durable sync and one GraphQL API.
#[derive(Debug, Parser)]
#[command(name = "passbook", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and run jobs, both in this process. What happens without a command.
    Serve(serve::ServeArgs),
    /// See it work: a server with the built-in sandbox, a person, a bank, and news from it, live.
    Demo(demo::DemoArgs),
    /// Run jobs and serve nothing; with PostgreSQL, as many of them as you like.
    Worker(serve::WorkArgs),
    /// Bring the database up to date, or look how it stands.
    Migrate(MigrateArgs),
    /// Print the GraphQL schema.
    Schema,
    /// Run the built-in sandbox alone: a stand-in for Plaid, MX, Alpha Vantage and a sign-in provider,
    /// without account, key or Internet.
    Sandbox(sandbox::SandboxArgs),
    /// Show the exchange rates of a running server as they come.
    Rates(rates::RatesArgs),
    /// Seal all secrets under the first key of `SECRET_KEY` now; a running server does so by itself within the hour.
    Rekey(DatabaseArgs),
    /// Make, list, promote, lock and sign out people.
    User(user::UserArgs),
    /// Check configuration, database, keys, provider and webhooks, and say what to do.
    Doctor(DatabaseArgs),
}

#[derive(Args, Debug, Default)]
struct DatabaseArgs {
    /// The database instead of `DATABASE_URL`.
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,
}

#[derive(Args, Debug)]
struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    command: Option<MigrateCommand>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum MigrateCommand {
    /// List the steps and when each was applied.
    Status,
}

/// Settings the command line gives instead of the environment.
type Overrides = Vec<(&'static str, String)>;

impl DatabaseArgs {
    fn overrides(self) -> Overrides {
        let url = self.database_url.map(|url| ("DATABASE_URL", url));
        url.into_iter().collect()
    }
}

/// Runs the program and says how it ended.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => {
            // Help and version come this way too, and are no fault.
            let exit = if said.use_stderr() {
                Exit::Usage.into()
            } else {
                ExitCode::SUCCESS
            };
            let _ = said.print();
            return exit;
        }
    };
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    let outcome = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::io(format!("no threads to work with: {error}")))
        .and_then(|runtime| {
            let outcome = runtime.block_on(command.run());
            // What was asked to end and did not is not waited for.
            runtime.shutdown_timeout(Duration::from_millis(500));
            outcome
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::failure(&failure);
            failure.exit.into()
        }
    }
}

impl Command {
    async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(args) => serve::serve(args).await,
            Self::Demo(args) => demo::run(args).await,
            Self::Worker(args) => serve::work(args).await,
            Self::Schema => print::line(schema::sdl()),
            Self::Migrate(args) => {
                let config = configure(args.database.overrides())?;
                match args.command {
                    None => migrate::apply(&config).await,
                    Some(MigrateCommand::Status) => migrate::status(&config).await,
                }
            }
            Self::Sandbox(args) => sandbox::run(args).await,
            Self::Rates(args) => rates::run(args).await,
            Self::Rekey(args) => rekey::run(&configure(args.overrides())?).await,
            Self::User(args) => user::run(args).await,
            Self::Doctor(args) => doctor::run(args.overrides()).await,
        }
    }
}

/// Reads the configuration and starts the log as it says.
fn configure(overrides: Overrides) -> Result<Config, Failure> {
    let config = Config::from_env(overrides)?;
    log::start(&config)?;
    Ok(config)
}
