//! What the program prints on standard output, and what on standard error.

use fetchpages::origin::{Options, Origin};

use crate::support::canned::{Canned, answer};
use crate::support::{Place, origin};

#[test]
fn quiet_means_nothing_but_errors() {
    let origin = origin(2);
    let place = Place::new();
    let ended = place.run(&["--index", &origin.index_url(), "-q"]).code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    let server = Canned::always(answer("404 Not Found", "", ""));
    let ended = place.run(&[&server.url("/x"), "-q"]).code(3);
    let line = format!("failed {}: 404 Not Found (http)\n", server.url("/x"));
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", &*line));
    let ended = place.run(&["-i", "no-such-list", "-q"]).code(1);
    assert!(ended.stderr.starts_with("error: "), "{ended:?}");
}

#[test]
fn failures_are_told_one_by_one_up_to_twenty() {
    let server = Canned::always(answer("404 Not Found", "", ""));
    let place = Place::new();
    let urls: Vec<_> = (0..25).map(|i| server.url(&format!("/{i}"))).collect();
    let arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    let ended = place.run(&arguments).code(3);
    let failures = ended.stderr.lines().filter(|line| line.starts_with("failed http://")).count();
    assert_eq!(failures, 20);
    assert!(ended.stderr.ends_with("5 more pages failed: see manifest\n"), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("failed    25 http, such as http://127.0.0.1:"),
        "{}",
        ended.stdout
    );
    let ended = place.run(&[&arguments[..], &["-v"]].concat()).code(3);
    assert_eq!(ended.stderr.lines().filter(|line| line.starts_with("failed http://")).count(), 25);
}

#[test]
fn verbose_tells_every_page() {
    let origin = origin(3);
    let place = Place::new();
    let ended = place.run(&["--index", &origin.index_url(), "-v"]).code(0);
    assert_eq!(ended.stderr.lines().filter(|line| line.starts_with("saved ")).count(), 3);
}

#[test]
fn help_and_version_are_results() {
    let place = Place::new();
    let ended = place.run(&["--version"]).code(0);
    assert_eq!(ended.stdout, concat!("fetchpages ", env!("CARGO_PKG_VERSION"), "\n"));
    let ended = place.run(&["--help"]).code(0);
    for mode in fetchpages::exec::TABLE {
        assert!(ended.stdout.contains(mode.about), "{} is not in the help", mode.name);
    }
    assert!(ended.stderr.is_empty());
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::new();
    let list = place.file(
        "list",
        (0..100_000).map(|i| format!("http://a.org/{i}")).collect::<Vec<_>>().join(
            "
",
        ),
    );
    let mut running = place.start(&["links", "-i", &list]);
    drop(running.stdout.take());
    let ended = crate::support::Ended::of(running.wait_with_output().unwrap()).code(0);
    assert_eq!(ended.stderr, "");
}

#[test]
fn sequential_takes_a_number_of_workers_as_a_note() {
    let origin = origin(1);
    let place = Place::new();
    let arguments = ["--index", &origin.index_url(), "--mode", "sequential", "--workers", "32"];
    let ended =
        place.run(&arguments).code(0).says(&["note: sequential is always one page at a time"]);
    assert!(ended.stdout.contains("mode      sequential, 1 worker\n"), "{}", ended.stdout);
}

#[test]
fn handshakes_are_told_apart_from_resumptions() {
    let origin = Origin::start(&Options { pages: 3, tls: true, ..Options::default() }).unwrap();
    let place = Place::new();
    let authority = place.file("ca.pem", origin.certificate_pem().unwrap());
    let index = origin.index_url();
    let arguments = ["--index", &index, "--cacert", &authority, "--mode", "sequential", "--json"];
    let summary = place.run(&arguments).code(0).json();
    // One connection for the index, one for the pages: clients share sessions, not connections.
    let counts = ["connections", "tls_handshakes", "tls_resumptions"].map(|key| &summary[key]);
    assert_eq!(counts, [2, 1, 1]);
}

#[test]
fn the_parts_of_the_cpu_time_make_the_whole_and_leave_the_embedded_site_out() {
    let place = Place::new();
    let arguments = ["--demo", "--latency", "0", "--limit", "9", "--mode", "threads", "--json"];
    let summary = place.run(&arguments).code(0).json();
    let seconds = |key: &str| summary[key].as_f64().unwrap();
    assert_eq!(summary["cpu_children_seconds"], 0.0);
    let parts = seconds("cpu_user_seconds") + seconds("cpu_system_seconds");
    assert!((seconds("cpu_seconds") - parts).abs() < 0.002, "{summary}");
    let of_phase = seconds("fetch_cpu_seconds");
    assert!(0.0 < of_phase && of_phase < seconds("cpu_seconds"), "{summary}");
    assert!(summary["context_switches_voluntary"].as_u64() > Some(0), "{summary}");
}
