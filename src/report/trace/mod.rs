//! The trace of a run: a file for <https://ui.perfetto.dev> and <chrome://tracing>, with a
//! lane for each worker and each CPU that computes.
//!
//! The file grows as pages end, and memory holds only the pages in flight. `spans` decides
//! what is drawn, `file` writes it.

mod file;
mod spans;

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use url::Url;

use crate::event::{Event, Observer, ObserverError};
use crate::foreign::Foreign;
use crate::model::{Settled, WorkerKind, shown_url};
use file::{Details, TraceFile};
use spans::{Lane, TurnEnd, WorkerTurn};

/// The facts about a run that are known before it begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    /// The name of its mode.
    pub mode: &'static str,
    /// The maximum number of pages in flight.
    pub workers: usize,
    /// The kind of its workers.
    pub kind: WorkerKind,
}

/// The error of a file that cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("failed to create the trace {}", path.display())]
pub(crate) struct TraceError {
    /// The file.
    path: PathBuf,
    /// The cause.
    #[source]
    source: std::io::Error,
}

/// The observer that writes the trace.
pub(crate) struct Trace {
    file: TraceFile,
    kind: WorkerKind,
    in_flight: HashMap<u64, Flight>,
    /// Hosts that are paused now, by name.
    parked: BTreeMap<String, Parked>,
    /// The end of the last span in each CPU's lane.
    ends: HashMap<Lane, Instant>,
    /// The moment of the last count.
    counted: Instant,
    /// The latest moment of all events so far.
    present: Instant,
}

/// A turn that has not ended.
struct Flight {
    at: Instant,
    worker: usize,
    spent: Duration,
    url: Url,
}

struct Parked {
    from: Instant,
    until: Instant,
    why: Foreign,
}

impl Trace {
    /// Opens the file at `path`, or creates it. Its contents stay until
    /// [`create`](Self::create), because the run may fail before it begins.
    ///
    /// # Errors
    ///
    /// [`TraceError`] if that fails, and if the file has contents that are not a trace: it may be
    /// the manifest, or the list of the URLs.
    pub(crate) fn open(path: &Path) -> Result<File, TraceError> {
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let checked = opened.and_then(|file| {
            let found = file.metadata()?;
            if found.is_file() && found.len() > 0 && !file::is_trace(path)? {
                let why = "the file exists and is not a trace; remove it, or name another";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
            }
            Ok(file)
        });
        checked.map_err(|source| TraceError { path: path.to_owned(), source })
    }

    /// Empties `file`, which is at `path`, for a run that begins at `now`.
    ///
    /// # Errors
    ///
    /// [`TraceError`] if that fails.
    pub(crate) fn create(
        file: File,
        path: &Path,
        about: &About,
        now: Instant,
    ) -> Result<Self, TraceError> {
        // A pipe cannot be emptied.
        if file.metadata().is_ok_and(|found| found.is_file()) {
            file.set_len(0).map_err(|source| TraceError { path: path.to_owned(), source })?;
        }
        Ok(Self::new(Box::new(file), path, about, now))
    }

    fn new(out: Box<dyn Write + Send>, path: &Path, about: &About, now: Instant) -> Self {
        Self {
            file: TraceFile::new(out, path, about, now),
            kind: about.kind,
            in_flight: HashMap::new(),
            parked: BTreeMap::new(),
            ends: HashMap::new(),
            counted: now,
            present: now,
        }
    }

    /// Writes the end of the file.
    ///
    /// # Errors
    ///
    /// [`ObserverError`] if that fails.
    pub(crate) fn finish(mut self) -> Result<(), ObserverError> {
        self.draw_pauses(|_| true);
        self.file.finish()
    }

    fn begin(&mut self, seq: u64, flight: Flight) {
        let at = flight.at;
        self.in_flight.insert(seq, flight);
        self.count(at);
    }

    /// Removes the turn of the page at place `seq` and returns it with its end, which
    /// `ended` computes.
    fn end(
        &mut self,
        seq: u64,
        ended: impl FnOnce(&Flight) -> Instant,
    ) -> Option<(Flight, Instant)> {
        let flight = self.in_flight.remove(&seq)?;
        let ended = ended(&flight);
        self.count(ended);
        Some((flight, ended))
    }

    /// Workers read the clock before their events arrive here, so events may be out of
    /// order by some microseconds. The count follows the order of the events, which is
    /// right for each worker, so the moments must follow it too.
    fn count(&mut self, at: Instant) {
        self.counted = at.max(self.counted + Duration::from_micros(1));
        self.present = self.present.max(at);
        self.file.count(self.counted, self.in_flight.len());
    }

