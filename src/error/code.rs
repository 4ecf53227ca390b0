//! The codes of errors that stop a field or a whole request: `extensions.code`. What a mutation refuses comes in its
//! payload's `userErrors`, whose codes are in the schema. `docs/errors.md` tells clients what to do about each.

/// The code of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Nobody is signed in, or the token is not good any more.
    Unauthenticated,
    /// The person may not.
    Forbidden,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// An argument, a variable or the request itself is wrong.
    BadUserInput,
    /// The document cannot be read.
    ParseFailed,
    /// The document contradicts the schema or the language.
    ValidationFailed,
    /// The document asks for too much.
    QueryTooComplex,
    /// The client expects stored documents, which there are none of.
    PersistedQueryNotSupported,
    /// The cursor is of events that are not kept any more.
    CursorExpired,
    /// Too much is going on for this person already.
    RateLimited,
    /// It took too long.
    Timeout,
    /// The server, or who it asks, cannot do it now.
    Unavailable,
    /// Our bug.
    Internal,
}

impl Code {
    /// All there are.
    pub const ALL: [Self; 13] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::BadUserInput,
        Self::ParseFailed,
        Self::ValidationFailed,
        Self::QueryTooComplex,
        Self::PersistedQueryNotSupported,
        Self::CursorExpired,
        Self::RateLimited,
        Self::Timeout,
        Self::Unavailable,
        Self::Internal,
    ];

    /// As clients see it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::CursorExpired => "CURSOR_EXPIRED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL_SERVER_ERROR",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first cells of the rows that look so.
    fn rows(is_one: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let table = include_str!("../../docs/errors.md").lines();
        let cells = table.filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
        cells.filter(|cell| is_one(cell)).collect()
    }

    #[test]
    fn clients_are_told_of_every_code_and_of_no_other() {
        let told = rows(|cell| cell.starts_with('`'));
        let known = Code::ALL.map(|code| format!("`{}`", code.name()));
        assert_eq!(told, known);
    }

    #[test]
    fn clients_are_told_how_sockets_are_closed() {
        let sockets = [
            include_str!("../transport/ws/mod.rs"),
            include_str!("../transport/ws/session.rs"),
        ];
        let closes = sockets
            .iter()
            .flat_map(|text| text.split("End::close(").skip(1));
        let mut used: Vec<&str> = closes
            .filter_map(|rest| rest.split(',').next())
            .map(str::trim)
            .collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(rows(|cell| cell.parse::<u16>().is_ok()), used);
    }
}
