//! What a restart leaves as it was.

use passbook_sandbox::Options;

use super::client::{Mx, by_control};

#[tokio::test]
async fn members_and_their_rows_outlive_a_restart() {
    let state = std::env::temp_dir().join(format!("sandbox-mx-{}.ndjson", std::process::id()));
    let options = || Options {
        state: Some(state.clone()),
        settings: by_control(),
        ..Options::default()
    };
    let mx = Mx::open_with(options()).await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    mx.aggregate(&member).await;
    mx.step(&member, 4).await;
    let challenged = mx
        .link_at(&ana, "mxbank", "mxuser_10", "options_twice")
        .await;
    mx.step(&challenged, 1).await;
    let gone = mx.linked(&mx.user("ben").await).await;
    mx.ask(reqwest::Method::DELETE, &gone, serde_json::Value::Null)
        .await;
    let before = (
        mx.get(&format!("/users/{ana}/members")).await["members"].clone(),
        mx.oracle(&member).await,
        mx.status(&challenged).await,
    );
    mx.bank.sandbox.shutdown().await;

    let mx = Mx::open_with(options()).await;
    let after = mx.get(&format!("/users/{ana}/members")).await["members"].clone();
    assert_eq!(
        (
            after,
            mx.oracle(&member).await,
            mx.status(&challenged).await
        ),
        before
    );
    mx.answer(&challenged, "correct").await;
    mx.step(&challenged, 1).await;
    mx.answer(&challenged, "correct").await;
    mx.step(&challenged, 4).await;
    assert_eq!(mx.oracle(&challenged).await.len(), 10);
    mx.aggregate(&member).await;
    mx.step(&member, 4).await;
    assert_ne!(mx.oracle(&member).await, before.1);
    std::fs::remove_file(state).unwrap();
}
