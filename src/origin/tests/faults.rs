//! Faults as a client receives them over plain HTTP/1.1.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;

use super::faulty;
use crate::origin::inject::{MISSING_BYTES, NOT_GZIP};
use crate::origin::{FaultKind, Faults, Options, Origin};

const ARTICLE: &str = "/wiki/India";

fn origin(kind: &str) -> Origin {
    faulty(kind, false)
}

fn request(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A connection with a request written to it. No test waits for the time limit: it only
/// prevents that a broken origin blocks the tests.
fn ask(origin: &Origin, method: &str, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(origin.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request(method, target).as_bytes()).unwrap();
    stream
}

/// The next head in lower case.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

fn length(head: &str) -> usize {
    let (_, rest) = head.split_once("content-length: ").unwrap();
    rest.lines().next().unwrap().parse().unwrap()
}

/// The bytes until the connection is closed in good order.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    rest
}

/// Reads a chunked body until it has at least this number of bytes.
fn chunked(stream: &mut TcpStream, least_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < least_bytes {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        let line = String::from_utf8(line).unwrap();
        let mut chunk = vec![0; usize::from_str_radix(line.trim(), 16).unwrap() + 2];
        stream.read_exact(&mut chunk).unwrap();
        assert!(chunk.len() > 2, "the body has ended");
        body.extend_from_slice(&chunk[..chunk.len() - 2]);
    }
    body
}

fn page(origin: &Origin) -> Bytes {
    origin.site().get(ARTICLE).unwrap().plain()
}

#[test]
fn statuses_come_with_and_without_a_time_to_wait() {
    for (kind, status, wait) in
        [("503", "503", false), ("429", "429", false), ("429-retry-after", "429", true)]
    {
        let origin = origin(kind);
        // The answers to HEAD have no body to read, and all leave the connection usable.
        let mut stream = ask(&origin, "HEAD", ARTICLE);
        for _ in 0..2 {
            let head = head(&mut stream);
            assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
            assert_eq!(head.contains("retry-after: 1\r\n"), wait);
            assert_eq!(head.contains("retry-after"), wait);
            stream.write_all(request("GET", ARTICLE).as_bytes()).unwrap();
        }
        assert_eq!(origin.permanent_fault(ARTICLE), None);
    }
}

#[test]
fn the_answer_to_each_attempt_is_as_drawn() {
    let faults = Faults::new(["503:50".parse().unwrap()]).unwrap();
    let options = Options { pages: 1, seed: 7, faults, ..Options::default() };
    let origin = Origin::start(&options).unwrap();
    let mut unavailable = 0;
    for attempt in 1..=20 {
        // Another way to write the same path.
        let target = if attempt % 2 == 0 { ARTICLE } else { "/wiki/%49ndia" };
        let head = head(&mut ask(&origin, "HEAD", target));
        let is_drawn = options.faults.decide(7, ARTICLE, attempt).is_some();
        assert_eq!(head.starts_with("http/1.1 503 "), is_drawn, "attempt {attempt}");
        unavailable += u64::from(is_drawn);
    }
    assert_eq!(origin.counters().faults, unavailable);
}

#[test]
fn permanent_faults_are_foretold_for_every_page() {
    let faults = Faults::new(["redirect-loop:30".parse().unwrap()]).unwrap();
    let origin = Origin::start(&Options { faults, ..Options::default() }).unwrap();
    let mut foretold = 0;
    for path in origin.site().paths() {
        let head = head(&mut ask(&origin, "HEAD", path));
        let is_foretold = origin.permanent_fault(path).is_some();
        assert_eq!(head.starts_with("http/1.1 302 "), is_foretold, "{path}");
        foretold += u64::from(is_foretold);
    }
    assert_eq!(origin.counters().faults, foretold);
    assert!((40..100).contains(&foretold), "{foretold}");
    assert_eq!(origin.permanent_fault("/nowhere"), None);
}

#[test]
fn a_reset_comes_instead_of_an_answer() {
    let origin = origin("reset");
    let mut stream = ask(&origin, "GET", ARTICLE);
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!((origin.counters().faults, origin.counters().open), (1, 0));
}

#[test]
fn a_cut_body_is_half_of_what_was_announced() {
    let origin = origin("cut");
    let mut stream = ask(&origin, "GET", ARTICLE);
    let page = page(&origin);
    assert_eq!(length(&head(&mut stream)), page.len());
    assert_eq!(rest(&mut stream), page[..page.len() / 2]);
    assert_eq!(origin.counters().open, 0);
}

