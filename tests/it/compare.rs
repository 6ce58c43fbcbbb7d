//! `fetchpages compare`, run as a program.

use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::{Ended, Place, names_in};

/// A small comparison in JSON, which leaves the directories of its runs below `work`.
fn compared(place: &Place, more: &[&str]) -> Ended {
    let mut arguments = vec!["compare", "--json", "-q", "-o", "work"];
    arguments.extend(more);
    place.run(&arguments)
}

const SMALL: [&str; 8] =
    ["--modes", "sequential,threads", "--workers", "2", "--pages", "9", "--latency", "0"];

fn names(results: &Value) -> Vec<String> {
    let samples = results["samples"].as_array().unwrap().iter();
    let name =
        |it: &Value| format!("{} {}@{}", it["round"], it["mode"].as_str().unwrap(), it["workers"]);
    samples.map(name).collect()
}

#[test]
fn everybody_does_the_same_work_in_each_round() {
    let place = Place::new();
    let ended = compared(&place, &[&SMALL[..], &["--rounds", "3", "--seed", "5"]].concat()).code(0);
    let results = ended.json();
    assert_eq!(results["end"]["state"], "complete");
    let mut ran = names(&results);
    for round in ran.chunks_mut(2) {
        round.sort();
    }
    let expected: Vec<_> = (1..=3)
        .flat_map(|round| [format!("{round} sequential@1"), format!("{round} threads@2")])
        .collect();
    assert_eq!(ran, expected);
    for sample in results["samples"].as_array().unwrap() {
        assert_eq!((&sample["saved"], &sample["failed"]), (&9.into(), &0.into()));
        let cpu = sample["cpu_seconds"].as_f64();
        assert!(cpu > sample["fetch_cpu_seconds"].as_f64() && cpu > Some(0.0), "{sample}");
        assert!(sample["peak_rss_bytes"].as_u64().unwrap() > 1_000_000, "{sample}");
        assert!(sample["process_seconds"].as_f64() >= sample["seconds"].as_f64(), "{sample}");
    }
    let timelines = results["timelines"].as_array().unwrap();
    assert_eq!(timelines.len(), 2);
    assert!(timelines.iter().all(|it| it["spans"].as_array().unwrap().len() == 9));
    assert!(names_in(&place.path("work")).is_empty(), "something was left behind");
    // The same seed gives the same order again.
    let again = compared(&place, &[&SMALL[..], &["--rounds", "3", "--seed", "5"]].concat());
    assert_eq!(names(&again.code(0).json()), names(&results));
}

#[test]
fn options_of_http_reach_every_run() {
    let server = Canned::start(|request| match request.header("x-who") {
        Some("me") => Reply::Raw(html("for me")),
        _ => Reply::Raw(answer("403 Forbidden", "", "")),
    });
    let place = Place::new();
    let url = server.url("/");
    let arguments =
        [&url, "--modes=sequential,async", "--rounds=1", "--no-save", "-H", "X-Who: me"];
    let results = compared(&place, &arguments).code(0).json();
    assert_eq!(results["samples"][0]["saved"], 1);
    assert_eq!(results["job"]["options"], serde_json::json!(["--header=…"]));
    assert_eq!(server.count("/"), 4);
}

#[test]
fn secrets_reach_every_run_where_they_were_meant() {
    let server = Canned::start(|request| match request.header("authorization") {
        Some("Basic bWU6c2VjcmV0") => Reply::Raw(html("for me")),
        _ => Reply::Raw(answer("401 Unauthorized", "", "")),
    });
    let place = Place::new();
    let (url, list) = (server.url("/"), place.file("list", server.url("/")));
    let run = ["--modes=threads,processes", "--rounds=1", "--no-save", "-u", "me:secret"];
    let results = compared(&place, &[&[&*url], &run[..]].concat()).code(0).json();
    assert_eq!(results["samples"][0]["saved"], 1);
    assert_eq!(results["job"]["options"], serde_json::json!(["--user=…"]));
    assert_eq!(server.count("/"), 4);
    let arguments = [&["-i", &*list], &run[..]].concat();
    compared(&place, &arguments)
        .code(2)
        .says(&["origins that only a list names are not sent --user"]);
    let opened = [&arguments[..], &["--credentials-for", &url]].concat();
    assert_eq!(compared(&place, &opened).code(0).json()["samples"][0]["saved"], 1);
    let arguments = [&["--index", &*url, "-H", "X-Api-Key: secret"], &run[..3]].concat();
    compared(&place, &arguments).code(2).says(&["with --credentials-for"]);
}

