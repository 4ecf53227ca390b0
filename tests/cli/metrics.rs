//! Metrics, of a server and of a worker alike.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::{Place, Server, says};

/// What a plain request is answered.
fn get(url: &str) -> String {
    let (address, path) = url["http://".len()..].split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_server_and_a_worker_tell_their_numbers_where_they_are_told_to() {
    for role in ["serve", "worker"] {
        let place = Place::new();
        let mut command = place.command(&[role]);
        command.env("METRICS_LISTEN", "127.0.0.1:0");
        let (child, url) = says(command, "metrics at ");
        let server = Server(child, url);
        let answer = get(server.1.trim());
        assert!(answer.starts_with("HTTP/1.1 200"), "{role}: {answer}");
        assert!(
            answer.contains("passbook_database_up 1"),
            "{role}: {answer}"
        );
        server.signal("TERM");
        assert_eq!(server.ends(), Some(0), "{role}");
    }
}
