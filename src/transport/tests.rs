//! Hostile requests and the real schema, with an eye on the database.

use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{Method, Request},
};
use serde_json::Value;

use super::*;
use crate::{app::testing, schema, schema::Schema, viewer::Viewer};

#[path = "../../tests/hostile/corpus.rs"]
mod corpus;

/// A door that lets one person in, whatever she says.
#[derive(Clone)]
struct Ana(Viewer);

impl Door for Ana {
    async fn authenticate(&self, _token: &str) -> Result<Access> {
        let expires_at = chrono::DateTime::UNIX_EPOCH;
        let viewer = self.0;
        Ok(Access { viewer, expires_at })
    }

    async fn ended(&self, _access: Access) {
        std::future::pending::<()>().await;
    }
}

async fn transport(app: &testing::TestApp) -> Transport<Schema, Ana> {
    let auth = Auth::new(app.app.clone()).unwrap();
    Transport {
        executor: schema::build(app, auth),
        door: Ana(app.person("ana").await),
        limits: Arc::default(),
        origins: Arc::default(),
        stopping: CancellationToken::new(),
        running: TaskTracker::new(),
        operations: Quota::default(),
        refusals: Refusals::default(),
        metrics: app.metrics.clone(),
    }
}

async fn post(transport: &Transport<Schema, Ana>, body: String) -> (u16, Vec<u8>) {
    let request = Request::builder()
        .method(Method::POST)
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json")
        .header("authorization", "Bearer ana")
        .body(Body::from(body))
        .unwrap();
    let response = http::receive(State(transport.clone()), request).await;
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, body.to_vec())
}

#[tokio::test]
async fn a_hostile_request_is_refused_before_any_sql() {
    let app = testing::app().await;
    let transport = transport(&app).await;
    // What is not hostile asks the database, and is seen to.
    let (status, _) = post(&transport, r#"{"query":"{ viewer { id } }"}"#.to_owned()).await;
    assert_eq!((status, app.take_statements().is_empty()), (200, false));
    let corpus = corpus::corpus();
    assert!(corpus.len() >= 40, "{}", corpus.len());
    let mut wrong = Vec::new();
    for hostile in corpus {
        let (status, body) = post(&transport, hostile.body).await;
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        let refused = (status, code) == (400, Some(hostile.code)) && answer.get("data").is_none();
        let statements = app.take_statements().len();
        if !refused || statements > 0 || body.len() > 64 * 1024 {
            let start: String = answer.to_string().chars().take(300).collect();
            wrong.push(format!(
                "{}: {status} {statements} {} {start}",
                hostile.name,
                body.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
