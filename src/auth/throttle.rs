//! How often passwords may be tried, counted where it costs: in hashes. An attempt is counted before it
//! is made, in rows that all replicas share, and an attempt that is refused costs nobody anything.
//!
//! Three allowances meet in a sign-in: that of an address, that of an account tried from one address,
//! and that of an account tried from anywhere. The last would let a stranger keep somebody out, so once
//! it is used up it still lets in the right password from a network the account was signed in from. All
//! others are refused alike, and only after a hash: what is refused, and when, is the same for an
//! account that nobody has. A right password gives back what it took of it, so that nobody sees from
//! outside that somebody was in. What is open stays open in any case.
//!
//! An allowance is one moment: when all of it will be there again. Each use moves it on; while it lies
//! too far ahead there is nothing left. So one statement decides, and no row is ever reset.
//!
//! Refused: locking an account after some failures, which a stranger can do to anybody; counters in
//! memory, which are as many as there are replicas.

use std::{net::IpAddr, time::Duration};

use entity::session::{self, RevokedReason};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Statement,
};
use uuid::Uuid;

use crate::{
    app::App,
    database::{Database, Txn},
    error::{Error, ErrorCode, Refusal, Result},
    seal::sha256_hex,
    viewer::ClientInfo,
};

/// So many at once, and one more each time that has passed.
#[derive(Clone, Copy)]
struct Rate {
    at_once: i64,
    each: Duration,
}

impl Rate {
    const fn new(at_once: i64, seconds: u64) -> Self {
        let each = Duration::from_secs(seconds);
        Self { at_once, each }
    }
}

/// Passwords from one address, whatever the account: 20, then ten a minute.
const OF_ADDRESS: Rate = Rate::new(20, 6);
/// Passwords for one account from one address: 5, then five a minute.
const OF_ACCOUNT_HERE: Rate = Rate::new(5, 12);
/// Passwords for one account from anywhere: 10, then thirty an hour.
const OF_ACCOUNT_ANYWHERE: Rate = Rate::new(10, 120);
/// Accounts from one address: 5, then three an hour.
const REGISTRATIONS: Rate = Rate::new(5, 1_200);

/// Mails of one sort to one mailbox, asked for from one address: 3, then three an hour.
const MAILS_TO_MAILBOX_HERE: Rate = Rate::new(3, 1_200);
/// The same from anywhere: 12, then twelve an hour. Somebody with many addresses can use it up, and then keeps the
/// owner waiting for minutes: the price of a mailbox that nobody fills.
const MAILS_TO_MAILBOX: Rate = Rate::new(12, 300);
/// Mails asked for from one address, whomever they go to: 20, then one a minute.
const MAILS_FROM_ADDRESS: Rate = Rate::new(20, 60);
/// Codes for one sign-in: 5, and no more while it can be completed.
const CODES_OF_SIGN_IN: Rate = Rate::new(5, 3_600);
/// Codes for one account, over all sign-ins: 10, then twenty an hour. Only who knows the password spends them. Those
/// of somebody who is signed in are as many, and others: a session that was stolen keeps nobody from signing in.
const CODES_OF_ACCOUNT: Rate = Rate::new(10, 180);
/// Social logins begun from one address: 20, then ten a minute.
const SOCIAL_STARTS: Rate = Rate::new(20, 6);
/// Browsers on their way to an issuer or back, from one address: 60, then thirty a minute.
const SOCIAL_VISITS: Rate = Rate::new(60, 2);

/// What is about to be tried, for whom, and from where.
pub(super) struct Attempt<'a> {
    /// The address of the account in the form in which addresses are compared, or what stands for it.
    pub(super) account: &'a str,
    pub(super) client: &'a ClientInfo,
}

/// Counts an attempt to sign in, before anybody looks whose account it is: refusals cost nothing, so their time
/// could be measured as often as one likes. Returns what is told to whoever is not known where she is, if guesses
/// from anywhere have used the allowance up.
///
/// # Errors
/// `RATE_LIMITED` with the time to wait; then nothing was counted.
pub(super) async fn password(app: &App, attempt: &Attempt<'_>) -> Result<Option<Error>> {
    let network = holder_of(attempt.client);
    let mut spent = Vec::new();
    if let Some(network) = network {
        spent.push((format!("address {network}"), OF_ADDRESS));
    }
    let key = format!("account {} at {}", attempt.account, written(network));
    spent.push((key, OF_ACCOUNT_HERE));
    let mut txn = app.db.begin().await?;
    take_all(&mut txn, app, &spent).await?;
    let anywhere = attempt.anywhere();
    let wait = take(&mut txn, app, &anywhere, OF_ACCOUNT_ANYWHERE).await?;
    txn.commit().await?;
    Ok(wait.map(too_often))
}

