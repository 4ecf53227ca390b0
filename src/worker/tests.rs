//! What the databases do with everything that happens in the background.

use std::time::Duration;

use entity::transaction;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Statement};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::registry;
use crate::{
    app::testing::{TestApp, everywhere},
    database::Database,
    graphql::id,
    jobs::Runner,
    linking::{Offer, exchange_public_token, remove_item},
    providers::{Delivery, Notice, ProviderKind, Subject},
    viewer::{ClientInfo, Viewer},
    webhooks::Intake,
};

/// A webhook of each sort about somebody's bank.
async fn tell(intake: &Intake, item: &str) {
    let notices = [
        Notice::Look,
        Notice::Repaired,
        Notice::ConsentExpires(None),
        Notice::NewAccounts,
        Notice::AccountRevoked("checking".to_owned()),
    ];
    for (n, notice) in notices.into_iter().enumerate() {
        let delivery = Delivery {
            delivery_key: format!("{item} {n}"),
            code: "TEST".to_owned(),
            subject: Subject::Item(item.to_owned()),
            provider_user_id: None,
            notice,
        };
        let kept = intake.take(ProviderKind::Plaid, delivery, Vec::new());
        kept.await.unwrap();
    }
}

/// Runs every job there is, the recurring ones too.
async fn work(app: &TestApp) {
    // Not through the handles, whose statements are looked at.
    let url = app.config.database_url.expose_secret();
    let aside = Database::connect(url).await.unwrap();
    let stop = CancellationToken::new();
    let runner = Runner::new(app.app.clone(), registry(), 2);
    let runner = tokio::spawn(runner.run(stop.clone()));
    let number = async |sql: &str| {
        let asked = Statement::from_string(aside.backend(), sql);
        let row = aside.read().query_one_raw(asked).await.unwrap().unwrap();
        row.try_get_by_index::<i64>(0).unwrap()
    };
    while number("SELECT count(*) FROM jobs WHERE key = 'all'").await == 0 {}
    let now = "UPDATE jobs SET run_at = 0 WHERE key = 'all'";
    aside.migrate().execute_unprepared(now).await.unwrap();
    app.clock.advance(Duration::from_secs(5));
    let left = "SELECT count(*) FROM jobs WHERE finished_at IS NULL AND (run_at = 0 OR key <> 'all' \
                AND (state IN ('queued', 'running') OR kind = 'sync.item' AND key NOT LIKE 'w%'))";
    while number(left).await > 0 {}
    stop.cancel();
    runner.await.unwrap();
}

#[tokio::test]
async fn nothing_in_the_background_reads_a_large_table_whole() {
    everywhere(async |app| {
        app.fill().await;
        let Viewer { user_id, .. } = app.person("ana").await;
        let (intake, write) = Intake::new(app.app.clone());
        let write = tokio::spawn(write);
        app.take_statements();

        // Before the bank is linked, and after it.
        tell(&intake, "new").await;
        let offer = Offer {
            user_id,
            public_token: "new".into(),
            idempotency_key: None,
            client: ClientInfo::default(),
        };
        let linked = exchange_public_token(app, offer).await.unwrap();
        tell(&intake, "item7").await;
        work(app).await;
        let synced = transaction::Entity::find()
            .filter(transaction::Column::ItemId.eq(linked.item.id))
            .count(app.db.read());
        assert_eq!(synced.await.unwrap(), 2);
        let viewer = Viewer {
            user_id,
            session_id: Uuid::nil(),
        };
        let item = id::encode(id::ITEM, linked.item.id).to_string();
        remove_item(app, viewer, &ClientInfo::default(), &item)
            .await
            .unwrap();
        let _follower = app.followers.follow(user_id);
        app.followers.catch_up(&app.db).await.unwrap();
        drop(intake);
        write.await.unwrap();
        app.assert_no_scans().await;
    })
    .await;
}
