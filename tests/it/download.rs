//! The main job, through the program: it saves complete pages under the right names, in every mode.

use std::collections::BTreeSet;
use std::time::Duration;

use fetchpages::exec;
use fetchpages::origin::{Options, Origin};
use serde_json::Value;

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::{Ended, Place, origin};

/// Returns the path of the page that was saved as `name`.
fn article(name: &str) -> String {
    format!("/wiki/{}", name.strip_suffix(".html").unwrap())
}

#[test]
fn every_mode_saves_every_page_whole() {
    let origin = origin(60);
    for mode in exec::TABLE {
        let place = Place::new();
        let ended = place.run(&["--index", &origin.index_url(), "--mode", mode.name]).code(0);
        let mut lines = ended.stdout.lines();
        assert_eq!(lines.next(), Some("Total pages: 60"), "{mode:?}");
        let second = lines.next().unwrap();
        assert!(
            second.starts_with("Downloaded 60 links in ") && second.ends_with(" seconds"),
            "{second}"
        );
        let names = place.names("pages");
        assert_eq!(names.len(), 60, "{mode:?}");
        for name in names {
            let document = origin.site().get(&article(&name)).unwrap_or_else(|| panic!("{name}"));
            assert!(place.read(&format!("pages/{name}")) == *document.plain(), "{name} differs");
        }
        place.run(&["verify", "pages"]).code(0);
    }
}

#[test]
fn the_manifest_records_each_page_once_between_run_and_end() {
    let origin = origin(20);
    let place = Place::new();
    place.run(&["--index", &origin.index_url(), "-j", "4"]).code(0);
    let records = place.records();
    let kinds: Vec<_> = records.iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"run"));
    assert_eq!(kinds.last(), Some(&"end"));
    assert_eq!(kinds.iter().filter(|kind| **kind == "page").count(), 20);
    let (run, end) = (&records[0], records.last().unwrap());
    assert_eq!(
        (&run["v"], &run["mode"], &run["workers"]),
        (&1.into(), &"hybrid".into(), &4.into())
    );
    assert!(run["source"].as_str().unwrap().starts_with("--index 'http://127.0.0.1:"));
    // The index names one page twice, once with a fragment, and the page itself once more.
    let counts =
        ["pages", "saved", "found", "duplicates", "failed"].map(|name| end[name].as_u64().unwrap());
    assert_eq!(counts, [20, 20, 22, 2, 0]);
    for page in place.pages() {
        assert_eq!(page["state"], "saved");
        assert_eq!(
            (&page["status"], &page["http"], &page["attempts"]),
            (&200.into(), &"1.1".into(), &1.into())
        );
        let body = place.read(&format!("pages/{}", page["file"].as_str().unwrap()));
        assert_eq!(page["bytes"], body.len());
        assert!(page["wire_bytes"].as_u64().unwrap() < body.len() as u64);
        assert_eq!(page["error"], Value::Null);
    }
}

#[test]
fn pages_come_over_http_2_and_tls() {
    let origin = Origin::start(&Options { pages: 20, tls: true, ..Options::default() }).unwrap();
    let place = Place::new();
    let authority = place.file("ca.pem", origin.certificate_pem().unwrap());
    let index = origin.index_url();
    for (arguments, http) in [
        (&["--cacert", &authority][..], "2"),
        (&["--cacert", &authority, "--http", "1.1"], "1.1"),
        (&["-k", "--http", "2"], "2"),
    ] {
        place.run(&[&["--index", &index], arguments].concat()).code(0);
        assert_eq!(place.pages().last().unwrap()["http"], http);
    }
    place.run(&["--index", &index]).code(1).says(&[
        "error: failed to fetch https://",
        "TLS: ",
        "--cacert",
    ]);
    let ended = place.run(&[&index, "-o", "other"]).code(3);
    assert!(ended.stderr.contains("(tls)"), "{ended:?}");
}

