//! What the banks of the sandbox hold: institutions, test users, accounts, transactions. Pure data and pure functions; who linked what is in `world`.

pub(crate) mod accounts;
pub(crate) mod calendar;
pub(crate) mod custom;
pub(crate) mod history;
pub(crate) mod institutions;
pub(crate) mod login;
pub(crate) mod logo;
pub(crate) mod merchants;
pub(crate) mod opening;
pub(crate) mod purchase;
pub(crate) mod transaction;