impl Attempt<'_> {
    /// Gives back what the attempt took of the allowance of everybody, in the transaction that lets somebody in.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn succeeded(&self, txn: &Txn) -> Result<()> {
        let backend = txn.get_database_backend();
        let each = i64::try_from(OF_ACCOUNT_ANYWHERE.each.as_millis()).map_err(Error::internal)?;
        let sql = "UPDATE throttles SET free_at = free_at - $2 WHERE key = $1";
        let values = [self.anywhere().into(), each.into()];
        txn.execute_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
        Ok(())
    }

    fn anywhere(&self) -> String {
        kept(&format!("account {}", self.account))
    }
}

/// Counts an attempt of somebody who is signed in to give her password again.
///
/// # Errors
/// As [`password`].
pub(super) async fn confirmation(app: &App, user_id: Uuid) -> Result<()> {
    let spent = [
        (format!("confirmation {user_id}"), OF_ACCOUNT_HERE),
        (format!("confirmations {user_id}"), OF_ACCOUNT_ANYWHERE),
    ];
    spend(app, &spent).await
}

/// Counts the judging of a password that somebody chooses who is not signed in: it takes as long as a hash.
///
/// # Errors
/// As [`password`].
pub(super) async fn choice(app: &App, client: &ClientInfo) -> Result<()> {
    of_address(app, "address", OF_ADDRESS, client).await
}

/// Counts a registration.
///
/// # Errors
/// As [`password`].
pub(super) async fn registration(app: &App, client: &ClientInfo) -> Result<()> {
    of_address(app, "registrations", REGISTRATIONS, client).await
}

/// Counts the beginning of a social login.
///
/// # Errors
/// As [`password`].
pub(super) async fn social_start(app: &App, client: &ClientInfo) -> Result<()> {
    of_address(app, "social starts", SOCIAL_STARTS, client).await
}

/// Counts a browser on its way to an issuer or back.
///
/// # Errors
/// As [`password`].
pub(super) async fn social_visit(app: &App, client: &ClientInfo) -> Result<()> {
    of_address(app, "social visits", SOCIAL_VISITS, client).await
}

/// Counts what an address does, whoever is behind it.
async fn of_address(app: &App, what: &str, rate: Rate, client: &ClientInfo) -> Result<()> {
    let Some(network) = holder_of(client) else {
        return Ok(());
    };
    spend(app, &[(format!("{what} {network}"), rate)]).await
}

/// Counts a mail of one sort to an address, which somebody asks for who need not be signed in.
///
/// # Errors
/// As [`password`].
pub(super) async fn mail(
    app: &App,
    sort: &'static str,
    email_key: &str,
    client: &ClientInfo,
) -> Result<()> {
    let network = holder_of(client);
    let mailbox = format!("{sort} mail to {email_key}");
    let here = format!("{mailbox} from {}", written(network));
    let mut spent = vec![(here, MAILS_TO_MAILBOX_HERE), (mailbox, MAILS_TO_MAILBOX)];
    if let Some(network) = network {
        spent.push((format!("mails from {network}"), MAILS_FROM_ADDRESS));
    }
    spend(app, &spent).await
}

/// Counts an attempt to give the password that goes with the token of a mail.
///
/// # Errors
/// As [`password`].
pub(super) async fn proof(app: &App, mail_id: Uuid) -> Result<()> {
    spend(app, &[(format!("proof {mail_id}"), OF_ACCOUNT_HERE)]).await
}

/// Counts an attempt to give a code of the second factor, to complete a sign-in or while one is signed in.
///
/// # Errors
/// As [`password`].
pub(super) async fn code(app: &App, sign_in: Option<Uuid>, user_id: Uuid) -> Result<()> {
    let Some(sign_in) = sign_in else {
        let key = format!("codes of {user_id}, who is signed in");
        return spend(app, &[(key, CODES_OF_ACCOUNT)]).await;
    };
    let spent = [
        (format!("codes of {user_id}"), CODES_OF_ACCOUNT),
        (format!("codes of sign-in {sign_in}"), CODES_OF_SIGN_IN),
    ];
    spend(app, &spent).await
}

