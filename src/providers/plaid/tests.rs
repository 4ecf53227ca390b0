//! What is made of Plaid's answers, against a stub of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use futures_util::stream;
use serde_json::{Value, json};

use super::{
    stub::{Stub, response},
    *,
};

fn token() -> SecretString {
    "access-sandbox-1".into()
}

#[tokio::test]
async fn a_lost_exchange_is_asked_for_once_more_and_a_refused_one_is_not() {
    for (losses, status, calls) in [(1, 200, 2), (2, 200, 2), (0, 400, 1), (1, 400, 2)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let stub = Stub::answering(move |_, _| {
            let turn = asked.fetch_add(1, Ordering::Relaxed);
            async move {
                let cut = stream::iter([Err::<&str, _>(std::io::Error::other("cut"))]);
                match status {
                    _ if turn < losses => response(200, Body::from_stream(cut)),
                    200 => response(200, r#"{"access_token":"access-sandbox-1","item_id":"i1"}"#),
                    _ => response(
                        400,
                        r#"{"error_type":"INVALID_INPUT","error_code":"INVALID_PUBLIC_TOKEN"}"#,
                    ),
                }
            }
        });
        let stub = stub.await;
        let linked = stub.plaid(&Clock::default()).exchange(&"p1".into()).await;
        assert_eq!(stub.calls().len(), calls);
        match linked {
            Ok(linked) => assert_eq!((losses, linked.provider_item_id.as_str()), (1, "i1")),
            Err(error) if status == 400 => assert_eq!(error.class, ErrorClass::Token),
            Err(error) => assert!(losses == 2 && errors::is_lost(&error)),
        }
    }
}

#[tokio::test]
async fn a_call_that_succeeds_can_report_a_fault() {
    let stub = Stub::saying(
        200,
        r#"{"item":{"item_id":"i1","institution_id":"ins_1","webhook":"","consent_expiration_time":
            "2026-03-01T00:00:00Z","error":{"error_type":"ITEM_ERROR","error_code":"ITEM_LOGIN_REQUIRED",
            "error_message":"m","display_message":"Sign in again"}},"status":null,"request_id":"r"}"#,
    );
    let state = stub
        .await
        .plaid(&Clock::default())
        .item(&token())
        .await
        .unwrap();
    let fault = state.fault.unwrap();
    assert_eq!(
        (fault.class, fault.display_message.as_deref()),
        (ErrorClass::Login, Some("Sign in again"))
    );
    assert_eq!(
        (state.institution_id.as_deref(), state.webhook),
        (Some("ins_1"), None)
    );
    assert!(state.consent_expires_at.is_some());
    let stub = Stub::saying(200, r#"{"item":{"item_id":"i1","error":null}}"#).await;
    let state = stub.plaid(&Clock::default()).item(&token()).await.unwrap();
    assert!(state.fault.is_none() && state.consent_expires_at.is_none());
}

#[tokio::test]
async fn a_bank_is_read_with_its_looks() {
    let stub = Stub::saying(
        200,
        r##"{"institution":{"institution_id":"ins_1","name":"First\u0000 Bank","oauth":true,"url":null,
            "primary_color":"#1f1f1f","logo":"iVBOR","products":[],"country_codes":["US"]}}"##,
    );
    let stub = stub.await;
    let bank = stub
        .plaid(&Clock::default())
        .institution("ins_1")
        .await
        .unwrap();
    assert_eq!((bank.name.as_str(), bank.oauth), ("First Bank", true));
    assert_eq!((bank.url, bank.logo.as_deref()), (None, Some("iVBOR")));
    let asked = &stub.calls()[0].2;
    assert_eq!(asked["options"], json!({"include_optional_metadata": true}));
}

