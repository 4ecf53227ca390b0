//! A bank.

use std::sync::Arc;

use async_graphql::{ID, Object};
use entity::institution;

use super::id;

/// A bank, or another place that keeps accounts, as the provider describes it.
#[derive(Clone, Debug)]
pub struct Institution(pub Arc<institution::Model>);

impl From<institution::Model> for Institution {
    fn from(row: institution::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// A bank, or another place that keeps accounts, as the provider describes it.
#[Object]
impl Institution {
    /// The institution's id.
    pub(crate) async fn id(&self) -> ID {
        id::encode(id::INSTITUTION, self.0.id)
    }

    /// Its name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its home page.
    async fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// The colour of its brand, `#rrggbb`.
    async fn primary_color(&self) -> Option<&str> {
        self.0.primary_color.as_deref()
    }

    /// Its logo, a PNG in base64: put `data:image/png;base64,` in front of it to show it.
    async fn logo(&self) -> Option<&str> {
        self.0.logo.as_deref()
    }

    /// Whether people sign in on the bank's own pages rather than in Link.
    async fn oauth(&self) -> bool {
        self.0.oauth
    }
}
