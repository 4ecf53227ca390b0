//! Addresses that are no business of anybody outside, and those beside them.

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

/// Addresses that are nobody's business outside, however they are written; `{}` is where somebody listens.
const HOSTILE: &[&str] = &[
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
    "https://user:secret@sso.example:{}/",
    "https://sso.example@127.0.0.1:{}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{}/_x",
    "ftp://127.0.0.1:{}/",
    "unix:/run/x.sock",
];

#[tokio::test]
async fn forty_hostile_addresses_are_not_connected_to() {
    let (port, connected) = listener().await;
    let names = [
        "https://localhost:{}/",
        "https://localhost.:{}/",
        "https://127.0.0.1.nip.example:{}/",
        "https://metadata.google.internal/",
    ];
    assert!(HOSTILE.len() + names.len() >= 40);
    let guarded = Guarded::with(Reach::Public, always_here()).unwrap();
    for url in HOSTILE {
        let url = url.replace("{}", &port.to_string());
        // What is no address to the one who makes requests is none to the connection either.
        let Some(request) = get(&url) else { continue };
        let told = guarded.call(request).await;
        assert!(
            matches!(told, Err(Unanswered::Forbidden(_))),
            "{url}: {told:?}"
        );
    }
    for url in names {
        let url = url.replace("{}", &port.to_string());
        let told = guarded
            .call(get(&url).unwrap())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("no address that may be called"),
            "{url}: {told}"
        );
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
fn an_address_says_itself_how_and_as_whom_it_is_called() {
    for (reach, url, why) in [
        (Reach::Public, "https://8.8.8.8/", None),
        (Reach::Public, "http://8.8.8.8/", Some("not https")),
        (Reach::Public, "http://sso.example/", Some("not https")),
        (Reach::Private, "http://10.0.0.7/", Some("not https")),
        (Reach::Private, "https://10.0.0.7/", None),
        (Reach::Loopback, "http://127.0.0.1:1/", None),
        (Reach::Loopback, "ftp://127.0.0.1/", Some("not https")),
        (Reach::Loopback, "http://8.8.8.8/", Some("another network")),
        (Reach::Public, "https://eve@sso.example/", Some("user name")),
        (Reach::Public, "https://:x@sso.example/", Some("user name")),
        (Reach::Public, "https://127.0.0.1/", Some("another network")),
    ] {
        let guarded = Guarded::with(reach, always_here()).unwrap();
        let told = guarded.permit(&Url::parse(url).unwrap());
        let told = told.err().map(|error| error.to_string());
        let fits = match (&told, why) {
            (None, None) => true,
            (Some(told), Some(why)) => told.contains(why),
            _ => false,
        };
        assert!(fits, "{reach:?} {url}: {told:?}");
    }
}

#[test]
fn each_special_network_is_out_of_reach_and_what_is_beside_it_is_not() {
    let permits = |reach: Reach, text: &str| reach.permits(text.parse().unwrap());
    for (inside, beside) in [
        ("0.1.2.3", "1.0.0.1"),
        ("127.8.8.8", "128.0.0.1"),
        ("169.254.169.254", "169.253.255.255"),
        ("192.0.0.192", "192.0.1.1"),
        ("192.0.2.7", "192.0.3.1"),
        ("192.88.99.1", "192.88.98.1"),
        ("198.19.0.1", "198.20.0.1"),
        ("198.51.100.1", "198.51.101.1"),
        ("203.0.113.9", "203.0.114.1"),
        ("239.255.255.250", "223.255.255.1"),
        ("240.0.0.1", "223.0.0.1"),
        ("2001:1ff::1", "2001:200::1"),
        ("2001:db8::1", "2001:db9::1"),
        ("2002:a00:1::", "2003::1"),
        ("3fff:fff::1", "3fff:1000::1"),
        ("64:ff9b::a00:1", "2600::1"),
        ("fe80::1", "3ffe::1"),
    ] {
        for reach in [Reach::Public, Reach::Private] {
            assert!(!permits(reach, inside), "{reach:?} {inside}");
            assert!(permits(reach, beside), "{reach:?} {beside}");
        }
    }
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
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
    ] {
        assert!(!permits(Reach::Private, address), "{address}");
    }
}