#[tokio::test]
async fn one_bad_account_costs_no_other() {
    let stub = Stub::saying(
        200,
        r#"{"accounts":[{"account_id":"a1","name":"A"},7],"item":{}}"#,
    )
    .await;
    let accounts = stub
        .plaid(&Clock::default())
        .accounts(&token())
        .await
        .unwrap();
    assert_eq!(accounts.len(), 1);
    let stub = Stub::saying(200, r#"{"accounts":null}"#).await;
    let error = stub
        .plaid(&Clock::default())
        .accounts(&token())
        .await
        .unwrap_err();
    assert_eq!(error.code, "malformed");
}

#[tokio::test]
async fn the_first_page_is_asked_for_without_a_cursor() {
    let page = r#"{"added":[],"modified":[],"removed":[],"next_cursor":"","has_more":false,"accounts":[]}"#;
    for (cursor, expected) in [
        (None, Value::Null),
        (Some(""), Value::Null),
        (Some("c1"), "c1".into()),
    ] {
        let stub = Stub::saying(200, page).await;
        let page = stub
            .plaid(&Clock::default())
            .changes(&token(), cursor)
            .await
            .unwrap();
        assert_eq!(page.next_cursor, None);
        let asked = &stub.calls()[0].2;
        assert_eq!(
            (&asked["cursor"], &asked["count"]),
            (&expected, &500.into())
        );
        assert_eq!(asked.get("cursor").is_some(), !expected.is_null());
    }
}

#[tokio::test]
async fn half_a_page_is_no_page() {
    for page in [
        r#"{"added":[],"modified":[],"removed":[],"next_cursor":null,"has_more":false}"#,
        r#"{"added":[],"modified":[],"next_cursor":"c","has_more":false}"#,
        r#"{"added":null,"modified":[],"removed":[],"next_cursor":"c","has_more":false}"#,
        r#"{"added":[],"modified":[],"removed":[],"next_cursor":"c","has_more":"no"}"#,
        r#"{"added":[NaN],"modified":[],"removed":[],"next_cursor":"c","has_more":false}"#,
    ] {
        let stub = Stub::saying(200, page).await;
        let error = stub
            .plaid(&Clock::default())
            .changes(&token(), None)
            .await
            .unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.class),
            ("malformed", ErrorClass::Retry(None))
        );
    }
}

#[tokio::test]
async fn a_refused_field_is_the_cursors_fault_if_there_was_one() {
    let body = r#"{"error_type":"INVALID_REQUEST","error_code":"INVALID_FIELD",
                   "error_message":"cursor not associated with access_token"}"#;
    let stub = Stub::saying(400, body).await;
    let plaid = stub.plaid(&Clock::default());
    for (cursor, class) in [
        (Some("c1"), ErrorClass::ResetCursor),
        (None, ErrorClass::Bug),
    ] {
        assert_eq!(
            plaid.changes(&token(), cursor).await.unwrap_err().class,
            class
        );
    }
}

#[tokio::test]
async fn what_is_gone_already_is_removed() {
    let body = |code: &str| format!(r#"{{"error_type":"ITEM_ERROR","error_code":"{code}"}}"#);
    for (body, gone, gone_elsewhere) in [
        (body("ITEM_NOT_FOUND"), true, true),
        (body("ITEM_CONCURRENTLY_DELETED"), true, true),
        (body("INVALID_ACCESS_TOKEN"), true, false),
        (body("INVALID_API_KEYS"), false, false),
        (body("USER_PERMISSION_REVOKED"), false, false),
        (body("INTERNAL_SERVER_ERROR"), false, false),
        ("<html>".to_owned(), false, false),
    ] {
        let said = body.clone();
        let stub = Stub::answering(move |_, _| {
            let said = said.clone();
            async move { response(400, said) }
        });
        let plaid = stub.await.plaid(&Clock::default());
        for (token, gone) in [
            (token(), gone),
            ("access-production-1".into(), gone_elsewhere),
        ] {
            assert_eq!(plaid.remove(&token).await.is_ok(), gone, "{body}");
        }
    }
    let stub = Stub::saying(200, r#"{"request_id":"r"}"#).await;
    assert!(stub.plaid(&Clock::default()).remove(&token()).await.is_ok());
}

#[tokio::test]
async fn nothing_shows_the_credentials() {
    let stub = Stub::saying(200, "{}").await;
    assert_eq!(format!("{:?}", stub.plaid(&Clock::default())), "Plaid");
}
