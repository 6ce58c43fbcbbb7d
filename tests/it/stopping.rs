//! Ctrl-C and SIGTERM end a run cleanly, with every page recorded.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::{Ended, Place};

fn send(child: &std::process::Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

/// Answers quick pages, and the others never.
fn half_hanging() -> Canned {
    Canned::start(|request| {
        if request.path.starts_with("/quick") {
            Reply::Raw(html("quick"))
        } else {
            Reply::Stall(Vec::new())
        }
    })
}

#[test]
fn an_interrupted_run_records_every_page_that_it_read() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let server = half_hanging();
        let place = Place::new();
        let paths = ["/quick", "/hang1", "/hang2", "/hang3", "/hang4"];
        let urls: Vec<_> = paths.iter().map(|path| server.url(path)).collect();
        let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
        arguments.extend(["-j", "2", "--json"]);
        let running = place.start(&arguments);
        server.wait_for("/hang2");
        send(&running, signal);
        let ended = Ended::of(running.wait_with_output().unwrap()).code(130);
        let summary = ended.json();
        let counts = ["found", "saved", "interrupted"].map(|name| summary[name].as_u64().unwrap());
        assert_eq!(counts, [5, 1, 4]);
        ended.says(&["interrupted: pages in flight get 2 s"]);
        assert_eq!(place.pages().len(), 5);
        assert_eq!(place.records().last().unwrap()["kind"], "end");
        assert_eq!(place.names("pages"), ["quick.html"]);
    }
}

#[test]
fn a_second_signal_ends_at_once_and_leaves_a_whole_manifest() {
    let server = half_hanging();
    let place = Place::new();
    let running = place.start(&[&server.url("/hang")]);
    server.wait_for("/hang");
    send(&running, Signal::SIGINT);
    // Signals within a short time count as one. A later signal ends the program at once.
    let mut running = running;
    while running.try_wait().unwrap().is_none() {
        send(&running, Signal::SIGINT);
        std::thread::yield_now();
    }
    Ended::of(running.wait_with_output().unwrap()).code(130);
    let kinds: Vec<_> = place.records().iter().map(|record| record["kind"].clone()).collect();
    assert_eq!(kinds, ["run"]);
}

#[test]
fn a_signal_that_is_sent_twice_at_once_is_one() {
    let server = half_hanging();
    let place = Place::new();
    let running = place.start(&[&server.url("/hang"), "--json"]);
    server.wait_for("/hang");
    send(&running, Signal::SIGTERM);
    send(&running, Signal::SIGINT);
    let summary = Ended::of(running.wait_with_output().unwrap()).code(130).json();
    assert_eq!(summary["interrupted"], 1);
}

#[test]
fn a_silent_pipe_does_not_hold_the_end_up() {
    let server = half_hanging();
    let place = Place::new();
    let mut running = place.start(&["-i", "-", "--json"]);
    let mut pipe = running.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, format!("{}\n", server.url("/quick")).as_bytes()).unwrap();
    server.wait_for("/quick");
    send(&running, Signal::SIGINT);
    let summary = Ended::of(running.wait_with_output().unwrap()).code(130).json();
    assert_eq!((&summary["found"], &summary["input_complete"]), (&1.into(), &false.into()));
    drop(pipe);
}

#[test]
fn a_signal_before_the_first_page_ends_at_once() {
    let server = half_hanging();
    let place = Place::new();
    let running = place.start(&["--index", &server.url("/index")]);
    server.wait_for("/index");
    send(&running, Signal::SIGINT);
    Ended::of(running.wait_with_output().unwrap()).code(130);
    assert!(!place.path("pages").exists());
}

#[test]
fn a_connection_that_is_being_opened_does_not_hold_the_end_up() {
    // No server answers the handshake, so the page is still connecting when the signal arrives.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = half_hanging();
    let place = Place::new();
    let url = format!("https://{}/x", silent.local_addr().unwrap());
    let running = place.start(&[&server.url("/quick"), &url, "-j", "2", "--json"]);
    let _connecting = silent.accept().unwrap();
    server.wait_for("/quick");
    send(&running, Signal::SIGINT);
    let summary = Ended::of(running.wait_with_output().unwrap()).code(130).json();
    assert_eq!((&summary["saved"], &summary["interrupted"]), (&1.into(), &1.into()));
}

#[test]
fn a_deadline_ends_pages_in_flight_as_failed_and_the_others_as_interrupted() {
    let server = half_hanging();
    let place = Place::new();
    let urls = ["/quick", "/hang1", "/hang2", "/hang3"].map(|path| server.url(path));
    let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    arguments.extend(["-j", "2", "--deadline", "500ms", "--json"]);
    let ended = place
        .run(&arguments)
        .code(3)
        .says(&["stopped by --deadline; continue with the same command and --resume"]);
    let summary = ended.json();
    let counts = ["saved", "failed", "interrupted"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [1, 2, 1]);
    assert_eq!(summary["failures"]["deadline"], 2);
}

#[test]
fn a_deadline_holds_for_the_index_too() {
    let server = half_hanging();
    let place = Place::new();
    let run = ["--index", &server.url("/index"), "--deadline", "200ms"];
    place.run(&run).code(3).says(&["error: the run ended before", "/index was fetched"]);
}

#[test]
fn too_many_failures_stop_the_run() {
    let server = Canned::start(|request| {
        Reply::Raw(if request.path.starts_with("/good") {
            html("good")
        } else {
            answer("404 Not Found", "", "")
        })
    });
    let urls =
        ["/good1", "/bad1", "/bad2", "/good2", "/bad3", "/bad4"].map(|path| server.url(path));
    for (limit, failed, code) in [("2", 3, 3), ("0", 1, 3), ("4", 4, 3), ("50%", 4, 3)] {
        let place = Place::new();
        let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
        arguments.extend(["-j", "1", "--max-failures", limit, "--json"]);
        let ended = place.run(&arguments).code(code);
        let is_stopped = ended.stderr.contains("stopped by --max-failures");
        assert_eq!(is_stopped, failed < 4, "{limit}: {ended:?}");
        let summary = ended.json();
        assert_eq!((&summary["failed"], &summary["pages"]), (&failed.into(), &6.into()), "{limit}");
        assert_eq!(place.pages().len(), 6, "{limit}");
    }
}
