//! What a server serves, put together from the slices: the schema, who may come in, webhooks, downloads and
//! sign-in elsewhere. The program and the stories in `tests/it` serve the same.

use std::sync::Arc;

use super::Site;
use crate::{
    app::App,
    auth::{self, Auth},
    exports,
    schema::{self, Schema},
    transport::Limits,
    webhooks::{self, Intake},
};

/// All that is served, and what writes the inbox while it is.
pub fn site(
    app: &App,
    auth: &Auth,
) -> (Site<Schema, Auth>, impl Future<Output = ()> + Send + use<>) {
    let (intake, write) = Intake::new(app.clone());
    let site = Site {
        config: app.config.clone(),
        db: app.db.clone(),
        metrics: app.metrics.clone(),
        keys: app.keys.clone(),
        executor: schema::build(app, auth.clone()),
        door: auth.clone(),
        routes: webhooks::routes(app.clone(), intake)
            .merge(exports::routes(app.clone()))
            .merge(auth::routes(auth.clone())),
        limits: Arc::new(Limits::of(&app.config.wire)),
    };
    (site, write)
}