#[test]
fn one_connection_carries_all_pages_of_a_host_that_speaks_http_2() {
    let origin = Origin::start(&Options { pages: 40, tls: true, ..Options::default() }).unwrap();
    let urls: Vec<_> = origin.site().paths().map(|path| origin.url(path)).collect();
    for mode in ["async", "hybrid"] {
        let place = Place::new();
        let list = place.file("urls.txt", urls.join("\n"));
        let before = origin.counters().connections;
        place.run(&["-i", &list, "-k", "--mode", mode, "-j", "32"]).code(0);
        assert_eq!(origin.counters().connections - before, 1, "{mode}");
    }
}

#[test]
fn never_more_requests_are_open_than_workers() {
    for mode in exec::TABLE {
        let latency = Duration::from_millis(5);
        let origin = Origin::start(&Options { pages: 60, latency, ..Options::default() }).unwrap();
        let place = Place::new();
        place.run(&["--index", &origin.index_url(), "--mode", mode.name, "-j", "6"]).code(0);
        let peak = origin.counters().open_peak;
        let limit = if mode.is_scalable { 2..=6 } else { 1..=1 };
        assert!(limit.contains(&peak), "{mode:?}: {peak}");
    }
}

#[test]
fn a_failure_that_may_pass_is_tried_again() {
    let server = Canned::start(|_| Reply::Reset);
    let place = Place::new();
    let ended = place.run(&[&server.url("/x"), "--retry", "2", "--json"]).code(3);
    assert_eq!(server.count("/x"), 3);
    assert_eq!(ended.json()["failures"], serde_json::json!({ "reset": 1 }));
    assert_eq!(place.pages()[0]["attempts"], 3);
    ended.says(&["failed http://127.0.0.1:", "after 3 tries (reset)"]);
}

#[test]
fn a_busy_server_is_asked_again_and_its_page_saved() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = Canned::start(move |_| {
        let is_first = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        Reply::Raw(if is_first { answer("503 Busy", "", "wait") } else { html("<p>here") })
    });
    let place = Place::new();
    place.run(&[&server.url("/x")]).code(0);
    assert_eq!(place.text("pages/x.html"), "<p>here");
    assert_eq!(place.pages()[0]["attempts"], 2);
}

#[test]
fn only_whole_pages_with_content_are_saved() {
    let gzip = "Content-Encoding: gzip\r\n";
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("missing", answer("404 Not Found", "", "no such page"), "http"),
        ("gone", answer("410 Gone", "", ""), "http"),
        ("none", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), "http"),
        ("not-gzip", answer("200 OK", gzip, "plain text"), "decode"),
        ("odd", answer("200 OK", "Content-Encoding: compress\r\n", "text"), "decode"),
        ("no-content", answer("226 IM Used", "", "a difference"), "http"),
        (
            "part",
            answer("206 Partial Content", "Content-Range: bytes 0-4/9\r\n", "a par"),
            "truncated",
        ),
        ("empty-gzip", answer("200 OK", "Content-Encoding: gzip\r\n", ""), "truncated"),
        (
            "coded",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                .to_vec(),
            "decode",
        ),
        ("cut", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec(), "truncated"),
        (
            "cut-chunk",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf".to_vec(),
            "truncated",
        ),
        ("no-http", b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(), "protocol"),
        ("large", answer("200 OK", "", vec![b'x'; 5_000]), "too-large"),
        ("endless", [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 5_000]].concat(), "too-large"),
        ("loop", answer("302 Found", "Location: /loop\r\n", ""), "redirects"),
        ("nowhere", answer("302 Found", "Location: ftp://a.org/\r\n", ""), "redirects"),
    ];
    let table: Vec<_> =
        cases.iter().map(|(name, raw, _)| (format!("/{name}"), raw.clone())).collect();
    let server = Canned::start(move |request| {
        let found = table.iter().find(|(path, _)| *path == request.path);
        Reply::Raw(found.map_or_else(|| answer("200 OK", "", ""), |(_, raw)| raw.clone()))
    });
    let place = Place::new();
    let mut urls: Vec<_> =
        cases.iter().map(|(name, _, _)| server.url(&format!("/{name}"))).collect();
    urls.push(server.url("/empty"));
    let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    arguments.extend(["--retry", "0", "--max-size", "4096"]);
    place.run(&arguments).code(3);
    assert_eq!(place.names("pages"), ["empty.html"]);
    assert!(place.read("pages/empty.html").is_empty());
    let pages = place.pages();
    for (name, _, code) in cases {
        let page =
            pages.iter().find(|page| page["url"].as_str().unwrap().ends_with(&format!("/{name}")));
        let page = page.unwrap_or_else(|| panic!("{name} has no record"));
        assert_eq!(page["error"]["code"], *code, "{page:#}");
    }
}

