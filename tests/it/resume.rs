//! How a run treats the pages of earlier runs in the same directory.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use fetchpages::origin::{Options, Origin};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::{Ended, Place, origin};

/// Returns these members of a summary.
fn counts<const N: usize>(ended: &Ended, names: [&str; N]) -> [u64; N] {
    let summary = ended.json();
    names.map(|name| summary[name].as_u64().unwrap_or_else(|| panic!("{name} in {summary}")))
}

/// Checks that every page of the site is there, whole, and nothing else.
#[track_caller]
fn is_complete(place: &Place, origin: &Origin) {
    let expected: BTreeSet<_> = origin.site().paths().map(name_of).collect();
    let found: BTreeSet<_> = place.names("pages").into_iter().collect();
    assert_eq!(found, expected);
    for path in origin.site().paths() {
        let body = place.read(&format!("pages/{}", name_of(path)));
        assert!(body == *origin.site().get(path).unwrap().plain(), "{path} differs");
    }
    place.run(&["verify", "pages"]).code(0);
}

fn name_of(path: &str) -> String {
    format!("{}.html", path.rsplit('/').next().unwrap())
}

#[test]
fn what_is_saved_is_skipped_and_not_asked_for() {
    let origin = origin(20);
    let place = Place::new();
    let run = ["--index", &origin.index_url(), "--resume", "--json"];
    let first = place.run(&run).code(0);
    assert_eq!(counts(&first, ["pages", "saved", "skipped"]), [20, 20, 0]);
    let asked = origin.counters().requests;
    let second = place.run(&run).code(0);
    assert_eq!(origin.counters().requests, asked + 1, "the index and nothing else");
    assert_eq!(counts(&second, ["pages", "saved", "skipped", "duplicates"]), [20, 0, 20, 2]);
    let records = place.records();
    let end = records.last().unwrap();
    assert_eq!((&end["pages"], &end["skipped"]), (&20.into(), &20.into()));
    assert_eq!(place.pages().len(), 20, "what is skipped has no record");
    let stdout = place.run(&run[..3]).code(0).stdout;
    assert!(
        stdout.starts_with("Total pages: 20\nDownloaded 0 links in 0.00 seconds\n"),
        "{stdout}"
    );
    // The limit narrows the source: pages that are not fetched count as well.
    std::fs::remove_file(place.path(&format!("pages/{}", place.names("pages")[0]))).unwrap();
    let limited = place.run(&[&run[..], &["--limit", "5"]].concat()).code(0);
    assert_eq!(counts(&limited, ["pages"]), [5]);
}

#[test]
fn deleted_and_shortened_files_are_fetched_again_under_their_names() {
    let origin = origin(8);
    let place = Place::new();
    let index = origin.index_url();
    place.run(&["--index", &index]).code(0);
    let names = place.names("pages");
    std::fs::remove_file(place.path(&format!("pages/{}", names[0]))).unwrap();
    place.file(&format!("pages/{}", names[1]), "short");
    // The link leads to another page, in the place of a third: a link is not a saved page.
    let third = place.path(&format!("pages/{}", names[2]));
    std::fs::remove_file(&third).unwrap();
    std::os::unix::fs::symlink(&names[3], &third).unwrap();
    let ended = place.run(&["--index", &index, "-c", "--json"]).code(0);
    assert_eq!(counts(&ended, ["saved", "skipped"]), [3, 5]);
    is_complete(&place, &origin);
}

fn slow_origin(pages: usize) -> Origin {
    let latency = Duration::from_millis(20);
    Origin::start(&Options { pages, latency, ..Options::default() }).unwrap()
}

