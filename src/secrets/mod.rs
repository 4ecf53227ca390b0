//! Sealed secrets under the first key. A server that was given a new key seals with it from its start;
//! what was sealed before is sealed anew by a job, a few rows at a time, beside everything else, or at
//! once by `passbook rekey`.
//!
//! With several replicas a new key is first the last one of each, which opens and does not seal, and then the first.
//! While some have one in front and some another, a secret may be moved to and fro, and opens for all of them.
//!
//! Promises: a row is written only as it was read, so that nobody's change is undone; it may be broken
//! off anywhere and goes on where it stands, since a row says itself which key it is under; a secret that
//! does not open stays as it is and is named in the log.

mod job;
mod rekey;

pub use job::Rekey;
pub use rekey::{Rekeyed, forget_other_keys, rekey};
