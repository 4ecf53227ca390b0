//! Refreshing and ending sessions.

use futures_util::{FutureExt, future::join_all};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{auth::Access, database::Hint};

/// What a story waits for at most before it fails.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

const LOGOUT: &str = "mutation { logout { userErrors { code } } }";
const LOGOUT_EVERYWHERE: &str = "mutation { logoutEverywhere { userErrors { code } } }";

impl World {
    async fn access(&self, tokens: &Tokens) -> Access {
        self.auth.authenticate(&tokens.access).await.unwrap()
    }

    async fn logout_with(&self, refresh_token: &str) -> Value {
        let text = format!(
            "mutation {{ logout(input: {{ refreshToken: \"{refresh_token}\" }}) {{ userErrors {{ code }} }} }}"
        );
        self.answer(None, &text).await
    }

    /// The answer to a refresh token that leads nowhere, whatever the reason.
    async fn nowhere(&self) -> Value {
        let answer = self.refresh("prt_nothing").await;
        assert_eq!(code(&answer), "SESSION_EXPIRED");
        answer
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_tabs_that_refresh_at_once_all_go_on() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let text = format!(
            "mutation {{ refreshSession(input: {{ refreshToken: \"{}\" }}) \
             {{ accessToken refreshToken userErrors {{ code }} }} }}",
            ana.refresh
        );
        let tabs = (0..20).map(|_| {
            let (schema, text) = (world.schema.clone(), text.clone());
            tokio::spawn(async move {
                let answer = schema.execute(text).await;
                Tokens::of(&at(&answer.data, "refreshSession"))
            })
        });
        let tabs = join_all(tabs).await.into_iter().map(Result::unwrap);
        let tabs: Vec<Tokens> = tabs.collect();
        for tab in &tabs {
            assert_eq!(tab.refresh, tabs[0].refresh);
            assert!(world.is_signed_in(tab).await);
        }
        assert_ne!(tabs[0].refresh, ana.refresh);
        let row = world.sessions().await.remove(0);
        assert_eq!((row.generation, row.revoked_at), (1, None));
        let next = Tokens::of(&world.refresh(&tabs[0].refresh).await);
        assert!(world.is_signed_in(&next).await);
        assert_eq!(world.log().await, ["Registered"]);
    })
    .await;
}