#[test]
fn a_run_that_was_killed_or_interrupted_is_completed() {
    let origin = slow_origin(40);
    for signals in [
        &[Signal::SIGKILL][..],
        &[Signal::SIGINT],
        &[Signal::SIGKILL, Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL],
    ] {
        let place = Place::new();
        let index = origin.index_url();
        for signal in signals {
            let asked = origin.counters().requests;
            let mut running = place.start(&["--index", &index, "-c", "-j", "4"]);
            while origin.counters().requests < asked + 9 {
                assert!(running.try_wait().unwrap().is_none(), "it ended before {signal}");
                std::thread::yield_now();
            }
            kill(Pid::from_raw(i32::try_from(running.id()).unwrap()), *signal).unwrap();
            running.wait().unwrap();
        }
        let ended = place.run(&["--index", &index, "--resume", "--json"]).code(0);
        let [pages, saved, skipped] = counts(&ended, ["pages", "saved", "skipped"]);
        assert_eq!((pages, saved + skipped), (40, 40), "after {signals:?}");
        is_complete(&place, &origin);
    }
}

#[test]
fn a_torn_lost_or_soiled_end_of_the_manifest_is_survived() {
    let origin = origin(10);
    let whole = Place::new();
    let index = origin.index_url();
    whole.run(&["--index", &index]).code(0);
    let manifest = whole.read("pages/manifest.jsonl");
    let begun = manifest.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut damaged: Vec<_> = (begun..manifest.len())
        .step_by(manifest.len() / 7)
        .map(|cut| manifest[..cut].to_vec())
        .collect();
    for rubbish in
        [&b"\0\0\0\0"[..], b"\xff\xfe{\n\n}\n\0\n{\"kind\":\"page\"}\n", b"{\"kind\":\"page\",\"u"]
    {
        damaged.push([&manifest[..], rubbish].concat());
        damaged.push([&manifest[..manifest.len() / 2], rubbish].concat());
        damaged.push([&manifest[..begun], rubbish, b"\n", &manifest[begun..]].concat());
    }
    for manifest in damaged {
        let place = Place::new();
        for name in whole.names("pages") {
            place.file(&format!("pages/{name}"), whole.read(&format!("pages/{name}")));
        }
        place.file("pages/manifest.jsonl", manifest);
        place.run(&["--index", &index, "-c"]).code(0);
        is_complete(&place, &origin);
    }
}

#[test]
fn orphans_of_a_killed_run_stay_known_over_a_run_that_leaves_them() {
    let origin = origin(6);
    let place = Place::new();
    let index = origin.index_url();
    place.run(&["--index", &index]).code(0);
    // The state after a kill before the last three pages were recorded.
    let manifest = place.text("pages/manifest.jsonl");
    let kept: Vec<_> = manifest.lines().take(4).collect();
    place.file("pages/manifest.jsonl", kept.join("\n") + "\n");
    place.run(&["--index", &index, "--resume", "--limit", "1"]).code(0);
    let orphans = place.records().into_iter().find(|record| record["kind"] == "orphans").unwrap();
    assert_eq!(orphans["files"].as_array().unwrap().len(), 3);
    // A file that was made after that run is unowned.
    let unowned = place.file("pages/later.html", "mine");
    place.run(&["--index", &index, "--resume"]).code(0);
    assert_eq!(place.text("pages/later.html"), "mine");
    std::fs::remove_file(unowned).unwrap();
    is_complete(&place, &origin);
}

/// A server whose pages fail in different ways until `mended` is set.
fn failing() -> (Canned, std::sync::Arc<std::sync::atomic::AtomicBool>) {
    let mended = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
    let is_mended = std::sync::Arc::clone(&mended);
    let server = Canned::start(move |request| {
        let is_mended = is_mended.load(std::sync::atomic::Ordering::SeqCst);
        match &*request.path {
            _ if is_mended => Reply::Raw(html("mended")),
            "/missing" => Reply::Raw(answer("404 Not Found", "", "")),
            "/reset" => Reply::Reset,
            _ => Reply::Raw(html("fine")),
        }
    });
    (server, mended)
}

