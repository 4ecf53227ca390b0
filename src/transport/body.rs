//! Reads the body of a request: so much, for so long, and no further.

use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::{HeaderMap, StatusCode, header},
};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{fault::Fault, limits::Limits};

/// How much of a body that is too large we take in before we say so, and for how long. Who hears
/// "too large" while still sending sees a broken connection instead.
const SPILL: (usize, Duration) = (1024 * 1024, Duration::from_secs(2));

/// The whole body.
pub(super) async fn read(headers: &HeaderMap, body: Body, most: &Limits) -> Result<Vec<u8>, Fault> {
    let mut stream = body.into_data_stream();
    let declared = headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most.body) {
        spill(stream).await;
        return Err(too_large(most));
    }
    let mut whole = Vec::with_capacity(declared.unwrap_or_default());
    let collect = async {
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| broken_off())?;
            if whole.len() + chunk.len() > most.body {
                return Err(too_large(most));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match timeout(most.body_time, collect).await {
        Ok(Ok(())) => Ok(whole),
        Ok(Err(fault)) => {
            spill(stream).await;
            Err(fault)
        }
        Err(_) => Err(Fault::http(
            StatusCode::REQUEST_TIMEOUT,
            "The body did not arrive in time.",
        )),
    }
}

async fn spill(mut stream: BodyDataStream) {
    let pour = async {
        let mut left = SPILL.0;
        while let Some(Ok(chunk)) = stream.next().await {
            match left.checked_sub(chunk.len()) {
                Some(less) => left = less,
                None => return,
            }
        }
    };
    // Whether it all came or not, the answer is the same.
    let _ = timeout(SPILL.1, pour).await;
}

fn too_large(most: &Limits) -> Fault {
    let most = most.body / 1024;
    Fault::http(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("A body has at most {most} KiB."),
    )
}

fn broken_off() -> Fault {
    Fault::http(StatusCode::BAD_REQUEST, "The body broke off.")
}
