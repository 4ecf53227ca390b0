//! What the database does with the statements of the second factor.

use super::*;
use crate::{app::testing::everywhere, auth::session, viewer::Viewer};

#[tokio::test]
async fn no_statement_of_the_second_factor_reads_those_of_others() {
    everywhere(async |app| {
        let auth = Auth::new(app.app.clone()).unwrap();
        let (ana, client) = (app.person("ana").await, ClientInfo::default());
        app.fill().await;
        // She has no password, and has signed in a moment ago.
        let txn = app.db.begin().await.unwrap();
        let begun = session::begin(&auth, &txn, ana.user_id, &client);
        let session_id = begun.await.unwrap().id;
        txn.commit().await.unwrap();
        let ana = Viewer { session_id, ..ana };
        let input = EnableTotpInput { password: None };
        enable_totp(&auth, ana, input, &client).await.unwrap();
        let code = || async {
            let txn = app.db.begin().await.unwrap();
            let row = totp_row(&txn, ana.user_id).await.unwrap().unwrap();
            let secret = Secret::open(&app.keys, &row).unwrap();
            secret.code(app.clock.now().timestamp() / 30)
        };
        let input = ConfirmTotpInput { code: code().await };
        let confirmed = confirm_totp(&auth, ana, input, &client).await;
        let (user, codes) = confirmed.unwrap();
        for code in [codes[0].clone(), {
            app.clock.advance(std::time::Duration::from_secs(30));
            code().await
        }] {
            let token = challenge(&auth, &user).unwrap().token;
            let input = CompleteLoginInput { token, code };
            complete_login(&auth, input, &client).await.unwrap();
        }
        let input = DisableTotpInput {
            password: None,
            code: Some(codes[1].clone()),
        };
        disable_totp(&auth, ana, input, &client).await.unwrap();
        app.assert_no_scans().await;
    })
    .await;
}
