//! The origin's counters, and the guard that counts a request as open until it ends in any way.
//!
//! [`server`](super::server) decides what counts as a request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::clock::{Clock, SystemClock};

/// What the origin has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests that arrived, answered or not; `/_stats` is not counted.
    pub requests: u64,
    /// Requests whose last byte of body has not been handed over yet.
    pub open: u64,
    /// The most requests that were open at the same time.
    pub open_peak: u64,
    /// The time during which at least one request was open.
    pub busy: Duration,
    /// The sum of the times during which each request was open.
    pub open_total: Duration,
    /// Connections accepted.
    pub connections: u64,
    /// Requests and connections with a fault.
    pub faults: u64,
}

impl Counters {
    /// The mean number of open requests during [`busy`](Self::busy).
    #[must_use]
    pub(crate) fn open_mean(&self) -> f64 {
        if self.busy.is_zero() { 0.0 } else { self.open_total.div_duration_f64(self.busy) }
    }

    /// The counters as one JSON object.
    pub(super) fn to_json(self) -> String {
        let Counters { requests, open, open_peak, connections, faults, .. } = self;
        let (busy, mean) = (self.busy.as_secs_f64(), self.open_mean());
        format!(
            "{{\"requests\":{requests},\"open\":{open},\"open_peak\":{open_peak},\
             \"open_mean\":{mean:.2},\"busy_seconds\":{busy:.3},\
             \"connections\":{connections},\"faults\":{faults}}}\n"
        )
    }
}

/// The counters of a running server.
///
/// All accesses are relaxed, because the counters guard no other memory.
#[derive(Debug, Default)]
pub(super) struct LiveCounters {
    requests: AtomicU64,
    load: Mutex<Load>,
    connections: AtomicU64,
    faults: AtomicU64,
    attempts: Mutex<HashMap<String, u64>>,
}

impl LiveCounters {
    /// Counts an accepted connection; returns the number of earlier ones.
    pub(super) fn count_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a request or a connection with a fault.
    pub(super) fn count_fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an attempt at this path; returns its number, from 1.
    ///
    /// Each path takes some memory until the server ends, so it should be one of the site's.
    pub(super) fn count_attempt(&self, path: &str) -> u64 {
        let mut attempts = self.attempts.lock().expect("nothing panics while it counts");
        let number = attempts.entry(path.to_owned()).or_default();
        *number += 1;
        *number
    }

    /// Counts a request, which stays open until the guard is dropped.
    pub(super) fn open_request(self: &Arc<Self>) -> OpenRequest {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.load().begin(SystemClock.now());
        OpenRequest { counters: Arc::clone(self) }
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().expect("nothing panics while it counts")
    }

    /// The counters as they are now.
    pub(super) fn snapshot(&self) -> Counters {
        let mut load = self.load();
        load.advance(SystemClock.now());
        Counters {
            requests: self.requests.load(Ordering::Relaxed),
            open: load.open,
            open_peak: load.peak,
            busy: load.busy,
            open_total: load.total,
            connections: self.connections.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
        }
    }
}

/// A request between its arrival and the last byte of its response.
#[derive(Debug)]
pub(super) struct OpenRequest {
    counters: Arc<LiveCounters>,
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.counters.load().end(SystemClock.now());
    }
}

/// The number of open requests, now and over time. Pure: the caller passes the time.
#[derive(Debug, Default)]
struct Load {
    open: u64,
    peak: u64,
    busy: Duration,
    total: Duration,
    /// The moment until which the times are counted.
    counted: Option<Instant>,
}

impl Load {
    /// Counts the time since the last change.
    fn advance(&mut self, now: Instant) {
        let step = self.counted.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.counted = Some(now);
        if self.open > 0 {
            self.busy += step;
            // The number of open requests always fits 32 bits in practice.
            self.total += step * u32::try_from(self.open).unwrap_or(u32::MAX);
        }
    }

    fn begin(&mut self, now: Instant) {
        self.advance(now);
        self.open += 1;
        self.peak = self.peak.max(self.open);
    }

    fn end(&mut self, now: Instant) {
        self.advance(now);
        self.open -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn the_peak_stays_when_requests_end() {
        let counters = Arc::new(LiveCounters::default());
        let first = counters.open_request();
        let second = counters.open_request();
        drop(first);
        let third = counters.open_request();
        drop((second, third));
        assert_eq!((counters.count_connection(), counters.count_connection()), (0, 1));
        counters.count_fault();
        let counters = counters.snapshot();
        let Counters { requests, open, open_peak, connections, faults, .. } = counters;
        assert_eq!((requests, open, open_peak, connections, faults), (3, 0, 2, 2, 1));
        assert!(counters.open_mean() >= 1.0 && counters.open_mean() <= 2.0);
    }

    #[test]
    fn the_mean_is_over_the_time_when_any_request_is_open() {
        let clock = ManualClock::new();
        let mut load = Load::default();
        let at = |millis| clock.now() + Duration::from_millis(millis);
        load.begin(at(100));
        load.begin(at(200));
        load.end(at(300));
        load.end(at(400));
        load.begin(at(1_000));
        load.advance(at(1_100));
        assert_eq!(
            (load.busy, load.total),
            (Duration::from_millis(400), Duration::from_millis(500))
        );
        let counters = Counters { busy: load.busy, open_total: load.total, ..Counters::default() };
        assert!((counters.open_mean() - 1.25).abs() < 1e-9);
        assert!(Counters::default().open_mean().abs() < 1e-9);
    }

    #[test]
    fn attempts_are_counted_for_each_path() {
        let counters = LiveCounters::default();
        let numbers = ["/a", "/b", "/a"].map(|path| counters.count_attempt(path));
        assert_eq!(numbers, [1, 1, 2]);
    }

    #[test]
    fn json_has_every_counter() {
        let (busy, open_total) = (Duration::from_millis(1_500), Duration::from_secs(3));
        let counters = Counters {
            requests: 1,
            open: 2,
            open_peak: 3,
            busy,
            open_total,
            connections: 4,
            faults: 5,
        };
        assert_eq!(
            counters.to_json(),
            "{\"requests\":1,\"open\":2,\"open_peak\":3,\"open_mean\":2.00,\"busy_seconds\":1.500,\
             \"connections\":4,\"faults\":5}\n"
        );
    }
}
