//! The origin's counters, and the guard that keeps "open" right however a request ends.
//!
//! What counts as a request is decided in [`server`](super::server).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
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
}

impl Counters {
    /// The counters as one JSON object.
    pub(super) fn to_json(self) -> String {
        let Counters { requests, open, open_peak, connections } = self;
        format!(
            "{{\"requests\":{requests},\"open\":{open},\"open_peak\":{open_peak},\
             \"connections\":{connections}}}\n"
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
}

impl Tally {
    /// Counts an accepted connection.
    pub(super) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
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
        tally.count_connection();
        assert_eq!(
            tally.counters(),
            Counters { requests: 3, open: 0, open_peak: 2, connections: 1 }
        );
    }

    #[test]
    fn json_has_every_counter() {
        let counters = Counters { requests: 1, open: 2, open_peak: 3, connections: 4 };
        assert_eq!(
            counters.to_json(),
            "{\"requests\":1,\"open\":2,\"open_peak\":3,\"connections\":4}\n"
        );
    }
}