    fn settle(&mut self, settled: &Settled) {
        let Settled { job, attempt, total, .. } = settled;
        let ended = |flight: &Flight| flight.at + total.saturating_sub(flight.spent);
        let Some((flight, ended)) = self.end(job.seq, ended) else {
            return;
        };
        let end = TurnEnd::of(&attempt.outcome);
        let url = shown_url(&job.url);
        let details = Details::of_attempt(job.seq, &url, end, job.attempts, attempt);
        let turn =
            WorkerTurn::of_attempt(flight.worker, ended - flight.at, flight.spent, attempt, end);
        self.draw(&turn, flight.at, &details);
    }

    fn draw(&mut self, turn: &WorkerTurn, began: Instant, details: &Details) {
        for span in turn.spans(self.kind) {
            let (mut from, mut until) = (began + span.from, began + span.until);
            if span.lane.is_of_cpu() {
                // Stages count from some microseconds after the worker began the turn, so they
                // seem to be too early. The pages of one thread arrive here in the order in
                // which it ended them, and each began after the previous one had ended.
                let end = self.ends.entry(span.lane).or_insert(from);
                from = from.max(*end);
                until = from + span.until.saturating_sub(span.from);
                *end = until;
            }
            self.file.span(&span, from, until, details);
        }
    }

    /// Draws the pauses that are over; `is_over` decides by the end of a pause.
    fn draw_pauses(&mut self, is_over: impl Fn(Instant) -> bool) {
        let over = self.parked.extract_if(.., |_, parked| is_over(parked.until));
        for (host, Parked { from, until, why }) in over {
            // The part of a pause after the end of the run is not drawn.
            self.file.pause(&host, why.raw(), from, until.min(self.present).max(from));
        }
    }
}