#[test]
fn runs_that_did_not_do_the_same_are_not_compared() {
    let asked = AtomicUsize::new(0);
    let server = Canned::start(move |request| {
        let is_late = request.path == "/changing" && asked.fetch_add(1, Ordering::SeqCst) > 1;
        Reply::Raw(html(if is_late { "new" } else { "old" }))
    });
    let place = Place::new();
    let urls = [server.url("/same"), server.url("/changing")];
    let modes = ["--modes", "sequential,threads", "--rounds", "3"];
    let arguments = [&[urls[0].as_str(), &urls[1]][..], &modes].concat();
    let ended =
        compared(&place, &arguments).code(1).says(&["did not do the same", "/changing: saved"]);
    let results = ended.json();
    assert_eq!(results["end"]["state"], "different");
    assert_eq!(results["analysis"]["verdict"], serde_json::json!([]));
    assert!(!ended.stderr.contains("/same:"), "{}", ended.stderr);
}

#[test]
fn a_gate_over_runs_that_differ_is_not_met() {
    let asked = AtomicUsize::new(0);
    let server = Canned::start(move |_| {
        Reply::Raw(html(if asked.fetch_add(1, Ordering::SeqCst) > 1 { "new" } else { "old" }))
    });
    let url = server.url("/");
    let gate = ["--gate", "threads <= 100 * sequential"];
    let modes = ["--modes", "sequential,threads", "--rounds", "3"];
    compared(&Place::new(), &[&[url.as_str()][..], &modes, &gate].concat()).code(6);
}

#[test]
fn a_site_that_gives_no_page_is_not_compared() {
    let place = Place::new();
    let missing = Canned::always(answer("404 Not Found", "", ""));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, code) in [(missing.url("/"), "http 1"), (format!("http://{closed}/"), "connect 1")] {
        let arguments = [&url, "--modes=sequential,threads", "--rounds=3", "--retry=0"];
        let gate = ["--gate", "threads <= 5s"];
        let ended = compared(&place, &[&arguments[..], &gate].concat()).code(1);
        let results = ended.says(&["in the warm-up", "no page was fetched", code]).json();
        assert_eq!(results["analysis"]["verdict"], serde_json::json!([]));
    }
}

#[test]
fn redirects_lead_to_nobody_who_was_not_named() {
    let elsewhere = "HTTP/1.1 302 Found\r\nLocation: http://en.wikipedia.org/wiki/India\r\n\
                     Content-Length: 0\r\nConnection: close\r\n\r\n";
    let within = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\
                  Connection: close\r\n\r\n";
    let server = Canned::start(move |request| match request.path.as_str() {
        "/there" => Reply::Raw(html("there")),
        "/within" => Reply::Raw(within.into()),
        _ => Reply::Raw(elsewhere.into()),
    });
    let proxy = Canned::always(html("from a proxy"));
    let way = format!("http://{}", proxy.addr());
    let place = Place::new();
    let urls = [server.url("/elsewhere"), server.url("/within")];
    let modes = ["--modes=sequential", "--rounds=1", "-x", &way];
    let arguments = [&[urls[0].as_str(), &urls[1]][..], &modes].concat();
    let ended = place
        .run_in(&[("no_proxy", "127.0.0.1")], &[&["compare", "--json"], &arguments[..]].concat());
    let results = ended.code(0).json();
    assert_eq!(results["samples"][0]["failures"], serde_json::json!({ "blocked": 1 }));
    assert_eq!(results["samples"][0]["saved"], 1);
    place.run(&["compare", "--index", &urls[0]]).code(1).says(&["en.wikipedia.org"]);
    assert_eq!(proxy.requests().len(), 0);
}

#[test]
fn gates_are_judged() {
    let place = Place::new();
    let run = |gates: &[&str]| compared(&place, &[&SMALL[..], &["--rounds=3"], gates].concat());
    let met = ["--gate", "threads@2 <= 50 * sequential", "--gate", "memory threads <= 4GB"];
    run(&met).code(0);
    let not_met = ["--gate=threads <= 50 * sequential", "--gate=threads <= 0.0001 * sequential"];
    let ended = run(&not_met).code(6).says(&["gate not met: threads <= 0.0001 * sequential"]);
    assert!(!ended.stderr.contains("50"), "{}", ended.stderr);
    run(&["--gate", "cpu threads@2 <= 1ms"])
        .code(6)
        .says(&["cpu threads@2 <= 1ms", "over 3 rounds"]);
}

