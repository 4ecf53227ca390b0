//! Copies of everything the server holds about a person.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use entity::data_export;
use serde::{Deserialize, Serialize};

use super::{
    ContextExt, id,
    scalar::{BigInt, DateTime},
};
use crate::{
    app::App,
    error::{Error, Result},
    signed_url,
};

/// Where archives are downloaded.
pub const PATH: &str = "/exports";

/// A copy of everything the server holds about you, in one zip archive.
#[derive(Clone, Debug)]
pub struct DataExport(pub Arc<data_export::Model>);

impl From<data_export::Model> for DataExport {
    fn from(row: data_export::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// A copy of everything the server holds about you, in one zip archive.
#[Object]
impl DataExport {
    /// The export's id.
    pub(crate) async fn id(&self) -> ID {
        id::encode(id::DATA_EXPORT, self.0.id)
    }

    /// Where it stands.
    async fn status(&self, ctx: &Context<'_>) -> DataExportStatus {
        status(ctx.app(), &self.0)
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was ready or given up.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    /// When the archive is deleted: a day after it was ready.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// How large the archive is, in bytes; absent until it is ready.
    async fn size(&self) -> Option<BigInt> {
        self.0.size.map(BigInt)
    }

    /// What is in the archive; empty until it is ready.
    async fn files(&self) -> Result<Vec<DataExportFile>> {
        match &self.0.files {
            Some(files) => serde_json::from_value(files.clone()).map_err(Error::internal),
            None => Ok(Vec::new()),
        }
    }

    /// Where the archive can be downloaded, without a token in a header. Made anew each time it is asked
    /// for: good for five minutes, until you sign out, and only as long as the status is `READY`. Whoever
    /// has it has the archive: send the browser there and keep it nowhere.
    async fn download_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let (app, viewer) = (ctx.app(), ctx.viewer()?);
        if status(app, &self.0) != DataExportStatus::Ready {
            return Ok(None);
        }
        let id = id::encode(id::DATA_EXPORT, self.0.id);
        let query = signed_url::sign(&app.keys, &id, viewer, app.clock.now())?;
        Ok(Some(format!("{}{PATH}/{}?{query}", app.public_url, *id)))
    }
}

/// Where an export stands at this moment: it expires by the clock and not when somebody cleans up.
fn status(app: &App, row: &data_export::Model) -> DataExportStatus {
    let over = row.expires_at.is_some_and(|at| at <= app.clock.now());
    match row.status {
        data_export::DataExportStatus::Ready if over => DataExportStatus::Expired,
        status => status.into(),
    }
}

/// Where an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "data_export::DataExportStatus")]
pub enum DataExportStatus {
    /// It has not begun yet, or begins again after a failure.
    Queued,
    /// It is being written.
    Running,
    /// It can be downloaded.
    Ready,
    /// It was given up: ask for another.
    Failed,
    /// Its archive is deleted: ask for another.
    Expired,
}

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
pub struct DataExportFile {
    /// Its name in the archive.
    pub name: String,
    /// How large it is when it is unpacked, in bytes.
    pub size: BigInt,
    /// The SHA-256 of its content, in lower-case hex.
    pub sha256: String,
    /// How many records it holds, the header of a CSV file not among them.
    pub rows: BigInt,
}
