//! A sign-in at an issuer that is under way. Each step forgets what opened it: first there is a ticket,
//! then a state that one browser brings back, at last a code that one app redeems, and then no row.

use sea_orm::entity::prelude::*;

/// One row of `login_attempts`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_attempts")]
pub struct Model {
    /// Primary key, UUID version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The provider's name in the settings.
    pub provider: String,
    /// Where the browser is sent in the end, as it is registered.
    pub redirect_uri: String,
    /// The app's own challenge (S256): who redeems the code has to know what it was made of.
    pub code_challenge: String,
    /// Who wants to link an identity; absent where somebody signs in.
    pub user_id: Option<Uuid>,
    /// Hash of what opens our own address, once.
    pub ticket_hash: Option<String>,
    /// Hash of what the issuer sends back, once.
    pub state_hash: Option<String>,
    /// Hash of the cookie of the browser that was sent to the issuer.
    pub browser_hash: Option<String>,
    /// Hash of what the app redeems, once.
    pub code_hash: Option<String>,
    /// Sealed: what was sent to the issuer, later who it says the person is.
    pub sealed: Option<Vec<u8>>,
    /// After this the row opens nothing.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