#[test]
fn what_makes_no_sense_is_found_before_anything_runs() {
    let server = Canned::always(html("never asked"));
    let url = server.url("/");
    let place = Place::new();
    place.file("old.json", r#"{"v":99}"#);
    place.file("none.json", "nothing");
    place.file("file", "");
    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["--modes", "threads,fibers"], 2, &["fibers", "hybrid"]),
        (&["--workers", "4,0"], 2, &["0", "--workers", "from 1 to 4096"]),
        (&["--workers", "4,5000"], 2, &["5000", "from 1 to 4096"]),
        (&["--workers", "auto"], 2, &["auto", "compare takes numbers"]),
        (&["--rounds", "0"], 2, &["--rounds", "1..=1000"]),
        (&["--rounds", "4000000000"], 2, &["--rounds", "1..=1000"]),
        (
            &["--gate", "threads <= 0.25 ** sequential"],
            2,
            &["threads <= 0.25 ** sequential", "* sequential"],
        ),
        (&["--gate", "threads@3 <= 2 * sequential"], 2, &["threads@3", "threads@16"]),
        (&["--modes=async", "--gate=threads <= 1s"], 2, &["threads", "async@64"]),
        (&["--gate", "async <= 1.1 * baseline"], 2, &["--baseline"]),
        (&["--export", "report.pdf"], 2, &["report.pdf", ".html"]),
        (&["--export", "missing/report.html"], 1, &["missing/report.html"]),
        (&["--export", "file/report.html"], 1, &["file/report.html"]),
        (&["--baseline", "missing.json"], 1, &["missing.json"]),
        (&["--baseline", "old.json"], 1, &["old.json", "99"]),
        (&["--baseline", "none.json"], 1, &["none.json"]),
        (&["--tutorial"], 2, &["--tutorial"]),
        (&["-o", "file/below"], 1, &["file/below"]),
    ];
    for (arguments, code, says) in cases {
        let ended = place.run(&[&["compare", url.as_str()], *arguments].concat());
        assert_eq!(ended.code, Some(*code), "{arguments:?}: {ended:#?}");
        ended.says(says);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_source_without_pages_gives_nothing_to_compare() {
    let place = Place::new();
    place.file("empty.txt", "# nothing\n");
    place.run(&["compare", "-i", "empty.txt"]).code(4).says(&["no page"]);
}

#[test]
fn others_are_asked_only_when_that_is_agreed_to() {
    let place = Place::new();
    let list: Vec<_> = (0..4).map(|page| format!("http://example.invalid/{page}")).collect();
    place.file("urls.txt", list.join("\n"));
    let modes = ["--modes", "sequential,threads", "--rounds", "2"];
    place
        .run(&[&["compare", "-i", "urls.txt"], &modes[..]].concat())
        .code(2)
        .says(&["about 24 requests to example.invalid", "--yes"]);
    let wiki = "https://de.wikipedia.org/wiki/Indien";
    place.run(&["compare", wiki, "--yes"]).code(2).says(&["Wikimedia", "de.wikipedia.org"]);
    place.run(&["compare", "--index", wiki, "--yes"]).code(2).says(&["Wikimedia"]);
}

#[test]
fn ctrl_c_before_the_first_run_leaves_nothing_behind() {
    let (place, server) = (Place::new(), Canned::start(|_| Reply::Stall(Vec::new())));
    let index = server.url("/index");
    let running = place.start(&["compare", "--index", &index, "-o", "work"]);
    server.wait_for("/index");
    kill(Pid::from_raw(i32::try_from(running.id()).unwrap()), Signal::SIGINT).unwrap();
    Ended::of(running.wait_with_output().unwrap()).code(130);
    assert!(names_in(&place.path("work")).is_empty());
}

/// Starts a comparison whose third round hangs, with its report, and waits until
/// two rounds are measured.
fn hanging(place: &Place, server: &Canned) -> std::process::Child {
    let url = server.url("/");
    let mut arguments = vec!["compare", &url, "-o", "work", "--rounds", "5"];
    arguments.extend(["--modes", "sequential,threads", "--export", "report.json"]);
    let mut running = place.start_in_group(&arguments);
    let mut stderr = BufReader::new(running.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("round 2 of 5") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended before its time");
    }
    running.stderr = Some(stderr.into_inner());
    running
}

/// Answers six requests: those of the warm-up and of two rounds, with two contenders each.
/// Later requests get no answer.
fn answers_six() -> Canned {
    let asked = AtomicUsize::new(0);
    Canned::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0..6 => Reply::Raw(html("page")),
        _ => Reply::Stall(Vec::new()),
    })
}