#[test]
fn a_silent_server_costs_its_time_limit_and_no_more() {
    let server = Canned::start(|request| {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
        Reply::Stall(if request.path == "/body" { head.into() } else { Vec::new() })
    });
    let place = Place::new();
    place.run(&[&server.url("/head"), "--retry", "0", "--read-timeout", "50ms"]).code(3);
    // The head arrives within this time on a busy machine too.
    place.run(&[&server.url("/body"), "--retry", "0", "--read-timeout", "1s"]).code(3);
    place.run(&[&server.url("/all"), "--retry", "0", "--max-time", "50ms"]).code(3);
    // No server answers this handshake.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    place.run(&[&url, "--retry", "0", "--connect-timeout", "50ms"]).code(3);
    let codes: Vec<_> = place
        .pages()
        .iter()
        .map(|page| page["error"]["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes, ["first-byte-timeout", "read-timeout", "max-time", "connect-timeout"]);
}

#[test]
fn a_broken_http_2_connection_may_pass() {
    let options = Options { pages: 1, tls: true, bandwidth: Some(1_000), ..Options::default() };
    let origin = Origin::start(&options).unwrap();
    let page = origin.url(origin.site().paths().next().unwrap());
    let place = Place::new();
    let mut running = place.start(&[&page, "-k", "--retry", "0", "--json"]);
    while origin.counters().requests == 0 {
        assert!(running.try_wait().unwrap().is_none(), "it ended before the page was asked for");
        std::thread::yield_now();
    }
    drop(origin);
    let ended = Ended::of(running.wait_with_output().unwrap()).code(3);
    let failures = ended.json()["failures"].clone();
    let is_transient = ["reset", "truncated"].iter().any(|code| failures[code] == 1);
    assert!(is_transient, "{failures}");
}

#[test]
fn nobody_listens_and_no_name_are_told_apart() {
    let place = Place::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = format!("http://{free}/x");
    place.run(&[&gone, "http://no-such-host.invalid/y", "--retry", "0"]).code(3);
    let codes: BTreeSet<_> = place
        .pages()
        .iter()
        .map(|page| page["error"]["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(codes, ["connect", "dns"].map(str::to_owned).into());
}

#[test]
fn redirects_are_followed_and_credentials_stay_at_home() {
    let other = Canned::always(html("other"));
    let away = other.url("/landed");
    let server = Canned::start(move |request| {
        Reply::Raw(match &*request.path {
            "/here" => answer("301 Moved Permanently", "Location: ../there\r\n", "moved"),
            "/away" => answer("307 Temporary Redirect", &format!("Location: {away}\r\n"), ""),
            _ => html("home"),
        })
    });
    let place = Place::new();
    let secrets = ["-u", "me:secret", "-b", "session=1", "-H", "X-Kind: test"];
    place.run(&[&[&*server.url("/here"), &server.url("/away")], &secrets[..]].concat()).code(0);
    assert_eq!(place.text("pages/here.html"), "home");
    assert_eq!(place.text("pages/away.html"), "other");
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some("Basic bWU6c2VjcmV0"), "{request:?}");
        assert_eq!(request.header("cookie"), Some("session=1"), "{request:?}");
        assert_eq!(request.header("accept-encoding"), Some("gzip, br, zstd, deflate"));
    }
    let landed = &other.requests()[0];
    assert_eq!((landed.header("authorization"), landed.header("cookie")), (None, None));
    assert_eq!(landed.header("x-kind"), Some("test"));
    let finals: BTreeSet<_> =
        place.pages().iter().map(|page| page["final_url"].as_str().unwrap().to_owned()).collect();
    assert_eq!(finals, [server.url("/there"), other.url("/landed")].into());
}

#[test]
fn links_of_an_index_get_no_credentials_of_its() {
    let other = Canned::always(html("other"));
    let link = format!("<a href='{}'>x</a><a href='/home'>y</a>", other.url("/x"));
    let server = Canned::start(move |_| Reply::Raw(html(&link)));
    let place = Place::new();
    place.run(&["--index", &server.url("/"), "--select", "a", "-u", "me:secret"]).code(0);
    assert_eq!(other.requests()[0].header("authorization"), None);
    assert!(server.requests().iter().all(|request| request.header("authorization").is_some()));
}

#[test]
fn a_password_in_a_url_is_used_and_never_written_down() {
    let server = Canned::start(|request| match request.header("authorization") {
        Some("Basic bWU6c2VjcmV0") => {
            let host = request.header("host").unwrap();
            Reply::Raw(match &*request.path {
                "/absolute" => answer("302 Found", &format!("Location: http://{host}/in\r\n"), ""),
                "/relative" => answer("302 Found", "Location: /in\r\n", ""),
                "/away" => answer("302 Found", "Location: ftp://me:secret@a.org/\r\n", ""),
                _ => html("in"),
            })
        }
        _ => Reply::Raw(answer("401 Unauthorized", "", "who are you?")),
    });
    let place = Place::new();
    let with =
        |path: &str, user: &str| server.url(path).replace("http://", &format!("http://{user}@"));
    let urls = [
        with("/in", "me:secret"),
        with("/absolute", "me:secret"),
        with("/relative", "me:secret"),
        with("/away", "me:secret"),
        with("/out", "me:wrong-secret"),
    ];
    let list = place.file("list", urls.join("\n") + "\nftp://me:secret@a.org/\nme:secret@a.org\n");
    let ended = place.run(&["-i", &list, "-v"]).code(3);
    for name in ["in", "absolute", "relative"] {
        assert_eq!(place.text(&format!("pages/{name}.html")), "in");
    }
    let refusal = place.run(&["ftp://me:secret@a.org/x"]).code(2).stderr;
    let written = ended.stdout + &ended.stderr + &place.text("pages/manifest.jsonl") + &refusal;
    assert!(!written.contains("secret"), "{written}");
}

#[test]
fn the_agent_says_who_runs_it() {
    let server = Canned::always(html("x"));
    let place = Place::new();
    let version = concat!("fetchpages/", env!("CARGO_PKG_VERSION"));
    for (arguments, agent) in [
        (&[][..], version.to_owned()),
        (&["--contact", "me@a.org"], format!("{version} (me@a.org)")),
        (&["-A", "other/1", "--contact", "me@a.org"], "other/1".into()),
        (&["-H", "User-Agent: third/1"], "third/1".into()),
    ] {
        place.run(&[&[&*server.url("/x")], arguments].concat()).code(0);
        assert_eq!(server.requests().last().unwrap().header("user-agent"), Some(&*agent));
    }
}

#[test]
fn no_save_keeps_the_manifest_only() {
    let origin = origin(5);
    let place = Place::new();
    place.run(&["--index", &origin.index_url(), "--no-save"]).code(0);
    assert!(place.names("pages").is_empty());
    for page in place.pages() {
        assert_eq!((&page["state"], &page["file"]), (&"saved".into(), &Value::Null));
        assert_eq!(page["sha256"].as_str().unwrap().len(), 64);
    }
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn a_second_run_keeps_names_and_replaces_pages() {
    let count = std::sync::atomic::AtomicU32::new(0);
    let server = Canned::start(move |request| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Reply::Raw(html(&format!("{} {number}", request.path)))
    });
    let place = Place::new();
    let (first, second) = (server.url("/a/India"), server.url("/b/india"));
    place.run(&[&first, &second]).code(0);
    let names = place.names("pages");
    assert_eq!(names.len(), 2);
    // The other order would give the plain name to the other page.
    place.run(&[&second, &first]).code(0);
    assert_eq!(place.names("pages"), names);
    assert!(place.text("pages/India.html").starts_with("/a/India "));
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn a_strangers_file_is_never_overwritten() {
    let origin = origin(3);
    let place = Place::new();
    let name = article_names(&origin)[0].clone();
    place.file(&format!("pages/{name}"), "mine");
    for _ in 0..2 {
        place.run(&["--index", &origin.index_url()]).code(0);
        assert_eq!(place.text(&format!("pages/{name}")), "mine");
        assert_eq!(place.names("pages").len(), 4);
    }
}

#[test]
fn verify_knows_what_the_run_found_there() {
    let origin = origin(3);
    for layout in ["flat", "tree"] {
        let place = Place::new();
        place.file("pages/mine", "mine");
        place.file("pages/folder/deep/mine", "mine");
        std::os::unix::fs::symlink("mine", place.path("pages/link")).unwrap();
        place.run(&["--index", &origin.index_url(), "--layout", layout]).code(0);
        place.run(&["verify", "pages"]).code(0);
        place.file("pages/later", "mine");
        let ended = place.run(&["verify", "pages"]).code(5);
        assert!(ended.stdout.contains("foreign     later\n"), "{ended:?}");
        assert!(ended.stdout.contains("3 files are as recorded, 1 differ\n"), "{ended:?}");
    }
}

fn article_names(origin: &Origin) -> Vec<String> {
    origin.site().paths().map(|path| format!("{}.html", path.rsplit('/').next().unwrap())).collect()
}

#[test]
fn files_of_a_killed_run_are_its_own_recorded_or_not() {
    let origin = origin(6);
    let place = Place::new();
    let names = article_names(&origin);
    place.file(&format!("pages/{}", names[0]), "mine");
    place.run(&["--index", &origin.index_url()]).code(0);
    let whole = place.names("pages");
    // The state after a kill: no end record, two pages saved and not recorded, a staged file, a
    // torn line.
    let manifest = place.text("pages/manifest.jsonl");
    let mut lines: Vec<_> = manifest.lines().collect();
    lines.truncate(lines.len() - 3);
    place.file("pages/manifest.jsonl", lines.join("\n") + "\n{\"kind\":\"page\",\"se");
    place.file("pages/.fetchpages-1-1.part", "half");
    place.run(&["--index", &origin.index_url()]).code(0);
    assert_eq!(place.names("pages"), whole);
    assert_eq!(place.text(&format!("pages/{}", names[0])), "mine");
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn two_runs_never_share_an_output() {
    let server = Canned::start(|_| Reply::Stall(Vec::new()));
    let place = Place::new();
    let mut running = place.start(&[&server.url("/x"), "--progress", "none"]);
    server.wait_for("/x");
    place
        .run(&[&server.url("/y")])
        .code(1)
        .says(&["error: another run is writing into pages", "hint: "]);
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
fn all_layouts_hold_the_same_pages() {
    let origin = origin(10);
    let place = Place::new();
    for layout in ["flat", "tree", "hash"] {
        place.run(&["--index", &origin.index_url(), "--layout", layout, "-o", layout]).code(0);
        place
            .run(&["verify", layout])
            .code(0)
            .stdout
            .contains("10 files are as recorded, 0 differ")
            .then_some(())
            .unwrap();
    }
    assert_eq!(place.names("tree").len(), 1);
    assert!(place.names("hash").iter().all(|name| name.len() == 2));
}

#[test]
fn the_demo_needs_nothing_else() {
    let place = Place::new();
    let ended = place.run(&["--demo", "--latency", "0", "--json", "-j", "4"]).code(0);
    let summary = ended.json();
    assert_eq!(
        (&summary["pages"], &summary["saved"], &summary["failed"]),
        (&233.into(), &233.into(), &0.into())
    );
    assert_eq!(place.names("pages").len(), 233);
}

#[test]
fn a_head_is_limited_by_its_size_and_not_by_its_lines() {
    for (lines, value, is_saved) in [(600, "x", true), (9_000, "x", true), (300, "y", false)] {
        let value = if is_saved { value.to_owned() } else { value.repeat(1_000) };
        let fields = format!("X-Field: {value}\r\n").repeat(lines);
        let server = Canned::always(answer("200 OK", &fields, "page"));
        let place = Place::new();
        place.run(&[&server.url("/page"), "--retry", "0"]).code(if is_saved { 0 } else { 3 });
        let page = &place.pages()[0];
        let message = page["error"]["message"].as_str().unwrap_or("262144");
        assert!(message.contains("262144"), "{page:#}");
        assert_eq!((&page["state"] == "saved", &page["attempts"]), (is_saved, &1.into()));
    }
}
