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
    person::Patron,
};
use crate::{
    app::App,
    error::{Error, ErrorClass, ErrorCode, ProviderError, Refusal, Result},
    providers::{CredentialLogin, ItemState, Linked, Login, NewLogin, ProviderKind, Secret},
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
        Begun::Finished(row) => {
            let known = Known::of(app, row).await?;
            let window = known.window_again(app, order.redirect_uri.as_deref()).await;
            return Ok(known.answer(window));
        }
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

impl<'a> Work<'a> {
    async fn carry_out(&self, resumed: bool) -> Result<Ordered> {
        let patron = Patron {
            app: self.app,
            provider: self.order.provider,
            user_id: self.order.user_id,
        };
        if resumed && let Some(found) = by_name(patron, self.row.id).await? {
            return self.settle(&found, None).await;
        }
        let create = |login: &'a dyn CredentialLogin, called| {
            let wanted = self.wanted(called);
            async move { login.create(&wanted).await }
        };
        match patron.ask(create).await {
            Ok(made) => {
                let found = self.login(made.linked);
                self.settle(&found, made.oauth_window).await
            }
            Err(Error::Provider(error)) if error.class == ErrorClass::Conflict => {
                self.conflict(patron).await
            }
            // It may be there all the same.
            Err(Error::Provider(error)) if error.class.is_transient() => {
                match by_name(patron, self.row.id).await {
                    Ok(Some(found)) => self.settle(&found, None).await,
                    _ => Err(error.into()),
                }
            }
            Err(Error::Provider(error)) => Err(refused(error)),
            Err(error) => Err(error),
        }
    }

    fn wanted(&self, provider_user_id: String) -> NewLogin {
        NewLogin {
            provider_user_id,
            institution_id: self.order.institution_code.clone(),
            name: name(self.row.id),
            // The only copy beside the caller's, for the length of this call.
            credentials: self.order.credentials.iter().map(Secret::copy).collect(),
            redirect_uri: self.order.redirect_uri.clone(),
        }
    }

    fn login(&self, linked: Linked) -> Login {
        Login {
            linked,
            name: Some(name(self.row.id)),
            institution_id: Some(self.order.institution_code.clone()),
            state: ItemState::default(),
        }
    }

    async fn settle(&self, found: &Login, window: Option<SecretString>) -> Result<Ordered> {
        let owner = self.owner();
        adopt(self.app, &owner, found).await?;
        let row = find(self.app, self.row.id).await?;
        let known = Known::of(self.app, row).await?;
        let window = if window.is_some() {
            window
        } else {
            let returns = self.order.redirect_uri.as_deref();
            known.window_again(self.app, returns).await
        };
        Ok(known.answer(window))
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
    async fn conflict(&self, patron: Patron<'_>) -> Result<Ordered> {
        let logins = patron.logins().await?;
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
                let known = Known::of(self.app, row).await?;
                let returns = self.order.redirect_uri.as_deref();
                let window = known.window_again(self.app, returns).await;
                return Ok(known.answer(window));
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

/// What a finished row leads to.
struct Known {
    item: item::Model,
    sync_job: Option<sync_job::Model>,
    existing: bool,
}

impl Known {
    async fn of(app: &App, row: link_intent::Model) -> Result<Self> {
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
        Ok(Self {
            item,
            sync_job,
            existing: row.existing,
        })
    }

    fn answer(self, oauth_window: Option<SecretString>) -> Ordered {
        Ordered {
            item: self.item,
            sync_job: self.sync_job,
            existing: self.existing,
            oauth_window,
        }
    }

    /// The bank's own page once more, for a caller that lost the first answer. It voids the one before,
    /// so it has to return where that did.
    async fn window_again(&self, app: &App, returns_to: Option<&str>) -> Option<SecretString> {
        let item = &self.item;
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
        login.oauth_window(&token, returns_to).await.ok()?
    }
}