#[test]
fn only_what_failed_is_tried_again_by_its_code() {
    let (server, mended) = failing();
    let place = Place::new();
    let urls = ["/fine", "/missing", "/reset"].map(|path| server.url(path));
    let run: Vec<_> = urls.iter().map(String::as_str).chain(["--retry", "0", "--json"]).collect();
    place.run(&run).code(3);
    mended.store(true, std::sync::atomic::Ordering::SeqCst);
    let wanted = ["pages", "saved", "skipped"];
    let fresh = server.url("/fresh");
    let ended = place.run(&[&run[..], &["--retry-failed=http", &fresh]].concat()).code(0);
    assert_eq!(counts(&ended, wanted), [4, 1, 3], "what was never tried has not failed");
    assert_eq!(
        (server.count("/missing"), server.count("/reset"), server.count("/fresh")),
        (2, 1, 0)
    );
    // The rest, from the last run's record.
    let ended = place.run(&["--retry-failed", "--json"]).code(0);
    assert_eq!(counts(&ended, wanted), [4, 1, 3]);
    assert_eq!(place.text("pages/fine.html"), "fine");
    let ended = place.run(&["--retry-failed=reset,dns", "--json"]).code(0);
    assert_eq!(counts(&ended, wanted), [4, 0, 4]);
    place.run(&["--retry-failed=404"]).code(2).says(&[
        "404",
        "read-timeout",
        "worker-lost",
        "internal",
    ]);
    place.run(&["--retry-failed", "--resume"]).code(2);
}

#[test]
fn a_failure_never_replaces_a_saved_page() {
    let broken = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
    let is_broken = std::sync::Arc::clone(&broken);
    let server = Canned::start(move |_| {
        let is_broken = is_broken.load(std::sync::atomic::Ordering::SeqCst);
        Reply::Raw(if is_broken { answer("404 Not Found", "", "") } else { html("fine") })
    });
    let place = Place::new();
    let url = server.url("/x");
    place.run(&[&url]).code(0);
    broken.store(true, std::sync::atomic::Ordering::SeqCst);
    place.run(&[&url]).code(3);
    let wanted = ["saved", "failed", "skipped"];
    for option in ["--resume", "--retry-failed"] {
        assert_eq!(counts(&place.run(&[&url, option, "--json"]).code(0), wanted), [0, 0, 1]);
    }
    place.run(&["verify", "pages"]).code(0);
    // When its file is lost, the failure stands.
    std::fs::remove_file(place.path("pages/x.html")).unwrap();
    let ended = place.run(&[&url, "--retry-failed", "--json"]).code(3);
    assert_eq!(counts(&ended, wanted), [0, 1, 0]);
    assert_eq!(place.run(&["verify", "pages", "--list"]).code(5).stdout, format!("{url}\n"));
}

#[test]
fn an_update_keeps_what_is_unchanged_and_replaces_what_is_not() {
    let version = std::sync::Arc::<std::sync::atomic::AtomicU32>::default();
    let now = std::sync::Arc::clone(&version);
    let server = Canned::start(move |request| {
        let now = now.load(std::sync::atomic::Ordering::SeqCst);
        let (body, validator) = match &*request.path {
            "/tagged" => ("tagged".to_owned(), "ETag: \"1\"\r\n".to_owned()),
            "/dated" => ("dated".into(), "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n".into()),
            "/plain" => ("plain".into(), String::new()),
            _ => (format!("version {now}"), format!("ETag: \"{now}\"\r\n")),
        };
        let is_known = ["if-none-match", "if-modified-since"]
            .iter()
            .any(|name| request.header(name).is_some_and(|value| validator.contains(value)));
        Reply::Raw(if is_known {
            b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_vec()
        } else {
            answer("200 OK", &format!("Content-Type: text/html\r\n{validator}"), body)
        })
    });
    let place = Place::new();
    let urls = ["/tagged", "/dated", "/plain", "/changing"].map(|path| server.url(path));
    let arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    place.run(&arguments).code(0);
    version.store(1, std::sync::atomic::Ordering::SeqCst);
    let wanted = ["pages", "saved", "unchanged", "skipped"];
    let update = ["--update", "--json"];
    assert_eq!(counts(&place.run(&update).code(0), wanted), [4, 2, 2, 0]);
    assert_eq!(place.text("pages/changing.html"), "version 1");
    let of = |path: &str| -> Vec<Value> {
        place.pages().into_iter().filter(|page| page["url"] == *server.url(path)).collect()
    };
    let [first, second] = &of("/tagged")[..] else { panic!("one record for each run") };
    assert_eq!((&second["state"], &second["status"]), (&"unchanged".into(), &304.into()));
    for member in ["file", "bytes", "sha256", "etag", "last_modified", "content_type"] {
        assert_eq!(first[member], second[member], "{member}");
    }
    // The last record stands by itself, for another update and for a resume.
    assert_eq!(counts(&place.run(&update).code(0), wanted), [4, 1, 3, 0]);
    assert_eq!(counts(&place.run(&["-c", "--json"]).code(0), wanted), [4, 0, 0, 4]);
    place.run(&["verify", "pages"]).code(0);
    // No condition is sent for a file that is gone.
    std::fs::remove_file(place.path("pages/tagged.html")).unwrap();
    place.file("pages/dated.html", "dat");
    assert_eq!(counts(&place.run(&update).code(0), wanted), [4, 3, 1, 0]);
    assert_eq!(place.text("pages/dated.html"), "dated");
}

