//! Beginning a link session, or the repair of an item.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    item::{self, LinkStatus},
    link_token,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{
    person::Patron,
    watch::{FIRST_LOOK, WATCHED, WatchLinkSession},
};
use crate::{
    app::App,
    error::{Error, ErrorCode, Refusal, Result},
    graphql::id,
    jobs::{When, enqueue},
    providers::{LinkRequest, LinkToken, ProviderKind},
    seal::{Place, sha256_hex},
    sync,
    viewer::{ClientInfo, Owned, Viewer, is_here},
};

/// A link session that was begun.
#[derive(Debug)]
pub struct LinkSession {
    /// What opens the provider's Link in an app, where there is such a thing.
    pub link_token: Option<SecretString>,
    /// The provider's own page for it; whoever has the address is the person.
    pub hosted_link_url: Option<SecretString>,
    /// After this the token is dead.
    pub expiration: DateTime<Utc>,
}

/// What a link session is wanted for.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The item to repair.
    pub item_id: Option<String>,
    /// Who shall connect a new bank; a repair is with whoever connects the item.
    pub provider: Option<ProviderKind>,
    /// Where a bank's own sign-in page returns to.
    pub redirect_uri: Option<String>,
    /// Where the hosted page returns to.
    pub completion_redirect_uri: Option<String>,
}

/// Begins a session; remembers whose it is, which the provider does not tell at its end.
pub async fn create_link_token(
    app: &App,
    viewer: Viewer,
    client: &ClientInfo,
    wanted: Wanted,
) -> Result<LinkSession> {
    let item = match &wanted.item_id {
        Some(id) => Some(repairable(app, viewer, id).await?),
        None => None,
    };
    registered(app, "redirectUri", wanted.redirect_uri.as_deref())?;
    registered(
        app,
        "completionRedirectUri",
        wanted.completion_redirect_uri.as_deref(),
    )?;
    let begun = Begun {
        viewer,
        client: client.abridged(),
        item_id: item.as_ref().map(|item| item.id),
    };
    let provider = match &item {
        Some(item) => item.provider,
        None => wanted.provider.unwrap_or(ProviderKind::Plaid),
    };
    let request = LinkRequest {
        client_user_id: id::encode(id::USER, viewer.user_id).to_string(),
        provider_user_id: None,
        access_token: item
            .as_ref()
            .map(|item| sync::access_token(app, item))
            .transpose()?,
        account_selection: item.as_ref().is_some_and(|item| item.new_accounts),
        redirect_uri: wanted.redirect_uri,
        completion_redirect_uri: wanted.completion_redirect_uri,
        webhook: app.webhook_url(provider),
    };
    let token = session(app, viewer, provider, &request).await?;
    remember(app, begun, provider, &token).await?;
    Ok(LinkSession {
        link_token: token.link_token,
        hosted_link_url: token.hosted_link_url,
        expiration: token.expiration,
    })
}

/// Has the provider begin a session. One that keeps people apart has to know the person; an item to repair
/// says who that is.
async fn session(
    app: &App,
    viewer: Viewer,
    provider: ProviderKind,
    request: &LinkRequest,
) -> Result<LinkToken> {
    let at = app.provider(provider)?;
    if at.credential_login().is_none() || request.access_token.is_some() {
        return Ok(at.create_link_token(request).await?);
    }
    let patron = Patron {
        app,
        provider,
        user_id: viewer.user_id,
    };
    let begin = |_, called| {
        let request = LinkRequest {
            provider_user_id: Some(called),
            ..request.clone()
        };
        async move { at.create_link_token(&request).await }
    };
    patron.ask(begin).await
}

/// Who began a session, where, and what it repairs.
struct Begun {
    viewer: Viewer,
    client: ClientInfo,
    item_id: Option<Uuid>,
}

