//! Who asks while a job runs: it finds none that waits, and is not to wait longer for that.

use std::time::Duration;

use entity::job::{self, JobState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Visit, ask, room};
use crate::{
    app::testing::{TestApp, everywhere},
    error::{Error, ErrorClass, ProviderError},
    jobs::{Claim, When, enqueue, take::take},
};

async fn ask_again(app: &TestApp, hurry: bool) {
    let job = Visit {
        who: "ana".to_owned(),
        bank: "a".to_owned(),
    };
    let when = When {
        hurry,
        ..When::default()
    };
    let mut txn = app.db.begin().await.unwrap();
    enqueue(&mut txn, app, &job, when).await.unwrap();
    txn.commit().await.unwrap();
}

/// The job that has begun, taken anew if it waits.
async fn taken(app: &TestApp) -> Claim {
    app.clock.advance(Duration::from_millis(5));
    super::change(app, "UPDATE jobs SET run_at = 1 WHERE state = 'waiting'").await;
    Claim::of(&take(app, 7, &room(1, &[])).await.unwrap()[0])
}

/// How much later than it must the job that waits goes on.
async fn put_off(app: &TestApp) -> i64 {
    let rows = job::Entity::find().filter(job::Column::State.eq(JobState::Waiting));
    let row = rows.one(app.db.read()).await.unwrap().unwrap();
    row.run_at - row.hold_until
}

fn down() -> Error {
    Error::Provider(ProviderError {
        class: ErrorClass::Retry(None),
        code: "http_502".to_owned(),
        display_message: None,
        request_id: None,
        detail: String::new(),
    })
}

#[tokio::test]
async fn who_asks_in_a_hurry_while_it_runs_is_not_put_off() {
    everywhere(async |app| {
        ask(app, "ana", "a").await;
        let (delay, rest) = (Duration::from_mins(5), Duration::from_secs(3));
        for fails in [false, true] {
            for (hurry, forward) in [(false, false), (true, true), (false, false), (true, true)] {
                let claim = taken(app).await;
                ask_again(app, hurry).await;
                let mut txn = app.db.begin().await.unwrap();
                if fails {
                    claim.fail(&txn, app, &down()).await.unwrap();
                } else {
                    claim.postpone(&mut txn, app, delay, rest).await.unwrap();
                }
                txn.commit().await.unwrap();
                assert_eq!(put_off(app).await == 0, forward, "{fails} {hurry}");
            }
        }
    })
    .await;
}
