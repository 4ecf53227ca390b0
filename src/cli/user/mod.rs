//! `passbook user`: accounts, by whoever runs the server. It works on the database itself, beside a server that
//! is running or without one; what it ends is over there within a second. Each thing done is an entry of the
//! person's log and of the administrators'.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use entity::user::{self, Role};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{
    DatabaseArgs, configure,
    failure::{Exit, Failure},
    open::{self, Opened},
    password, print,
};
use crate::{
    audit::{self, Access},
    auth,
    clock::Clock,
    config::Config,
    database::Txn,
    error::{Error, Result},
    viewer::ClientInfo,
};

mod show;

#[derive(Args, Debug)]
pub(super) struct UserArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an account. The password is asked for, or is the first line of standard input.
    Create {
        /// The e-mail address to sign in with.
        email: String,
        /// Make the person an administrator.
        #[arg(long)]
        admin: bool,
        /// Read the password from the first line of this file.
        #[arg(long, value_name = "PATH")]
        password_file: Option<PathBuf>,
    },
    /// Make somebody an administrator.
    Promote(Whom),
    /// Make an administrator somebody like all others.
    Demote(Whom),
    /// Sign somebody out everywhere, and keep her from signing in.
    Lock(Whom),
    /// Let somebody sign in again.
    Unlock(Whom),
    /// Look after somebody's sessions.
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// List people by their addresses.
    List(show::ListArgs),
    /// Tell how somebody's account stands.
    Show(Whom),
}

#[derive(Debug, Subcommand)]
enum SessionsCommand {
    /// Sign somebody out everywhere.
    End(Whom),
}

/// What can be done about somebody's account.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Promote,
    Demote,
    Lock,
    Unlock,
    EndSessions,
}

impl Verb {
    /// As it is called at the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Demote => "demote",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::EndSessions => "sessions end",
        }
    }
}

#[derive(Args, Debug)]
struct Whom {
    /// The person's e-mail address.
    email: String,
}

pub(super) async fn run(args: UserArgs) -> Result<(), Failure> {
    let config = configure(args.database.overrides())?;
    match args.command {
        UserCommand::Create {
            email,
            admin,
            password_file,
        } => create(&config, &email, admin, password_file).await,
        UserCommand::Promote(whom) => change(&config, Verb::Promote, &whom.email).await,
        UserCommand::Demote(whom) => change(&config, Verb::Demote, &whom.email).await,
        UserCommand::Lock(whom) => change(&config, Verb::Lock, &whom.email).await,
        UserCommand::Unlock(whom) => change(&config, Verb::Unlock, &whom.email).await,
        UserCommand::Sessions(SessionsCommand::End(whom)) => {
            change(&config, Verb::EndSessions, &whom.email).await
        }
        UserCommand::List(args) => show::list(&config, args).await,
        UserCommand::Show(whom) => show::show(&config, &whom.email).await,
    }
}

async fn create(
    config: &Config,
    email: &str,
    admin: bool,
    file: Option<PathBuf>,
) -> Result<(), Failure> {
    // Whoever types takes time: nothing is held meanwhile.
    let password = password::choose(&format!("Password for {email}: "), file).await?;
    let role = if admin { Role::Admin } else { Role::User };
    let newcomer = auth::newcomer(email, &password, role).await;
    let newcomer = newcomer.map_err(|error| refused(error, email))?;
    let Opened { db, lock: _lock } = open::beside(config).await?;
    let now = Clock::default().now();
    let txn = db.begin().await?;
    let user = auth::create_user(&txn, now, newcomer).await;
    let user = user.map_err(|error| refused(error, email))?;
    record(&txn, now, "create", user.id).await?;
    txn.commit().await?;
    db.close().await;
    let administrator = if admin { ", an administrator" } else { "" };
    print::line(format!(
        "{} has an account{administrator}, and signs in with this address and the password",
        user.email
    ))
}

/// Does what is asked for with somebody's account, and says how it stands then.
async fn change(config: &Config, verb: Verb, email: &str) -> Result<(), Failure> {
    let Opened { db, lock: _lock } = open::beside(config).await?;
    let user = find(db.read(), email).await?;
    let now = Clock::default().now();
    let mut txn = db.begin().await?;
    let done = perform(&mut txn, now, verb, &user).await;
    let said = done.map_err(|error| refused(error, email))?;
    record(&txn, now, verb.name(), user.id).await?;
    txn.commit().await?;
    db.close().await;
    print::line(format!("{}: {said}", user.email))
}

async fn perform(
    txn: &mut Txn,
    now: DateTime<Utc>,
    verb: Verb,
    user: &user::Model,
) -> Result<String> {
    Ok(match verb {
        Verb::Promote => {
            auth::promote_user(txn, now, user.id).await?;
            "an administrator".to_owned()
        }
        Verb::Demote => {
            auth::demote_user(txn, now, user.id).await?;
            "no administrator".to_owned()
        }
        Verb::Lock => {
            let (_, ended) = auth::lock_user(txn, now, user.id).await?;
            format!("locked; {}", sessions(ended.len()))
        }
        Verb::Unlock => {
            auth::unlock_user(txn, now, user.id).await?;
            "not locked".to_owned()
        }
        Verb::EndSessions => sessions(auth::end_user_sessions(txn, now, user.id).await?.len()),
    })
}

fn sessions(ended: usize) -> String {
    match ended {
        0 => "was signed in nowhere".to_owned(),
        1 => "1 session ended".to_owned(),
        ended => format!("{ended} sessions ended"),
    }
}

async fn record(txn: &Txn, now: DateTime<Utc>, verb: &str, user_id: Uuid) -> Result<()> {
    let access = Access {
        admin_id: None,
        action: format!("passbook user {verb}"),
        arguments: "{}".to_owned(),
        user_id: Some(user_id),
        client: ClientInfo::default(),
    };
    audit::record(&**txn, now, access).await
}

/// Somebody by her address; case does not matter.
async fn find(db: &sea_orm::DatabaseConnection, email: &str) -> Result<user::Model, Failure> {
    let key = email.trim().to_lowercase();
    let rows = user::Entity::find().filter(user::Column::EmailKey.eq(key));
    let row = rows.one(db).await.map_err(Error::from)?;
    row.ok_or_else(|| {
        let text =
            format!("{email}: nobody has this address; `passbook user list` tells who has one");
        Failure::new(Exit::NoUser, text)
    })
}

/// What was refused, a line each.
fn refused(error: Error, email: &str) -> Failure {
    match error {
        Error::Refused(refusals) => Failure {
            exit: Exit::Data,
            faults: refusals
                .into_iter()
                .map(|refusal| match refusal.field.as_deref() {
                    Some([field]) if field == "password" => format!("the password: {refusal}"),
                    _ => format!("{email}: {refusal}"),
                })
                .collect(),
        },
        error => error.into(),
    }
}