#[test]
fn an_update_follows_a_page_that_moved_and_does_not_take_it_for_the_old_one() {
    let has_moved = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
    let moved = std::sync::Arc::clone(&has_moved);
    // Both addresses call their page version 1, but the pages differ.
    let server = Canned::start(move |request| {
        Reply::Raw(if request.path == "/old" && moved.load(std::sync::atomic::Ordering::SeqCst) {
            answer("301 Moved Permanently", "Location: /new\r\n", "")
        } else if request.header("if-none-match") == Some("\"1\"") {
            b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_vec()
        } else {
            answer("200 OK", "ETag: \"1\"\r\n", format!("page of {}", request.path))
        })
    });
    let place = Place::new();
    place.run(&[&server.url("/old")]).code(0);
    has_moved.store(true, std::sync::atomic::Ordering::SeqCst);
    let wanted = ["saved", "unchanged"];
    assert_eq!(counts(&place.run(&["--update", "--json"]).code(0), wanted), [1, 0]);
    assert_eq!(place.text("pages/old.html"), "page of /new");
    // From now on the validators are those of the new address.
    assert_eq!(counts(&place.run(&["--update", "--json"]).code(0), wanted), [0, 1]);
}

#[test]
fn a_source_is_taken_from_the_last_run() {
    let origin = origin(6);
    let place = Place::new();
    let run = ["--index", &origin.index_url(), "--layout", "tree", "--limit", "4", "-q"];
    place.run(&run).code(0);
    let folder = place.names("pages").remove(0);
    let saved = crate::support::names_in(&place.path(&format!("pages/{folder}/wiki")));
    std::fs::remove_file(place.path(&format!("pages/{folder}/wiki/{}", saved[0]))).unwrap();
    let wanted = ["pages", "saved", "skipped"];
    assert_eq!(counts(&place.run(&["--resume", "--json"]).code(0), wanted), [4, 1, 3]);
    // A filter that the user types replaces the recorded one; the layout stays.
    let ended = place.run(&["--resume", "--json", "--limit", "6"]).code(0);
    assert_eq!(counts(&ended, wanted), [6, 2, 4]);
    assert_eq!(place.names("pages"), [folder]);
    place.run(&["verify", "pages"]).code(0);
    place.run(&["--resume", "--select", "a"]).code(2).says(&["--select belongs to a source"]);
}

#[test]
fn a_list_is_read_again_when_it_is_named_again() {
    let server = Canned::always(html("x"));
    let place = Place::new();
    place.file("list", format!("{}\n{}\n", server.url("/1"), server.url("/2")));
    place.run(&["-i", "list", "--layout", "tree", "--limit", "3"]).code(0);
    let list = place.path("list");
    for (option, more) in [("-c", ""), ("-N", ""), ("--retry-failed=reset,dns", " --exclude -x")] {
        let typed: &[&str] = if more.is_empty() { &[option] } else { &[option, "--exclude=-x"] };
        let ended = place.run(typed).code(2);
        let list = list.display();
        let again = match more {
            "" => format!("-i {list} --limit 3"),
            _ => format!("-i {list} --exclude=-x --limit 3"),
        };
        ended.says(&[
            "error: the last run into pages read a file, and a file that only a record names is not opened\n",
            &format!("hint: name it again: fetchpages {option} -o pages --layout tree {again}\n"),
        ]);
    }
    // The command in the hint works, from any directory.
    let said = place.run(&["-c"]).code(2).stderr;
    let command = said.split("fetchpages ").last().unwrap().replace(" pages ", " ../pages ");
    std::fs::create_dir(place.path("below")).unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("\"$0\" {} --json", command.trim())]);
    shell.arg(env!("CARGO_BIN_EXE_fetchpages")).current_dir(place.path("below"));
    let ended = Ended::of(shell.output().unwrap()).code(0);
    assert_eq!(counts(&ended, ["pages", "skipped"]), [2, 2]);
}

