//! The measured throughput for each number of requests in flight. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::queue::host::whole::whole;

/// A throughput of at least this part of the best counts as nearly the best.
const NEARLY: f64 = 0.95;

/// A host's throughput for each number of requests in flight.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    levels: BTreeMap<u32, Level>,
    answers: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Level {
    answers: u64,
    time: Duration,
}

impl Profile {
    /// Adds a measurement with `open` requests in flight on average.
    pub(crate) fn add(&mut self, open: f64, answers: u32, time: Duration) {
        let level = self.levels.entry(whole(open.round())).or_default();
        level.answers += u64::from(answers);
        level.time += time;
        self.answers += u64::from(answers);
    }

    /// The number of answers in all measurements.
    pub(crate) const fn answers(&self) -> u64 {
        self.answers
    }

    /// Returns the least number in flight whose throughput was nearly the best; `None`
    /// without a measurement.
    pub(crate) fn knee(&self) -> Option<u32> {
        let best = self.levels.values().map(Level::throughput).fold(0.0, f64::max);
        let is_nearly_best = |level: &Level| level.throughput() >= NEARLY * best;
        self.levels.iter().find(|(_, level)| is_nearly_best(level)).map(|(open, _)| *open)
    }
}

impl Level {
    fn throughput(&self) -> f64 {
        self.answers as f64 / self.time.as_secs_f64().max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_is_the_least_number_near_the_best() {
        let mut profile = Profile::default();
        assert_eq!(profile.knee(), None);
        let second = Duration::from_secs(1);
        for (open, answers) in [(4.0, 80), (8.2, 160), (16.0, 310), (18.0, 322), (24.4, 318)] {
            profile.add(open, answers, second);
        }
        assert_eq!(profile.knee(), Some(16));
        assert_eq!(profile.answers(), 1_190);
    }

    #[test]
    fn a_lucky_moment_is_outweighed() {
        let mut profile = Profile::default();
        profile.add(2.0, 8, Duration::from_millis(10));
        for _ in 0..20 {
            profile.add(2.0, 40, Duration::from_secs(1));
            profile.add(16.0, 320, Duration::from_secs(1));
        }
        assert_eq!(profile.knee(), Some(16));
    }
}
