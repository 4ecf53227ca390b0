//! What a client that has read everything must hold: the fold of an item's log, one transaction a line.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use futures_util::stream;
use serde::Deserialize;

use super::{Answer, missing};
use crate::app::App;
use crate::plaid::sync::present_as;
use crate::world::ledger::Window;

const CHUNK: usize = 500;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// Also rows whose part of the history is not ready yet.
    #[serde(default)]
    all: bool,
}

/// Streams the live rows as of the moment of the call, in the order a sync from nothing gives them.
pub(super) async fn oracle(
    State(app): State<Arc<App>>,
    Path(item_id): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let end = {
        let world = crate::lock(&app.world);
        let Some(feed) = world
            .items
            .get(&item_id)
            .and_then(|item| item.feed.as_ref())
        else {
            return Err(missing("no item with transactions has this id"));
        };
        if asked.all {
            feed.history.len() + feed.ledger.len()
        } else {
            feed.head(app.clock.now())
        }
    };
    let first = Window {
        from: 0,
        at: 0,
        to: end,
        count: CHUNK,
    };
    let chunks = stream::unfold(Some(first), move |window| {
        let chunk = window.and_then(|window| read(&app, &item_id, window));
        async move { chunk.map(|(bytes, next)| (Ok::<_, Infallible>(bytes), next)) }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(chunks)).into_response())
}

fn read(app: &App, item_id: &str, window: Window) -> Option<(Bytes, Option<Window>)> {
    let (page, history) = {
        let world = crate::lock(&app.world);
        let item = world.items.get(item_id)?;
        let feed = item.feed.as_ref()?;
        let shared: Vec<&str> = item
            .shared()
            .map(|account| account.account_id.as_str())
            .collect();
        let wanted = |id: &str| shared.contains(&id);
        let all = feed.history.touches_only(&shared);
        let page = feed.ledger.page(
            &feed.history,
            window,
            if all { None } else { Some(&wanted) },
        );
        (page, Arc::clone(&feed.history))
    };
    let mut text = Vec::new();
    for row in page.added.iter().filter_map(|row| row.make(&history)) {
        serde_json::to_writer(&mut text, &present_as(row, false, "v2")).ok()?;
        text.push(b'\n');
    }
    let next = page.more.then_some(Window {
        at: page.next,
        ..window
    });
    Some((text.into(), next))
}
