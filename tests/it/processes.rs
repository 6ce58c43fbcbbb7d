//! `--mode processes`: a run goes on when one of its processes dies.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fetchpages::origin::{Faults, Options, Origin};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::canned::{Canned, Reply, html};
use crate::support::{Ended, Place};

fn id(process: &Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).unwrap())
}

/// Returns the processes that `process` has started and that are alive.
fn children(process: &Child) -> Vec<Pid> {
    let parent = id(process).to_string();
    let mut children = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let entry = entry.unwrap();
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ends meanwhile does not count (proc_pid_stat(5): id, name, state, parent).
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let mut fields = stat.rsplit(')').next().unwrap().split_ascii_whitespace();
        if fields.next().is_some_and(|state| state != "Z") && fields.next() == Some(&*parent) {
            children.push(Pid::from_raw(id));
        }
    }
    children
}

/// Answers a path that begins with `/stuck` only after it is freed, and all others at once.
fn stuck() -> (Canned, Arc<AtomicBool>) {
    let is_free = Arc::<AtomicBool>::default();
    let asked = Arc::clone(&is_free);
    let server = Canned::start(move |request| {
        if request.path.starts_with("/stuck") && !asked.load(Ordering::SeqCst) {
            Reply::Stall(Vec::new())
        } else {
            Reply::Raw(html(&request.path))
        }
    });
    (server, is_free)
}

fn arguments<'a>(urls: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let common = ["--mode", "processes", "--json", "-v"];
    urls.iter().map(String::as_str).chain(common).chain(more.iter().copied()).collect()
}

fn attempts(place: &Place, path: &str) -> u64 {
    let page = place.pages().into_iter().find(|page| page["url"].as_str().unwrap().ends_with(path));
    page.unwrap()["attempts"].as_u64().unwrap()
}

