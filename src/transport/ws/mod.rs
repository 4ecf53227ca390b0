//! GraphQL over a socket: `graphql-transport-ws`, and no other dialect. One task owns the socket and
//! each operation has its own, which is dropped with the operation; between them lies a short queue,
//! so a client that stops reading stops its own operations and holds no memory.

use async_graphql::Executor;
use axum::{
    extract::{
        FromRequestParts, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{Method, StatusCode, header, request::Parts},
    response::Response,
};
use tokio::time::timeout;

use super::{Caller, Door, Seat, Transport, fault::Fault, origin};

mod message;
mod operation;
mod pace;
mod session;

use session::Session;

/// The one subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// Whether a request wants to become a socket.
pub(super) fn is_wanted(parts: &Parts) -> bool {
    let upgrade = parts.headers.get(header::UPGRADE);
    parts.method == Method::GET
        && upgrade.is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Turns a request into a socket.
pub(super) async fn upgrade<E: Executor, D: Door>(
    transport: Transport<E, D>,
    mut parts: Parts,
    caller: Caller,
) -> Result<Response, Fault> {
    if transport.stopping.is_cancelled() {
        return Err(Fault::unavailable("The server is stopping."));
    }
    origin::demand(&parts.headers, &transport.origins)?;
    let access = transport.admit(&parts.headers).await?;
    let seat = parts.extensions.get::<Seat>().cloned();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|rejection| Fault::http(StatusCode::BAD_REQUEST, rejection.body_text()))?;
    let limits = transport.limits.clone();
    let spoken = upgrade.requested_protocols().any(|name| name == PROTOCOL);
    let alive = (transport.running.token(), transport.metrics.socket());
    let response = upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(1024)
        .write_buffer_size(0)
        // Twice what we allow: a message in between is read whole, so that its sender hears why the
        // socket is closed.
        .max_message_size(2 * limits.message)
        .max_frame_size(2 * limits.message)
        .on_upgrade(async move |mut socket| {
            let end = if spoken {
                let mut session = Session::new(transport.into(), &mut socket, caller, access);
                session.run().await
            } else {
                End::close(4406, "Subprotocol not acceptable")
            };
            Box::pin(finish(socket, end, limits.farewell)).await;
            drop((seat, alive));
        });
    Ok(response)
}

/// How a socket ends.
#[derive(Debug)]
enum End {
    /// We close it, and say why.
    Close(u16, String),
    /// The client has closed it.
    Left,
    /// Nobody is there any more.
    Gone,
}

impl End {
    fn close(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        // A close frame has room for no more.
        reason.truncate(reason.floor_char_boundary(123));
        Self::Close(code, reason)
    }
}

/// Says goodbye, and waits a moment for the same: a socket dropped with bytes unread is reset, and
/// the client would never learn why.
async fn finish(mut socket: WebSocket, end: End, patience: std::time::Duration) {
    let farewell = async {
        match end {
            End::Gone => return,
            End::Left => {}
            End::Close(code, reason) => {
                let reason = reason.into();
                let frame = Message::Close(Some(CloseFrame { code, reason }));
                if socket.send(frame).await.is_err() {
                    return;
                }
            }
        }
        while let Some(Ok(_)) = socket.recv().await {}
    };
    // Whoever does not answer is left.
    let _ = timeout(patience, farewell).await;
}
