//! The origin's counters, and the guard that keeps "open" right however a request ends.
//!
//! What counts as a request is decided in [`server`](super::server).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// What the origin has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests that arrived, answered or not; `/_stats` is not counted.
    pub requests: u64,
    /// Requests whose last byte of body has not been handed over yet.
    pub open: u64,
    /// The most requests that were open at the same time.
    pub open_peak: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Requests and connections that were made to go wrong.
    pub faults: u64,
}

impl Counters {
    /// The counters as one JSON object.
    pub(super) fn to_json(self) -> String {
        let Counters { requests, open, open_peak, connections, faults } = self;
        format!(
            "{{\"requests\":{requests},\"open\":{open},\"open_peak\":{open_peak},\
             \"connections\":{connections},\"faults\":{faults}}}\n"
        )
    }
}

/// The counters while they count.
///
/// Relaxed throughout: the counters guard no other memory.
#[derive(Debug, Default)]
pub(super) struct Tally {
    requests: AtomicU64,
    open: AtomicU64,
    open_peak: AtomicU64,
    connections: AtomicU64,
    faults: AtomicU64,
    attempts: Mutex<HashMap<String, u64>>,
}

impl Tally {
    /// Counts an accepted connection, and says how many there were before it.
    pub(super) fn count_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts something that was made to go wrong.
    pub(super) fn count_fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an attempt at this path, and says its number, from 1.
    ///
    /// Each path takes some memory for good, so it should be one of the site's.
    pub(super) fn count_attempt(&self, path: &str) -> u64 {
        let mut attempts = self.attempts.lock().expect("nothing panics while it counts");
        let number = attempts.entry(path.to_owned()).or_default();
        *number += 1;
        *number
    }

    /// Counts a request, which stays open until the guard is dropped.
    pub(super) fn open_request(self: &Arc<Self>) -> OpenRequest {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.open_peak.fetch_max(open, Ordering::Relaxed);
        OpenRequest { tally: Arc::clone(self) }
    }

    /// The counters as they are now.
    pub(super) fn counters(&self) -> Counters {
        Counters {
            requests: self.requests.load(Ordering::Relaxed),
            open: self.open.load(Ordering::Relaxed),
            open_peak: self.open_peak.load(Ordering::Relaxed),
            connections: self.connections.load(Ordering::Relaxed),
            faults: self.faults.load(Ordering::Relaxed),
        }
    }
}

/// A request between its arrival and the last byte of its response.
#[derive(Debug)]
pub(super) struct OpenRequest {
    tally: Arc<Tally>,
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.tally.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_stays_when_requests_end() {
        let tally = Arc::new(Tally::default());
        let first = tally.open_request();
        let second = tally.open_request();
        drop(first);
        let third = tally.open_request();
        drop((second, third));
        assert_eq!((tally.count_connection(), tally.count_connection()), (0, 1));
        tally.count_fault();
        assert_eq!(
            tally.counters(),
            Counters { requests: 3, open: 0, open_peak: 2, connections: 2, faults: 1 }
        );
    }

    #[test]
    fn attempts_are_counted_for_each_path() {
        let tally = Tally::default();
        let numbers = ["/a", "/b", "/a"].map(|path| tally.count_attempt(path));
        assert_eq!(numbers, [1, 1, 2]);
    }

    #[test]
    fn json_has_every_counter() {
        let counters = Counters { requests: 1, open: 2, open_peak: 3, connections: 4, faults: 5 };
        assert_eq!(
            counters.to_json(),
            "{\"requests\":1,\"open\":2,\"open_peak\":3,\"connections\":4,\"faults\":5}\n"
        );
    }
}
