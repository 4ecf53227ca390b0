//! What the API offers of linking.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Subscription};
use entity::{feed_event::EventKind, item};
use futures_util::Stream;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use secrecy::ExposeSecret;

use super::{Exchanged, Offer, Wanted, create_link_token, exchange_public_token, remove_item};
use crate::{
    error::{Error, Result},
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        id,
        item::{Item, Provider},
        live::{Change, Live, Start, each},
        scalar::DateTime,
        sync_job::SyncJob,
    },
    viewer::{Owned, items_and_removed},
};

/// Mutations of linking.
#[derive(Debug, Default)]
pub struct LinkingMutation;

/// Subscriptions of linking.
#[derive(Debug, Default)]
pub struct LinkingSubscription;

/// What a link token is wanted for. Everything may be left out: then it links a new bank.
#[derive(Debug, Default, InputObject)]
pub(super) struct CreateLinkTokenInput {
    /// The item to repair; leave it out to link a new bank.
    pub item_id: Option<ID>,
    /// Who shall connect the new bank; Plaid if absent. A repair is with whoever connects the item.
    pub provider: Option<Provider>,
    /// Where a bank's own sign-in page sends the browser back to. Must be registered with the server.
    pub redirect_uri: Option<String>,
    /// Where the hosted page sends the browser when it is done; with MX only at the end of a sign-in on a
    /// bank's own page, while its page says by itself that it is done. Must be registered with the server.
    pub completion_redirect_uri: Option<String>,
}

/// A link session that was begun.
#[derive(Default, SimpleObject)]
pub(super) struct CreateLinkTokenPayload {
    /// What opens Plaid Link in your app; absent for a bank that MX connects.
    pub link_token: Option<String>,
    /// A page of the provider's that does it all: send the person there, and the server links the
    /// bank by itself when they are done. Follow it with `itemUpdated`.
    pub hosted_link_url: Option<String>,
    /// After this the token is void.
    pub expiration: Option<DateTime>,
    /// What kept the session from beginning; empty on success.
    pub user_errors: Vec<UserError>,
}

/// The public token that Link gave your app.
#[derive(InputObject)]
pub(super) struct ExchangePublicTokenInput {
    /// The token of Link's `onSuccess`.
    pub public_token: String,
    /// A key of your own, 1 to 200 characters: the same key and token always give the same answer.
    pub idempotency_key: Option<String>,
}

/// What came of a public token.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct ExchangePublicTokenPayload {
    /// The bank that is linked now.
    pub item: Option<Item>,
    /// Its first sync: follow it with `syncJobUpdated`.
    pub sync_job: Option<SyncJob>,
    /// The bank was linked before: this is it, and nothing new was made. To repair it, create a link
    /// token with its id.
    pub existing_item: Option<Item>,
    /// What kept the bank from being linked; empty on success.
    pub user_errors: Vec<UserError>,
}

/// Which bank to remove.
#[derive(Debug, InputObject)]
pub(super) struct RemoveItemInput {
    /// The item.
    pub item_id: ID,
}

/// What came of removing a bank.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct RemoveItemPayload {
    /// The item that is gone, with its accounts and transactions.
    pub removed_item_id: Option<ID>,
    /// What kept it from being removed; empty on success.
    pub user_errors: Vec<UserError>,
}

