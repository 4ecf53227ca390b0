//! Copies of everything the server holds about a person: asked for, written in the background, and
//! downloaded for a day.
//!
//! Promises: all files of an archive show one moment; an archive is there whole or not at all, however
//! often its writer died; its bytes are in the database in pieces that are sealed as bank logins are, so
//! that every replica can serve them and nothing stands in clear beside it; memory does not grow with
//! what is exported. An address to download opens one archive for one session, for minutes.
//!
//! What is a secret is in no file: no password or its hash, no token, nothing that tokens are made of.
//!
//! Refused: files on the disk of the replica that wrote them, which no other could serve and a backup
//! of the disk would keep; an archive made while it is downloaded, which holds a snapshot of the
//! database for as long as the slowest client takes.

mod api;
mod archive;
mod cell;
mod contents;
mod expire;
mod export_data;
mod job;
mod routes;
mod step_in;
mod store;
mod table;

pub use api::{ExportsMutation, ExportsQuery, ExportsSubscription};
pub use expire::ExpireExports;
pub use job::WriteExport;
pub use routes::routes;
pub(crate) use step_in::retry;
