//! A Plaid for tests: answers as it is told, remembers what it was asked, and signs webhooks.

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Response, Uri},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Plaid, PlaidSettings};
use crate::{clock::Clock, config::PlaidEnv, metrics::Metrics};

/// What was asked: path, headers, body.
pub(super) type Call = (String, HeaderMap, Value);

/// A server on a free port of this machine.
pub(super) struct Stub {
    /// Where it is.
    pub(super) url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Stub {
    /// Starts a server that answers every call with what `answer` makes of path and body.
    pub(super) async fn answering<F, A>(answer: F) -> Self
    where
        F: Fn(String, Value) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response<Body>> + Send,
    {
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let seen = calls.clone();
        let handler = move |uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let body: Value = serde_json::from_slice(&body).unwrap();
            let path = uri.path().to_owned();
            let call = (path.clone(), headers, body.clone());
            seen.lock().unwrap().push(call);
            answer(path, body).await
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, calls }
    }

    /// Starts a server that always answers the same.
    pub(super) async fn saying(status: u16, body: &'static str) -> Self {
        Self::answering(move |_, _| async move { response(status, body) }).await
    }

    /// A client of this server.
    pub(super) fn plaid(&self, clock: &Clock) -> Plaid {
        let settings = PlaidSettings {
            env: PlaidEnv::Sandbox,
            base_url: self.url.clone(),
            client_id: "client-id".into(),
            secret: "s3cr3t-of-ours".into(),
            client_name: "Passbook".into(),
        };
        Plaid::new(settings, clock.clone(), Metrics::default()).unwrap()
    }

    /// What was asked so far.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

/// An answer.
pub(super) fn response(status: u16, body: impl Into<Body>) -> Response<Body> {
    let response = Response::builder().status(status);
    response.body(body.into()).unwrap()
}

/// A key that signs webhooks.
pub(super) struct Signer(EcdsaKeyPair);

impl Signer {
    /// A new one.
    pub(super) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The public half: an uncompressed point.
    pub(super) fn point(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// What `/webhook_verification_key/get` says of it.
    pub(super) fn key(&self, kid: &Value, expired_at: Option<i64>) -> Value {
        let (x, y) = self.point()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({"request_id": "r1", "key": {"alg": "ES256", "crv": "P-256", "kty": "EC", "use": "sig",
               "kid": kid, "x": x, "y": y, "created_at": 1_560_466_150, "expired_at": expired_at}})
    }

    /// A token over these parts.
    pub(super) fn token(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = self
            .0
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// The part of a token that is signed.
pub(super) fn message(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", part(header), part(claims))
}
