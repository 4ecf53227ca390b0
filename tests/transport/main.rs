//! GraphQL over the wire: a real server with a small schema of its own, real HTTP and real sockets.

#![expect(
    unreachable_pub,
    reason = "nothing of a test binary is reached from outside"
)]

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod http;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod running;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod server;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod support;
#[cfg(test)]
mod ws;
