//! GraphQL over the wire: a real server with a small schema of its own, real HTTP and real sockets.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod http;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod server;
#[cfg(test)]
mod support;
#[cfg(test)]
mod ws;
