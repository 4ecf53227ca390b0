//! What the wire allows. One place for all figures, so that they can be read together.

use std::time::Duration;

use crate::config::WireConfig;

/// The most a client may ask for, and the longest it may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of a document.
    pub query: usize,
    /// Words and signs of a document.
    pub tokens: usize,
    /// Selections of a document with all its fragments spread out.
    pub fields: usize,
    /// How deep fields may nest; the introspection query of the reference implementation needs 15.
    pub depth: usize,
    /// Fields at the top of the operation that runs.
    pub root_fields: usize,
    /// Aliases in a document, and selections of one key in one place.
    pub aliases: usize,
    /// Directives on one field.
    pub directives_on_field: usize,
    /// Directives in a document.
    pub directives: usize,
    /// Arguments of one field, and variables of one operation.
    pub arguments: usize,
    /// Entries of one list or object in an argument or a variable.
    pub entries: usize,
    /// Errors in one answer; the rest is cut.
    pub errors: usize,
    /// Whether the schema can be asked for.
    pub introspection: bool,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How long a query may run, and a mutation is waited for.
    pub execution_time: Duration,
    /// Bytes of a message on a socket.
    pub message: usize,
    /// Messages a second on a socket, and how many of them may come at once.
    pub pace: (u32, u32),
    /// Operations running at once on a socket.
    pub operations: usize,
    /// Operations of one person running at once, however she is connected.
    pub operations_per_user: usize,
    /// How long a socket may wait with `connection_init`.
    pub init_time: Duration,
    /// How often a socket is pinged.
    pub ping_every: Duration,
    /// How long a socket may say nothing at all, not even answer a ping.
    pub silence: Duration,
    /// How long an answer or a message may wait for a client that takes nothing of it.
    pub stall: Duration,
    /// Bytes a second of an answer that a client has to take: slower is no network in use.
    pub answer_rate: u32,
    /// How long a closed socket is given to say goodbye.
    pub farewell: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once.
    pub connections_per_address: usize,
    /// How long the head of a request may take to arrive.
    pub head_time: Duration,
    /// How long a connection may rest between two requests.
    pub rest_time: Duration,
    /// How long a server that stops waits for what it has begun: less than the process has to end, so
    /// that it can still say what was left.
    pub drain: Duration,
}

impl Limits {
    /// The limits an operator has decided, among those that are the same everywhere.
    pub fn of(config: &WireConfig) -> Self {
        Self {
            body: config.body_bytes,
            query: config.query_bytes,
            tokens: 4_000,
            fields: 2_000,
            depth: config.query_depth,
            root_fields: 20,
            aliases: 50,
            directives_on_field: 10,
            directives: 50,
            arguments: 100,
            entries: 500,
            errors: 20,
            introspection: config.introspection,
            body_time: Duration::from_secs(30),
            execution_time: config.operation_timeout,
            message: 64 * 1024,
            pace: (50, 250),
            operations: config.operations_per_socket,
            operations_per_user: config.operations_per_user,
            init_time: Duration::from_secs(5),
            ping_every: Duration::from_secs(12),
            silence: Duration::from_secs(30),
            stall: Duration::from_secs(10),
            answer_rate: 8 * 1024,
            farewell: Duration::from_secs(2),
            connections: config.connections,
            connections_per_address: config.connections_per_address,
            head_time: Duration::from_secs(10),
            rest_time: Duration::from_secs(75),
            drain: Duration::from_secs(8),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of(&WireConfig::default())
    }
}

/// Mutations that take a password, a code or a token that is one, or send a mail to anybody. An operation holds at most
/// one of them, so that guesses cost a request each.
pub(super) const CREDENTIAL_FIELDS: &[&str] = &[
    "register",
    "login",
    "completeLogin",
    "refreshSession",
    "changePassword",
    "changeEmail",
    "startSocialLogin",
    "completeSocialLogin",
    "linkIdentity",
    "deleteAccount",
    "requestPasswordReset",
    "resetPassword",
    "verifyEmail",
    "enableTotp",
    "confirmTotp",
    "disableTotp",
    "regenerateRecoveryCodes",
];

/// What asks for the schema.
pub(super) const INTROSPECTION_FIELDS: &[&str] = &["__schema", "__type"];

/// The long lists in it. Types have fields, which have types, so each list within another multiplies
/// the answer; two are all that tools need.
pub(super) const INTROSPECTION_LISTS: &[&str] = &[
    "types",
    "fields",
    "interfaces",
    "possibleTypes",
    "inputFields",
];

/// What works without an access token. Clients send the token they have with every request; if it
/// has run out, exactly these must still be possible, or nobody could refresh it.
pub(super) const OPEN_FIELDS: &[&str] = &[
    "register",
    "login",
    "completeLogin",
    "refreshSession",
    "logout",
    "requestPasswordReset",
    "resetPassword",
    "verifyEmail",
    "startSocialLogin",
    "completeSocialLogin",
    "__typename",
];

#[cfg(test)]
mod tests {
    use async_graphql::parser::{
        parse_schema,
        types::{TypeKind, TypeSystemDefinition},
    };

    use super::*;

    /// A bank's, and one that opens nothing.
    const OTHERS: [&str; 2] = ["exchangePublicToken", "logout"];

    #[test]
    fn every_mutation_that_takes_a_secret_is_one_whose_guesses_cost_a_request_each() {
        let schema = parse_schema(include_str!("../../schema.graphql")).unwrap();
        let types: Vec<_> = schema
            .definitions
            .iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(found) => Some(&found.node),
                _ => None,
            })
            .collect();
        let named = |name: &str| {
            let found = types.iter().find(|one| one.name.node == name);
            found.map(|found| &found.kind)
        };
        let Some(TypeKind::Object(mutation)) = named("Mutation") else {
            panic!("mutations are fields of an object")
        };
        let is_secret = |name: &str| {
            let name = name.to_lowercase();
            name == "code" || name.ends_with("password") || name.ends_with("token")
        };
        for field in &mutation.fields {
            let name = field.node.name.node.as_str();
            let secret = field.node.arguments.iter().any(|argument| {
                let kind = argument.node.ty.node.to_string();
                match named(kind.trim_end_matches('!')) {
                    Some(TypeKind::InputObject(input)) => input
                        .fields
                        .iter()
                        .any(|field| is_secret(&field.node.name.node)),
                    _ => is_secret(&argument.node.name.node),
                }
            });
            let listed = CREDENTIAL_FIELDS.contains(&name);
            assert!(!secret || listed || OTHERS.contains(&name), "{name}");
        }
        for name in CREDENTIAL_FIELDS {
            let mut fields = mutation.fields.iter();
            assert!(fields.any(|field| field.node.name.node == *name), "{name}");
        }
    }
}
