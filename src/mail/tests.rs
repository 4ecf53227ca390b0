//! Tokens, and what the database does with the statements about mails.

use entity::user;

use super::*;
use crate::{
    app::testing::{TestApp, everywhere},
    jobs::{Claim, Job},
    viewer::Viewer,
};

/// Posts a mail and returns its row.
async fn posted(app: &TestApp, viewer: Viewer, kind: MailKind) -> mail::Model {
    let user = user::Entity::find_by_id(viewer.user_id);
    let user = user.one(app.db.read()).await.unwrap().unwrap();
    let mut txn = app.db.begin().await.unwrap();
    let posted = Post {
        kind,
        user_id: (kind != MailKind::ResetPassword).then_some(user.id),
        registration_id: None,
        email: &user.email,
        email_key: &user.email_key,
    };
    post(&mut txn, app, posted).await.unwrap();
    txn.commit().await.unwrap();
    let newest = mail::Entity::find().order_by_desc(mail::Column::Id);
    newest.one(app.db.read()).await.unwrap().unwrap()
}

#[tokio::test]
async fn no_statement_about_mails_reads_those_of_others() {
    everywhere(async |app| {
        let ana = app.person("ana").await;
        let row = posted(app, ana, MailKind::ResetPassword).await;
        app.fill().await;
        let job = SendMail {
            mail_id: row.id,
            user_id: None,
        };
        // There is no way out, which is found out after everything else.
        let sent = job.run(app, &Claim::of_nothing()).await;
        assert!(sent.unwrap_err().is_transient());
        let token = token::token(&app.keys, &row).unwrap();
        let found = find(app, &token, &[MailKind::ResetPassword]).await.unwrap();
        assert_eq!(found.user_id, Some(ana.user_id));
        let now = app.clock.now();
        let txn = app.db.begin().await.unwrap();
        take_back(&txn, ana.user_id, MailKind::VerifyEmail, now)
            .await
            .unwrap();
        spend(&txn, &found, now).await.unwrap();
        assert!(spend(&txn, &found, now).await.is_err(), "once");
        txn.commit().await.unwrap();
        app.assert_no_scans().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_is_of_one_mail_and_of_our_keys() {
    let app = crate::app::testing::app().await;
    let ana = app.person("ana").await;
    let one = posted(&app, ana, MailKind::VerifyEmail).await;
    let other = posted(&app, ana, MailKind::VerifyEmail).await;
    let token = token::token(&app.keys, &one).unwrap();
    let read = Presented::read(&token).unwrap();
    assert!(read.is_of(&one, &app.keys));
    assert!(!read.is_of(&other, &app.keys));
    let salted = mail::Model {
        salt: vec![0; 16],
        ..one.clone()
    };
    assert!(!read.is_of(&salted, &app.keys));
    let foreign = crate::seal::Keys::parse("ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    assert!(!read.is_of(&one, &foreign.unwrap()));
}
