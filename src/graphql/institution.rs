//! A bank.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use entity::institution;

use super::{ContextExt, id, item::Provider};
use crate::{error::Result, providers};

/// What asking a provider weighs: as much as some fields of our own.
const ASKING: usize = 10;

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

    /// Who connects this server to it.
    async fn provider(&self) -> Provider {
        self.0.provider.into()
    }

    /// The provider's own id of it: what `linkInstitution` takes as `institutionCode`.
    async fn code(&self) -> &str {
        &self.0.provider_institution_id
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

    /// Where its logo is, if the provider tells an address instead of a picture.
    async fn logo_url(&self) -> Option<&str> {
        self.0.logo_url.as_deref()
    }

    /// Whether people sign in on the bank's own pages rather than in Link or in your app.
    async fn oauth(&self) -> bool {
        self.0.oauth
    }

    /// What the bank asks for when a person signs in, in its order; empty if your app is not to ask.
    /// The provider is asked for it, so ask for it when a person has chosen a bank.
    #[graphql(complexity = "ASKING * (child_complexity + 1)")]
    async fn credential_fields(&self, ctx: &Context<'_>) -> Result<Vec<CredentialField>> {
        ctx.viewer()?;
        let fields = ctx.loaders().credential_fields.load_one(self.0.id).await?;
        let fields = fields.unwrap_or_default().into_iter();
        Ok(fields.map(CredentialField::from).collect())
    }
}

/// One thing a bank asks for when a person signs in.
#[derive(Clone, Debug, SimpleObject)]
pub struct CredentialField {
    /// What to pass as `fieldId`.
    pub id: ID,
    /// The provider's name for it, such as `LOGIN` or `PASSWORD`.
    pub name: String,
    /// What to show the person.
    pub label: String,
    /// How it is typed.
    pub kind: CredentialKind,
}

/// How something that a bank asks for is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "providers::CredentialKind")]
pub enum CredentialKind {
    /// In the open.
    Text,
    /// Hidden.
    Password,
    /// In a way that is not known here: in the open, if nothing better offers itself.
    Other,
}

impl From<providers::CredentialField> for CredentialField {
    fn from(field: providers::CredentialField) -> Self {
        Self {
            id: ID(field.id),
            name: field.name,
            label: field.label,
            kind: field.kind.into(),
        }
    }
}