#[tokio::test]
async fn a_replaced_token_that_comes_back_ends_the_session() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let other = Tokens::of(&world.login("ana@example.com", PASSWORD).await);
        let next = Tokens::of(&world.refresh(&ana.refresh).await);
        world.advance(9);
        let tab = Tokens::of(&world.refresh(&ana.refresh).await);
        assert_eq!(tab.refresh, next.refresh);
        world.advance(1);
        assert_eq!(world.refresh(&ana.refresh).await, world.nowhere().await);

        // The thief and the person alike are out, and nothing else is.
        assert_eq!(world.refresh(&next.refresh).await, world.nowhere().await);
        assert!(!world.is_signed_in(&ana).await && !world.is_signed_in(&tab).await);
        assert!(world.is_signed_in(&other).await);
        Tokens::of(&world.refresh(&other.refresh).await);
        assert_eq!(
            world.log().await,
            ["Registered", "SignedIn", "SessionRevoked"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_token_two_rotations_old_is_a_copy_even_within_the_grace() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let next = Tokens::of(&world.refresh(&ana.refresh).await);
        let last = Tokens::of(&world.refresh(&next.refresh).await);
        assert_eq!(world.refresh(&ana.refresh).await, world.nowhere().await);
        assert_eq!(world.refresh(&last.refresh).await, world.nowhere().await);
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    everywhere(async |world| {
        let day = 24 * 60 * 60;
        let ana = world.register("ana@example.com").await;
        let ended = world.auth.ended(world.access(&ana).await);
        world.advance(30 * 60);
        ended.await;
        assert!(!world.is_signed_in(&ana).await);

        let idle = world.register("bob@example.com").await;
        world.advance(7 * day);
        assert_eq!(world.refresh(&idle.refresh).await, world.nowhere().await);

        // However diligently it is refreshed, after 90 days it is over.
        let mut token = world.register("eva@example.com").await.refresh;
        for _ in 0..15 {
            world.advance(6 * day - 1);
            token = Tokens::of(&world.refresh(&token).await).refresh;
        }
        world.advance(15);
        assert_eq!(world.refresh(&token).await, world.nowhere().await);
        assert!(!world.log().await.contains(&"SessionRevoked".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_session_goes_on_under_a_new_key() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let both = world.beside(&format!("{NEW_KEY},{OLD_KEY}")).await;
        assert!(both.is_signed_in(&ana).await);
        let next = Tokens::of(&both.refresh(&ana.refresh).await);
        let new = world.beside(NEW_KEY).await;
        assert!(!new.is_signed_in(&ana).await && new.is_signed_in(&next).await);
        assert_eq!(new.refresh(&ana.refresh).await, world.nowhere().await);
        Tokens::of(&new.refresh(&next.refresh).await);
    })
    .await;
}

#[tokio::test]
async fn signing_out_ends_one_session_and_may_be_said_twice() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let phone = Tokens::of(&world.login("ana@example.com", PASSWORD).await);
        let done = world.answer(Some(&phone.access), LOGOUT).await;
        assert_eq!(at(&done, "data.logout.userErrors"), value!([]), "{done}");
        assert!(!world.is_signed_in(&phone).await);
        assert!(world.is_signed_in(&ana).await);
        assert_eq!(world.refresh(&phone.refresh).await, world.nowhere().await);

        // The access token has expired, the refresh token still tells which session it is.
        world.advance(60 * 60);
        let next = Tokens::of(&world.refresh(&ana.refresh).await);
        for _ in 0..2 {
            assert_eq!(world.logout_with(&next.refresh).await, done);
        }
        assert_eq!(world.logout_with("prt_nothing").await, done);
        assert!(!world.is_signed_in(&next).await);
        assert_eq!(
            world.log().await,
            ["Registered", "SignedIn", "SignedOut", "SignedOut"]
        );

        let stranger = world.answer(None, LOGOUT).await;
        assert_eq!(
            text(&stranger, "errors.0.extensions.code"),
            "UNAUTHENTICATED"
        );
    })
    .await;
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_sessions_of_one_person() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let phone = Tokens::of(&world.login("ana@example.com", PASSWORD).await);
        let bob = world.register("bob@example.com").await;
        let accesses = join_all([&ana, &phone, &bob].map(|tokens| world.access(tokens))).await;
        let mut sockets = accesses.into_iter().map(|access| world.auth.ended(access));
        let [mut first, mut second, third] =
            std::array::from_fn(|_| Box::pin(sockets.next().unwrap()));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());

        let done = world.answer(Some(&phone.access), LOGOUT_EVERYWHERE).await;
        assert_eq!(at(&done, "data.logoutEverywhere.userErrors"), value!([]));
        assert!(first.now_or_never().is_some() && second.now_or_never().is_some());
        assert!(!world.is_signed_in(&ana).await && !world.is_signed_in(&phone).await);
        assert!(world.is_signed_in(&bob).await && third.now_or_never().is_none());
        assert_eq!(
            world.log().await,
            [
                "Registered",
                "SignedIn",
                "Registered",
                "SignedOutEverywhere"
            ]
        );
        let stranger = world.answer(None, LOGOUT_EVERYWHERE).await;
        assert_eq!(
            text(&stranger, "errors.0.extensions.code"),
            "UNAUTHENTICATED"
        );
    })
    .await;
}

#[tokio::test]
async fn other_processes_hear_of_it_and_a_restart_does_not_forget() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let bob = world.register("bob@example.com").await;
        let other = world.beside(OLD_KEY).await;
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(other.auth.clone().run(shutdown.clone()));
        // No hint reaches the other process here: it finds out by itself, and not only when it begins.
        for person in [&bob, &ana] {
            let access = other.access(person).await;
            world.answer(Some(&person.access), LOGOUT).await;
            let heard = timeout(PATIENCE, other.auth.ended(access)).await;
            heard.expect("it does not look");
            assert!(!other.is_signed_in(person).await);
        }
        shutdown.cancel();
        running.await.unwrap();

        let restarted = world.beside(OLD_KEY).await;
        assert!(!restarted.is_signed_in(&ana).await);
    })
    .await;
}

#[tokio::test]
async fn a_hint_is_enough() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let access = world.access(&ana).await;
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(world.auth.clone().run(shutdown.clone()));
        let ended = world.auth.ended(access);
        let mut ended = Box::pin(ended);
        assert!((&mut ended).now_or_never().is_none());
        // Says so until it is heard: the process may not be listening yet.
        let tell = async {
            loop {
                world.app.db.relay(Hint::Session(access.viewer.session_id));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = ended => {}
            () = tell => {}
        }
        assert!(!world.is_signed_in(&ana).await);
        shutdown.cancel();
        running.await.unwrap();
    })
    .await;
}
