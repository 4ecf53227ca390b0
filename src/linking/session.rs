//! The end of a hosted link session, told by webhook: the server exchanges by itself. A session that
//! repaired an item exchanges nothing; its item is looked at.

use async_trait::async_trait;
use entity::{item, link_token, webhook};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    create_link_token::client_of,
    exchange::{Offer, exchange_public_token},
    notice::{inbox_place, notice},
};
use crate::{
    app::App,
    error::{Error, ErrorClass, Result},
    jobs::{Claim, Job},
    providers::Notice,
};

/// Does what the end of a link session asks for. The public tokens are in the sealed delivery.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FinishLinkSession {
    /// The delivery that told of it.
    pub webhook_id: Uuid,
    /// The session.
    pub link_token_id: Uuid,
}

#[async_trait]
impl Job for FinishLinkSession {
    const KIND: &'static str = "linking.finish_session";
    const MAX_ATTEMPTS: i32 = 12;

    fn key(&self) -> String {
        self.webhook_id.to_string()
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let db = app.db.read();
        let session = link_token::Entity::find()
            .filter(link_token::Column::Id.eq(self.link_token_id))
            .one(db)
            .await?;
        let delivery = webhook::Entity::find()
            .filter(webhook::Column::Id.eq(self.webhook_id))
            .one(db)
            .await?;
        let (Some(session), Some(delivery)) = (session, delivery) else {
            return Ok(());
        };
        let body = app.keys.open(inbox_place(delivery.id), &delivery.body)?;
        let read = app
            .provider(session.provider)?
            .read_webhook(&body)
            .map_err(Error::internal)?;
        let Notice::SessionFinished(public_tokens) = read.notice else {
            return Ok(());
        };
        if session.item_id.is_none() {
            for public_token in public_tokens {
                let offer = Offer {
                    user_id: session.user_id,
                    public_token,
                    idempotency_key: None,
                    client: client_of(&session),
                };
                match exchange_public_token(app, offer).await {
                    Ok(_) => {}
                    Err(Error::Provider(error)) if error.class == ErrorClass::Token => {
                        tracing::warn!(link_token.id = %session.id, "the public token of a hosted session is no good any more");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        finish(app, claim, session).await
    }
}

async fn finish(app: &App, claim: &Claim, session: link_token::Model) -> Result<()> {
    let mut txn = app.db.begin().await?;
    if let Some(item_id) = session.item_id {
        let live = item::Entity::find()
            .filter(item::Column::Id.eq(item_id))
            .filter(item::Column::RemovedAt.is_null());
        if let Some(item) = live.one(&*txn).await? {
            notice(&mut txn, app, &item, &Notice::Repaired).await?;
        }
    }
    let mut row = session.into_active_model();
    row.finished_at = Set(Some(app.clock.now()));
    row.update(&*txn).await?;
    claim.succeed(&mut txn, app).await?;
    txn.commit().await
}