impl Observer for Trace {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        match event {
            Event::Started { seq, at, worker, spent, url, .. } => {
                let (at, worker, spent) = (*at, *worker, *spent);
                self.begin(*seq, Flight { at, worker, spent, url: url.clone() });
            }
            Event::Onward { seq, at } => {
                if let Some((flight, ended)) = self.end(*seq, |_| *at) {
                    let url = shown_url(&flight.url);
                    let details = Details::of_redirect(*seq, &url);
                    let turn = WorkerTurn::redirected(flight.worker, ended - flight.at);
                    self.draw(&turn, flight.at, &details);
                }
            }
            Event::Retrying { job, attempt, at, .. } => {
                if let Some((flight, ended)) = self.end(job.seq, |_| *at) {
                    let (end, length) = (TurnEnd::TriedAgain, ended - flight.at);
                    let url = shown_url(&job.url);
                    let details = Details::of_attempt(job.seq, &url, end, job.attempts, attempt);
                    let turn =
                        WorkerTurn::of_attempt(flight.worker, length, flight.spent, attempt, end);
                    self.draw(&turn, flight.at, &details);
                }
            }
            Event::Settled(settled) => self.settle(settled),
            Event::Parked { host, from, until, why } => {
                let new = || Parked { from: *from, until: *until, why: why.clone() };
                let parked = self.parked.entry(host.clone()).or_insert_with(new);
                parked.until = parked.until.max(*until);
            }
            Event::Invalid { .. }
            | Event::SideRequestStarted { .. }
            | Event::SideRequestEnded { .. }
            | Event::Warning(_)
            | Event::Note(_)
            | Event::InputEnded { .. } => (),
        }
        Ok(())
    }

    fn on_batch_end(&mut self, now: Instant) -> Result<(), ObserverError> {
        self.present = self.present.max(now);
        self.draw_pauses(|until| until <= now);
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::clock::{Clock, ManualClock};
    use crate::in_flight::ProgressView;
    use crate::model::{Attempt, Failure, FailureCode, Hop, Job, Key, Outcome, Stages, Stored};
    use crate::report::captured::Captured;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn job(seq: u64) -> Job {
        let url = Url::parse(&format!("http://me:secret@a.org/{seq}")).unwrap();
        Job { attempts: 1, ..Job::new(seq, url, Key::new(format!("{seq}.html")).unwrap()) }
    }

    fn begun(seq: u64, worker: usize, at: Instant, spent: Duration) -> Event {
        let (url, progress) = (job(seq).url, ProgressView::default());
        Event::Started { seq, at, worker, spent, url, progress }
    }

    /// Saved after 10 ms, of which 6 were waiting.
    fn saved(thread: Option<usize>) -> Attempt {
        let (received, taken_up) = (millis(7), millis(if thread.is_some() { 8 } else { 7 }));
        let stages = Stages { received, taken_up, computed: millis(9), saved: millis(10), thread };
        let outcome = Outcome::Saved { bytes: 7_000, sha256: [0; 32], stored: Stored::Key };
        let wait = millis(6);
        Attempt { wire_bytes: 900, wait, stages, ..Attempt::without_answer(outcome) }
    }

    fn settled(job: Job, attempt: Attempt, total: Duration) -> Event {
        let (worker, started) = (None, None);
        Event::Settled(Box::new(Settled { job, attempt, worker, started, total }))
    }

    /// The trace of `events` from the moment `began` on, without the names of lanes.
    fn drawn(kind: WorkerKind, began: Instant, events: &[Event]) -> String {
        let captured = Captured::default();
        let about = About { mode: "test", workers: 2, kind };
        let mut trace = Trace::new(Box::new(captured.clone()), Path::new("t.json"), &about, began);
        for event in events {
            trace.on_event(event).unwrap();
        }
        trace.on_batch_end(began).unwrap();
        trace.finish().unwrap();
        let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        let whole: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert!(!whole.is_empty());
        let is_name = |line: &&str| line.contains(r#""ph":"M""#);
        text.split_inclusive('\n').filter(|line| !is_name(line)).collect()
    }

    #[test]
    fn a_file_reads_exactly_so() {
        let (captured, now) = (Captured::default(), ManualClock::new().now());
        let about = About { mode: "sequential", workers: 1, kind: WorkerKind::Thread };
        let mut trace = Trace::new(Box::new(captured.clone()), Path::new("t.json"), &about, now);
        let failed = Attempt::failed(Failure::new(FailureCode::Reset, "reset"));
        for event in [
            begun(0, 0, now + millis(2), Duration::ZERO),
            settled(job(0), saved(None), millis(11)),
            begun(1, 0, now + millis(13), Duration::ZERO),
            settled(job(1), failed, millis(4)),
        ] {
            trace.on_event(&event).unwrap();
        }
        trace.finish().unwrap();
        assert_eq!(
            String::from_utf8(captured.0.lock().unwrap().clone()).unwrap(),
            r#"[
{"name":"process_name","ph":"M","pid":1,"tid":0,"args":{"name":"sequential"}},
{"name":"process_sort_index","ph":"M","pid":1,"tid":0,"args":{"sort_index":1}},
{"name":"process_labels","ph":"M","pid":1,"tid":0,"args":{"labels":"1 worker"}},
{"name":"pages in flight","ph":"C","ts":2000,"pid":1,"tid":0,"args":{"pages":1}},
{"name":"pages in flight","ph":"C","ts":13000,"pid":1,"tid":0,"args":{"pages":0}},
{"name":"thread_name","ph":"M","pid":1,"tid":10000,"args":{"name":"worker 0"}},
{"name":"thread_sort_index","ph":"M","pid":1,"tid":10000,"args":{"sort_index":10000}},
{"name":"waiting","ph":"X","ts":2000,"dur":6000,"pid":1,"tid":10000,"cname":"grey","args":{"page":0,"url":"http://a.org/0","attempt":1,"state":"saved","bytes":7000,"wire_bytes":900}},
{"name":"receiving","ph":"X","ts":8000,"dur":1000,"pid":1,"tid":10000,"cname":"thread_state_runnable","args":{"page":0,"url":"http://a.org/0","attempt":1,"state":"saved","bytes":7000,"wire_bytes":900}},
{"name":"computing","ph":"X","ts":9000,"dur":2000,"pid":1,"tid":10000,"cname":"good","args":{"page":0,"url":"http://a.org/0","attempt":1,"state":"saved","bytes":7000,"wire_bytes":900}},
{"name":"saving","ph":"X","ts":11000,"dur":1000,"pid":1,"tid":10000,"cname":"rail_response","args":{"page":0,"url":"http://a.org/0","attempt":1,"state":"saved","bytes":7000,"wire_bytes":900}},
{"name":"pages in flight","ph":"C","ts":13001,"pid":1,"tid":0,"args":{"pages":1}},
{"name":"pages in flight","ph":"C","ts":17000,"pid":1,"tid":0,"args":{"pages":0}},
{"name":"failed","ph":"X","ts":13000,"dur":4000,"pid":1,"tid":10000,"cname":"terrible","args":{"page":1,"url":"http://a.org/1","attempt":1,"state":"failed","error":"reset"}}
]
"#
        );
    }

    /// Name, start and end in milliseconds, process and lane of each span.
    fn spans(text: &str) -> Vec<(String, f64, f64, u64, u64)> {
        let events: Vec<serde_json::Value> =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let number = |event: &serde_json::Value, key: &str| event[key].as_f64().unwrap() / 1000.0;
        let spans = events.iter().filter(|event| event["ph"] == "X").map(|event| {
            let (from, length) = (number(event, "ts"), number(event, "dur"));
            let [process, lane] = ["pid", "tid"].map(|key| event[key].as_u64().unwrap());
            (event["name"].as_str().unwrap().to_owned(), from, from + length, process, lane)
        });
        spans.collect()
    }

    #[test]
    fn pages_that_share_a_cpu_do_not_overlap_in_its_lane() {
        let now = ManualClock::new().now();
        // The stages of the second count from two milliseconds after its worker began it.
        let events = [
            begun(0, 0, now, Duration::ZERO),
            begun(1, 1, now + millis(1), Duration::ZERO),
            settled(job(0), saved(Some(1)), millis(10)),
            settled(job(1), saved(Some(1)), millis(12)),
        ];
        let drawn = spans(&drawn(WorkerKind::Task, now, &events));
        let cpu: Vec<_> = drawn.iter().filter(|(.., lane)| *lane == 101).collect();
        let cpu: Vec<_> =
            cpu.iter().map(|(name, from, until, ..)| (&**name, *from, *until)).collect();
        let expected = [
            ("computing", 8.0, 9.0),
            ("saving", 9.0, 10.0),
            ("computing", 10.0, 11.0),
            ("saving", 11.0, 12.0),
        ];
        assert_eq!(cpu, expected);
    }

    #[test]
    fn a_page_that_is_redirected_and_tried_again_has_a_span_for_each_turn() {
        let now = ManualClock::new().now();
        let at = |after| now + millis(after);
        let hop = |spent| {
            let url = Url::parse("http://b.org/").unwrap();
            Some(Box::new(Hop {
                url,
                count: 1,
                started: now,
                spent: millis(spent),
                cookies: Vec::new(),
                has_left_home: false,
                exchanges: Vec::new(),
            }))
        };
        let failure = Failure::new(FailureCode::Truncated, "cut");
        let attempt = Attempt { wait: millis(5 + 3), ..Attempt::failed(failure) };
        let job = |hop| Job { hop, ..job(0) };
        let last = Attempt { wait: millis(5 + 6), ..saved(None) };
        let events = [
            begun(0, 0, now, Duration::ZERO),
            Event::Onward { seq: 0, at: at(5) },
            begun(0, 1, at(20), millis(5)),
            Event::Retrying {
                job: Box::new(job(None)),
                attempt: Box::new(attempt),
                at: at(26),
                after: Duration::ZERO,
            },
            begun(0, 0, at(30), Duration::ZERO),
            Event::Onward { seq: 0, at: at(35) },
            begun(0, 0, at(40), millis(5)),
            settled(job(hop(5)), last, millis(5 + 11)),
        ];
        let drawn = spans(&drawn(WorkerKind::Process, now, &events));
        let drawn: Vec<_> = drawn
            .iter()
            .map(|(name, from, until, process, lane)| (&**name, *from, *until, *process, *lane))
            .collect();
        assert_eq!(
            drawn,
            [
                ("redirected", 0.0, 5.0, 1_000, 10_000),
                ("failed, to be tried again", 20.0, 26.0, 1_001, 10_001),
                ("redirected", 30.0, 35.0, 1_000, 10_000),
                ("waiting", 40.0, 46.0, 1_000, 10_000),
                ("receiving", 46.0, 47.0, 1_000, 10_000),
                ("computing", 47.0, 49.0, 1_000, 10_000),
                ("saving", 49.0, 50.0, 1_000, 10_000),
            ]
        );
    }

    #[test]
    fn a_paused_host_has_a_lane_up_to_the_end_of_the_run() {
        let now = ManualClock::new().now();
        let parked = |host: &str, from, until| {
            let (from, until) = (now + millis(from), now + millis(until));
            Event::Parked { host: host.into(), from, until, why: "429".into() }
        };
        let events = [
            parked("a.org", 1, 5),
            parked("a.org", 2, 8),
            parked("b.org", 3, 3_600_000),
            begun(0, 0, now + millis(9), Duration::ZERO),
            settled(job(0), saved(None), millis(11)),
        ];
        let text = drawn(WorkerKind::Thread, now, &events);
        let tail: String = text.split_inclusive('\n').skip(7).collect();
        assert_eq!(
            tail,
            r#"{"name":"left alone","ph":"X","ts":1000,"dur":7000,"pid":2,"tid":10000,"cname":"bad","args":{"host":"a.org","why":"429"}},
{"name":"left alone","ph":"X","ts":3000,"dur":17000,"pid":2,"tid":10001,"cname":"bad","args":{"host":"b.org","why":"429"}}
]
"#
        );
    }

    #[test]
    fn pages_that_were_never_asked_for_leave_no_trace() {
        let now = ManualClock::new().now();
        let unasked = settled(job(0), Attempt::without_answer(Outcome::Robots), Duration::ZERO);
        assert_eq!(drawn(WorkerKind::Thread, now, &[unasked]), "[\n]\n");
    }
}