#[test]
fn a_source_that_cannot_be_had_again_is_a_usage_error() {
    let server = Canned::always(html("x"));
    let place = Place::new();
    for option in ["-c", "-N", "--retry-failed"] {
        let message =
            ["error: no source is named, and pages has no record of an earlier run\nhint: "];
        place.run(&[option]).code(2).says(&message);
    }
    let list = format!("{}\n", server.url("/x"));
    place.run_with(list.as_bytes(), &["-i", "-"]).code(0);
    place.run(&["-c"]).code(2).says(&["the last run into pages read its URLs from standard input"]);
    let ended = place.run_with(list.as_bytes(), &["-i", "-", "-c", "--json"]).code(0);
    assert_eq!(counts(&ended, ["skipped"]), [1]);
    // As an earlier version recorded it.
    let manifest = place.text("pages/manifest.jsonl");
    let start = manifest.find("\"args\"").unwrap();
    let end = start + manifest[start..].find("\"layout\"").unwrap();
    let old = format!("{}{}", &manifest[..start], &manifest[end..]);
    let old: Vec<_> = old.lines().take(3).collect();
    place.file("pages/manifest.jsonl", old.join("\n") + "\n");
    place.run(&["-c"]).code(2).says(&["did not record its source (--input-file -)"]);
}

#[test]
fn credentials_have_to_be_given_again() {
    let server = Canned::start(|request| {
        let is_known = request.header("authorization") == Some("Basic bWU6c2VjcmV0");
        Reply::Raw(if is_known { html("in") } else { answer("401 Unauthorized", "", "") })
    });
    let place = Place::new();
    let url = server.url("/x").replace("http://", "http://me:secret@");
    place.run(&[&url]).code(0);
    assert!(!place.text("pages/manifest.jsonl").contains("secret"));
    place.file("pages/x.html", "");
    place.run(&["-c"]).code(3).says(&["note: the last run's URLs held a user name or a password"]);
    place.run(&["-c", "-u", "me:secret"]).code(3).says(&["are not sent --user: open one with"]);
    place.run(&["-c", "-u", "me:secret", "--credentials-for", &server.url("/")]).code(0);
    assert_eq!(place.text("pages/x.html"), "in");
}

#[test]
fn what_was_not_kept_is_saved_for_a_run_that_keeps_nothing() {
    let origin = origin(5);
    let place = Place::new();
    let index = origin.index_url();
    let run = ["--index", &index, "-c", "--json"];
    let wanted = ["saved", "skipped"];
    let without = [&run[..], &["--no-save"]].concat();
    assert_eq!(counts(&place.run(&without).code(0), wanted), [5, 0]);
    assert_eq!(counts(&place.run(&without).code(0), wanted), [0, 5]);
    assert_eq!(counts(&place.run(&run).code(0), wanted), [5, 0]);
    is_complete(&place, &origin);
}

#[test]
fn a_forged_manifest_gives_no_page_for_another() {
    let server = Canned::start(|request| Reply::Raw(html(&request.path)));
    let place = Place::new();
    let urls = [server.url("/a"), server.url("/b")];
    let run = [&urls[0], &urls[1], "-c", "-j", "1"];
    place.run(&run).code(0);
    // The second page's record now names the first one's file, which has its size.
    let manifest = place.text("pages/manifest.jsonl").replace("\"b.html\"", "\"a.html\"");
    place.file("pages/manifest.jsonl", manifest);
    std::fs::remove_file(place.path("pages/b.html")).unwrap();
    place.run(&run).code(0);
    let contents: BTreeSet<_> = ["a", "b"].map(|it| place.text(&format!("pages/{it}.html"))).into();
    assert_eq!(contents, ["/a", "/b"].map(str::to_owned).into());
}

