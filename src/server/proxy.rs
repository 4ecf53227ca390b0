//! Who a request comes from, where proxies stand before the server. What a proxy says of its client
//! is believed if the operator named the proxy, and nobody else's word.
//!
//! Refused: `Forwarded`, which proxies pass on without reading where they write `X-Forwarded-For`, so
//! that a client could say what it likes in it.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the last one in the chain that is no trusted proxy. Each proxy writes
/// behind what it was sent, so that whatever a client made up stands further in front.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut client = peer.to_canonical();
    let values = headers.get_all(FORWARDED_FOR).iter();
    let texts: Vec<&str> = values.map(|value| value.to_str().unwrap_or("")).collect();
    let chain = texts.iter().flat_map(|text| text.split(',')).rev();
    for hop in chain {
        if !is_trusted(client) {
            break;
        }
        match address(hop.trim()) {
            Some(address) => client = address,
            // Who wrote this is no proxy that can be trusted to have written the rest.
            None => break,
        }
    }
    client
}

/// Whether a request seems to come through a proxy on this machine that the operator did not name.
pub(super) fn is_forgotten(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> bool {
    let peer = peer.to_canonical();
    let named = trusted.iter().any(|net| net.contains(&peer));
    peer.is_loopback() && !named && headers.contains_key(FORWARDED_FOR)
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']');
    let address = plain.parse().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_says_who_its_client_is() {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "127.0.0.1/32", "2001:db8:1::/48"]
            .map(|net| net.parse().unwrap())
            .into();
        for (peer, forwarded, client) in [
            ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            // Made up by the client, in front of what the proxies wrote.
            (
                "127.0.0.1",
                &["1.1.1.1, 198.51.100.1, 10.2.3.4"],
                "198.51.100.1",
            ),
            (
                "127.0.0.1",
                &["1.1.1.1", "198.51.100.1, 10.2.3.4"],
                "198.51.100.1",
            ),
            ("127.0.0.1", &["10.1.1.1, 10.2.3.4"], "10.1.1.1"),
            ("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("127.0.0.1", &["[2001:db8::7]"], "2001:db8::7"),
            ("2001:db8:1::2", &["2001:db8::7"], "2001:db8::7"),
            ("127.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            (
                "127.0.0.1",
                &["198.51.100.1, unknown, 10.2.3.4"],
                "10.2.3.4",
            ),
            ("127.0.0.1", &["", ""], "127.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(FORWARDED_FOR, value.parse().unwrap());
            }
            let found = super::client(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found.to_string(), client, "{peer} {forwarded:?}");
        }
    }
}
