//! What the API is about: the object types and their loaders. They read rows by key and decide
//! nothing; the slices above decide and return them. Types point at each other freely, which is why
//! they share one room. A column is public only where a type here says so.

use async_graphql::Context;

use crate::{
    app::App,
    error::{Error, Result},
    viewer::{ClientInfo, Viewer},
};

pub mod errors;
pub mod id;
pub mod page;
pub mod scalar;
pub mod user;

/// What every resolver asks first.
pub trait ContextExt {
    /// The handles.
    fn app(&self) -> &App;
    /// Who asks.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for strangers.
    fn viewer(&self) -> Result<Viewer>;
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

    fn client(&self) -> ClientInfo {
        self.data_opt::<ClientInfo>().cloned().unwrap_or_default()
    }
}
