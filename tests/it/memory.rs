//! The memory of all pages in flight has a bound, in every mode, and every wait for
//! memory ends.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;

use fetchpages::exec;

use crate::support::Place;
use crate::support::canned::{Canned, Reply, answer};
use crate::support::encoders::gzip;

const PAGES: usize = 24;
const LARGE: usize = 8 << 20;
/// The program's own memory, and one page in excess of the budget.
const BESIDES: u64 = 60_000_000;

/// A server of large pages: `/plain/N`, `/chunked/N` and `/gzip/N`.
fn server() -> Canned {
    let plain = Arc::new(answer("200 OK", "", vec![b'x'; LARGE]));
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"100000\r\n".to_vec(), vec![b'x'; 1 << 20], b"\r\n".to_vec()].concat();
    let chunked = [head, chunk.repeat(LARGE >> 20), b"0\r\n\r\n".to_vec()].concat();
    let gzip = answer("200 OK", "Content-Encoding: gzip\r\n", gzip(vec![b'x'; 4 * LARGE]));
    Canned::start(move |request| {
        Reply::Raw(match request.path.split('/').nth(1) {
            Some("plain") => plain.to_vec(),
            Some("chunked") => chunked.clone(),
            _ => gzip.clone(),
        })
    })
}

#[test]
fn large_pages_in_flight_share_a_budget_and_all_arrive() {
    let server = server();
    for mode in exec::TABLE {
        for kind in ["plain", "chunked", "gzip"] {
            let place = Place::new();
            let urls = (0..PAGES).map(|page| server.url(&format!("/{kind}/{page}\n")));
            let list = place.file("list", urls.collect::<String>());
            let workers = if mode.is_scalable { PAGES.to_string() } else { "1".to_owned() };
            let ended = place.run_apart(&[
                "-i",
                &list,
                "--mode",
                mode.name,
                "-j",
                &workers,
                "--max-memory",
                "16MiB",
                "--retry",
                "0",
                "--no-save",
                "--json",
            ]);
            let summary = ended.code(0).json();
            assert_eq!(summary["saved"], PAGES, "{} {kind}", mode.name);
            let peak = summary["peak_rss_bytes"].as_u64().unwrap();
            // Without a budget: 24 x 8 MiB on the wire, or 24 x 32 MiB decoded.
            assert!(peak < (16 << 20) + BESIDES, "{} {kind}: {peak}", mode.name);
        }
    }
}

#[test]
fn a_large_page_is_saved_as_it_is_and_replaces_what_was_there() {
    let server = server();
    for mode in ["threads", "hybrid", "processes"] {
        let place = Place::new();
        for _ in 0..2 {
            let url = server.url("/gzip/1.txt");
            place.run(&[&url, "--mode", mode, "-j", "2", "--max-memory", "1MiB"]).code(0);
            let saved = place.read("pages/1.txt");
            assert!(saved.len() == 4 * LARGE && saved.iter().all(|byte| *byte == b'x'), "{mode}");
        }
        place.run(&["verify", "pages"]).code(0);
    }
}

#[test]
fn a_page_that_is_only_announced_holds_back_no_other() {
    for mode in ["threads", "hybrid", "processes"] {
        let (server, listener) = (server(), TcpListener::bind("127.0.0.1:0").unwrap());
        let announced = format!("http://{}/announced", listener.local_addr().unwrap());
        let others: Vec<_> = (0..4).map(|page| server.url(&format!("/gzip/{page}"))).collect();
        let place = Place::new();
        std::thread::scope(|threads| {
            // Sends no part of its body until the other host has a request for each of its pages.
            threads.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                let request = BufReader::new(stream.try_clone().unwrap()).lines();
                request.take_while(|line| !line.as_ref().unwrap().is_empty()).for_each(drop);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
                stream.write_all(head.as_bytes()).unwrap();
                for page in 0..4 {
                    server.wait_for(&format!("/gzip/{page}"));
                }
                stream.write_all(&vec![b'x'; LARGE]).unwrap();
            });
            let mut arguments = vec![&*announced, "--mode", mode, "-j", "2", "--retry", "0"];
            arguments.extend(["--max-memory", "6MiB", "--no-save"]);
            arguments.extend(others.iter().map(String::as_str));
            place.run(&arguments).code(0);
        });
    }
}
