//! The journal of calls, for a test or a drill to look back on.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// One call that was answered, or should have been.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Call {
    pub(crate) at: DateTime<Utc>,
    pub(crate) endpoint: String,
    pub(crate) request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) member_guid: Option<String>,
    /// The cursor; with MX the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor_out: Option<String>,
    /// `OK`, or the error code; with MX its sentence.
    pub(crate) result: String,
    pub(crate) status: u16,
    /// The faults that were planted on this call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) faults: Vec<&'static str>,
    pub(crate) duration_ms: u64,
}
