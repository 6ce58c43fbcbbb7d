//! Events per second. Pure.

use std::time::{Duration, Instant};

/// Counts events per second, over the last one to two seconds.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    second: Option<Instant>,
    current: u32,
    previous: u32,
}

impl Meter {
    pub(super) const fn new() -> Self {
        Self { second: None, current: 0, previous: 0 }
    }

    pub(super) fn count(&mut self, now: Instant) {
        self.advance(now);
        self.current += 1;
    }

    /// Begins a new second when the last one is over.
    fn advance(&mut self, now: Instant) {
        let second = *self.second.get_or_insert(now);
        let seconds = now.saturating_duration_since(second).as_secs();
        if seconds == 0 {
            return;
        }
        self.previous = if seconds == 1 { self.current } else { 0 };
        self.current = 0;
        self.second = Some(second + Duration::from_secs(seconds));
    }

    /// The number of events in the second that ends at `now`; its older part is estimated.
    pub(super) fn rate(&mut self, now: Instant) -> f64 {
        self.advance(now);
        let second = self.second.unwrap_or(now);
        let part = now.saturating_duration_since(second).as_secs_f64();
        f64::from(self.current) + f64::from(self.previous) * (1.0 - part)
    }

    /// The number of events since the present second began.
    pub(super) const fn current(&self) -> u32 {
        self.current
    }
}
