//! No statement of the engine reads the jobs that have ended, which are kept for days.

use sea_orm::Statement;

use super::{Visit, ask, room};
use crate::{
    app::testing::everywhere,
    jobs::{Claim, Job, Prune, Registry, Runner, backlog, reap::reap, slots::Slots, take::take},
};

#[tokio::test]
async fn no_statement_of_the_engine_reads_ended_jobs() {
    everywhere(async |app| {
        app.fill().await;
        for who in ["ana", "ana", "bob", "cleo"] {
            ask(app, who, "b1").await;
        }
        let row = take(app, 7, &room(1, &[])).await.unwrap().remove(0);
        take(app, 7, &room(2, &["b2", "b3"])).await.unwrap();
        let claim = Claim::of(&row);
        claim.renew(app).await.unwrap();
        ask(app, "ana", "b1").await;
        let registry = Registry::default().with::<Visit>();
        reap(app, &registry, 8, &Slots::new(1)).await.unwrap();
        Runner::new(app.app.clone(), registry, 1)
            .until_next()
            .await
            .unwrap();
        Prune {}.run(app, &claim).await.unwrap();
        backlog(app).await.unwrap();
        app.assert_no_scans().await;
    })
    .await;
}

#[tokio::test]
async fn a_crowded_bank_costs_nothing_to_pass_over() {
    everywhere(async |app| {
        app.fill().await;
        take(app, 7, &room(2, &["b2"])).await.unwrap();
        let taken: Vec<Statement> = app.take_statements();
        let claim = taken.iter().find(|one| one.sql.contains("heads"));
        let plan = app.plan(claim.unwrap(), false).await;
        assert_eq!(plan.matches("ix_jobs_concurrency_key").count(), 2, "{plan}");
    })
    .await;
}
