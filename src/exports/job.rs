//! The job that writes an archive: table by table, each twice, out of one snapshot of the database. An
//! attempt begins from nothing and takes away what an earlier one has left.

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use entity::data_export;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::spawn_blocking};
use uuid::Uuid;

use super::{
    archive::Archive,
    cell::{Cell, Format},
    contents::files,
    store::{self, Finished, PIECE},
    table::Records,
};
use crate::{
    app::App,
    database::Txn,
    error::{Error, Result},
    graphql::{data_export::DataExportFile, id},
    jobs::{Claim, Failure, Job},
};

/// How long an archive can be downloaded.
pub(super) const KEPT: TimeDelta = TimeDelta::days(1);

/// One snapshot at a time in a process: each holds a connection for reading, and SQLite has four.
static TURN: Semaphore = Semaphore::const_new(1);

/// Writes the archive of an export.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct WriteExport {
    /// The export.
    pub data_export_id: Uuid,
    /// Whose data it is.
    pub user_id: Uuid,
}

#[async_trait]
impl Job for WriteExport {
    const KIND: &'static str = "exports.write";
    const MAX_ATTEMPTS: i32 = 5;

    fn key(&self) -> String {
        self.data_export_id.to_string()
    }

    fn user_id(&self) -> Option<Uuid> {
        Some(self.user_id)
    }

    fn concurrency_key(&self) -> Option<String> {
        // Never all of a process's slots, which the banks want too.
        Some(Self::KIND.to_owned())
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let _turn = TURN.acquire().await.map_err(Error::internal)?;
        let Some(export) = store::begin(app, claim, self.data_export_id).await? else {
            return Ok(());
        };
        let taken_at = app.clock.now();
        let moment = app.db.snapshot().await?;
        let mut pieces = Pieces {
            app,
            claim,
            export: &export,
            waiting: Vec::new(),
            kept: 0,
            size: 0,
        };
        let mut archive = Archive::new(taken_at);
        for format in [Format::Csv, Format::Ndjson] {
            for file in files() {
                archive = pieces.write(archive, &moment, &*file, format).await?;
            }
        }
        drop(moment);
        let files = pieces.finish(archive, taken_at).await?;
        let size = pieces.size;
        let finished = Finished {
            size,
            files,
            expires_at: app.clock.now() + KEPT,
        };
        store::finish(app, claim, export, finished).await?;
        tracing::info!(data_export.id = %self.data_export_id, size, "an export is ready");
        Ok(())
    }

    async fn failed(&self, app: &App, txn: &mut Txn, failure: &Failure) -> Result<()> {
        let over = failure.retry_at.is_none();
        store::set_back(txn, app, self.data_export_id, over).await
    }
}

/// The pieces of an archive, kept as it grows.
struct Pieces<'a> {
    app: &'a App,
    claim: &'a Claim,
    export: &'a data_export::Model,
    /// What is not kept yet: less than a piece.
    waiting: Vec<u8>,
    /// How many are kept.
    kept: usize,
    /// Bytes of the archive so far.
    size: usize,
}

impl Pieces<'_> {
    /// Writes a file of the archive out of a snapshot.
    async fn write(
        &mut self,
        mut archive: Archive,
        moment: &DatabaseTransaction,
        file: &dyn Records,
        format: Format,
    ) -> Result<Archive> {
        let names = file.fields();
        archive.begin(format!("{}.{}", file.name(), format.suffix()))?;
        archive.write(&format.head(&names)?)?;
        let (mut place, mut count) = (None, 0);
        loop {
            let (records, next) = file.page(moment, self.export.user_id, place).await?;
            count += records.len();
            archive = compress(archive, format, names.clone(), records).await?;
            self.keep(archive.take(), false).await?;
            place = next;
            if place.is_none() {
                archive.end(count)?;
                return Ok(archive);
            }
        }
    }

    /// Ends the archive with what says what is in it.
    async fn finish(
        &mut self,
        mut archive: Archive,
        at: DateTime<Utc>,
    ) -> Result<Vec<DataExportFile>> {
        let manifest = Manifest {
            format: "passbook-export-1",
            data_export_id: id::encode(id::DATA_EXPORT, self.export.id).0,
            user_id: id::encode(id::USER, self.export.user_id).0,
            taken_at: at.to_rfc3339_opts(SecondsFormat::Micros, true),
            notes: NOTES,
            files: archive.files(),
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(Error::internal)?;
        archive.begin("manifest.json".to_owned())?;
        archive.write(&text)?;
        archive.end(1)?;
        let (sums, count) = archive.sums();
        archive.begin("SHA256SUMS".to_owned())?;
        archive.write(sums.as_bytes())?;
        archive.end(count)?;
        let (rest, files) = archive.finish()?;
        self.keep(rest, true).await?;
        Ok(files)
    }

    /// Keeps whole pieces; at the end the rest too.
    async fn keep(&mut self, bytes: Vec<u8>, last: bool) -> Result<()> {
        self.size += bytes.len();
        self.waiting.extend(bytes);
        let whole = self.waiting.len() / PIECE * PIECE;
        let end = if last { self.waiting.len() } else { whole };
        if end == 0 {
            return Ok(());
        }
        let rest = self.waiting.split_off(end);
        let pieces: Vec<&[u8]> = self.waiting.chunks(PIECE).collect();
        store::keep(self.app, self.claim, self.export, self.kept, &pieces).await?;
        self.kept += pieces.len();
        self.waiting = rest;
        Ok(())
    }
}

/// Adds records to an archive, beside the runtime: it takes a processor for a while.
async fn compress(
    mut archive: Archive,
    format: Format,
    names: Vec<&'static str>,
    records: Vec<Vec<Cell>>,
) -> Result<Archive> {
    let work = spawn_blocking(move || {
        archive.write(&format.lines(&names, records)?)?;
        Ok(archive)
    });
    work.await.map_err(Error::internal)?
}

/// What is in an archive, and whose it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    format: &'static str,
    data_export_id: String,
    user_id: String,
    /// All files show this moment.
    taken_at: String,
    notes: &'static [&'static str],
    files: &'a [DataExportFile],
}

/// What a reader of the files has to know.
const NOTES: &[&str] = &[
    "Every file is here twice with the same records: as CSV (RFC 4180, UTF-8, the first row has the names) and as NDJSON (a JSON object on each line).",
    "An amount is exact. Negative leaves the account and positive enters it, with every bank. A balance of a card or a loan is positive when it is owed.",
    "In CSV whatever a spreadsheet would run as a formula has an apostrophe before it, at the beginning of a text or within it, which is not the bank's; NDJSON has every text as it is.",
    "Moments are in UTC, days are the bank's own. Ids are those of the API. `removed_transactions` are what banks took back or what went with a removed bank: only ids are kept of them.",
    "Passwords, tokens and what a bank was signed in with are not here. `rows` counts records, `size` bytes, `sha256` is of the file as unpacked; `sha256sum -c SHA256SUMS` checks them all.",
];
