//! What may come between the reading of a row and its writing, and what the list of columns has to know.

use std::{collections::BTreeSet, fs, path::Path};

use chrono::TimeDelta;
use entity::login_attempt;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::*;
use crate::app::{App, testing::everywhere};

const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn both() -> Keys {
    Keys::parse(&format!("{NEW},{OLD}")).unwrap()
}

fn place(row: Uuid) -> Place {
    Place {
        column: "login_attempts.sealed",
        row,
        user: Uuid::nil(),
    }
}

/// So many rows, sealed under the old key, the oldest first.
async fn sealed(app: &App, count: usize) -> Vec<Uuid> {
    let keys = Keys::parse(OLD).unwrap();
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
    let rows = ids.iter().map(|&id| login_attempt::ActiveModel {
        id: Set(id),
        provider: Set("sandbox".to_owned()),
        redirect_uri: Set("https://app.example".to_owned()),
        code_challenge: Set("x".to_owned()),
        sealed: Set(Some(keys.seal(place(id), b"as it was").unwrap())),
        expires_at: Set(app.clock.now() + TimeDelta::minutes(9)),
        ..Default::default()
    });
    let txn = app.db.begin().await.unwrap();
    let insert = login_attempt::Entity::insert_many(rows);
    insert.exec_without_returning(&*txn).await.unwrap();
    txn.commit().await.unwrap();
    ids
}

async fn kept(app: &App, id: Uuid) -> Vec<u8> {
    let row = login_attempt::Entity::find_by_id(id).one(app.db.read());
    row.await.unwrap().unwrap().sealed.unwrap()
}

#[tokio::test]
async fn a_secret_that_somebody_changes_meanwhile_stays_as_she_has_left_it() {
    everywhere(async |world| {
        let ids = sealed(world, 2).await;
        let hers = ids[0];
        let newer = Keys::parse(OLD).unwrap();
        let newer = newer.seal(place(hers), b"as she left it").unwrap();
        let theirs = newer.clone();
        world.meanwhile(
            "AS secret FROM login_attempts",
            async move |db: Database| {
                let txn = db.begin().await.unwrap();
                login_attempt::Entity::update_many()
                    .col_expr(login_attempt::Column::Sealed, Expr::value(theirs))
                    .filter(login_attempt::Column::Id.eq(hers))
                    .exec(&*txn)
                    .await
                    .unwrap();
                txn.commit().await.unwrap();
            },
        );
        let one = Rekeyed {
            sealed: 1,
            broken: 0,
        };
        assert_eq!(rekey(&world.db, &both()).await.unwrap(), one);
        assert_eq!(kept(world, hers).await, newer);
        // The next look moves it too.
        assert_eq!(rekey(&world.db, &both()).await.unwrap(), one);
        let opened = both().open(place(hers), &kept(world, hers).await);
        assert_eq!(opened.unwrap(), b"as she left it");
    })
    .await;
}

#[tokio::test]
async fn what_was_broken_off_goes_on_where_it_stands_and_does_nothing_twice() {
    everywhere(async |world| {
        let ids = sealed(world, 2 * usize::try_from(ROUND).unwrap() + 5).await;
        let column = SEALED
            .iter()
            .find(|column| column.name == "login_attempts.sealed");
        let (column, keys) = (column.unwrap(), both());
        let mut done = Rekeyed::default();
        let rows = column
            .outdated(&world.db, &keys, Uuid::nil())
            .await
            .unwrap();
        column
            .write(&world.db, &keys, &rows, &mut done)
            .await
            .unwrap();
        assert_eq!(done.sealed, ROUND);
        let before = kept(world, ids[0]).await;
        let rest = rekey(&world.db, &keys).await.unwrap();
        assert_eq!((rest.sealed, rest.broken), (ROUND + 5, 0));
        assert_eq!(kept(world, ids[0]).await, before);
        let new = Keys::parse(NEW).unwrap();
        for id in ids {
            assert_eq!(
                new.open(place(id), &kept(world, id).await).unwrap(),
                b"as it was"
            );
        }
        let nothing = rekey(&world.db, &keys).await.unwrap();
        assert_eq!(nothing, Rekeyed::default());
    })
    .await;
}

/// The names of columns that places in this source have.
fn named(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(&path, found);
        } else if !path.ends_with("secrets/rekey/tests.rs") {
            let text = fs::read_to_string(path).unwrap();
            let marks = text.split("column: \"").skip(1);
            found.extend(marks.filter_map(|mark| Some(mark.split_once('"')?.0.to_owned())));
        }
    }
}

#[test]
fn no_sealed_column_is_forgotten() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    named(&source, &mut found);
    // The check of a key is sealed under that key for good.
    found.remove("key_checks.sealed");
    let known: BTreeSet<String> = SEALED.iter().map(|column| column.name.to_owned()).collect();
    assert_eq!(found, known);
}
