//! Registering and signing in.

use entity::user;
use futures_util::future::join_all;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, ModelTrait};

use super::*;

#[tokio::test]
async fn a_person_registers_and_signs_in_again() {
    everywhere(async |world| {
        let input = format!(
            "email: \" Ana@Example.com\", password: \"{PASSWORD}\", firstName: \"Ana\", birthDate: \"1990-02-28\""
        );
        let ana = Tokens::of(&world.mutate("register", &input).await);
        let query = "{ viewer { email firstName lastName birthDate id createdAt } }";
        let viewer = at(&world.answer(Some(&ana.access), query).await, "data.viewer");
        assert_eq!(text(&viewer, "email"), "Ana@Example.com");
        assert_eq!(text(&viewer, "birthDate"), "1990-02-28");
        assert_eq!(at(&viewer, "lastName"), Value::Null);
        assert!(text(&viewer, "id").starts_with("user_"));

        let again = world.login("aNA@example.com ", PASSWORD).await;
        assert_eq!(at(&again, "user.id"), at(&viewer, "id"));
        assert_ne!(Tokens::of(&again), ana);
        assert_eq!(world.log().await, ["Registered", "SignedIn"]);
        assert_eq!(world.sessions().await[0].user_agent.as_deref(), Some("test"));

        let stranger = world.answer(None, query).await;
        assert_eq!(text(&stranger, "errors.0.extensions.code"), "UNAUTHENTICATED");
    })
    .await;
}

#[tokio::test]
async fn nobody_learns_from_login_who_is_registered() {
    everywhere(async |world| {
        world.register("ana@example.com").await;
        let wrong = world.login("ana@example.com", "not her password").await;
        assert_eq!(code(&wrong), "INVALID_CREDENTIALS");
        for email in [
            "bob@example.com",
            "not an address",
            "",
            "ana@example.com\\u0000",
        ] {
            assert_eq!(world.login(email, PASSWORD).await, wrong, "{email}");
        }
        let long = "x".repeat(1025);
        let known = world.login("ana@example.com", &long).await;
        assert_eq!(code(&known), "INVALID_INPUT");
        assert_eq!(world.login("bob@example.com", &long).await, known);

        world.auth.afterwards.close();
        world.auth.afterwards.wait().await;
        assert_eq!(world.log().await, ["Registered", "SignInFailed"]);
    })
    .await;
}

#[tokio::test]
async fn an_address_is_registered_once_whatever_the_haste() {
    everywhere(async |world| {
        let faulty = "email: \"nobody\", password: \"short\", birthDate: \"1066-10-14\"";
        let refused = at(&world.mutate("register", faulty).await, "userErrors");
        for (index, field) in ["email", "password", "birthDate"].iter().enumerate() {
            assert_eq!(text(&refused, &format!("{index}.field.0")), *field);
        }
        let emails = ["ana@example.com", "ANA@example.com", " ana@EXAMPLE.com "];
        let answers = join_all(emails.iter().map(async |email| {
            let input = format!("email: \"{email}\", password: \"{PASSWORD}\"");
            world.mutate("register", &input).await
        }))
        .await;
        let is_taken = |answer: &&Value| {
            at(answer, "userErrors") != value!([]) && code(answer) == "EMAIL_TAKEN"
        };
        assert_eq!(answers.iter().filter(is_taken).count(), 2);
        assert_eq!(world.log().await, ["Registered"]);
        assert_eq!(world.sessions().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_weaker_hash_is_made_anew_at_the_next_sign_in() {
    everywhere(async |world| {
        world.register("ana@example.com").await;
        let stored = async || {
            let row = user::Entity::find().one(world.app.db.read()).await;
            row.unwrap().unwrap()
        };
        // Of the reference implementation: `echo -n password | argon2 somesalt -id -m 16 -t 1`.
        let weak = "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg";
        let mut row: user::ActiveModel = stored().await.into();
        row.password_hash = Set(weak.to_owned());
        row.update(world.app.db.migrate()).await.unwrap();

        assert_eq!(code(&world.login("ana@example.com", PASSWORD).await), "INVALID_CREDENTIALS");
        assert_eq!(stored().await.password_hash, weak);
        // Two devices at once: one of them makes the hash that the other has to compare once more.
        let login = || world.login("ana@example.com", "password");
        for told in join_all([login(), login()]).await {
            Tokens::of(&told);
        }
        let hash = stored().await.password_hash;
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        Tokens::of(&world.login("ana@example.com", "password").await);
        assert_eq!(stored().await.password_hash, hash);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_person_is_a_stranger() {
    everywhere(async |world| {
        let ana = world.register("ana@example.com").await;
        let row = user::Entity::find().one(world.app.db.read()).await;
        row.unwrap()
            .unwrap()
            .delete(world.app.db.migrate())
            .await
            .unwrap();
        let answer = world.answer(Some(&ana.access), "{ viewer { id } }").await;
        assert_eq!(text(&answer, "errors.0.extensions.code"), "UNAUTHENTICATED");
        assert_eq!(code(&world.refresh(&ana.refresh).await), "SESSION_EXPIRED");
        assert_eq!(
            code(&world.login("ana@example.com", PASSWORD).await),
            "INVALID_CREDENTIALS"
        );
    })
    .await;
}
