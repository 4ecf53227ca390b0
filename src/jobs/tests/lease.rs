//! Whose jobs are taken away.

use std::future::pending;

use entity::job::JobState;

use super::{Visit, ask, change, job, room};
use crate::{
    app::testing::everywhere,
    error::Error,
    jobs::{Claim, Registry, reap::reap, slots::Slots, take::take},
};

#[tokio::test]
async fn a_worker_that_overslept_keeps_what_it_works_on() {
    everywhere(async |app| {
        let registry = Registry::default().with::<Visit>();
        ask(app, "ana", "a").await;
        let row = take(app, 7, &room(1, &[])).await.unwrap().remove(0);
        let claim = Claim::of(&row);
        change(app, "UPDATE jobs SET lease_until = 0").await;
        let mut working = Slots::new(1);
        working.run(claim.clone(), pending());

        reap(app, &registry, 7, &working).await.unwrap();
        assert_eq!(job(app, "ana").await.state, JobState::Running);
        // One whose end could not be written is nobody's any more.
        reap(app, &registry, 7, &Slots::new(1)).await.unwrap();
        let given = job(app, "ana").await;
        assert_eq!((given.state, given.crashes), (JobState::Waiting, 1));
        let txn = app.db.begin().await.unwrap();
        let fenced = claim.check(&txn).await;
        assert!(matches!(fenced, Err(Error::LeaseLost)), "{fenced:?}");
    })
    .await;
}

#[tokio::test]
async fn what_another_worker_left_is_taken_whatever_runs_here() {
    everywhere(async |app| {
        let registry = Registry::default().with::<Visit>();
        ask(app, "ana", "a").await;
        let ours = take(app, 7, &room(1, &[])).await.unwrap().remove(0);
        let mut working = Slots::new(1);
        working.run(Claim::of(&ours), pending());
        change(app, "UPDATE jobs SET worker = 8, fence = fence + 1").await;
        reap(app, &registry, 7, &working).await.unwrap();
        assert_eq!(job(app, "ana").await.state, JobState::Waiting);
    })
    .await;
}
