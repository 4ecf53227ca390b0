//! Stories over the wire: a real server, a real database, the sandbox as the bank.

mod architecture;
mod contract;
mod linking;
mod live;
mod sync;
mod webhooks;

mod support;