/// Writes a session down. Where the provider may not tell us of its end, a job looks.
async fn remember(
    app: &App,
    begun: Begun,
    provider: ProviderKind,
    token: &LinkToken,
) -> Result<()> {
    let Begun {
        viewer,
        client,
        item_id,
    } = begun;
    let opens = token.link_token.as_ref().or(token.hosted_link_url.as_ref());
    let secret = opens.map_or("", ExposeSecret::expose_secret);
    let row_id = Uuid::now_v7();
    let sealed = app
        .keys
        .seal(place(row_id, viewer.user_id), secret.as_bytes())?;
    let row = link_token::ActiveModel {
        id: Set(row_id),
        user_id: Set(viewer.user_id),
        provider: Set(provider),
        item_id: Set(item_id),
        token_hash: Set(sha256_hex(secret.as_bytes())),
        token: Set(sealed),
        hosted: Set(token.hosted_link_url.is_some()),
        expires_at: Set(token.expiration),
        finished_at: Set(None),
        created_at: Set(app.clock.now()),
        address: Set(client.address),
        user_agent: Set(client.user_agent),
    };
    let mut txn = app.db.begin().await?;
    if !is_here(&*txn, viewer.user_id).await? {
        return Err(Error::Unauthenticated);
    }
    link_token::Entity::insert(row)
        .exec_without_returning(&*txn)
        .await?;
    if app.provider(provider)?.credential_login().is_some() {
        let job = WatchLinkSession {
            link_token_id: row_id,
            user_id: viewer.user_id,
        };
        enqueue(
            &mut txn,
            app,
            &job,
            When {
                delay: FIRST_LOOK,
                hurry: false,
            },
        )
        .await?;
    }
    txn.commit().await
}

pub(super) async fn repairable(app: &App, viewer: Viewer, item_id: &str) -> Result<item::Model> {
    let unknown = || Error::not_found("itemId", "item");
    let row_id = id::decode(id::ITEM, item_id).ok_or_else(unknown)?;
    let rows = item::Entity::owned_by(viewer).filter(item::Column::Id.eq(row_id));
    let item = rows.one(app.db.read()).await?.ok_or_else(unknown)?;
    if item.link_status == LinkStatus::Disconnected {
        let text =
            "Access to this bank has ended and cannot be repaired. Link it anew, without `itemId`.";
        return Err(Refusal::new(ErrorCode::ItemDisconnected, text)
            .on("itemId")
            .into());
    }
    Ok(item)
}

/// An address a browser is sent to is one the operator has registered, compared exactly.
pub(super) fn registered(app: &App, field: &str, uri: Option<&str>) -> Result<()> {
    let known = |uri: &str| {
        app.config
            .redirect_uris
            .iter()
            .any(|registered| registered == uri)
    };
    if uri.is_none_or(known) {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        "This address is not registered: the operator adds it to REDIRECT_URIS.",
    ))
}

/// Where a link token is sealed.
pub(super) fn place(row: Uuid, user: Uuid) -> Place {
    Place {
        column: "link_tokens.token",
        row,
        user,
    }
}

/// Where the sessions of a person's were begun in which she may be linking a bank: a provider that makes logins
/// does not tell in which of them one was made, so it is nowhere if they differ.
pub(super) async fn begun_at(patron: Patron<'_>) -> Result<ClientInfo> {
    use link_token::Column as Token;
    let app = patron.app;
    let rows = link_token::Entity::find()
        .filter(Token::UserId.eq(patron.user_id))
        .filter(Token::CreatedAt.gt(app.clock.now() - WATCHED))
        .filter(Token::Provider.eq(patron.provider))
        .filter(Token::ItemId.is_null())
        .all(app.db.read())
        .await?;
    let mut clients = rows.iter().map(client_of);
    let first = clients.next().unwrap_or_default();
    Ok(if clients.all(|other| other == first) {
        first
    } else {
        ClientInfo::default()
    })
}

/// Where a session was begun.
pub(super) fn client_of(session: &link_token::Model) -> ClientInfo {
    ClientInfo {
        address: session.address.clone(),
        user_agent: session.user_agent.clone(),
    }
}

/// Link sessions of a person that may have ended lately, newest first: results are kept for six hours.
pub(super) async fn recent(app: &App, user_id: Uuid) -> Result<Vec<link_token::Model>> {
    use link_token::Column as Token;
    use sea_orm::{QueryOrder, QuerySelect};
    Ok(link_token::Entity::find()
        .filter(Token::UserId.eq(user_id))
        .filter(Token::Provider.eq(ProviderKind::Plaid))
        .filter(Token::CreatedAt.gt(app.clock.now() - TimeDelta::hours(6)))
        .filter(Token::ItemId.is_null())
        .order_by_desc(Token::CreatedAt)
        .limit(5)
        .all(app.db.read())
        .await?)
}
