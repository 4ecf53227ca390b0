//! Deleting an account: gone at once for its person, and in the end from everywhere.
//!
//! Promises: in the transaction that she asks for it in, she is signed out on all devices, her banks are
//! cut off from every sync, her address is free for a new account, and what remains to be done is a job.
//! The job takes her rows away in small batches, so that nobody else waits; has each provider let go,
//! however long that takes; and ends with no row that names her. Until then there is of her: her id, the
//! sealed tokens of banks that no provider has let go of yet, and, as long as an access token may live,
//! the ids of her sessions, so that a process that starts meanwhile knows that they are over.
//!
//! A job may die anywhere, since each step takes away what is there. One that is lost altogether is
//! asked for again.
//!
//! Refused: a time to think it over. Whoever wants her data back has exported them, and whoever wants
//! it gone means now; a leaked session cannot delete an account, since the password is asked for.

mod api;
mod delete_account;
mod job;
mod sweep;
mod tables;

pub use api::DeletionMutation;
pub use job::DeleteAccount;
pub use sweep::SweepDeletions;
