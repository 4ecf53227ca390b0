//! A browser with a ticket goes to the issuer.

use entity::login_attempt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use super::{fault_word, forget, is_secret, kept, open, place, secret};
use crate::{
    auth::Auth,
    error::{Error, Result},
    providers::oidc::Departure,
    viewer::ClientInfo,
};

/// Where a browser goes from here.
pub(super) enum Way {
    /// To the issuer, with this cookie.
    Issuer { url: String, browser: String },
    /// Back to the app, with a word for why: the issuer does not answer, or wrongly.
    App {
        redirect_uri: String,
        error: &'static str,
    },
    /// Nowhere: the ticket opens nothing.
    Nowhere,
}

/// Takes a ticket. A browser that is on its way with another keeps its cookie, so that both arrive.
pub(super) async fn depart(
    auth: &Auth,
    provider: &str,
    ticket: &str,
    browser: Option<&str>,
    client: &ClientInfo,
) -> Result<Way> {
    let Some(issuer) = auth.app.issuers.find(provider) else {
        return Ok(Way::Nowhere);
    };
    let Some(attempt) = take(auth, provider, ticket).await? else {
        return Ok(Way::Nowhere);
    };
    let departure = match issuer.depart(&callback(auth, provider)).await {
        Ok(departure) => departure,
        Err(fault) => {
            let error = fault_word(auth, &attempt, &fault, client).await?;
            forget(auth, attempt.id).await?;
            return Ok(Way::App {
                redirect_uri: attempt.redirect_uri,
                error,
            });
        }
    };
    let browser = match browser.filter(|known| is_secret(known)) {
        Some(known) => known.to_owned(),
        None => secret()?,
    };
    remember(auth, attempt.id, &departure, &browser).await?;
    let url = departure.url.into();
    Ok(Way::Issuer { url, browser })
}

/// Our own address, as the issuer knows it.
pub(super) fn callback(auth: &Auth, provider: &str) -> String {
    format!("{}/auth/{provider}/callback", auth.app.public_url)
}

async fn take(auth: &Auth, provider: &str, ticket: &str) -> Result<Option<login_attempt::Model>> {
    let none: Option<String> = None;
    let txn = auth.app.db.begin().await?;
    let taken = login_attempt::Entity::update_many()
        .col_expr(login_attempt::Column::TicketHash, Expr::value(none))
        .filter(open(auth, login_attempt::Column::TicketHash, ticket))
        .filter(login_attempt::Column::Provider.eq(provider))
        .exec_with_returning(&*txn)
        .await?;
    txn.commit().await?;
    Ok(taken.into_iter().next())
}

async fn remember(auth: &Auth, id: Uuid, departure: &Departure, browser: &str) -> Result<()> {
    let sent = serde_json::to_vec(&departure.sent).map_err(Error::internal)?;
    let sealed = auth.app.keys.seal(place(id), &sent)?;
    let txn = auth.app.db.begin().await?;
    login_attempt::Entity::update_many()
        .col_expr(
            login_attempt::Column::StateHash,
            Expr::value(kept(&departure.state)),
        )
        .col_expr(
            login_attempt::Column::BrowserHash,
            Expr::value(kept(browser)),
        )
        .col_expr(login_attempt::Column::Sealed, Expr::value(sealed))
        .filter(login_attempt::Column::Id.eq(id))
        .exec(&*txn)
        .await?;
    txn.commit().await
}
