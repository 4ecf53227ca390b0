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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// Counts who connects, and answers nothing of use.
    async fn listener() -> (u16, Arc<AtomicUsize>) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
                    .await;
            }
        });
        (port, count)
    }

    fn get(url: &str) -> Option<HttpRequest> {
        http::Request::builder().uri(url).body(Vec::new()).ok()
    }

    /// Every name is this machine, whatever it says.
    fn always_here() -> Lookup {
        Arc::new(|_| Box::pin(async { Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))]) }))
    }

    #[tokio::test]
    async fn forty_hostile_addresses_are_not_connected_to() {
        let (port, connected) = listener().await;
        let hostile = [
            "http://127.0.0.1:{}/",
            "https://127.0.0.1:{}/",
            "https://127.1:{}/",
            "https://2130706433:{}/",
            "https://0x7f000001:{}/",
            "https://0177.0.0.1:{}/",
            "https://127.0.0.1.:{}/",
            "https://0.0.0.0:{}/",
            "https://0:{}/",
            "https://[::1]:{}/",
            "https://[::]:{}/",
            "https://[::ffff:127.0.0.1]:{}/",
            "https://[::ffff:7f00:1]:{}/",
            "https://[64:ff9b::7f00:1]:{}/",
            "https://[64:ff9b:1::7f00:1]:{}/",
            "https://[::127.0.0.1]:{}/",
            "https://[2002:7f00:1::]:{}/",
            "https://[2001:0:7f00:1::]:{}/",
            "https://169.254.169.254/latest/meta-data/",
            "http://169.254.169.254/latest/meta-data/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://[fec0::1]/",
            "https://[ff02::1]/",
            "https://10.0.0.7/",
            "https://172.31.255.255/",
            "https://192.168.1.1/",
            "https://100.64.0.1/",
            "https://198.18.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://localhost:{}/",
            "https://localhost.:{}/",
            "https://127.0.0.1.nip.example:{}/",
            "https://metadata.google.internal/",
            "https://user:secret@sso.example:{}/",
            "https://sso.example@127.0.0.1:{}/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:{}/_x",
            "ftp://127.0.0.1:{}/",
            "unix:/run/x.sock",
        ];
        assert!(hostile.len() >= 40);
        let guarded = Guarded::with(Reach::Public, always_here()).unwrap();
        for url in hostile {
            let url = url.replace("{}", &port.to_string());
            let Some(request) = get(&url) else { continue };
            assert!(guarded.call(request).await.is_err(), "{url}");
        }
        assert_eq!(connected.load(Ordering::SeqCst), 0);
        // The same listener is reached by whoever may: the test could have seen a connection.
        let here = Guarded::new(Reach::Loopback).unwrap();
        let request = get(&format!("http://localhost:{port}/")).unwrap();
        assert_eq!(here.call(request).await.unwrap().body(), b"hi");
        assert_eq!(connected.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_leads_nowhere_else() {
        let (port, connected) = listener().await;
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let changing: Lookup = Arc::new(move |_| {
            let first = count.fetch_add(1, Ordering::SeqCst) == 0;
            // The first is for documentation, and answers nobody.
            let address = if first {
                [192, 0, 2, 1]
            } else {
                [127, 0, 0, 1]
            };
            Box::pin(async move { Ok(vec![SocketAddr::from((address, 0))]) })
        });
        let guarded = Guarded::with(Reach::Public, changing).unwrap();
        for _ in 0..3 {
            let request = get(&format!("https://sso.example:{port}/")).unwrap();
            assert!(guarded.call(request).await.is_err());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        assert_eq!(connected.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_is_the_internet_is_reached_and_what_is_private_if_it_may_be() {
        let permits = |reach: Reach, text: &str| reach.permits(text.parse().unwrap());
        for address in [
            "142.250.185.77",
            "2a00:1450:4001:82a::200d",
            "9.255.255.255",
            "172.32.0.1",
        ] {
            assert!(permits(Reach::Public, address), "{address}");
            assert!(permits(Reach::Private, address), "{address}");
            assert!(!permits(Reach::Loopback, address), "{address}");
        }
        for address in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.9",
            "100.127.0.1",
            "fd12::1",
        ] {
            assert!(!permits(Reach::Public, address), "{address}");
            assert!(permits(Reach::Private, address), "{address}");
        }
        for address in [
            "127.0.0.1",
            "169.254.169.254",
            "::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "0.0.0.0",
        ] {
            assert!(!permits(Reach::Private, address), "{address}");
        }
    }
}
