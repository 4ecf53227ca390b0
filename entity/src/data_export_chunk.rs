//! A piece of the archive of an export.

use sea_orm::entity::prelude::*;

/// One row of `data_export_chunks`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_export_chunks")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose data it is.
    pub user_id: Uuid,
    /// The export.
    pub data_export_id: Uuid,
    /// Its place in the archive, from 0. Unique per export.
    pub number: i32,
    /// The bytes, sealed.
    pub body: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
