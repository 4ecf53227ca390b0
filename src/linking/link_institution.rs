//! Linking a bank by its credentials. The provider has a login at once and signs in after that, so the
//! call answers as soon as there is one, and the item's first sync follows it.
//!
//! What is about to be done is written down first, with the id the item will have, and the provider is
//! told to call the login by that id. An answer that is lost costs nothing then: the next call with the
//! same key finds the login by its name, and without one `linking.sweep` does. The credentials are in
//! the memory of the call and nowhere else.

use entity::{
    item::{self, LinkStatus},
    link_intent, sync_job,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrecy::SecretString;
use tracing::Instrument;
use uuid::Uuid;

use super::{
    adopt::{Owner, adopt},
    create_link_token::registered,
    failure::not_linked,
    institutions,
    intent::{Begun, begin, by_name, find, finish, name, release},
    person::provider_user,
};
use crate::{
    app::App,
    error::{Error, ErrorClass, ErrorCode, ProviderError, Refusal, Result},
    providers::{CredentialLogin, Linked, Login, NewLogin, ProviderKind, Secret},
    sync,
    viewer::{ClientInfo, Viewer},
};

/// A bank to link.
#[derive(Debug)]
pub(super) struct Order {
    /// Whose bank it will be.
    pub user_id: Uuid,
    /// Who shall connect it.
    pub provider: ProviderKind,
    /// The bank, by the provider's id.
    pub institution_code: String,
    /// What the person typed; nothing where the bank has a sign-in page of its own.
    pub credentials: Vec<Secret>,
    /// Where that page returns to.
    pub redirect_uri: Option<String>,
    /// The caller's key.
    pub idempotency_key: Option<String>,
    /// Where the order came from.
    pub client: ClientInfo,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Ordered {
    /// The item, new or had already.
    pub item: item::Model,
    /// Its first sync, if it is new.
    pub sync_job: Option<sync_job::Model>,
    /// Whether the person had the login already.
    pub existing: bool,
    /// The bank's own sign-in page, where the person has to go.
    pub oauth_window: Option<SecretString>,
}

/// Links a bank, or says what came of it before.
pub(super) async fn link_institution(app: &App, order: Order) -> Result<Ordered> {
    check(app, &order)?;
    let bank = bank(app, &order).await?;
    let (row, resumed) = match begin(app, &order).await? {
        Begun::Finished(row) => return answer(app, row, None).await,
        Begun::Started(row) => (row, false),
        Begun::Resumed(row) => (row, true),
    };
    // A task of its own: neither a client that hangs up nor the time limit of a request may fall
    // between the provider's answer and our row.
    let app = app.clone();
    let work = async move {
        let work = Work {
            app: &app,
            order: &order,
            bank,
            row: &row,
        };
        let outcome = work.carry_out(resumed).await;
        if let Err(error) = &outcome {
            release(&app, row.id, may_be_there(error)).await;
            not_linked(&app, order.user_id, &order.client, error).await;
        }
        outcome
    };
    let task = tokio::spawn(work.in_current_span());
    task.await.map_err(Error::internal)?
}

fn check(app: &App, order: &Order) -> Result<()> {
    registered(app, "redirectUri", order.redirect_uri.as_deref())?;
    let bad = |key: &String| key.is_empty() || key.len() > 200 || key.contains('\0');
    if order.idempotency_key.as_ref().is_some_and(bad) {
        let text = "Use a key of 1 to 200 characters.";
        return Err(Error::invalid("idempotencyKey", text));
    }
    Ok(())
}

/// The bank's row. A bank that is not there, or that wants credentials and got none, is refused before
/// anything is written.
async fn bank(app: &App, order: &Order) -> Result<Uuid> {
    app.credential_login(order.provider)?;
    let provider = app.provider(order.provider)?;
    let told = provider.institution(&order.institution_code).await;
    let told = told.map_err(|error| match error.class {
        ErrorClass::Gone => {
            let text = "No bank has this code: take one that `institutions` tells.";
            Error::invalid("institutionCode", text)
        }
        _ => error.into(),
    })?;
    if order.credentials.is_empty() && !told.oauth {
        let text = "Send a value for each of the bank's `credentialFields`.";
        return Err(Error::invalid("credentials", text));
    }
    let rows = institutions::keep(app, order.provider, vec![told]).await?;
    let row = rows.first().map(|row| row.id);
    row.ok_or_else(|| Error::internal("a bank that was kept is not there"))
}

struct Work<'a> {
    app: &'a App,
    order: &'a Order,
    bank: Uuid,
    row: &'a link_intent::Model,
}

impl Work<'_> {
    async fn carry_out(&self, resumed: bool) -> Result<Ordered> {
        let (app, order) = (self.app, self.order);
        let login = app.credential_login(order.provider)?;
        let user = provider_user(app, order.provider, login, order.user_id).await?;
        if resumed && let Some(found) = by_name(login, &user, self.row.id).await? {
            return self.settle(&found, None).await;
        }
        let wanted = NewLogin {
            provider_user_id: user.clone(),
            institution_id: order.institution_code.clone(),
            name: name(self.row.id),
            // The only copy beside the caller's, for the length of this call.
            credentials: order.credentials.iter().map(Secret::copy).collect(),
            redirect_uri: order.redirect_uri.clone(),
        };
        match login.create(&wanted).await {
            Ok(made) => {
                let found = self.login(made.linked);
                self.settle(&found, made.oauth_window).await
            }
            Err(error) if error.class == ErrorClass::Conflict => self.conflict(login, &user).await,
            // It may be there all the same.
            Err(error) if error.class.is_transient() => {
                match by_name(login, &user, self.row.id).await {
                    Ok(Some(found)) => self.settle(&found, None).await,
                    _ => Err(error.into()),
                }
            }
            Err(error) => Err(refused(error)),
        }
    }

    fn login(&self, linked: Linked) -> Login {
        Login {
            linked,
            name: Some(name(self.row.id)),
            institution_id: Some(self.order.institution_code.clone()),
        }
    }

    async fn settle(&self, found: &Login, window: Option<SecretString>) -> Result<Ordered> {
        let owner = self.owner();
        adopt(self.app, &owner, found).await?;
        let row = find(self.app, self.row.id).await?;
        answer(self.app, row, window).await
    }

    fn owner(&self) -> Owner<'_> {
        Owner {
            user_id: self.order.user_id,
            provider: self.order.provider,
            bank: Some(self.bank),
            client: &self.order.client,
        }
    }

    /// The login is there already, by its name or by its credentials. MX does not say which one that is:
    /// of several at one bank the oldest is named.
    async fn conflict(&self, login: &dyn CredentialLogin, user: &str) -> Result<Ordered> {
        let logins = login.logins(user).await?;
        let own = name(self.row.id);
        if let Some(found) = logins
            .iter()
            .find(|login| login.name.as_ref() == Some(&own))
        {
            return self.settle(found, None).await;
        }
        let bank = Some(self.order.institution_code.as_str());
        for found in logins
            .iter()
            .filter(|login| login.institution_id.as_deref() == bank)
        {
            let item = adopt(self.app, &self.owner(), found).await?;
            if item.removed_at.is_none() {
                let row = finish(self.app, self.row.id, item.id).await?;
                return answer(self.app, row, None).await;
            }
        }
        let text = "This login was removed a moment ago and is still being given up. Try again in a minute.";
        Err(Refusal::new(ErrorCode::ProviderUnavailable, text)
            .retry_after(60)
            .into())
    }
}

