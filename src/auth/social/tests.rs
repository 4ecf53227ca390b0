//! What the planner makes of each step, and what is shown of a person on her way.

use chrono::TimeDelta;
use entity::login_attempt;
use sea_orm::{ActiveValue::Set, EntityTrait};
use uuid::Uuid;

use super::{
    arrive::{Answer, arrive},
    complete_social_login,
    depart::depart,
    kept, link_identity, place,
    redeem::{CompleteSocialLoginInput, LinkIdentityInput},
    unlink_identity,
};
use crate::{
    app::{App, testing::everywhere},
    auth::{Auth, admit::Admission, session::begin},
    config::OidcProvider,
    graphql::id,
    providers::oidc::{Issuers, Person},
    viewer::{ClientInfo, Viewer},
};

const VERIFIER: &str = "0123456789012345678901234567890123456789012";
const CHALLENGE: &str = "_RpfHqw8pAZIomzVUE7sjRmHSM543WVdC4o-Kc4_3C0";

fn somebody(subject: &str) -> Person {
    Person {
        issuer: "https://sso.example".to_owned(),
        subject: subject.to_owned(),
        email: Some(format!("{subject}@sso.example")),
        email_verified: true,
        first_name: Some("A\nB".to_owned()),
        last_name: Some(" Lima ".to_owned()),
        birth_date: Some("0000-02-28".to_owned()),
    }
}

/// An attempt that has come as far as its code.
async fn came(app: &App, code: &str, person: &Person, user_id: Option<Uuid>) {
    let id = Uuid::now_v7();
    let said = serde_json::to_vec(person).unwrap();
    let row = login_attempt::ActiveModel {
        id: Set(id),
        provider: Set("sandbox".to_owned()),
        redirect_uri: Set("https://app.example".to_owned()),
        code_challenge: Set(CHALLENGE.to_owned()),
        user_id: Set(user_id),
        code_hash: Set(Some(kept(code))),
        sealed: Set(Some(app.keys.seal(place(id), &said).unwrap())),
        expires_at: Set(app.clock.now() + TimeDelta::seconds(9)),
        ..Default::default()
    };
    let txn = app.db.begin().await.unwrap();
    let insert = login_attempt::Entity::insert(row);
    insert.exec_without_returning(&*txn).await.unwrap();
    txn.commit().await.unwrap();
}

fn input(code: &str) -> CompleteSocialLoginInput {
    CompleteSocialLoginInput {
        code: code.to_owned(),
        code_verifier: VERIFIER.to_owned(),
    }
}

#[tokio::test]
async fn no_step_reads_a_large_table_whole() {
    everywhere(async |world| {
        world.fill().await;
        let issuers = [OidcProvider::sandbox("http://127.0.0.1:1")];
        let app = App {
            issuers: Issuers::new(&issuers, &world.clock).unwrap(),
            ..App::clone(world)
        };
        let (auth, client) = (Auth::new(app.clone()).unwrap(), ClientInfo::default());
        let ana = world.person("ana").await;
        let txn = app.db.begin().await.unwrap();
        let session = begin(&auth, &txn, ana.user_id, &client).await.unwrap();
        txn.commit().await.unwrap();
        let ana = Viewer {
            session_id: session.id,
            ..ana
        };
        for (code, subject) in [("one", "new"), ("two", "new")] {
            came(&app, code, &somebody(subject), None).await;
            let grant = complete_social_login(&auth, input(code), &client).await;
            let Ok(Admission::Session(grant)) = grant else {
                panic!("no session");
            };
            let user = grant.user;
            // What cannot be a name or a birthday is none.
            let profile = (user.first_name, user.last_name.as_deref(), user.birth_date);
            assert_eq!(profile, (None, Some("Lima"), None));
        }
        for (code, subject) in [("three", "first"), ("four", "second")] {
            came(&app, code, &somebody(subject), Some(ana.user_id)).await;
            let input = LinkIdentityInput {
                code: code.to_owned(),
                code_verifier: VERIFIER.to_owned(),
            };
            let row = link_identity(&auth, ana, input, &client).await.unwrap();
            if code == "four" {
                let id = id::encode(id::IDENTITY, row.id);
                unlink_identity(&auth, ana, &id, &client).await.unwrap();
            }
        }
        let answer = Answer {
            state: Some("unknown".to_owned()),
            browser: Some("unknown".to_owned()),
            ..Answer::default()
        };
        arrive(&auth, "sandbox", answer, &client).await.unwrap();
        depart(&auth, "sandbox", "unknown", None, &client)
            .await
            .unwrap();
        world.assert_no_scans().await;
    })
    .await;
}

#[test]
fn what_is_on_its_way_shows_nothing_of_a_person() {
    let shown = format!("{:?}", somebody("ana"));
    assert_eq!(shown, "Person(\"https://sso.example\")");
}