#[test]
fn a_process_that_is_killed_costs_its_page_a_retry() {
    let (server, is_free) = stuck();
    let place = Place::new();
    let urls = ["/a", "/stuck", "/b", "/c", "/d"].map(|path| server.url(path));
    let running = place.start(&arguments(&urls, &["-j", "1"]));
    server.wait_for("/stuck");
    let processes = children(&running);
    assert_eq!(processes.len(), 1);
    kill(processes[0], Signal::SIGKILL).unwrap();
    // Not earlier: the server may not have read it for the first request yet.
    is_free.store(true, Ordering::SeqCst);
    let ended = Ended::of(running.wait_with_output().unwrap()).code(0);
    let ended = ended.says(&["worker process 1 was killed by signal 9 (SIGKILL)"]);
    let summary = ended.json();
    assert_eq!((&summary["saved"], &summary["mode"]), (&5.into(), &"processes".into()));
    assert_eq!(["/a", "/stuck", "/b"].map(|path| attempts(&place, path)), [1, 2, 1]);
    assert_eq!(place.names("pages"), ["a.html", "b.html", "c.html", "d.html", "stuck.html"]);
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn a_faulty_site_is_saved_whole_though_processes_die() {
    let shares = ["503:4", "reset:4", "cut:3"].map(|share| share.parse().unwrap());
    let origin = Origin::start(&Options {
        pages: 150,
        seed: 3,
        latency: Duration::from_millis(5),
        faults: Faults::new(shares).unwrap(),
        ..Options::default()
    });
    let origin = origin.unwrap();
    let place = Place::new();
    let index = origin.index_url();
    let run = ["--index", &index, "--retry", "8", "-j", "6", "--mode", "processes", "--json"];
    let mut running = place.start(&run);
    for requests in [30, 60, 90] {
        while origin.counters().requests < requests {
            assert!(running.try_wait().unwrap().is_none(), "it ended too early");
            std::thread::yield_now();
        }
        // A process that ends by itself before makes no difference.
        children(&running).first().map(|process| kill(*process, Signal::SIGKILL));
    }
    let summary = Ended::of(running.wait_with_output().unwrap()).code(0).json();
    assert_eq!(summary["saved"], 150);
    let pages = place.pages();
    assert_eq!(pages.len(), 150);
    assert!(pages.iter().any(|page| page["attempts"].as_u64() >= Some(2)));
    assert!(place.names("pages").iter().all(|name| !name.starts_with('.')));
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn processes_end_with_their_parent_however_it_ends() {
    let (server, is_free) = stuck();
    let place = Place::new();
    let urls = ["/a", "/stuck1", "/stuck2", "/b"].map(|path| server.url(path));
    let running = place.start(&arguments(&urls, &["-j", "2"]));
    server.wait_for("/stuck1");
    server.wait_for("/stuck2");
    assert_eq!(children(&running).len(), 2);
    kill(id(&running), Signal::SIGKILL).unwrap();
    // Ends when no process has standard error open any more; the workers have it open too.
    running.wait_with_output().unwrap();
    is_free.store(true, Ordering::SeqCst);
    place.run(&["--resume", "--mode", "processes"]).code(0);
    assert_eq!(place.names("pages"), ["a.html", "b.html", "stuck1.html", "stuck2.html"]);
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn ctrl_c_reaches_all_processes_and_the_first_decides() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (server, _) = stuck();
        let place = Place::new();
        let urls = ["/a", "/b", "/stuck1", "/stuck2", "/c"].map(|path| server.url(path));
        let running = place.start_in_group(&arguments(&urls, &["-j", "2"]));
        server.wait_for("/stuck1");
        server.wait_for("/stuck2");
        let group = Pid::from_raw(-id(&running).as_raw());
        kill(group, signal).unwrap();
        let ended = Ended::of(running.wait_with_output().unwrap()).code(130);
        assert!(!ended.stderr.contains("worker process"), "{ended:?}");
        let state = |page: &serde_json::Value| page["state"].as_str().unwrap().to_owned();
        let states: Vec<_> = place.pages().iter().map(state).collect();
        assert_eq!(states.iter().filter(|state| *state == "saved").count(), 2, "{states:?}");
        assert_eq!(states.iter().filter(|state| *state == "interrupted").count(), 3, "{states:?}");
        assert_eq!(place.names("pages"), ["a.html", "b.html"]);
        place.run(&["verify", "pages"]).code(0);
    }
}

#[test]
fn a_deadline_ends_pages_in_flight_as_failed() {
    let (server, _) = stuck();
    let place = Place::new();
    let urls = ["/a", "/stuck1", "/b"].map(|path| server.url(path));
    place.run(&arguments(&urls, &["-j", "1", "--deadline", "500ms"])).code(3);
    let ends: Vec<_> = place.pages().iter().map(|page| page["error"]["code"].clone()).collect();
    assert!(ends.contains(&"deadline".into()), "{ends:?}");
    assert_eq!(place.names("pages"), ["a.html"]);
}

#[test]
fn secrets_are_neither_in_arguments_nor_in_the_environment_of_processes() {
    let (server, is_free) = stuck();
    let place = Place::new();
    let urls = [server.url("/stuck")];
    let secrets = ["--cookie", "session=open-sesame", "--user", "me:open-sesame"];
    let mut running = place.start(&arguments(&urls, &secrets));
    server.wait_for("/stuck");
    let request = server.requests().pop().unwrap();
    assert_eq!(request.header("cookie"), Some("session=open-sesame"));
    let authorization = request.header("authorization").unwrap().replace("Basic ", "");
    for process in children(&running) {
        for file in ["cmdline", "environ"] {
            let shown = std::fs::read(format!("/proc/{process}/{file}")).unwrap();
            let shown = String::from_utf8_lossy(&shown);
            assert!(!shown.contains("open-sesame") && !shown.contains(&authorization), "{shown}");
        }
    }
    is_free.store(true, Ordering::SeqCst);
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
fn what_the_processes_connected_to_is_counted() {
    let (server, _) = stuck();
    let place = Place::new();
    let urls = ["/a", "/b", "/c", "/d", "/e"].map(|path| server.url(path));
    let ended = place.run(&arguments(&urls, &["-x", &server.url("/")])).code(0);
    // The server closes each connection.
    assert_eq!(ended.json()["connections"], 5);
    let through = &ended.json()["proxies"][0];
    assert_eq!((&through["requests"], &through["failed"]), (&5.into(), &0.into()));
}

#[test]
fn a_process_is_not_for_people_to_start() {
    let place = Place::new();
    let ended = place.run(&["child"]).code(1);
    ended.says(&["this command is a part of --mode processes; users do not run it"]);
    let help = place.run(&["--help"]).code(0);
    assert!(!help.stdout.contains("child"), "{}", help.stdout);
}
