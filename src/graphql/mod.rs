//! What the API is about: the object types and their loaders. They read rows by key and decide
//! nothing; the slices above decide and return them. Types point at each other freely, which is why
//! they share one room. A column is public only where a type here says so.

use async_graphql::Context;

use crate::{
    app::App,
    error::{Error, Result},
    viewer::Viewer,
};

pub mod errors;
pub mod id;
pub mod nulls;
pub mod page;
pub mod scalar;

/// What every resolver asks first.
pub trait ContextExt {
    /// The handles.
    fn app(&self) -> &App;
    /// Who asks.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for strangers.
    fn viewer(&self) -> Result<Viewer>;
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
}
