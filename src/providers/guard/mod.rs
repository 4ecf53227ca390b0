//! A client for addresses that somebody else has a say in, such as those an issuer's discovery names.
//!
//! Promises: it speaks `https`, or `http` to this machine where its caller is there; it connects to no
//! address of another sort than it was made for, whatever a name resolves to and whenever that
//! changes, since the addresses it connects to are those it has looked at; it follows no redirect,
//! takes no proxy from the environment, and ends after a while and after a mebibyte.
//!
//! Refused: a look at the name before the call. What it resolves to a moment later may be another
//! address.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use ipnet::{Ipv4Net, Ipv6Net};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http, url::Host};
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

use crate::error::{Error, Result};

/// A call may take so long in all.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer that is read. A set of keys has a few kilobytes.
const BODY_MAX: usize = 1024 * 1024;

/// Where calls may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The Internet.
    Public,
    /// The Internet and private networks.
    Private,
    /// This machine, and nothing else.
    Loopback,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Unanswered {
    /// The address is none that may be called.
    #[error("the address may not be called: {0}")]
    Forbidden(&'static str),
    /// It wants to be asked elsewhere.
    #[error("it redirects, which is not followed")]
    Redirected,
    /// The answer is larger than is read.
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// The exchange failed; never with an address in it.
    #[error("{0}")]
    Lost(String),
}

/// The client.
#[derive(Clone, Debug)]
pub(super) struct Guarded {
    http: Client,
    reach: Reach,
}

/// Looks a name up: the system, or a test.
type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

impl Guarded {
    /// A client that goes so far. Connects to nothing.
    pub(super) fn new(reach: Reach) -> Result<Self> {
        Self::with(reach, Arc::new(|name| Box::pin(system(name))))
    }

    fn with(reach: Reach, lookup: Lookup) -> Result<Self> {
        let http = Client::builder()
            .user_agent(concat!("passbook/", env!("CARGO_PKG_VERSION")))
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(Arc::new(Resolver { reach, lookup }))
            .build()
            .map_err(Error::internal)?;
        Ok(Self { http, reach })
    }

    /// Makes a call, unless its address is none that may be called.
    ///
    /// # Errors
    /// See [`Unanswered`]; an answer with any status but a redirect is an answer.
    pub(super) async fn call(&self, request: HttpRequest) -> Result<HttpResponse, Unanswered> {
        let request = reqwest::Request::try_from(request).map_err(lost)?;
        self.permit(request.url())?;
        let mut response = self.http.execute(request).await.map_err(lost)?;
        if response.status().is_redirection() {
            return Err(Unanswered::Redirected);
        }
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(lost)? {
            if body.len() + piece.len() > BODY_MAX {
                return Err(Unanswered::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        let answer = answer.body(body);
        answer.map_err(|_| Unanswered::Lost("the answer has no shape".to_owned()))
    }

    /// What the address itself tells. Names are looked at when they are resolved, but an address
    /// written out is connected to without asking the resolver.
    pub(super) fn permit(&self, url: &Url) -> Result<(), Unanswered> {
        let here = self.reach == Reach::Loopback;
        let forbidden = |why| Err(Unanswered::Forbidden(why));
        if !(url.scheme() == "https" || here && url.scheme() == "http") {
            return forbidden("it is not https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return forbidden("it has a user name in it");
        }
        let address = match url.host() {
            None => return forbidden("it has no host"),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
        };
        if self.reach.permits(address) {
            return Ok(());
        }
        forbidden("it is on another network than the issuer may be on")
    }
}

impl<'c> AsyncHttpClient<'c> for Guarded {
    type Error = Unanswered;
    type Future = BoxFuture<'c, Result<HttpResponse, Unanswered>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(Self::call(self, request))
    }
}

/// Resolves names to what may be connected to.
struct Resolver {
    reach: Reach,
    lookup: Lookup,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, found) = (self.reach, (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let mut found = found.await?;
            found.retain(|address| reach.permits(address.ip()));
            if found.is_empty() {
                let why = "the name resolves to no address that may be called";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why).into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

async fn system(name: String) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

const fn v4(a: u8, b: u8, c: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), length)
}

const fn v6(first: u16, second: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), length)
}

/// What an operator may have for herself: RFC 1918, RFC 6598 and RFC 4193.
const PRIVATE_V4: [Ipv4Net; 4] = [
    v4(10, 0, 0, 8),
    v4(172, 16, 0, 12),
    v4(192, 168, 0, 16),
    v4(100, 64, 0, 10),
];
const PRIVATE_V6: Ipv6Net = v6(0xfc00, 0, 7);

/// On private networks, what gives whoever asks the rights of the machine: the metadata of Amazon, Google and Alibaba.
/// That of the others is on a link, where nobody may call.
const METADATA: [IpAddr; 3] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
];

/// What is nobody's on the Internet, the private networks aside.
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>
const SPECIAL_V4: [Ipv4Net; 11] = [
    v4(0, 0, 0, 8),
    v4(127, 0, 0, 8),
    v4(169, 254, 0, 16),
    v4(192, 0, 0, 24),
    v4(192, 0, 2, 24),
    v4(192, 88, 99, 24),
    v4(198, 18, 0, 15),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
];

/// Where the Internet's own addresses are. What holds an IPv4 address in it (mapped, NAT64) is outside.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);
/// Inside it, what is not the Internet: protocols and Teredo, documentation, 6to4, documentation.
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>
const SPECIAL_V6: [Ipv6Net; 4] = [
    v6(0x2001, 0, 23),
    v6(0x2001, 0xdb8, 32),
    v6(0x2002, 0, 16),
    v6(0x3fff, 0, 20),
];

impl Reach {
    fn permits(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Loopback, address) => address.is_loopback(),
            (_, address) if METADATA.contains(&address) => false,
            (_, IpAddr::V4(address)) => {
                let private = PRIVATE_V4.iter().any(|net| net.contains(&address));
                let special = SPECIAL_V4.iter().any(|net| net.contains(&address));
                !special && (self == Self::Private || !private)
            }
            (_, IpAddr::V6(address)) => {
                let special = SPECIAL_V6.iter().any(|net| net.contains(&address));
                let private = self == Self::Private && PRIVATE_V6.contains(&address);
                private || GLOBAL_V6.contains(&address) && !special
            }
        }
    }
}

/// What is told of a failed exchange: never the address, which may hold a code.
fn lost(error: reqwest::Error) -> Unanswered {
    let error = error.without_url();
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    Unanswered::Lost(told)
}

#[cfg(test)]
mod tests;
