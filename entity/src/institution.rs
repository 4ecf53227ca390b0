//! A bank, as its provider describes it.

use sea_orm::entity::prelude::*;

/// One row of `institutions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "institutions")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose institution it is.
    pub provider: super::item::Provider,
    /// The id the provider gave it. Unique per provider.
    pub provider_institution_id: String,
    /// Name for people.
    pub name: String,
    /// Home page.
    pub url: Option<String>,
    /// Brand colour, `#rrggbb`.
    pub primary_color: Option<String>,
    /// PNG, base64.
    pub logo: Option<String>,
    /// Where its logo is, if the provider tells an address instead.
    pub logo_url: Option<String>,
    /// Whether people sign in on the bank's own pages.
    pub oauth: bool,
    /// When we last asked the provider.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
