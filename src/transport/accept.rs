//! Which media type an answer has.

use std::cmp::Ordering;

use axum::http::{HeaderMap, HeaderValue, header};

/// The two media types of an answer that is one JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: a request that did not run has a status that says so.
    GraphQl,
    /// `application/json`: what clients knew before; an answer that is well-formed has status 200.
    Json,
}

/// The two shapes of an answer that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// `text/event-stream`, in the protocol of graphql-sse with a connection for each operation.
    Events,
    /// `multipart/mixed;subscriptionSpec=1.0`, Apollo's protocol of subscriptions over HTTP.
    Parts,
}

/// What the client would have; the best of each sort, if any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) media: Option<Media>,
    pub(super) framing: Option<Framing>,
}

impl Media {
    /// The type without parameters.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::GraphQl => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }

    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

impl Accepted {
    /// Reads what a request accepts.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut ranges = Vec::new();
        for value in headers.get_all(header::ACCEPT) {
            let texts = value.to_str().unwrap_or("unreadable").split(',');
            ranges.extend(texts.filter_map(Range::read));
        }
        if ranges.is_empty() {
            let media = Some(Media::Json);
            return Self {
                media,
                framing: None,
            };
        }
        Self {
            media: media(&ranges),
            framing: framing(&ranges),
        }
    }
}

/// One of the media types of an `Accept`.
struct Range {
    name: String,
    /// How much it is wanted, in thousandths.
    weight: u16,
    /// Whether it is of Apollo's protocol; iOS, Kotlin and the browsers quote it or do not.
    subscription: bool,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let mut range = Self {
            name: name.to_ascii_lowercase(),
            weight: 1000,
            subscription: false,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim_end().to_ascii_lowercase().as_str() {
                "q" => range.weight = thousandths(value),
                "subscriptionspec" => range.subscription = value.trim().trim_matches('"') == "1.0",
                _ => {}
            }
        }
        Some(range)
    }
}

fn media(ranges: &[Range]) -> Option<Media> {
    let (named, modern) = quality(ranges, Media::GraphQl);
    let (_, legacy) = quality(ranges, Media::Json);
    match modern.cmp(&legacy) {
        _ if modern == 0 && legacy == 0 => None,
        Ordering::Greater => Some(Media::GraphQl),
        Ordering::Equal if named => Some(Media::GraphQl),
        _ => Some(Media::Json),
    }
}

/// How much the ranges want a media type, by the most exact of them; and whether that one names it.
fn quality(ranges: &[Range], media: Media) -> (bool, u16) {
    let mut best = (0, 0);
    for range in ranges {
        let exactness = match range.name.as_str() {
            name if name == media.name() => 3,
            "application/*" => 2,
            "*/*" => 1,
            _ => continue,
        };
        if exactness >= best.0 {
            best = (exactness, range.weight);
        }
    }
    (best.0 == 3, best.1)
}

/// An answer that goes on has to be asked for by name: a client that takes anything waits for an end.
fn framing(ranges: &[Range]) -> Option<Framing> {
    let known = |range: &Range| match range.name.as_str() {
        "text/event-stream" => Some(Framing::Events),
        "multipart/mixed" if range.subscription => Some(Framing::Parts),
        _ => None,
    };
    let wanted = ranges.iter().filter(|range| range.weight > 0);
    let mut best: Option<(u16, Framing)> = None;
    for (weight, framing) in wanted.filter_map(|range| Some((range.weight, known(range)?))) {
        if best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, framing));
        }
    }
    best.map(|(_, framing)| framing)
}

/// `0.85` as 850; what cannot be read wants nothing.
fn thousandths(text: &str) -> u16 {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1000,
        "0" | "" => format!("{part:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_the_media_type() {
        let (modern, legacy) = (Some(Media::GraphQl), Some(Media::Json));
        let table = [
            (None, legacy),
            (Some(""), legacy),
            (Some("*/*"), legacy),
            (Some("application/*"), legacy),
            (Some("application/json"), legacy),
            (Some("APPLICATION/JSON; charset=utf-8"), legacy),
            (Some("application/graphql-response+json"), modern),
            (
                Some("application/graphql-response+json, application/json"),
                modern,
            ),
            (
                Some("application/json, application/graphql-response+json"),
                modern,
            ),
            (
                Some("application/graphql-response+json;q=0.8, application/json"),
                legacy,
            ),
            (
                Some("application/graphql-response+json, application/json;q=0.9"),
                modern,
            ),
            (Some("application/json;q=0, */*"), modern),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), legacy),
            (Some("multipart/mixed, application/json"), legacy),
            (Some("application/json;q=0"), None),
            (Some("text/event-stream"), None),
            (Some("image/png, text/*"), None),
        ];
        for (accept, expected) in table {
            assert_eq!(of(accept).media, expected, "{accept:?}");
        }
    }

    #[test]
    fn an_answer_goes_on_only_for_those_who_say_so() {
        let (events, parts) = (Some(Framing::Events), Some(Framing::Parts));
        let table = [
            (None, None),
            (Some("*/*"), None),
            (Some("text/*"), None),
            (Some("multipart/mixed"), None),
            (
                Some("multipart/mixed;deferSpec=20220824,application/json"),
                None,
            ),
            (Some("text/event-stream"), events),
            (Some("Text/Event-Stream; charset=utf-8"), events),
            (Some("text/event-stream;q=0"), None),
            (Some("text/event-stream, multipart/mixed"), events),
            (
                Some(
                    "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\", application/json",
                ),
                parts,
            ),
            (
                Some("multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"),
                parts,
            ),
            (
                Some("multipart/mixed; boundary=graphql; subscriptionSpec = 1.0"),
                parts,
            ),
            (
                Some(
                    "multipart/mixed;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9",
                ),
                parts,
            ),
            (Some("multipart/mixed;subscriptionSpec=2.0"), None),
            (
                Some("text/event-stream;q=0.4, multipart/mixed;subscriptionspec=\"1.0\";q=0.5"),
                parts,
            ),
        ];
        for (accept, expected) in table {
            assert_eq!(of(accept).framing, expected, "{accept:?}");
        }
    }

    fn of(accept: Option<&str>) -> Accepted {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, accept.parse().unwrap());
        }
        Accepted::of(&headers)
    }
}
