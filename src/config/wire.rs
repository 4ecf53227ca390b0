//! The settings that bound what clients may ask for.

use std::time::Duration;

use super::reader::Reader;

/// What clients may ask for at most, as far as an operator decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireConfig {
    /// `MAX_QUERY_COST`: what an operation may cost.
    pub query_cost: usize,
    /// `MAX_QUERY_DEPTH`: how deep fields may nest.
    pub query_depth: usize,
    /// `MAX_QUERY_BYTES`: the length of a document.
    pub query_bytes: usize,
    /// `MAX_BODY_BYTES`: the length of a request's body.
    pub body_bytes: usize,
    /// `MAX_CONNECTIONS`: connections at once.
    pub connections: usize,
    /// `MAX_CONNECTIONS_PER_ADDRESS`: those of one address.
    pub connections_per_address: usize,
    /// `MAX_OPERATIONS_PER_SOCKET`: operations running at once on one WebSocket.
    pub operations_per_socket: usize,
    /// `MAX_OPERATIONS_PER_USER`: those of one person, however she is connected.
    pub operations_per_user: usize,
    /// `OPERATION_TIMEOUT`: how long a query or mutation is waited for.
    pub operation_timeout: Duration,
    /// `INTROSPECTION`: whether the schema can be asked for.
    pub introspection: bool,
    /// `SUGGESTIONS`: whether an unknown name is answered with the one that was probably meant.
    pub suggestions: bool,
}

impl Default for WireConfig {
    fn default() -> Self {
        Self {
            query_cost: 5_000,
            query_depth: 15,
            query_bytes: 32 * 1024,
            body_bytes: 256 * 1024,
            connections: 20_000,
            connections_per_address: 1_000,
            operations_per_socket: 20,
            operations_per_user: 200,
            operation_timeout: Duration::from_secs(30),
            introspection: true,
            suggestions: true,
        }
    }
}

impl Reader {
    pub(super) fn wire(&mut self) -> WireConfig {
        let usual = WireConfig::default();
        let switch = [("on", true), ("off", false)];
        let config = WireConfig {
            query_cost: self.number("MAX_QUERY_COST", usual.query_cost, 100..=1_000_000),
            query_depth: self.number("MAX_QUERY_DEPTH", usual.query_depth, 5..=25),
            query_bytes: self.number("MAX_QUERY_BYTES", usual.query_bytes, 1_024..=1_048_576),
            body_bytes: self.number("MAX_BODY_BYTES", usual.body_bytes, 2_048..=16_777_216),
            connections: self.number("MAX_CONNECTIONS", usual.connections, 10..=1_000_000),
            connections_per_address: self.number(
                "MAX_CONNECTIONS_PER_ADDRESS",
                usual.connections_per_address,
                1..=1_000_000,
            ),
            operations_per_socket: self.number(
                "MAX_OPERATIONS_PER_SOCKET",
                usual.operations_per_socket,
                1..=1_000,
            ),
            operations_per_user: self.number(
                "MAX_OPERATIONS_PER_USER",
                usual.operations_per_user,
                1..=100_000,
            ),
            operation_timeout: self.duration("OPERATION_TIMEOUT", "30s"),
            introspection: self.choice("INTROSPECTION", usual.introspection, &switch),
            suggestions: self.choice("SUGGESTIONS", usual.suggestions, &switch),
        };
        if config.query_bytes > config.body_bytes {
            self.fault("MAX_BODY_BYTES", "use a number above MAX_QUERY_BYTES");
        }
        if config.operation_timeout > Duration::from_mins(10) {
            self.fault("OPERATION_TIMEOUT", "use a time up to 10m");
        }
        config
    }
}
