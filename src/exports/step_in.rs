//! Exports that an administrator steps in about: the job is given out again, and the export that its person
//! sees with it.

use entity::job;

use super::{
    export_data::{queue, under_way},
    job::WriteExport,
    store,
};
use crate::{
    app::App,
    database::Txn,
    error::{Error, Result},
    jobs,
};

/// Gives an export that was given up out again; whether that could be done. It cannot while its person has
/// another under way, nor once a month has taken it.
pub(crate) async fn retry(txn: &mut Txn, app: &App, row: &job::Model) -> Result<bool> {
    let payload = row.payload.clone();
    let job: WriteExport = serde_json::from_value(payload).map_err(Error::internal)?;
    queue(txn, job.user_id).await?;
    if under_way(txn, job.user_id).await?.is_some() {
        return Ok(false);
    }
    Ok(jobs::retry(txn, app, row.id).await? && store::reopen(txn, app, job.data_export_id).await?)
}
