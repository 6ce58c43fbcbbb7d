//! The file of a trace, in the "Trace Event Format" (Google,
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>).
//!
//! The format has two kinds: a plain array of events, and an object that contains one.
//! This writes the array, because its closing bracket is optional: viewers can open the
//! file while the run goes on and after it was killed. The object only adds the unit to
//! show, and its default is right here.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};

use super::About;
use super::spans::{Lane, Shows, Span, TurnEnd};
use crate::event::ObserverError;
use crate::message::counted;
use crate::model::{Attempt, FailureCode, Outcome, WorkerKind};
use crate::printable::write_json;

/// The numbers that identify lanes. Viewers group lanes by process.
const RUN: usize = 1;
const HOSTS: usize = 2;
const FIRST_PROCESS: usize = 1_000;
const LOOP: usize = 10;
const FIRST_COMPUTE: usize = 100;
const FIRST_WORKER: usize = 10_000;
/// At most this many hosts get a lane: more would hide the workers.
const HOST_LANES: usize = 64;

/// The start of each trace: its first event names the run.
const START: &[u8] = b"[\n{\"name\":\"process_name\"";

/// Whether the file at `path` begins as traces do.
pub(super) fn is_trace(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(START.len() as u64).read_to_end(&mut start)?;
    Ok(start == START)
}

/// A trace that is being written.
pub(super) struct TraceFile {
    out: Box<dyn Write + Send>,
    path: PathBuf,
    /// Complete events that are not written yet, so that a killed run leaves no partial
    /// event.
    buffer: Vec<u8>,
    is_first: bool,
    began: Instant,
    kind: WorkerKind,
    named: HashSet<(usize, usize)>,
    hosts: HashMap<String, usize>,
}

/// One event; fields that its kind does not have are left out.
#[derive(Serialize)]
struct Record<'a, A> {
    name: &'a str,
    ph: &'a str,
    /// Whole microseconds from the start of the run. From fractions, viewers may compute a
    /// span that begins before the previous one ends, which they cannot show.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    pid: usize,
    tid: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    cname: Option<&'a str>,
    args: A,
}

/// The details of a span's page.
#[derive(Debug, Serialize)]
pub(super) struct Details<'a> {
    page: u64,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wire_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureCode>,
}

impl<'a> Details<'a> {
    /// Details of a request for `url` that was redirected, for the page at place `page`.
    pub(super) const fn of_redirect(page: u64, url: &'a str) -> Self {
        let state = TurnEnd::Redirected.as_str();
        let (attempt, status, bytes, wire_bytes, error) = (None, None, None, None, None);
        Self { page, url, attempt, state, status, bytes, wire_bytes, error }
    }

    /// Details of attempt `number`.
    pub(super) fn of_attempt(
        page: u64,
        url: &'a str,
        end: TurnEnd,
        number: u32,
        attempt: &Attempt,
    ) -> Self {
        let (bytes, error) = match &attempt.outcome {
            Outcome::Saved { bytes, .. } => (Some(*bytes), None),
            Outcome::Failed(failure) => (None, Some(failure.code)),
            Outcome::Unchanged | Outcome::Robots | Outcome::Interrupted => (None, None),
        };
        Self {
            page,
            url,
            attempt: Some(number),
            state: end.as_str(),
            status: attempt.head.as_ref().map(|head| head.status),
            bytes,
            wire_bytes: Some(attempt.wire_bytes).filter(|bytes| *bytes > 0),
            error,
        }
    }
}

impl TraceFile {
    /// Begins a trace on `out`, the file at `path`, for a run that begins at `now`.
    pub(super) fn new(
        out: Box<dyn Write + Send>,
        path: &Path,
        about: &About,
        now: Instant,
    ) -> Self {
        let mut file = Self {
            out,
            path: path.to_owned(),
            buffer: b"[".to_vec(),
            is_first: true,
            began: now,
            kind: about.kind,
            named: HashSet::new(),
            hosts: HashMap::new(),
        };
        file.name_process(RUN, about.mode);
        let labels = counted(about.workers as u64, "worker");
        file.describe("process_labels", (RUN, 0), &json!({ "labels": labels }));
        file
    }

    /// Writes a span of the page that `details` describes.
    pub(super) fn span(&mut self, span: &Span, from: Instant, until: Instant, details: &Details) {
        let place = self.place(span.lane);
        self.write_span(place, span.shows, from, until, details);
    }