#[Object]
impl LinkingMutation {
    /// Begins linking a bank, or repairing one: returns what opens Link in your app, and the address
    /// of a hosted page that needs no Link in your app at all.
    async fn create_link_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the token is wanted for.")] input: Option<CreateLinkTokenInput>,
    ) -> Result<CreateLinkTokenPayload> {
        let viewer = ctx.viewer()?;
        let wanted = input.unwrap_or_default().into();
        let session = create_link_token(ctx.app(), viewer, &ctx.client(), wanted).await;
        let payload = session.map(|session| CreateLinkTokenPayload {
            link_token: session
                .link_token
                .map(|token| token.expose_secret().to_owned()),
            hosted_link_url: session
                .hosted_link_url
                .map(|url| url.expose_secret().to_owned()),
            expiration: Some(DateTime(session.expiration)),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| CreateLinkTokenPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Links the bank that a person chose in Link. Asking again with the same token gives the same
    /// answer.
    async fn exchange_public_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What Link gave your app.")] input: ExchangePublicTokenInput,
    ) -> Result<ExchangePublicTokenPayload> {
        let offer = Offer {
            user_id: ctx.viewer()?.user_id,
            public_token: input.public_token.into(),
            idempotency_key: input.idempotency_key,
            client: ctx.client(),
        };
        let payload = exchange_public_token(ctx.app(), offer)
            .await
            .map(ExchangePublicTokenPayload::from);
        settle(payload, |user_errors| ExchangePublicTokenPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Removes a bank with its accounts and transactions, here at once and at the provider soon after.
    async fn remove_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which bank to remove.")] input: RemoveItemInput,
    ) -> Result<RemoveItemPayload> {
        let removed = remove_item(ctx.app(), ctx.viewer()?, &ctx.client(), &input.item_id).await;
        let payload = removed.map(|row| RemoveItemPayload {
            removed_item_id: Some(id::encode(id::ITEM, row)),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| RemoveItemPayload {
            user_errors,
            ..Default::default()
        })
    }
}

impl From<CreateLinkTokenInput> for Wanted {
    fn from(input: CreateLinkTokenInput) -> Self {
        Self {
            item_id: input.item_id.map(|id| id.0),
            provider: input.provider.map(Into::into),
            redirect_uri: input.redirect_uri,
            completion_redirect_uri: input.completion_redirect_uri,
        }
    }
}

impl From<Exchanged> for ExchangePublicTokenPayload {
    fn from(exchanged: Exchanged) -> Self {
        let item: Item = exchanged.item.into();
        let (item, existing_item) = if exchanged.existing {
            (None, Some(item))
        } else {
            (Some(item), None)
        };
        Self {
            item,
            existing_item,
            sync_job: exchanged.sync_job.map(SyncJob::from),
            user_errors: Vec::new(),
        }
    }
}

/// A change of a bank.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct ItemEvent {
    /// Pass it as `after` to go on behind this event.
    pub cursor: String,
    /// When the change was committed.
    pub occurred_at: DateTime,
    /// The bank as it stands when the event is sent; `removedAt` is set if it is gone.
    pub item: Item,
}

#[Subscription]
impl LinkingSubscription {
    /// Banks as they change: linked, repaired, synced, in need of the person, removed. Without
    /// `after` it begins with a snapshot of the banks asked for.
    async fn item_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this item.")] item_id: Option<ID>,
        #[graphql(
            desc = "The cursor of the last event received: what was missed since comes first."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<ItemEvent>> + use<>> {
        let (app, viewer) = (ctx.app().clone(), ctx.viewer()?);
        let row_id = match &item_id {
            None => None,
            Some(text) => Some(id::decode(id::ITEM, text).ok_or(Error::NotFound("item"))?),
        };
        let (live, start) = Live::follow(&app, viewer, EventKind::Item, after).await?;
        let mut rows = item::Entity::owned_by(viewer).order_by_asc(item::Column::Id);
        if let Some(row_id) = row_id {
            rows = rows.filter(item::Column::Id.eq(row_id));
        }
        let (rows, begins) = match start {
            Start::Missed => (Box::pin(rows.all(app.db.read())).await?, false),
            Start::Snapshot(moment) => (Box::pin(rows.all(&moment)).await?, true),
        };
        if row_id.is_some() && rows.is_empty() {
            return Err(Error::NotFound("item"));
        }
        let now = app.clock.now();
        let snapshot = rows
            .into_iter()
            .filter(|_| begins)
            .map(|row| ItemEvent::of(live.snapshot(row.id, now), row.into()))
            .collect();
        let things = live.things();
        Ok(each(snapshot, live.changes(), move |change| {
            let (app, things) = (app.clone(), things.clone());
            async move {
                if row_id.is_some_and(|row_id| row_id != change.subject_id) {
                    return Ok(None);
                }
                // Removed ones too: that is the last thing to be told about them.
                let rows = items_and_removed(viewer).filter(item::Column::Id.eq(change.subject_id));
                let read = async { Ok(rows.one(app.db.read()).await?) };
                let row = things.share(change.seq, change.subject_id, read).await?;
                Ok(row.map(|row| ItemEvent::of(change, Item(row))))
            }
        }))
    }
}

impl ItemEvent {
    fn of(change: Change, item: Item) -> Self {
        Self {
            cursor: change.cursor,
            occurred_at: change.occurred_at,
            item,
        }
    }
}
