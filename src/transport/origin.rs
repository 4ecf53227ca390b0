//! Which pages may hold a connection open.

use axum::http::{HeaderMap, header};

use super::fault::Fault;

/// A page of another origin may not open sockets or streams here. Programs name no origin.
pub(super) fn demand(headers: &HeaderMap, allowed: &[String]) -> Result<(), Fault> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    if allowed.iter().any(|one| origin == one.as_str()) {
        return Ok(());
    }
    Err(Fault::forbidden(
        "This origin may not connect: name it in ALLOWED_ORIGINS.",
    ))
}
