//! The roots of the schema, merged from the slices.

use async_graphql::{MergedObject, MergedSubscription, SDLExportOptions, SchemaBuilder};

use crate::{
    accounts::AccountsQuery,
    admin::{AdminMutation, AdminQuery},
    app::App,
    auth::{Auth, AuthMutation, AuthQuery},
    deletion::DeletionMutation,
    exports::{ExportsMutation, ExportsQuery, ExportsSubscription},
    graphql::equip,
    linking::{CredentialsMutation, LinkingMutation, LinkingQuery, LinkingSubscription},
    rates::{Flights, RatesMutation, RatesQuery, RatesSubscription},
    sync::{SyncMutation, SyncSubscription},
};

/// What can be asked. Everything but `admin` is the viewer's own: another person's id answers as an unknown
/// one.
#[derive(Debug, Default, MergedObject)]
pub struct Query(
    AuthQuery,
    AccountsQuery,
    LinkingQuery,
    RatesQuery,
    ExportsQuery,
    AdminQuery,
);

/// What can be done. Every answer has `userErrors`, for what a person can act on.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    AuthMutation,
    LinkingMutation,
    CredentialsMutation,
    SyncMutation,
    RatesMutation,
    ExportsMutation,
    DeletionMutation,
    AdminMutation,
);

/// What can be followed. Every event of yours has a cursor: pass the last one as `after` to miss
/// nothing. Events are kept for a week; a cursor older than that answers `CURSOR_EXPIRED`: begin again
/// without `after`, and read what was missed in `transactionChanges`, whose cursors never expire.
/// Exchange rates have none: they begin with the newest.
#[derive(Debug, Default, MergedSubscription)]
pub struct Subscription(
    SyncSubscription,
    LinkingSubscription,
    RatesSubscription,
    ExportsSubscription,
);

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Builds the schema.
pub fn build(app: &App, auth: Auth) -> Schema {
    let schema = equip(bare(), app).data(auth).data(Flights::default());
    if app.config.wire.suggestions {
        schema.finish()
    } else {
        schema.disable_suggestions().finish()
    }
}

/// The schema in its own language: what `schema.graphql` holds, but for the newline at its end.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .include_specified_by()
        .prefer_single_line_descriptions()
        .sorted_enum_items()
        .use_space_ident()
        .indent_width(2);
    bare()
        .finish()
        .sdl_with_options(options)
        .trim_end()
        .to_owned()
}

fn bare() -> SchemaBuilder<Query, Mutation, Subscription> {
    async_graphql::Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
}

#[cfg(test)]
mod contract;
#[cfg(test)]
mod moments;