/// Whose attempts a client's address stands for. This machine's own programs stand for anybody: usually one
/// of them is a proxy that is not named in `TRUSTED_PROXIES`.
fn holder_of(client: &ClientInfo) -> Option<IpAddr> {
    client.network().filter(|network| !network.is_loopback())
}

fn written(network: Option<IpAddr>) -> String {
    network.map_or_else(String::new, |network| network.to_string())
}

/// Whether an account was signed in from this network before, by a session that nobody had to end. It is asked of
/// an account that nobody has, too, so that the time tells nothing.
///
/// # Errors
/// The database's.
pub(super) async fn is_familiar(
    app: &App,
    user_id: Option<Uuid>,
    client: &ClientInfo,
) -> Result<bool> {
    use session::Column;
    let network = client.network().map(|network| network.to_string());
    let here = Condition::any()
        .add(Column::Network.eq(network.clone()))
        .add(Column::FirstNetwork.eq(network));
    // Whoever had the session may not have been her.
    let doubtful = [
        RevokedReason::RefreshReuse,
        RevokedReason::PasswordChanged,
        RevokedReason::EndedByAdmin,
        RevokedReason::Locked,
    ];
    let sound = Condition::any()
        .add(Column::RevokedReason.is_null())
        .add(Column::RevokedReason.is_not_in(doubtful));
    let sessions = session::Entity::find()
        .filter(Column::UserId.eq(user_id.unwrap_or_default()))
        .filter(here)
        .filter(sound);
    Ok(sessions.count(app.db.read()).await? > 0)
}

/// Uses something of each allowance, or of none.
async fn spend(app: &App, allowances: &[(String, Rate)]) -> Result<()> {
    let mut txn = app.db.begin().await?;
    // Dropped where one is used up, and with it what was counted so far.
    take_all(&mut txn, app, allowances).await?;
    txn.commit().await
}

async fn take_all(txn: &mut Txn, app: &App, allowances: &[(String, Rate)]) -> Result<()> {
    for (key, rate) in allowances {
        if let Some(wait) = take(txn, app, &kept(key), *rate).await? {
            return Err(too_often(wait));
        }
    }
    Ok(())
}

/// The key of an allowance as it is stored.
fn kept(key: &str) -> String {
    sha256_hex(key.as_bytes())
}

/// Uses one of an allowance; says how many milliseconds to wait if nothing is left.
async fn take(txn: &mut Txn, app: &App, key: &str, rate: Rate) -> Result<Option<i64>> {
    let backend = txn.get_database_backend();
    let now = format!("({} + {})", Database::now_ms(backend), app.clock.ahead_ms());
    let each = i64::try_from(rate.each.as_millis()).map_err(Error::internal)?;
    let most = each * (rate.at_once - 1);
    let sql = format!(
        "INSERT INTO throttles (key, free_at) VALUES ($1, {now} + $2) ON CONFLICT (key) DO UPDATE SET \
         free_at = CASE WHEN throttles.free_at < {now} THEN {now} ELSE throttles.free_at END + $2 \
         WHERE throttles.free_at <= {now} + $3 RETURNING free_at"
    );
    let values = [key.into(), each.into(), most.into()];
    let taken = Statement::from_sql_and_values(backend, sql, values);
    if txn.query_one_raw(taken).await?.is_some() {
        return Ok(None);
    }
    let sql = format!("SELECT free_at - {now} - $2 AS wait FROM throttles WHERE key = $1");
    let left = Statement::from_sql_and_values(backend, sql, [key.into(), most.into()]);
    let row = txn.query_one_raw(left).await?;
    let wait: Option<i64> = row.map(|row| row.try_get("", "wait")).transpose()?;
    Ok(Some(wait.unwrap_or_default().max(1)))
}

fn too_often(wait_ms: i64) -> Error {
    let seconds = u32::try_from(wait_ms.div_euclid(1_000) + 1).unwrap_or(u32::MAX);
    let text = format!("Too many attempts: try again in {seconds} s.");
    Refusal::new(ErrorCode::RateLimited, text)
        .retry_after(seconds)
        .into()
}
