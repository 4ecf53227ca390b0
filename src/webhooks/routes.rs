//! The routes that providers call.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    routing::post,
};

use super::intake::Intake;
use crate::{
    app::App,
    providers::{ProviderKind, WebhookRefusal},
};

/// No genuine webhook comes near this.
const BODY_LIMIT: usize = 64 * 1024;
/// A sender this slow is no provider.
const BODY_TIME: std::time::Duration = std::time::Duration::from_secs(30);

#[derive(Debug)]
struct Inbox {
    app: App,
    intake: Intake,
}

/// `POST /webhooks/plaid`.
pub fn routes(app: App, intake: Intake) -> Router {
    Router::new()
        .route("/webhooks/plaid", post(plaid))
        .with_state(Arc::new(Inbox { app, intake }))
}

async fn plaid(State(inbox): State<Arc<Inbox>>, request: Request) -> StatusCode {
    let status = receive(&inbox, ProviderKind::Plaid, request).await;
    let status = status.unwrap_or_else(|status| status);
    inbox.app.metrics.delivered("plaid", outcome(status));
    status
}

/// What a webhook's status says, as it is counted.
fn outcome(status: StatusCode) -> &'static str {
    match status {
        StatusCode::OK => "kept",
        StatusCode::UNAUTHORIZED => "forged",
        StatusCode::SERVICE_UNAVAILABLE => "put_off",
        _ => "malformed",
    }
}

async fn receive(
    inbox: &Inbox,
    kind: ProviderKind,
    request: Request,
) -> Result<StatusCode, StatusCode> {
    let (parts, body) = request.into_parts();
    let body = read(body).await?;
    let provider = inbox
        .app
        .provider(kind)
        .map_err(|_| StatusCode::NOT_FOUND)?;
    let delivery = match provider.verify_webhook(&parts.headers, &body).await {
        Ok(delivery) => delivery,
        Err(refusal) => {
            tracing::info!(%refusal, "a webhook is refused");
            return Err(match refusal {
                WebhookRefusal::Forged(_) => StatusCode::UNAUTHORIZED,
                WebhookRefusal::Malformed(_) => StatusCode::BAD_REQUEST,
                WebhookRefusal::Unverifiable => StatusCode::SERVICE_UNAVAILABLE,
            });
        }
    };
    let code = delivery.code.clone();
    inbox
        .intake
        .take(kind, delivery, body)
        .await
        .map_err(|error| {
            tracing::warn!(
                webhook.code = code,
                error = error.chain(),
                "a webhook could not be kept"
            );
            StatusCode::SERVICE_UNAVAILABLE
        })?;
    tracing::debug!(webhook.code = code, "a webhook is kept");
    Ok(StatusCode::OK)
}

async fn read(body: Body) -> Result<Vec<u8>, StatusCode> {
    let bytes = tokio::time::timeout(BODY_TIME, to_bytes(body, BODY_LIMIT)).await;
    let bytes = bytes.map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
    bytes.map(|bytes| bytes.to_vec()).map_err(|error| {
        use std::error::Error;
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if inner.to_string().contains("length limit") {
                return StatusCode::PAYLOAD_TOO_LARGE;
            }
            cause = inner.source();
        }
        StatusCode::BAD_REQUEST
    })
}
