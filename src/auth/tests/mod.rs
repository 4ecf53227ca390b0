//! The verbs as clients see them, on a real database: SQLite always, PostgreSQL too where
//! `TEST_DATABASE_URL` names one.

use std::{sync::Arc, time::Duration};

use async_graphql::{EmptySubscription, Request, Schema, Value, value};
use entity::{activity, session};
use sea_orm::{EntityTrait, QueryOrder};
use secrecy::ExposeSecret;

use super::{Auth, AuthMutation, AuthQuery};
use crate::{
    app::{
        App,
        testing::{self, SmallBank},
    },
    clock::Clock,
    config::Config,
    database::Database,
    feed::Followers,
    graphql::errors::ErrorPolicy,
    metrics::Metrics,
    providers::oidc::Issuers,
    seal::Keys,
    ticker::Tickers,
    viewer::ClientInfo,
};

mod accounts;
mod sessions;

const OLD_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW_KEY: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PASSWORD: &str = "four odd words here";

/// One process on a database.
struct World {
    url: String,
    app: App,
    auth: Auth,
    schema: Schema<AuthQuery, AuthMutation, EmptySubscription>,
}

impl World {
    async fn open(url: &str, keys: &str, clock: Clock) -> Self {
        let app = App {
            config: Arc::new(Config::from_pairs([]).unwrap()),
            db: Database::connect(url).await.unwrap(),
            clock,
            metrics: Metrics::default(),
            keys: Arc::new(Keys::parse(keys).unwrap()),
            followers: Followers::default(),
            tickers: Tickers::default(),
            public_url: "http://localhost".into(),
            plaid: Arc::new(SmallBank),
            mx: None,
            mailer: None,
            rates: None,
            issuers: Issuers::default(),
        };
        let auth = Auth::new(app.clone()).unwrap();
        let schema = Schema::build(
            AuthQuery::default(),
            AuthMutation::default(),
            EmptySubscription,
        )
        .extension(ErrorPolicy)
        .data(app.clone())
        .data(auth.clone())
        .finish();
        Self {
            url: url.to_owned(),
            app,
            auth,
            schema,
        }
    }

    /// Another process on the same database.
    async fn beside(&self, keys: &str) -> Self {
        Self::open(&self.url, keys, self.app.clock.clone()).await
    }

    /// What a client gets, whole.
    async fn answer(&self, token: Option<&str>, text: &str) -> Value {
        let client = ClientInfo {
            address: Some("192.0.2.1".to_owned()),
            user_agent: Some("test".to_owned()),
        };
        let mut request = Request::new(text).data(client);
        if let Some(token) = token {
            request = request.data(self.auth.authenticate(token).await.unwrap().viewer);
        }
        let response = self.schema.execute(request).await;
        async_graphql::to_value(response).unwrap()
    }

    async fn mutate(&self, field: &str, input: &str) -> Value {
        let text = format!(
            "mutation {{ {field}(input: {{ {input} }}) {{ user {{ id email }} accessToken \
             accessTokenExpiresAt refreshToken refreshTokenExpiresAt \
             userErrors {{ code message field retryable }} }} }}"
        );
        let answer = self.answer(None, &text).await;
        at(&answer, &format!("data.{field}"))
    }

    async fn register(&self, email: &str) -> Tokens {
        let input = format!("email: \"{email}\", password: \"{PASSWORD}\"");
        Tokens::of(&self.mutate("register", &input).await)
    }

    async fn login(&self, email: &str, password: &str) -> Value {
        let input = format!("email: \"{email}\", password: \"{password}\"");
        self.mutate("login", &input).await
    }

    async fn refresh(&self, token: &str) -> Value {
        self.mutate("refreshSession", &format!("refreshToken: \"{token}\""))
            .await
    }

    async fn is_signed_in(&self, tokens: &Tokens) -> bool {
        self.auth.authenticate(&tokens.access).await.is_ok()
    }

    async fn log(&self) -> Vec<String> {
        let rows = activity::Entity::find().order_by_asc(activity::Column::Id);
        let rows = rows.all(self.app.db.read()).await.unwrap();
        rows.iter().map(|row| format!("{:?}", row.kind)).collect()
    }

    async fn sessions(&self) -> Vec<session::Model> {
        session::Entity::find()
            .all(self.app.db.read())
            .await
            .unwrap()
    }

    fn advance(&self, seconds: u64) {
        self.app.clock.advance(Duration::from_secs(seconds));
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    #[track_caller]
    fn of(payload: &Value) -> Self {
        assert_eq!(at(payload, "userErrors"), value!([]), "{payload}");
        Self {
            access: text(payload, "accessToken"),
            refresh: text(payload, "refreshToken"),
        }
    }
}

fn at(value: &Value, path: &str) -> Value {
    path.split('.').fold(value.clone(), |value, step| {
        match (value, step.parse::<usize>()) {
            (Value::List(mut list), Ok(index)) => list.swap_remove(index),
            (Value::Object(mut object), _) => object.swap_remove(step).unwrap_or_default(),
            _ => Value::Null,
        }
    })
}

fn text(value: &Value, path: &str) -> String {
    match at(value, path) {
        Value::String(text) => text,
        Value::Enum(name) => name.to_string(),
        other => panic!("{path} is {other} in {value}"),
    }
}

fn code(payload: &Value) -> String {
    text(payload, "userErrors.0.code")
}

/// Tells a story on each database there is, each time on a fresh one.
async fn everywhere(story: impl AsyncFn(&World)) {
    testing::everywhere(async |place| {
        let url = place.config.database_url.expose_secret();
        story(&World::open(url, OLD_KEY, Clock::default()).await).await;
    })
    .await;
}
