//! The refresh token in a cookie, for pages that would rather not hold it: a script that gets into such
//! a page cannot read it, and a page that is loaded anew is signed in still.
//!
//! A page asks for it with each request, by the header `Passbook-Session: cookie`. Without that header
//! no cookie is read or set. A browser sends it for a page of another origin only if we allow it, which
//! we do for `ALLOWED_ORIGINS`; the transport looks at `Origin` besides, and the cookie is
//! `SameSite=Strict`. So no other page can go on with a session, end it, or begin one of its own.
//!
//! Refused: a cookie that is an access token, since every field would need these rules; a token in the
//! page that repeats the cookie's, which is one more secret for what the header does; a setting that
//! gives everybody cookies, which programs and telephones have no use for.

use async_graphql::Context;
use axum::http::{
    HeaderMap,
    header::{COOKIE, SET_COOKIE},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    app::App,
    error::{ErrorCode, Refusal, Result},
    graphql::ContextExt,
};

/// The header by which a page asks for the cookie, and what it says.
pub const WISH: (&str, &str) = ("passbook-session", "cookie");

/// Bound to this very host and to TLS by its name.
/// <https://www.rfc-editor.org/rfc/rfc6265#section-4.1> has the form, drafts of its successor the prefix.
const NAME: &str = "__Host-passbook";
/// On a machine that is developed on there is no TLS, and browsers drop the other.
const NAME_WITHOUT_TLS: &str = "passbook";

/// The cookies of a request that asked to use them.
#[derive(Debug)]
pub struct Cookies(Vec<SecretString>);

impl Cookies {
    /// What a request brings; nothing if it does not ask for cookies.
    ///
    /// # Errors
    /// What is wrong with the asking.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, &'static str> {
        let (name, wish) = WISH;
        let Some(value) = headers.get(name) else {
            return Ok(None);
        };
        if value != wish {
            return Err("Passbook-Session: say `cookie`, or leave the header out.");
        }
        let lines = headers.get_all(COOKIE).iter();
        let lines = lines.filter_map(|line| line.to_str().ok());
        Ok(Some(Self(lines.map(SecretString::from).collect())))
    }

    fn named(&self, wanted: &str) -> Option<&str> {
        let lines = self.0.iter().map(ExposeSecret::expose_secret);
        let mut pairs = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.find_map(|(name, value)| (name == wanted).then_some(value))
    }
}

/// The refresh token that a request shows: in its input, or in a cookie if it asks to use one.
pub(super) fn shown(ctx: &Context<'_>, input: Option<String>) -> Option<SecretString> {
    let cookie = || {
        let cookies = ctx.data_opt::<Cookies>()?;
        cookies.named(name(ctx.app())).map(SecretString::from)
    };
    input.map(SecretString::from).or_else(cookie)
}

/// Refuses a request that shows no refresh token at all.
pub(super) fn demand(token: Option<SecretString>) -> Result<SecretString> {
    let text = "Give the refresh token of the last answer, or ask with the header \
                `Passbook-Session: cookie` where the browser keeps it.";
    let missing = || Refusal::new(ErrorCode::SessionExpired, text).on("refreshToken");
    Ok(token.ok_or_else(missing)?)
}

/// What of a refresh token stays in the answer: nothing if the request asked for a cookie, which it
/// becomes for as long as it is good, in seconds.
pub(super) fn keep(ctx: &Context<'_>, token: String, seconds: i64) -> Option<String> {
    if ctx.data_opt::<Cookies>().is_none() {
        return Some(token);
    }
    write(ctx, &token, seconds);
    None
}

/// Has the browser forget the refresh token, if the request asked for cookies.
pub(super) fn forget(ctx: &Context<'_>) {
    if ctx.data_opt::<Cookies>().is_some() {
        write(ctx, "", 0);
    }
}

fn write(ctx: &Context<'_>, value: &str, seconds: i64) {
    let name = name(ctx.app());
    let secure = if name == NAME { "; Secure" } else { "" };
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    ctx.append_http_header(SET_COOKIE, cookie);
}

fn name(app: &App) -> &'static str {
    if app.public_url.starts_with("https://") {
        NAME
    } else {
        NAME_WITHOUT_TLS
    }
}
