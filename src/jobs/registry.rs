//! The list of jobs a process can do, by the name they have in the database.

use std::{collections::HashMap, marker::PhantomData, sync::Arc, time::Duration};

use async_trait::async_trait;
use entity::job;

use super::{Claim, Enqueued, Failure, Job, When, enqueue};
use crate::{
    app::App,
    database::Txn,
    error::{Error, Result},
};

/// The jobs a process can do.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: HashMap<&'static str, Arc<dyn Kind>>,
    recurring: HashMap<&'static str, Arc<dyn Kind>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}

impl Registry {
    /// Adds a job.
    #[must_use]
    pub fn with<J: Job>(mut self) -> Self {
        self.kinds
            .insert(J::KIND, Arc::new(KindOf::<J>(None, PhantomData)));
        self
    }

    /// Adds a job that runs again and again by itself.
    #[must_use]
    pub fn with_recurring<J: Job>(mut self, job: J) -> Self {
        let kind: Arc<dyn Kind> = Arc::new(KindOf(Some(job), PhantomData));
        self.kinds.insert(J::KIND, kind.clone());
        self.recurring.insert(J::KIND, kind);
        self
    }

    /// Makes sure that every recurring job is waiting for its time.
    pub(super) async fn ensure_recurring(&self, app: &App) -> Result<()> {
        // Before the transaction, since a job may look at the database to tell its time.
        let mut due = Vec::new();
        for kind in self.recurring.values() {
            if let Some(delay) = kind.again(app).await? {
                due.push((kind, delay));
            }
        }
        let mut txn = app.db.begin().await?;
        for (kind, delay) in due {
            kind.ensure(app, &mut txn, delay).await?;
        }
        txn.commit().await
    }

    /// The name of a job's kind; one word for all kinds of other releases.
    pub(super) fn name(&self, row: &job::Model) -> &'static str {
        let known = self.kinds.get_key_value(row.kind.as_str());
        known.map_or("unknown", |(name, _)| name)
    }

    /// Whether a job of this kind runs again by itself.
    pub(super) fn recurs(&self, row: &job::Model) -> bool {
        self.recurring.contains_key(row.kind.as_str())
    }

    pub(super) async fn run(&self, app: &App, row: &job::Model) -> Result<()> {
        self.kind(row)?.run(app, row).await
    }

    pub(super) async fn failed(
        &self,
        app: &App,
        txn: &mut Txn,
        row: &job::Model,
        failure: Failure,
    ) -> Result<()> {
        match self.kind(row) {
            Ok(kind) => kind.failed(app, txn, row, &failure).await,
            // A job of another release: it is ended, and there is nobody to tell.
            Err(_) => Ok(()),
        }
    }

    fn kind(&self, row: &job::Model) -> Result<&Arc<dyn Kind>> {
        let unknown = || Error::internal(format!("no job is called {}", row.kind));
        self.kinds.get(row.kind.as_str()).ok_or_else(unknown)
    }
}

/// A job type with its type forgotten.
#[async_trait]
trait Kind: Send + Sync {
    async fn run(&self, app: &App, row: &job::Model) -> Result<()>;
    async fn failed(
        &self,
        app: &App,
        txn: &mut Txn,
        row: &job::Model,
        failure: &Failure,
    ) -> Result<()>;
    async fn again(&self, app: &App) -> Result<Option<Duration>>;
    async fn ensure(&self, app: &App, txn: &mut Txn, delay: Duration) -> Result<()>;
}

struct KindOf<J>(Option<J>, PhantomData<fn() -> J>);

#[async_trait]
impl<J: Job> Kind for KindOf<J> {
    async fn run(&self, app: &App, row: &job::Model) -> Result<()> {
        let job: J = serde_json::from_value(row.payload.clone()).map_err(Error::internal)?;
        job.run(app, &Claim::of(row)).await
    }

    async fn failed(
        &self,
        app: &App,
        txn: &mut Txn,
        row: &job::Model,
        failure: &Failure,
    ) -> Result<()> {
        // What cannot be read cannot be told to anybody; it ends all the same.
        match serde_json::from_value::<J>(row.payload.clone()) {
            Ok(job) => job.failed(app, txn, failure).await,
            Err(_) => Ok(()),
        }
    }

    async fn again(&self, app: &App) -> Result<Option<Duration>> {
        match &self.0 {
            Some(job) => job.again(app).await,
            None => Ok(None),
        }
    }

    async fn ensure(&self, app: &App, txn: &mut Txn, delay: Duration) -> Result<()> {
        if let Some(job) = &self.0 {
            let when = When {
                delay,
                hurry: false,
            };
            if let Enqueued::New = enqueue(txn, app, job, when).await? {
                tracing::debug!(job.kind = J::KIND, "a recurring job has its next time");
            }
        }
        Ok(())
    }
}
