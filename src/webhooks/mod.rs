//! Taking in what providers send: verify, remember, answer; the work comes after.
//!
//! Promises: a delivery is answered 200 only when it is on disk, and what it asks for with it, in
//! one transaction; the same delivery twice has one effect; one for an item that does not exist yet
//! is kept until it does; a forged one is answered 401 and leaves nothing behind. Deliveries that
//! come together are committed together, so that intake does not stop at one fsync a request.
//!
//! Refused: an error for what is genuine and strange. Providers stop sending to those who refuse
//! too much.

mod expire;
mod intake;
mod keep;
mod replay;
mod routes;

pub use expire::ExpireWebhooks;
pub use intake::Intake;
pub use replay::replay;
pub use routes::routes;
