//! `--trace`: the timeline of a run.

use std::collections::{BTreeMap, BTreeSet};

use fetchpages::exec;
use fetchpages::origin::{Options, Origin};
use serde_json::Value;

use crate::support::{Place, origin};

type Lane = (u64, u64);

/// A trace as its readers see it.
struct Picture {
    names: BTreeMap<Lane, String>,
    spans: BTreeMap<Lane, Vec<Value>>,
    in_flight: Vec<(u64, u64)>,
}

impl Picture {
    fn read(text: &str) -> Self {
        let events: Vec<Value> = serde_json::from_str(text).unwrap();
        let (mut names, mut spans) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        let mut in_flight = Vec::new();
        for event in events {
            let lane = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
            match event["ph"].as_str().unwrap() {
                "M" if event["name"] == "thread_name" => {
                    names.insert(lane, event["args"]["name"].as_str().unwrap().to_owned());
                }
                "M" => (),
                "C" => {
                    let count = event["args"]["pages"].as_u64().unwrap();
                    in_flight.push((event["ts"].as_u64().unwrap(), count));
                }
                "X" => spans.entry(lane).or_default().push(event),
                other => panic!("{other}"),
            }
        }
        Self { names, spans, in_flight }
    }

    /// Each lane has a name, and its spans do not overlap.
    fn check_lanes(&mut self, mode: &str) {
        for (lane, spans) in &mut self.spans {
            let name = &self.names[lane];
            let start = |span: &Value| span["ts"].as_u64().unwrap();
            spans.sort_by_key(start);
            let mut end = 0;
            for span in spans {
                assert!(start(span) >= end, "{mode}, {name}: {span} begins before {end}");
                end = start(span) + span["dur"].as_u64().unwrap();
            }
        }
    }

    /// Checks that times go forwards, and that counts start and end at zero and change by one.
    fn check_in_flight(&self, mode: &str, workers: u64) {
        assert!(self.in_flight.is_sorted_by(|(a, _), (b, _)| a < b), "{mode}");
        let mut before = 0;
        for (_, count) in &self.in_flight {
            assert_eq!(count.abs_diff(before), 1, "{mode}");
            assert!(*count <= workers, "{mode}: {count}");
            before = *count;
        }
        assert_eq!(before, 0, "{mode}");
    }

    fn spans(&self) -> impl Iterator<Item = (&str, &Value)> {
        let lanes = self.spans.iter();
        lanes.flat_map(|(lane, spans)| spans.iter().map(|span| (&*self.names[lane], span)))
    }

    /// Returns the pages that ended in `state`.
    fn pages(&self, state: &str) -> BTreeSet<u64> {
        let spans = self.spans().filter(|(_, span)| span["args"]["state"] == state);
        spans.map(|(_, span)| span["args"]["page"].as_u64().unwrap()).collect()
    }
}

#[test]
fn every_mode_draws_each_of_its_pages_once_and_in_its_lane() {
    for mode in exec::TABLE {
        let faults = ["503:15", "cut:15"].map(|fault| fault.parse().unwrap());
        let faults = fetchpages::origin::Faults::new(faults.to_vec()).unwrap();
        let origin = Origin::start(&Options { pages: 20, faults, ..Options::default() }).unwrap();
        let place = Place::new();
        let index = origin.index_url();
        let arguments = ["--index", &index, "--mode", mode.name, "-j", "6", "--retry", "1"];
        let ended = place.run(&[&arguments[..], &["--trace", "t.json", "--json"]].concat());
        let summary = ended.json();
        let mut picture = Picture::read(&place.text("t.json"));
        picture.check_lanes(mode.name);
        picture.check_in_flight(mode.name, if mode.is_scalable { 6 } else { 1 });
        let ends = ["saved", "failed"].map(|state| picture.pages(state));
        for (state, pages) in ["saved", "failed"].into_iter().zip(&ends) {
            assert_eq!(summary[state], pages.len(), "{mode:?}, {state}");
        }
        assert!(ends[0].is_disjoint(&ends[1]));
        assert!(!picture.pages("to be tried again").is_empty(), "{mode:?}");
        let lanes: BTreeSet<_> = picture.spans().map(|(lane, _)| lane).collect();
        let is_shared = |lane: &&&str| **lane == "loop" || lane.starts_with("compute ");
        let shared = lanes.iter().filter(is_shared).count();
        match mode.name {
            "async" => assert_eq!(shared, 1, "{lanes:?}"),
            "hybrid" => assert!(shared > 0, "{lanes:?}"),
            _ => assert_eq!(shared, 0, "{lanes:?}"),
        }
    }
}

#[test]
fn a_trace_that_cannot_be_created_ends_the_run_before_any_page() {
    let origin = origin(2);
    let place = Place::new();
    let arguments = ["--index", &origin.index_url(), "--trace", "no/such/place.json"];
    let ended = place.run(&arguments).code(1);
    assert_eq!(
        ended.stderr,
        "error: failed to create the trace no/such/place.json\n\
         caused by: No such file or directory (os error 2)\n\
         hint: name a file for --trace that can be written, in a directory that exists\n"
    );
    assert!(!place.path("pages").exists());
}

#[test]
fn a_trace_replaces_an_earlier_trace_and_no_other_file() {
    let origin = origin(2);
    let place = Place::new();
    let list = place.file("list.json", format!("[\"{}\"]", origin.index_url()));
    place.file("empty", "");
    place.run(&["-i", &list, "--trace", "run.json"]).code(0);
    let before = |name: &str| std::fs::read(place.path(name)).unwrap();
    for (name, code) in
        [("run.json", 0), ("empty", 0), ("list.json", 1), ("pages/manifest.jsonl", 1)]
    {
        let contents = before(name);
        let ended = place.run(&["-i", &list, "--trace", name]).code(code);
        if code == 0 {
            Picture::read(&String::from_utf8(before(name)).unwrap());
        } else {
            assert_eq!(before(name), contents, "{name}");
            let cause = "caused by: the file exists and is not a trace; remove it, or name another";
            assert!(ended.stderr.contains(cause), "{}", ended.stderr);
        }
    }
    place.run(&["verify", "pages"]).code(0);
}

/// The device exists on Linux only.
#[cfg(target_os = "linux")]
#[test]
fn a_trace_that_cannot_be_written_is_given_up_with_one_warning() {
    let origin = origin(20);
    let place = Place::new();
    let arguments = ["--index", &origin.index_url(), "--trace", "/dev/full", "--progress", "none"];
    let ended = place.run(&arguments).code(0);
    let warning = "warning: failed to write the trace /dev/full: \
                   No space left on device (os error 28); the run continues without a trace\n";
    assert_eq!(ended.stderr, warning);
    assert_eq!(place.pages().len(), 20);
}

#[test]
fn a_trace_may_lie_among_the_pages() {
    let origin = origin(3);
    let place = Place::new();
    for _ in 0..2 {
        place.run(&["--index", &origin.index_url(), "--trace", "pages/run.json"]).code(0);
        place.run(&["verify", "pages"]).code(0);
    }
}

#[test]
fn a_run_that_does_not_begin_leaves_an_earlier_trace() {
    let place = Place::new();
    let trace = place.file("run.json", "[]");
    place.file("taken", "this is no directory");
    place.run(&["http://127.0.0.1:1/", "-o", "taken", "--trace", &trace]).code(1);
    assert_eq!(std::fs::read_to_string(trace).unwrap(), "[]");
}
