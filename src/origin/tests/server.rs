//! The server as a client sees it, without faults.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use rustls::ClientConnection;

use crate::origin::counters::Counters;
use crate::origin::{Options, Origin, certificate};

const ARTICLE: &str = "/wiki/India";

fn small_origin() -> Origin {
    start(&Options::default())
}

fn start(options: &Options) -> Origin {
    let options = Options { pages: 1, ..options.clone() };
    Origin::start(&options).unwrap()
}

/// One connection that writes requests by hand.
struct Client {
    stream: BufReader<TcpStream>,
}

/// A response as it came over the wire, its header lines in lower case.
struct Received {
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn new(origin: &Origin) -> Client {
        let stream = TcpStream::connect(origin.addr()).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    fn get(&mut self, path: &str, headers: &str) -> Received {
        self.ask("GET", path, headers);
        let head = self.head();
        let length = head
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Received { head, body }
    }

    fn ask(&mut self, method: &str, path: &str, headers: &str) {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
    }

    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.stream.read_line(&mut head).unwrap();
            assert_ne!(read, 0, "connection closed in a head: {head}");
        }
        head.to_lowercase()
    }
}

#[test]
fn pages_are_served_plain_and_compressed_on_one_connection() {
    let origin = small_origin();
    let document = origin.site().get(ARTICLE).unwrap();
    let mut client = Client::new(&origin);
    let plain = client.get(ARTICLE, "");
    assert!(plain.head.starts_with("http/1.1 200 "));
    assert!(plain.head.contains("content-type: text/html; charset=utf-8\r\n"));
    assert!(!plain.head.contains("content-encoding"));
    assert_eq!(&plain.body[..], document.plain());
    let packed = client.get(ARTICLE, "Accept-Encoding: gzip\r\n");
    assert!(packed.head.contains("content-encoding: gzip\r\n"));
    assert_eq!(&packed.body[..], document.gzip());
    let Counters { requests, open, open_peak, connections, .. } = origin.counters();
    assert_eq!((requests, open, open_peak, connections), (2, 0, 1, 1));
}

#[test]
fn responses_without_a_body_leave_the_connection_usable() {
    let origin = small_origin();
    let mut client = Client::new(&origin);
    let etag = origin.site().get(ARTICLE).unwrap().etag();
    let unchanged = client.get(ARTICLE, &format!("If-None-Match: {etag}\r\n"));
    assert!(unchanged.head.starts_with("http/1.1 304 "));
    client.ask("HEAD", ARTICLE, "");
    let length = origin.site().get(ARTICLE).unwrap().plain().len();
    let head = client.head();
    assert!(head.contains(&format!("content-length: {length}\r\n")));
    let missing = client.get("/nowhere", "");
    assert!(missing.head.starts_with("http/1.1 404 "));
    assert!(missing.body.starts_with(b"<!DOCTYPE html>"));
    let moved = client.get("/", "");
    assert!(moved.head.starts_with("http/1.1 302 "));
    assert_eq!(origin.counters().connections, 1);
}

#[test]
fn stats_are_json_and_do_not_count_themselves() {
    let origin = small_origin();
    let mut client = Client::new(&origin);
    client.get("/robots.txt", "");
    let stats = String::from_utf8(client.get("/_stats", "").body).unwrap();
    assert!(stats.starts_with("{\"requests\":1,\"open\":0,\"open_peak\":1,"), "{stats}");
    assert!(stats.ends_with(",\"connections\":1,\"faults\":0}\n"), "{stats}");
}

#[test]
fn answers_beyond_the_capacity_wait_for_those_before_them() {
    let latency = std::time::Duration::from_millis(20);
    let capacity = std::num::NonZeroU32::new(1);
    let origin = start(&Options { latency, capacity, ..Options::default() });
    let clients: Vec<Client> = (0..4)
        .map(|_| {
            let mut client = Client::new(&origin);
            client.ask("GET", "/robots.txt", "");
            client
        })
        .collect();
    for mut client in clients {
        client.head();
    }
    // One after the other, each of the four answers took its time.
    let counters = origin.counters();
    assert!(counters.busy >= 4 * latency, "{counters:?}");
}

#[test]
fn a_request_is_open_until_its_body_is_sent_or_broken_off() {
    let origin = start(&Options { bandwidth: Some(1), ..Options::default() });
    let clients: Vec<Client> = (0..3)
        .map(|_| {
            let mut client = Client::new(&origin);
            client.ask("GET", ARTICLE, "");
            client.head();
            client
        })
        .collect();
    assert_eq!((origin.counters().open, origin.counters().open_peak), (3, 3));
    drop(clients);
    while origin.counters().open > 0 {
        thread::yield_now();
    }
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let origin = small_origin();
    let options = Options { port: origin.addr().port(), pages: 0, ..Options::default() };
    let error = Origin::start(&options).unwrap_err();
    assert_eq!(error.to_string(), format!("failed to listen on {} for the origin", origin.addr()));
}

#[test]
fn the_authority_vouches_for_the_server_and_http2_is_offered() {
    let origin = start(&Options { tls: true, ..Options::default() });
    assert!(origin.index_url().starts_with("https://127.0.0.1:"));
    let pem = origin.certificate_pem().unwrap();
    let config = certificate::trusting(pem, "h2");
    for name in ["localhost", "127.0.0.1"] {
        let name = name.try_into().unwrap();
        let mut tls = ClientConnection::new(Arc::clone(&config), name).unwrap();
        let mut stream = TcpStream::connect(origin.addr()).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).unwrap();
        }
        assert_eq!(tls.alpn_protocol(), Some(&b"h2"[..]));
    }
}
