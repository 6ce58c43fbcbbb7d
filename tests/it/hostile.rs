//! Hostile and broken servers: each costs one page, and little memory.

use crate::support::Place;
use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::encoders::{BROTLI, gzip, zstd};

/// The program, with memory for its threads but not for a body that it must refuse.
const MEMORY: u64 = 100_000_000;

fn codes(place: &Place) -> Vec<String> {
    let mut pages = place.pages();
    pages.sort_by_key(|page| page["seq"].as_u64());
    pages.iter().map(|page| page["error"]["code"].as_str().unwrap_or("none").to_owned()).collect()
}

#[test]
fn a_head_without_measure_is_no_http() {
    let server = Canned::start(|request| {
        let start = b"HTTP/1.1 200 OK\r\n".to_vec();
        Reply::Raw(match &*request.path {
            "/line" => [start, b"X: ".to_vec(), vec![b'x'; 10 << 20]].concat(),
            "/many" => [start, b"X: y\r\n".repeat(100_000)].concat(),
            "/reason" => [b"HTTP/1.1 200 ".to_vec(), vec![b'x'; 10 << 20]].concat(),
            "/hints" => b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000),
            _ => b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".to_vec(),
        })
    });
    let place = Place::new();
    let urls = ["/line", "/many", "/reason", "/lengths", "/hints"].map(|path| server.url(path));
    let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    arguments.extend(["--retry", "0", "--json"]);
    let summary = place.run_apart(&arguments).code(3).json();
    let codes = codes(&place);
    assert!(codes[..4].iter().all(|code| code == "protocol"), "{codes:?}");
    // The server sends interim answers and no final one.
    assert!(["reset", "truncated"].contains(&&*codes[4]), "{codes:?}");
    assert!(summary["peak_rss_bytes"].as_u64().unwrap() < MEMORY, "{summary:#}");
}

#[test]
fn bytes_after_the_announced_length_belong_to_no_page() {
    let server = Canned::start(|request| {
        let extra = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong";
        Reply::Raw(match &*request.path {
            "/long" => format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage{extra}").into(),
            path => html(path),
        })
    });
    let place = Place::new();
    let urls = ["/long", "/next", "/last"].map(|path| server.url(path));
    let arguments = [&*urls[0], &urls[1], &urls[2], "--mode", "sequential"];
    place.run(&arguments).code(0);
    let saved = ["long", "next", "last"].map(|name| place.text(&format!("pages/{name}.html")));
    assert_eq!(saved, ["page", "/next", "/last"]);
}

/// About a gigabyte of zeros in about a megabyte of gzip: members of 16 MiB.
fn gzip_bomb() -> Vec<u8> {
    gzip(vec![0; 16 << 20]).repeat(64)
}

/// The same number of zeros in zstd.
fn zstd_bomb() -> Vec<u8> {
    zstd(&vec![0; 16 << 20]).repeat(64)
}

#[test]
fn what_unfolds_without_end_is_too_large() {
    let (gzip, both) = (gzip_bomb(), zstd(&gzip_bomb()));
    let zstd = zstd_bomb();
    let server = Canned::start(move |request| {
        let (coding, body) = match &*request.path {
            "/gzip" => ("gzip", gzip.clone()),
            "/zstd" => ("zstd", zstd.clone()),
            "/both" => ("gzip, zstd", both.clone()),
            _ => ("br", BROTLI.to_vec()),
        };
        Reply::Raw(answer("200 OK", &format!("Content-Encoding: {coding}\r\n"), body))
    });
    let place = Place::new();
    let urls = ["/gzip", "/zstd", "/both"].map(|path| server.url(path));
    let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    arguments.extend(["--max-size", "8MiB", "--json"]);
    let summary = place.run_apart(&arguments).code(3).json();
    assert_eq!(codes(&place), ["too-large"; 3]);
    assert!(summary["peak_rss_bytes"].as_u64().unwrap() < MEMORY, "{summary:#}");
    let ended = place.run(&[&server.url("/br"), "--max-size", "1000B", "--json"]).code(3);
    assert_eq!(ended.json()["failures"], serde_json::json!({ "too-large": 1 }));
}

#[test]
fn a_body_that_breaks_off_in_its_coding_is_not_saved() {
    let whole = |coding: &str| match coding {
        "gzip" => gzip_bomb()[..20_000].to_vec(),
        "zstd" => zstd_bomb()[..40].to_vec(),
        _ => BROTLI[..20].to_vec(),
    };
    let server = Canned::start(move |request| {
        let coding = &request.path[1..];
        let (coding, body) = match coding.strip_prefix("empty-") {
            Some(coding) => (coding, Vec::new()),
            None => (coding, whole(coding)),
        };
        Reply::Raw(answer("200 OK", &format!("Content-Encoding: {coding}\r\n"), body))
    });
    let place = Place::new();
    let urls = ["/gzip", "/zstd", "/br", "/empty-gzip"].map(|path| server.url(path));
    let arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    place.run(&[&arguments[..], &["--retry", "0"]].concat()).code(3);
    assert_eq!(codes(&place), ["truncated"; 4]);
    assert!(place.names("pages").is_empty());
}

#[test]
fn a_body_that_is_not_saved_is_not_waited_for() {
    let server = Canned::start(|request| match &*request.path {
        "/gone" => Reply::Stall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nwhy".into()),
        "/moved" => Reply::Stall(
            b"HTTP/1.1 302 Found\r\nLocation: /page\r\nContent-Length: 9\r\n\r\nso".into(),
        ),
        path => Reply::Raw(html(path)),
    });
    let place = Place::new();
    let urls = ["/gone", "/moved"].map(|path| server.url(path));
    place.run(&[&*urls[0], &urls[1], "--max-time", "10s", "--retry", "0"]).code(3);
    assert_eq!(codes(&place), ["http", "none"]);
    let gone = place.pages().into_iter().find(|page| page["error"]["code"] == "http").unwrap();
    assert_eq!(gone["status"], 404, "{gone:#}");
    assert_eq!(place.text("pages/moved.html"), "/page");
}

#[test]
fn credentials_stay_out_of_the_record_and_the_messages() {
    let server = Canned::start(|request| {
        let to = |location: &str| answer("302 Found", &format!("Location: {location}\r\n"), "");
        Reply::Raw(match &*request.path {
            "/a" => to("http:///evil:QQQ@127.0.0.1:99999/"),
            "/b" => to("http://evil:Q/QQ@127.0.0.1/"),
            "/c" => to("evil:QQQ@127.0.0.1"),
            "/d" => to("ftp://evil:QQQ@127.0.0.1/"),
            "/e" => to("http://evil:QQQ@127.0.0.1:1/"),
            path => html(path),
        })
    });
    let place = Place::new();
    let at = server.addr();
    let mut arguments = vec![format!("http:///me:QQQ@{at}/page"), format!("http:/me:Q@QQ@{at}/p")];
    arguments.extend(["/a", "/b", "/c", "/d", "/e"].map(|path| format!("http:me:QQQ@{at}{path}")));
    arguments.extend(["-v", "--retry", "0"].map(String::from));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let ended = place.run(&arguments).code(3);
    let manifest = place.text("pages/manifest.jsonl");
    for text in [&manifest, &ended.stderr, &ended.stdout] {
        assert!(!text.contains("QQ"), "{text}");
    }
    assert_eq!(place.records()[0]["is_redacted"], true);
}
