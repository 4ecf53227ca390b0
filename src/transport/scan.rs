//! A look over a document before it is parsed: how many words and signs it has, how long its names are
//! and how deep its brackets go. Parsing costs a hundred times as much.

use super::{fault::Fault, limits::Limits};

/// Brackets within each other. Selections nest less than half as deep, and values hardly.
const NESTING: usize = 64;

/// Letters of a name.
const NAME: usize = 128;

/// What a document consists of, as far as that is seen in one pass.
#[derive(Default)]
struct Seen {
    tokens: usize,
    depth: usize,
    deepest: usize,
    longest: usize,
}

/// Refuses a document that is not worth parsing.
pub(super) fn scan(document: &str, limits: &Limits) -> Result<(), Fault> {
    let bytes = document.len();
    if bytes > limits.query {
        let most = limits.query;
        return Err(Fault::too_complex(format!(
            "The document has {bytes} bytes: send at most {most}."
        )));
    }
    let seen = look(document.as_bytes());
    let (tokens, most) = (seen.tokens, limits.tokens);
    if tokens > most {
        return Err(Fault::too_complex(format!(
            "The document has {tokens} words and signs: send at most {most}."
        )));
    }
    if seen.deepest > NESTING {
        return Err(Fault::too_complex(format!(
            "Brackets nest at most {NESTING} deep."
        )));
    }
    if seen.longest > NAME {
        return Err(Fault::too_complex(format!(
            "A name has at most {NAME} letters."
        )));
    }
    Ok(())
}

fn look(mut rest: &[u8]) -> Seen {
    let mut seen = Seen::default();
    while let Some((&first, after)) = rest.split_first() {
        let length = match first {
            b'#' => until(rest, |byte| byte == b'\n'),
            b'"' => string(rest),
            b if is_name(b) => until(rest, |byte| !is_name(byte)),
            _ => 1,
        };
        match first {
            b'{' | b'[' | b'(' => {
                seen.depth += 1;
                seen.deepest = seen.deepest.max(seen.depth);
            }
            b'}' | b']' | b')' => seen.depth = seen.depth.saturating_sub(1),
            b if is_name(b) => seen.longest = seen.longest.max(length),
            _ => {}
        }
        let counts = !matches!(first, b'#' | b',' | b' ' | b'\t' | b'\n' | b'\r');
        seen.tokens += usize::from(counts);
        rest = rest.get(length..).unwrap_or(after);
    }
    seen
}

/// Digits too: how a number begins does not matter here.
fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn until(bytes: &[u8], end: impl Fn(u8) -> bool) -> usize {
    let length = bytes.iter().position(|byte| end(*byte));
    length.unwrap_or(bytes.len())
}

/// The length of a string that begins here, to the end of the document if it has no other.
fn string(bytes: &[u8]) -> usize {
    let quotes: &[u8] = if bytes.starts_with(b"\"\"\"") {
        b"\"\"\""
    } else {
        b"\""
    };
    let mut at = quotes.len();
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(quotes) {
            return at + quotes.len();
        }
        at += if rest.starts_with(b"\\") { 2 } else { 1 };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_signs_are_counted_and_the_rest_is_not() {
        let table = [
            ("", 0, 0, 0),
            ("{ hello }", 3, 1, 5),
            ("{a(b:[1,2.5],c:\"}{\"){d}}# {{{", 19, 3, 1),
            ("\"\"\" \" { \\\"\"\" { \"\"\" {", 2, 1, 0),
            ("\"a\\\"{\" }", 2, 0, 0),
            ("\"never ends {{{", 1, 0, 0),
            ("\"ends in a \\", 1, 0, 0),
            ("}}}{", 4, 1, 0),
            ("\u{feff}é", 5, 0, 0),
        ];
        for (document, tokens, deepest, longest) in table {
            let seen = look(document.as_bytes());
            let found = (seen.tokens, seen.deepest, seen.longest);
            assert_eq!(found, (tokens, deepest, longest), "{document}");
        }
    }
}