#[test]
fn a_thousand_addresses_are_recorded_and_taken_again() {
    let server = Canned::always(html("x"));
    let place = Place::new();
    let urls: Vec<_> = (0..1_000).map(|number| server.url(&format!("/{number}"))).collect();
    let arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    place.run(&[&arguments[..], &["--no-save", "-q"]].concat()).code(0);
    let ended = place.run(&["-c", "--no-save", "--json"]).code(0);
    assert_eq!(counts(&ended, ["skipped"]), [1_000]);
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn lines_that_are_no_record_are_told_by_verify() {
    let server = Canned::always(html("x"));
    let place = Place::new();
    place.run(&[&server.url("/x")]).code(0);
    append(&place.path("pages/manifest.jsonl"), b"rubbish\nmore\n");
    let ended = place.run(&["verify", "pages"]).code(0);
    assert!(ended.stdout.contains("2 lines of the manifest cannot be read"), "{ended:?}");
}

/// A manifest that names this source, as one in a directory from another user may.
fn forged(args: &[&str]) -> Place {
    let place = Place::new();
    let run = serde_json::json!({
        "kind": "run", "v": 1, "started": "2026-11-21T20:10:00Z", "version": "0.1.0",
        "mode": "threads", "workers": 1, "source": "\u{1b}[2Jx", "args": args,
    });
    // The kind comes first in what the program writes.
    let run =
        format!("{{\"kind\":\"run\",{}\n", run.to_string()[1..].replace("\"kind\":\"run\",", ""));
    place.file("pages/manifest.jsonl", run);
    place
}

#[test]
fn a_record_names_no_file_no_option_and_no_command() {
    let server = Canned::always(html("x"));
    let secret = Place::new();
    let file = secret.file("settings.xml", "<server><password value='/hunter2'/></server>");
    let (base, page) = (format!("--base={}", server.url("/")), server.url("/x"));
    let (index, list) = (format!("--index={file}"), format!("--input-file={file}"));
    for args in [
        &[&*index, &base, "--select=[value]", "--attr=value"][..],
        &[&list],
        &[&page, "--output=elsewhere"],
        &[&page, "--proxy=http://127.0.0.1:1/"],
        &[&page, "--header=X-Evil: y"],
        &["verify", "pages"],
        &["\u{1b}[2J"],
    ] {
        for option in ["-c", "-N", "--retry-failed"] {
            let place = forged(args);
            let ended =
                place.run(&[option, "--retry", "0"]).code(2).says(&["error: the ", "hint: "]);
            assert!(!ended.stderr.contains(['\u{1b}', '\u{fe}']), "{ended:?}");
            assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 1);
        }
    }
    assert!(server.requests().is_empty());
}

#[test]
fn what_a_record_names_is_shown_before_it_is_used() {
    let server = Canned::always(html("x"));
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let urls = [server.url("/1"), server.url("/2"), server.url("/3"), format!("http://{unused}/4")];
    let args: Vec<_> = urls.iter().map(String::as_str).chain(["--exclude=/4"]).collect();
    let place = forged(&args);
    let ended = place.run(&["-c", "--json"]).code(0);
    assert_eq!(counts(&ended, ["saved", "filtered"]), [3, 1]);
    let shown = format!(
        "note: continuing with {} {} {} (and 1 more) --exclude /4, at {}, http://{unused}\n",
        urls[0],
        urls[1],
        urls[2],
        server.url("").trim_end_matches('/'),
    );
    assert!(ended.stderr.starts_with(&shown), "{shown}{}", ended.stderr);
    // The source is recorded again, for the next run.
    place.run(&["-c"]).code(0).says(&[shown.trim_end()]);
}