    /// Writes a pause of `host`.
    pub(super) fn pause(&mut self, host: &str, why: &str, from: Instant, until: Instant) {
        let next = self.hosts.len();
        let number = match self.hosts.get(host) {
            Some(number) => *number,
            None if next == HOST_LANES => return self.instant(host, why, from),
            None => {
                self.hosts.insert(host.to_owned(), next);
                next
            }
        };
        let place = self.place(Lane::Host(number));
        self.name_lane(place, host);
        let details = json!({ "host": host, "why": why });
        self.write_span(place, Shows::Parked, from, until, &details);
    }

    /// Marks the start of a pause of a host that has no lane.
    fn instant(&mut self, host: &str, why: &str, at: Instant) {
        self.append(&Record {
            name: "left alone",
            ph: "i",
            ts: Some(self.micros(at)),
            ..Record::of(json!({ "host": host, "why": why }))
        });
    }

    /// Writes the number of pages in flight from `at` on.
    pub(super) fn count(&mut self, at: Instant, in_flight: usize) {
        self.append(&Record {
            name: "pages in flight",
            ph: "C",
            ts: Some(self.micros(at)),
            ..Record::of(json!({ "pages": in_flight }))
        });
    }

    /// Writes the collected events to the file.
    pub(super) fn flush(&mut self) -> Result<(), ObserverError> {
        let written = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
        self.buffer.clear();
        written.map_err(|source| ObserverError {
            attempted: format!("failed to write the trace {}", self.path.display()),
            source,
        })
    }

    /// Writes the end of the file.
    pub(super) fn finish(mut self) -> Result<(), ObserverError> {
        self.buffer.extend_from_slice(b"\n]\n");
        self.flush()
    }

    /// The numbers of a lane. Its name is written first, if it is new.
    fn place(&mut self, lane: Lane) -> (usize, usize) {
        let (place, name) = match lane {
            Lane::Loop => ((RUN, LOOP), "loop".to_owned()),
            Lane::Compute(thread) => ((RUN, FIRST_COMPUTE + thread), format!("compute {thread}")),
            Lane::Worker(worker) if self.kind == WorkerKind::Process => {
                let process = FIRST_PROCESS + worker;
                self.name_process(process, &format!("process {worker}"));
                ((process, FIRST_WORKER + worker), format!("worker {worker}"))
            }
            Lane::Worker(worker) => ((RUN, FIRST_WORKER + worker), format!("worker {worker}")),
            Lane::Host(number) => {
                self.name_process(HOSTS, "hosts");
                return (HOSTS, FIRST_WORKER + number);
            }
        };
        self.name_lane(place, &name);
        place
    }

    fn name_process(&mut self, process: usize, name: &str) {
        if self.named.insert((process, 0)) {
            self.describe("process_name", (process, 0), &json!({ "name": name }));
            self.describe("process_sort_index", (process, 0), &json!({ "sort_index": process }));
        }
    }

    fn name_lane(&mut self, place: (usize, usize), name: &str) {
        if self.named.insert(place) {
            self.describe("thread_name", place, &json!({ "name": name }));
            self.describe("thread_sort_index", place, &json!({ "sort_index": place.1 }));
        }
    }

    /// Writes a metadata event.
    fn describe(&mut self, name: &str, (pid, tid): (usize, usize), args: &Value) {
        self.append(&Record { name, ph: "M", pid, tid, ..Record::of(args) });
    }

    fn write_span<A: Serialize>(
        &mut self,
        (pid, tid): (usize, usize),
        shows: Shows,
        from: Instant,
        until: Instant,
        args: &A,
    ) {
        let (name, cname) = shows.name_and_colour();
        let (from, until) = (self.micros(from), self.micros(until));
        if from == until && shows.is_stage() {
            return;
        }
        let (ts, dur, cname) = (Some(from), Some(until - from), Some(cname));
        self.append(&Record { name, ph: "X", ts, dur, pid, tid, cname, ..Record::of(args) });
    }

    fn micros(&self, at: Instant) -> u64 {
        let micros = at.saturating_duration_since(self.began).as_micros();
        u64::try_from(micros).unwrap_or(u64::MAX)
    }

    fn append<A: Serialize>(&mut self, record: &Record<'_, A>) {
        self.buffer.extend_from_slice(if self.is_first { b"\n" } else { b",\n" });
        self.is_first = false;
        write_json(&mut self.buffer, record)
            .expect("events consist of text and numbers, and writing to memory never fails");
    }
}

impl<A> Record<'_, A> {
    /// An event with only `args`.
    const fn of(args: A) -> Self {
        let (ts, dur, cname) = (None, None, None);
        Record { name: "", ph: "", ts, dur, pid: RUN, tid: 0, cname, args }
    }
}
