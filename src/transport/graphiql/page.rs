//! The files of a page, as browsers get them.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::File;
use crate::config::PlaidEnv;

/// For files that keep their names when they change.
pub(super) const CHANGES: &str = "no-cache";

/// For files whose names tell their content.
pub(super) const NEVER_CHANGES: &str = "public, max-age=31536000, immutable";

/// The file that names all others.
pub(super) const INDEX: &str = "index.html";

/// Where the index says whether the bank is the sandbox: it does not, and it does.
const SANDBOX: [&str; 2] = [
    r#"<meta name="sandbox" content="off">"#,
    r#"<meta name="sandbox" content="on">"#,
];

/// A page with all its files.
#[derive(Debug)]
pub(super) struct Page {
    files: BTreeMap<&'static str, Served>,
    policy: HeaderValue,
}

/// A file, ready to be sent.
#[derive(Debug)]
struct Served {
    body: Bytes,
    kind: HeaderValue,
    caching: HeaderValue,
    tag: HeaderValue,
}

impl Page {
    /// A page of these files; `caching` is for all but the index.
    pub(super) fn new(
        files: &[File],
        policy: &'static str,
        caching: &'static str,
        plaid: PlaidEnv,
    ) -> Self {
        let serve = |(name, bytes): &File| {
            let served = if *name == INDEX {
                Served::new(name, index(bytes, plaid), CHANGES)
            } else {
                Served::new(name, Bytes::from_static(bytes), caching)
            };
            (*name, served)
        };
        Self {
            files: files.iter().map(serve).collect(),
            policy: HeaderValue::from_static(policy),
        }
    }

    /// Answers with a file, or with no more than that the browser's own copy is still good.
    pub(super) fn answer(&self, name: &str, asked: &HeaderMap) -> Response {
        let Some(file) = self.files.get(name) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let headers = [
            (header::CACHE_CONTROL, file.caching.clone()),
            (header::ETAG, file.tag.clone()),
            // Scripts that run as workers have their own.
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
        ];
        if file.is_known(asked) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let kind = [(header::CONTENT_TYPE, file.kind.clone())];
        (headers, kind, file.body.clone()).into_response()
    }
}

impl Served {
    fn new(name: &str, body: Bytes, caching: &'static str) -> Self {
        let hash = digest(&SHA256, &body);
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..12]));
        Self {
            kind: HeaderValue::from_static(kind(name)),
            caching: HeaderValue::from_static(caching),
            tag: HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\"")),
            body,
        }
    }

    /// Whether the browser has this very file.
    fn is_known(&self, asked: &HeaderMap) -> bool {
        let known = asked.get_all(header::IF_NONE_MATCH).into_iter();
        known
            .filter_map(|tags| tags.to_str().ok())
            .flat_map(|tags| tags.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == "*" || self.tag == tag)
    }
}

/// The index of a server with this bank.
fn index(bytes: &'static [u8], plaid: PlaidEnv) -> Bytes {
    match std::str::from_utf8(bytes) {
        Ok(text) if plaid == PlaidEnv::Local => text.replace(SANDBOX[0], SANDBOX[1]).into(),
        _ => Bytes::from_static(bytes),
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("ttf") => "font/ttf",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::graphiql::{BUILT, FALLBACK};

    fn page(files: &[File], plaid: PlaidEnv) -> Page {
        Page::new(files, "default-src 'none'", NEVER_CHANGES, plaid)
    }

    fn asked(tag: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(tag))])
    }

    #[test]
    fn a_file_that_never_changes_is_kept_and_the_index_is_asked_for_again() {
        let page = page(FALLBACK, PlaidEnv::Local);
        let caching =
            |name| page.answer(name, &HeaderMap::new()).headers()["cache-control"].clone();
        assert_eq!(caching(INDEX), CHANGES);
        assert_eq!(caching("assets/bar.js"), NEVER_CHANGES);
    }

    #[test]
    fn a_browser_with_the_same_file_gets_no_other() {
        let page = page(&[("assets/a.js", b"1")], PlaidEnv::Local);
        let status = |tags| page.answer("assets/a.js", &asked(tags)).status();
        // The first 12 bytes of the SHA-256 of "1".
        let tag = "\"a4ayc_80_OGda4BO\"";
        assert_eq!(status(tag), StatusCode::NOT_MODIFIED);
        assert_eq!(
            status("\"x\", W/\"a4ayc_80_OGda4BO\""),
            StatusCode::NOT_MODIFIED
        );
        assert_eq!(status("\"x\""), StatusCode::OK);
        assert_eq!(page.answer("assets/b.js", &asked(tag)).status(), 404);
    }

    #[test]
    fn the_index_knows_the_sandbox() {
        for files in [FALLBACK, BUILT] {
            let Some((_, bytes)) = files.iter().find(|(name, _)| *name == INDEX) else {
                continue;
            };
            let on = |plaid| {
                index(bytes, plaid)
                    .windows(12)
                    .any(|it| it == b"content=\"on\"")
            };
            assert!(on(PlaidEnv::Local));
            assert!(!on(PlaidEnv::Production));
        }
    }
}
