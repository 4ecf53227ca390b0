//! The connection statuses: MX's numbers for them, what it says to the person, and which of them it sends a webhook about.
//! Numbers as in MX's own connect widget (`src/const/Statuses.js`), meanings as on its page on members.

/// A status, its number, and the sentence a person may be shown; `{}` stands for the bank's name.
type Known = (&'static str, i64, &'static str);

static KNOWN: [Known; 22] = [
    ("CREATED", 0, "Connecting to {} …"),
    (
        "PREVENTED",
        1,
        "The last three attempts to connect have failed. Enter your credentials again to go on.",
    ),
    (
        "DENIED",
        2,
        "The credentials do not match those at {}. Enter them again to go on.",
    ),
    (
        "CHALLENGED",
        3,
        "To authenticate your connection to {}, answer what it asks.",
    ),
    ("REJECTED", 4, "The answer was not correct. Try again."),
    (
        "LOCKED",
        5,
        "Your account is locked. Sign in at {}'s own site and follow what it says there.",
    ),
    ("CONNECTED", 6, "Connected to {}."),
    (
        "IMPEDED",
        7,
        "Your attention is needed at {}'s own site. Sign in there and follow what it says.",
    ),
    ("RECONNECTED", 8, "Connecting to {} …"),
    (
        "DEGRADED",
        9,
        "We are upgrading this connection. Try again later.",
    ),
    (
        "DISCONNECTED",
        10,
        "It looks like your data from {} cannot be imported. We are working on it.",
    ),
    (
        "DISCONTINUED",
        11,
        "Connections to {} are no longer supported.",
    ),
    ("CLOSED", 12, "This connection has been closed."),
    (
        "DELAYED",
        13,
        "Importing your data from {} may take a while. Check back later.",
    ),
    (
        "FAILED",
        14,
        "There was a problem with the connection to {}. Try again later.",
    ),
    ("UPDATED", 15, "Connecting to {} …"),
    ("DISABLED", 16, "Importing data from {} has been disabled."),
    (
        "IMPORTED",
        17,
        "You must authenticate this connection again before it can import.",
    ),
    ("RESUMED", 18, "Connecting to {} …"),
    (
        "EXPIRED",
        19,
        "The answer was not given in time. Try again.",
    ),
    (
        "IMPAIRED",
        20,
        "You must authenticate this connection again before it can import.",
    ),
    ("PENDING", 21, "Finish signing in at {}."),
];

/// A status by its name, if MX knows it.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    KNOWN
        .iter()
        .map(|known| known.0)
        .find(|known| *known == name)
}

/// MX's number; null for a status it does not know.
pub(crate) fn number(name: Option<&str>) -> Option<i64> {
    KNOWN
        .iter()
        .find(|known| Some(known.0) == name)
        .map(|known| known.1)
}

pub(crate) fn message(name: Option<&str>, bank: &str) -> Option<String> {
    let known = KNOWN.iter().find(|known| Some(known.0) == name)?;
    Some(known.2.replace("{}", bank))
}

/// Whether entering it sets off a `CONNECTION_STATUS` webhook: only what a person can do something about.
pub(crate) fn is_told(name: &str) -> bool {
    [
        "CHALLENGED",
        "DENIED",
        "EXPIRED",
        "IMPAIRED",
        "IMPEDED",
        "LOCKED",
        "PREVENTED",
        "REJECTED",
    ]
    .contains(&name)
}

/// Whether there is nothing MX could sign in with, or nothing it will.
pub(crate) fn is_resting(name: Option<&str>) -> bool {
    matches!(
        name,
        None | Some(
            "PREVENTED"
                | "PENDING"
                | "IMPORTED"
                | "IMPAIRED"
                | "DISCONTINUED"
                | "CLOSED"
                | "DISABLED"
        )
    )
}

/// Whether the person has to enter credentials before anything can go on.
pub(crate) fn wants_credentials(name: Option<&str>) -> bool {
    matches!(name, Some("PREVENTED" | "DENIED" | "IMPORTED" | "IMPAIRED"))
}
