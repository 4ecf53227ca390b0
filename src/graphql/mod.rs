//! What the API is about: the object types and their loaders. They read rows by key and decide
//! nothing; the slices above decide and return them. Types point at each other freely, which is why
//! they share one room. A column is public only where a type here says so.

use async_graphql::{Context, SchemaBuilder};

use crate::{
    app::App,
    error::{Error, Result},
    viewer::{ClientInfo, Viewer},
};

pub mod account;
pub mod activity;
pub mod admin;
pub mod batch;
pub mod challenge;
pub mod conversion;
pub mod cost;
pub mod data_export;
pub mod errors;
pub mod exchange_rate;
pub mod id;
pub mod identity;
pub mod institution;
pub mod item;
pub mod live;
pub mod loaders;
pub mod money;
pub mod node;
pub mod nulls;
pub mod page;
pub mod scalar;
pub mod session;
pub mod sync_job;
pub mod transaction;
pub mod user;

use loaders::{Loaders, Loading};

/// Gives a schema what the nouns work with: the handles, the loaders, the limit and the error policy.
pub fn equip<Q, M, S>(schema: SchemaBuilder<Q, M, S>, app: &App) -> SchemaBuilder<Q, M, S> {
    schema
        .data(app.clone())
        .data(Loaders::new(app, None))
        .extension(cost::Cost {
            limit: app.config.wire.query_cost,
        })
        .extension(errors::ErrorPolicy)
        .extension(Loading)
        .extension(nulls::Nulls)
}

/// What every resolver asks first.
pub trait ContextExt {
    /// The handles.
    fn app(&self) -> &App;
    /// Who asks.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for strangers.
    fn viewer(&self) -> Result<Viewer>;
    /// Rows by key, read together where a list asks for many.
    fn loaders(&self) -> &Loaders;
    /// Whether the client asked how long the list is.
    fn wants_total(&self) -> bool;
    /// Where the request comes from.
    fn client(&self) -> ClientInfo;
}

impl ContextExt for Context<'_> {
    fn app(&self) -> &App {
        self.data_unchecked::<App>()
    }

    fn viewer(&self) -> Result<Viewer> {
        self.data_opt::<Viewer>()
            .copied()
            .ok_or(Error::Unauthenticated)
    }

    fn loaders(&self) -> &Loaders {
        self.data_unchecked::<Loaders>()
    }

    fn wants_total(&self) -> bool {
        self.look_ahead().field("totalCount").exists()
    }

    fn client(&self) -> ClientInfo {
        self.data_opt::<ClientInfo>().cloned().unwrap_or_default()
    }
}
