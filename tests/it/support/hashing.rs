//! A runtime on which passwords are hashed by one thread, and what happens while that is taken.

use std::sync::mpsc;

use futures_util::future::{join_all, select_all};
use serde_json::Value;

use super::{Person, TestApp};

/// Runs a story with one thread for hashes.
pub(crate) fn with_one_hasher(story: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build();
    runtime.unwrap().block_on(story);
}

/// Asks for one hash more than may be waited for at once, while the thread is taken: the answer that
/// came first, and those that came when it was free again.
pub(crate) async fn crowd(
    person: &Person,
    document: &str,
    variables: Value,
) -> (Value, Vec<Value>) {
    let (done, wait) = mpsc::channel::<()>();
    let busy = tokio::task::spawn_blocking(move || {
        let _ = wait.recv();
    });
    let turns = std::thread::available_parallelism().map_or(2, usize::from);
    let asked = (0..=turns).map(|_| Box::pin(person.ask(document, variables.clone())));
    let (first, _, others) = select_all(asked).await;
    drop(done);
    busy.await.unwrap();
    (first, join_all(others).await)
}

/// Does something to the database while a hash that is asked for waits for the thread, then has it made; what comes
/// of the asking. Only where a setting says that there are metrics.
pub(crate) async fn while_hashing(
    app: &TestApp,
    asked: impl Future<Output = Value>,
    sql: &str,
) -> Value {
    let (done, wait) = mpsc::channel::<()>();
    let busy = tokio::task::spawn_blocking(move || {
        let _ = wait.recv();
    });
    let before = app.hashes().await;
    let meanwhile = async {
        while app.hashes().await == before {}
        assert_eq!(app.meddle(sql).await, 1, "{sql}");
        drop(done);
    };
    let (told, ()) = tokio::join!(asked, meanwhile);
    busy.await.unwrap();
    told
}
