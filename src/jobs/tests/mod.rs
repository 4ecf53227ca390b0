//! The engine on both databases, with a job that does nothing.

mod lease;
mod plans;
mod share;
mod wake;

use async_trait::async_trait;
use entity::job;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use super::{Claim, Job, When, enqueue, slots::Room};
use crate::{app::testing::TestApp, error::Result};

/// A job of a bank's.
#[derive(Serialize, Deserialize)]
struct Visit {
    who: String,
    bank: String,
}

#[async_trait]
impl Job for Visit {
    const KIND: &'static str = "test.visit";
    const MAX_ATTEMPTS: i32 = 9;

    fn key(&self) -> String {
        self.who.clone()
    }

    fn concurrency_key(&self) -> Option<String> {
        Some(self.bank.clone())
    }

    async fn run(&self, _: &crate::app::App, _: &Claim) -> Result<()> {
        Ok(())
    }
}

async fn ask(app: &TestApp, who: &str, bank: &str) {
    let job = Visit {
        who: who.to_owned(),
        bank: bank.to_owned(),
    };
    let mut txn = app.db.begin().await.unwrap();
    enqueue(&mut txn, app, &job, When::default()).await.unwrap();
    txn.commit().await.unwrap();
}

fn room(limit: usize, crowded: &[&str]) -> Room {
    let crowded = crowded.iter().map(|&key| key.to_owned()).collect();
    Room { limit, crowded }
}

/// How the job about somebody stands.
async fn job(app: &TestApp, who: &str) -> job::Model {
    let rows = job::Entity::find().filter(job::Column::Key.eq(who));
    rows.one(app.db.read()).await.unwrap().unwrap()
}

async fn change(app: &TestApp, sql: &str) {
    app.db.migrate().execute_unprepared(sql).await.unwrap();
}
