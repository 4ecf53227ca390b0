//! The archive: a zip that is written from front to back, whose bytes are taken out as they come. Writing
//! compresses, which takes a processor for a while, so it is done beside the runtime.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest;
use chrono::{DateTime, Datelike, Timelike, Utc};
use zip::{
    ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use crate::{
    error::{Error, Result},
    graphql::{data_export::DataExportFile, scalar::BigInt},
    seal::hex,
};

/// An archive that is being written.
pub(super) struct Archive {
    // Boxed, since it is large and goes from hand to hand.
    zip: Box<ZipWriter<StreamWriter<Spill>>>,
    spill: Spill,
    options: SimpleFileOptions,
    open: Option<Open>,
    files: Vec<DataExportFile>,
}

/// The file that is being written.
struct Open {
    name: String,
    size: usize,
    hash: digest::Context,
}

/// What was written and not taken yet.
#[derive(Clone, Default)]
struct Spill(Arc<Mutex<Vec<u8>>>);

impl Spill {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Spill {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Archive {
    /// An archive whose files are of this moment.
    pub(super) fn new(at: DateTime<Utc>) -> Self {
        let spill = Spill::default();
        let options = SimpleFileOptions::default()
            .last_modified_time(dos(at))
            .unix_permissions(0o600);
        Self {
            zip: Box::new(ZipWriter::new_stream(spill.clone())),
            spill,
            options,
            open: None,
            files: Vec::new(),
        }
    }

    /// Begins a file.
    pub(super) fn begin(&mut self, name: String) -> Result<()> {
        let begun = self.zip.start_file(name.as_str(), self.options);
        begun.map_err(Error::internal)?;
        self.open = Some(Open {
            name,
            size: 0,
            hash: digest::Context::new(&digest::SHA256),
        });
        Ok(())
    }

    /// Goes on with the file.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(open) = &mut self.open {
            open.size += bytes.len();
            open.hash.update(bytes);
        }
        self.zip.write_all(bytes).map_err(Error::internal)
    }

    /// Ends the file, which holds so many records.
    pub(super) fn end(&mut self, rows: usize) -> Result<()> {
        let count = |number: usize| i64::try_from(number).map(BigInt).map_err(Error::internal);
        if let Some(open) = self.open.take() {
            self.files.push(DataExportFile {
                name: open.name,
                size: count(open.size)?,
                sha256: hex(open.hash.finish().as_ref()),
                rows: count(rows)?,
            });
        }
        Ok(())
    }

    /// The checksums of the files so far, in the form that `sha256sum -c` reads; and how many.
    pub(super) fn sums(&self) -> (String, usize) {
        let lines = self
            .files
            .iter()
            .map(|file| format!("{}  {}\n", file.sha256, file.name));
        (lines.collect(), self.files.len())
    }

    /// The files so far.
    pub(super) fn files(&self) -> &[DataExportFile] {
        &self.files
    }

    /// What was written since it was last taken.
    pub(super) fn take(&self) -> Vec<u8> {
        self.spill.take()
    }

    /// Ends the archive; its last bytes, and what is in it.
    pub(super) fn finish(self) -> Result<(Vec<u8>, Vec<DataExportFile>)> {
        self.zip.finish().map_err(Error::internal)?;
        Ok((self.spill.take(), self.files))
    }
}

/// The time as archives have it: two seconds exact, and without a zone.
fn dos(at: DateTime<Utc>) -> zip::DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let (month, day) = (small(at.month()), small(at.day()));
    let (hour, minute, second) = (small(at.hour()), small(at.minute()), small(at.second()));
    zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}
