//! Waiting for what the server does by itself: nothing here sleeps.

use super::{TestApp, patiently};

impl TestApp {
    /// Waits until no job but a recurring one is left.
    pub(crate) async fn idle(&self) {
        // Recurring ones work on everything, the others on one thing.
        let sql = "SELECT count(*) FROM jobs WHERE finished_at IS NULL AND key <> 'all'";
        self.becomes(sql, 0).await;
    }

    /// Waits until no job but a recurring one has to do something now.
    pub(crate) async fn idle_but_waiting(&self) {
        let sql = "SELECT count(*) FROM jobs WHERE key <> 'all' AND kind <> 'linking.watch_session' \
                   AND state IN ('queued', 'running')";
        self.becomes(sql, 0).await;
    }

    /// Waits until the database counts so many.
    pub(crate) async fn becomes(&self, sql: &str, wanted: i64) {
        patiently(async { while self.count(sql).await != wanted {} }).await;
    }

    /// Waits until rows of a table are so.
    pub(crate) async fn until(&self, table: &str, condition: &str) {
        let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
        let so = async { while self.count(&sql).await == 0 {} };
        patiently(so).await;
    }

    /// Lets time pass, then waits until a recurring job has run again.
    pub(crate) async fn passes(&self, by: std::time::Duration, recurring: &str) {
        let sql =
            format!("SELECT coalesce(max(finished_at), 0) FROM jobs WHERE kind = '{recurring}'");
        let before = self.count(&sql).await;
        let set = format!("kind = '{recurring}' AND state = 'queued'");
        self.until("jobs", &set).await;
        self.clock.advance(by);
        let condition = format!("kind = '{recurring}' AND finished_at > {before}");
        self.until("jobs", &condition).await;
    }

    /// Lets time pass, once the next look at rates has its time: one that gets it meanwhile counts
    /// from later.
    pub(crate) async fn rates_rest(&self, by: std::time::Duration) {
        self.until("jobs", "kind = 'rates.poll' AND state = 'queued'")
            .await;
        self.clock.advance(by);
    }

    /// Lets time pass, and the poller look whether a rate is due by then.
    pub(crate) async fn rates_looked_at(&self, by: std::time::Duration) {
        self.rates_rest(by).await;
        let looks = "SELECT count(*) FROM jobs WHERE kind = 'rates.poll' AND state = 'succeeded'";
        let queued = "kind = 'rates.poll' AND state = 'queued'";
        self.until("jobs", queued).await;
        let before = self.count(looks).await;
        let now = format!("UPDATE jobs SET run_at = 0 WHERE {queued}");
        self.meddle(&now).await;
        self.clock.advance(std::time::Duration::from_millis(1));
        patiently(async { while self.count(looks).await <= before {} }).await;
        self.until("jobs", queued).await;
    }

    /// Waits until nothing but recurring jobs runs or is due.
    pub(crate) async fn settles(&self) {
        let busy = async || {
            let now = self.clock.now().timestamp_millis();
            let sql = format!(
                "SELECT count(*) FROM jobs j WHERE key <> 'all' AND (state = 'running' \
                 OR state = 'waiting' AND run_at <= {now} OR state = 'queued' AND run_at <= {now} \
                 AND NOT EXISTS (SELECT 1 FROM jobs r WHERE r.kind = j.kind AND r.key = j.key \
                 AND r.state = 'waiting'))"
            );
            self.count(&sql).await > 0
        };
        patiently(async { while busy().await {} }).await;
    }
}