#[test]
fn what_was_measured_before_ctrl_c_is_told_as_a_part() {
    let (place, server) = (Place::new(), answers_six());
    let running = hanging(&place, &server);
    // The terminal sends it to every process of the group.
    let group = Pid::from_raw(-i32::try_from(running.id()).unwrap());
    kill(group, Signal::SIGINT).unwrap();
    let ended = Ended::of(running.wait_with_output().unwrap()).code(130);
    assert!(ended.stdout.contains("partial"), "{}", ended.stdout);
    assert!(ended.stdout.contains("threads@16"), "{}", ended.stdout);
    let report: Value = serde_json::from_str(&place.text("report.json")).unwrap();
    assert_eq!(report["end"]["state"], "interrupted");
    assert_eq!(report["samples"].as_array().unwrap().len(), 4);
    assert!(names_in(&place.path("work")).is_empty());
}

#[test]
fn runs_end_with_the_comparison_however_it_ends() {
    for signal in [Signal::SIGKILL, Signal::SIGHUP] {
        let (place, server) = (Place::new(), answers_six());
        let mut running = hanging(&place, &server);
        let work = format!("work/fetchpages-compare-{}", running.id());
        while running_in(&work).is_empty() {
            std::thread::yield_now();
        }
        kill(Pid::from_raw(i32::try_from(running.id()).unwrap()), signal).unwrap();
        running.wait().unwrap();
        while !running_in(&work).is_empty() {
            std::thread::yield_now();
        }
    }
}

/// Returns the processes that were started with this directory in their arguments.
fn running_in(directory: &str) -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let entry = entry.unwrap();
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let mut words = Vec::new();
        if let Ok(mut file) = std::fs::File::open(entry.path().join("cmdline")) {
            // A process that ends meanwhile does not count.
            let _ = file.read_to_end(&mut words);
        }
        if String::from_utf8_lossy(&words).contains(&format!("{directory}/runs/")) {
            found.push(Pid::from_raw(id));
        }
    }
    found
}

#[test]
fn what_was_measured_before_a_run_failed_is_kept() {
    let (place, server) = (Place::new(), answers_six());
    let running = hanging(&place, &server);
    let work = format!("work/fetchpages-compare-{}", running.id());
    let run = loop {
        if let [run] = running_in(&work)[..] {
            break run;
        }
        std::thread::yield_now();
    };
    kill(run, Signal::SIGKILL).unwrap();
    let ended = Ended::of(running.wait_with_output().unwrap()).code(1);
    ended.says(&["in round 3", "signal: 9"]);
    let report: Value = serde_json::from_str(&place.text("report.json")).unwrap();
    assert_eq!(report["end"]["state"], "broken");
    assert_eq!(report["samples"].as_array().unwrap().len(), 4);
    assert!(names_in(&place.path("work")).is_empty());
}

#[test]
fn a_later_comparison_is_held_against_an_earlier_one() {
    let place = Place::new();
    let first = [&SMALL[..], &["--rounds=3", "--export", "first.json"]].concat();
    compared(&place, &first).code(0);
    let then = ["--rounds=3", "--baseline", "first.json", "--gate", "threads <= 100 * baseline"];
    let results = compared(&place, &[&SMALL[..], &then].concat()).code(0).json();
    assert_eq!(results["analysis"]["baseline"].as_array().unwrap().len(), 2);
    let other = ["--modes=sequential", "--pages=9", "--latency=0", "--baseline=first.json"];
    compared(&place, &other).code(2).says(&["first.json", "threads@2"]);
    let other = [&SMALL[..6], &["--latency=1ms", "--baseline=first.json"]].concat();
    compared(&place, &other).code(2).says(&["first.json", "latency"]);
}

#[test]
fn every_format_is_written() {
    let place = Place::new();
    let mut arguments = SMALL.to_vec();
    let files = ["a.json", "a.csv", "a.md", "a.HTML", "a.svg"];
    for file in &files {
        arguments.extend(["--export", file]);
    }
    compared(&place, &[&arguments[..], &["--rounds=1"]].concat()).code(0);
    for file in files {
        assert!(place.text(file).contains("threads"), "{file}");
    }
    assert_eq!(place.text("a.csv").lines().count(), 3);
}