/// What a caller can do about a refusal of credentials.
fn refused(error: ProviderError) -> Error {
    if error.class != ErrorClass::Bug {
        return error.into();
    }
    tracing::warn!(%error, "a provider does not take credentials as they were sent");
    let text =
        "The provider does not take these: send a value for each of the bank's `credentialFields`.";
    Error::invalid("credentials", text)
}

/// Whether the provider may have made a login although the call failed.
fn may_be_there(error: &Error) -> bool {
    match error {
        Error::Provider(error) => error.class.is_transient(),
        Error::Refused(_) => false,
        _ => true,
    }
}

/// The answer that a finished row holds.
async fn answer(
    app: &App,
    row: link_intent::Model,
    window: Option<SecretString>,
) -> Result<Ordered> {
    let db = app.db.read();
    let viewer = Viewer {
        user_id: row.user_id,
        session_id: Uuid::nil(),
    };
    let live = <item::Entity as crate::viewer::Owned>::owned_by(viewer)
        .filter(item::Column::Id.eq(row.item_id.unwrap_or_default()));
    let item = live.one(db).await?.ok_or_else(|| {
        let text = "This bank was linked before and is not linked any more. Use a new key.";
        Error::from(Refusal::new(ErrorCode::ItemDisconnected, text).on("idempotencyKey"))
    })?;
    let sync_job = match row.sync_job_id {
        Some(id) => {
            let rows = sync_job::Entity::find().filter(sync_job::Column::Id.eq(id));
            rows.one(db).await?
        }
        None => None,
    };
    let oauth_window = match window {
        Some(window) => Some(window),
        None => window_again(app, &item).await,
    };
    Ok(Ordered {
        item,
        sync_job,
        existing: row.existing,
        oauth_window,
    })
}

/// The bank's own page once more, for a caller that lost the first answer.
async fn window_again(app: &App, item: &item::Model) -> Option<SecretString> {
    let oauth = item.link_status == LinkStatus::Processing && item.last_synced_at.is_none();
    if !oauth {
        return None;
    }
    let bank = entity::institution::Entity::find()
        .filter(entity::institution::Column::Id.eq(item.institution_id?));
    if !bank.one(app.db.read()).await.ok()??.oauth {
        return None;
    }
    let token = sync::access_token(app, item).ok()?;
    let login = app.credential_login(item.provider).ok()?;
    login.oauth_window(&token).await.ok()?
}
