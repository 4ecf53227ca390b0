//! Where people are on their way.

/// Everybody who is on the way.
#[derive(Debug, Default)]
pub(crate) struct Flows {}