#[test]
fn nothing_follows_the_half_of_a_stalled_body_and_a_client_may_leave() {
    let origin = origin("stall");
    let mut stream = ask(&origin, "GET", ARTICLE);
    let page = page(&origin);
    assert_eq!(length(&head(&mut stream)), page.len());
    let mut half = vec![0; page.len() / 2];
    stream.read_exact(&mut half).unwrap();
    assert_eq!(half, page[..page.len() / 2]);
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(origin.counters().open, 1);
    drop(stream);
    while origin.counters().open > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_connection_that_is_accepted_slowly_is_answered_all_the_same() {
    let origin = origin("slow-accept");
    let mut stream = ask(&origin, "GET", "/robots.txt");
    assert!(head(&mut stream).starts_with("http/1.1 200 "));
    assert_eq!((origin.counters().faults, origin.counters().requests), (1, 1));
}

#[test]
fn a_part_says_which_and_is_not_compressed() {
    let origin = origin("partial-206");
    let mut stream = TcpStream::connect(origin.addr()).unwrap();
    let headers = "Host: localhost\r\nAccept-Encoding: gzip\r\nIf-None-Match: *";
    write!(stream, "GET {ARTICLE} HTTP/1.1\r\n{headers}\r\n\r\n").unwrap();
    let head = head(&mut stream);
    let page = page(&origin);
    let half = page.len().div_ceil(2);
    assert!(head.starts_with("http/1.1 206 "), "{head}");
    assert!(!head.contains("content-encoding"), "{head}");
    let range = format!("content-range: bytes 0-{}/{}\r\n", half - 1, page.len());
    assert!(head.contains(&range), "{head}");
    let mut body = vec![0; length(&head)];
    stream.read_exact(&mut body).unwrap();
    assert_eq!(body, page[..half]);
}

#[test]
fn a_folded_header_has_two_lines_and_the_page_is_whole() {
    let origin = origin("folded-header");
    let mut stream = ask(&origin, "GET", ARTICLE);
    for _ in 0..2 {
        let head = head(&mut stream);
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        assert!(head.contains("\r\nx-folded: one;\r\n two\r\n"), "{head}");
        let mut body = vec![0; length(&head)];
        stream.read_exact(&mut body).unwrap();
        assert_eq!(body, page(&origin));
        stream.write_all(request("GET", ARTICLE).as_bytes()).unwrap();
    }
}

#[test]
fn faults_of_streams_are_none_over_http1() {
    for kind in ["h2-reset-no-error", "refused-stream"] {
        let origin = origin(kind);
        let mut stream = ask(&origin, "GET", ARTICLE);
        let head = head(&mut stream);
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        let mut body = vec![0; length(&head)];
        stream.read_exact(&mut body).unwrap();
        assert_eq!(body, page(&origin));
        assert_eq!(origin.counters().faults, 0, "{kind}");
    }
}

#[test]
fn a_redirect_loop_never_names_the_same_place_twice() {
    let origin = origin("redirect-loop");
    let mut query = String::new();
    for turn in 1..4 {
        let mut stream = ask(&origin, "GET", &format!("{ARTICLE}{query}"));
        let head = head(&mut stream);
        assert!(head.starts_with("http/1.1 302 "), "{head}");
        query = format!("?turn={turn}");
        assert!(head.contains(&format!("location: {query}\r\n")), "{head}");
    }
    assert_eq!(origin.permanent_fault(ARTICLE), Some(FaultKind::RedirectLoop));
}

#[test]
fn an_endless_body_repeats_the_page() {
    let origin = origin("endless");
    let mut stream = ask(&origin, "GET", ARTICLE);
    let head = head(&mut stream);
    assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
    let page = page(&origin);
    let body = chunked(&mut stream, 2 * page.len() + 1);
    assert_eq!(body[..page.len()], page);
    assert_eq!(body[page.len()..2 * page.len()], page);
    assert_eq!(origin.counters().open, 1);
}

#[test]
fn a_dripping_body_comes_byte_by_byte() {
    let origin = origin("drip");
    let mut stream = ask(&origin, "GET", ARTICLE);
    assert!(head(&mut stream).contains("transfer-encoding: chunked\r\n"));
    assert_eq!(chunked(&mut stream, 1), page(&origin)[..1]);
    assert_eq!(origin.counters().open, 1);
}

#[test]
fn bad_gzip_says_gzip_and_is_none() {
    let origin = origin("bad-gzip");
    let mut stream = ask(&origin, "GET", ARTICLE);
    let head = head(&mut stream);
    assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
    let mut body = vec![0; length(&head)];
    stream.read_exact(&mut body).unwrap();
    assert_eq!(body, NOT_GZIP.as_bytes());
}

#[test]
fn a_wrong_length_is_larger_than_the_page() {
    let origin = origin("wrong-length");
    let mut stream = ask(&origin, "GET", ARTICLE);
    let page = page(&origin);
    assert_eq!(length(&head(&mut stream)), page.len() + MISSING_BYTES);
    assert_eq!(rest(&mut stream), page);
}

#[test]
fn what_is_no_article_and_what_has_no_body_is_spared() {
    let origin = origin("cut");
    for (method, target) in [
        ("GET", "/robots.txt"),
        ("GET", "/"),
        ("GET", "/_stats"),
        ("GET", "/nowhere"),
        ("HEAD", ARTICLE),
    ] {
        let mut stream = ask(&origin, method, target);
        let head = head(&mut stream);
        if method == "GET" {
            stream.read_exact(&mut vec![0; length(&head)]).unwrap();
        }
    }
    assert_eq!(origin.counters().faults, 0);
}

#[test]
fn an_origin_stops_whatever_its_bodies_wait_for() {
    for kind in ["stall", "drip", "endless", "slow-accept"] {
        let origin = origin(kind);
        let mut clients: Vec<TcpStream> = (0..3).map(|_| ask(&origin, "GET", ARTICLE)).collect();
        if kind == "slow-accept" {
            while origin.counters().faults < 3 {
                std::thread::yield_now();
            }
        } else {
            for stream in &mut clients {
                head(stream);
            }
        }
        drop(origin);
    }
}
