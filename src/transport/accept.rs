//! Which media type an answer has.

use axum::http::{HeaderMap, HeaderValue, header};

/// The two media types of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: a request that did not run has a status that says so.
    GraphQl,
    /// `application/json`: what clients knew before; an answer that is well-formed has status 200.
    Json,
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

    /// The type the client would rather have; none if it accepts neither.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut ranges = Vec::new();
        for value in headers.get_all(header::ACCEPT) {
            let text = value.to_str().ok()?;
            ranges.extend(text.split(',').map(str::trim).filter(|r| !r.is_empty()));
        }
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let (named, modern) = quality(&ranges, Self::GraphQl);
        let (_, legacy) = quality(&ranges, Self::Json);
        match modern.cmp(&legacy) {
            _ if modern == 0 && legacy == 0 => None,
            std::cmp::Ordering::Greater => Some(Self::GraphQl),
            std::cmp::Ordering::Equal if named => Some(Self::GraphQl),
            _ => Some(Self::Json),
        }
    }
}

/// How much the ranges want a media type, in thousandths, by the most exact of them; and whether
/// that one names it.
fn quality(ranges: &[&str], media: Media) -> (bool, u16) {
    let mut best = (0, 0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let exactness = match parts.next().unwrap_or_default().to_ascii_lowercase() {
            name if name == media.name() => 3,
            name if name == "application/*" => 2,
            name if name == "*/*" => 1,
            _ => continue,
        };
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1000, thousandths);
        if exactness >= best.0 {
            best = (exactness, weight);
        }
    }
    (best.0 == 3, best.1)
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
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(Media::negotiate(&headers), expected, "{accept:?}");
        }
    }
}
