//! The times of answers, and means over them, for the concurrency controller. Pure.

use std::time::Instant;

/// The part of a page's whole turn that is compared with the wait for its answer. Turns
/// differ more, because pages differ in size.
const TURN_SHARE: f64 = 0.8;
/// A difference of this many seconds shows nothing: threads and timers wake late.
const TOLERANCE: f64 = 0.003;
/// One sample counts as at most this many times the least latency.
const LONGEST: f64 = 4.0;
/// The running means rest on at least this many answers.
pub(super) const FEWEST_RECENT: u32 = 6;

/// The times of one request, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// From the request to the head of its answer.
    pub(super) wait: f64,
    /// From the request to the end of the page's turn.
    pub(super) turn: f64,
}

/// Running means of the last answers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recent {
    pub(super) answers: u32,
    pub(super) ratio: f64,
    pub(super) wait: f64,
    /// Requests in flight.
    pub(super) open: f64,
}

/// Sums over the samples of a round.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Round {
    pub(super) begun: Option<Instant>,
    /// All answers since it began, samples or not.
    pub(super) answers: u32,
    /// The number of samples.
    pub(super) samples: f64,
    wait: f64,
    turn: f64,
    open: f64,
}

impl Times {
    pub(super) fn min(self, other: Self) -> Self {
        Self { wait: self.wait.min(other.wait), turn: self.turn.min(other.turn) }
    }

    pub(super) fn max(self, other: Self) -> Self {
        Self { wait: self.wait.max(other.wait), turn: self.turn.max(other.turn) }
    }

    pub(super) fn times(self, factor: f64) -> Self {
        Self { wait: self.wait * factor, turn: self.turn * factor }
    }

    /// The least times of which these are `ratio` times.
    pub(super) fn at_rest(self, ratio: f64) -> Self {
        let at_rest = |time: f64, ratio: f64| (time - TOLERANCE).max(0.0) / ratio;
        Self { wait: at_rest(self.wait, ratio), turn: at_rest(self.turn, ratio / TURN_SHARE) }
    }

    /// How many times the `least` these are; at least one.
    pub(super) fn ratio(self, least: Self) -> f64 {
        let ratio = |time: f64, least: f64| (time - TOLERANCE) / least.max(1e-6);
        let (wait, turn) = (ratio(self.wait, least.wait), ratio(self.turn, least.turn));
        wait.max(turn * TURN_SHARE).max(1.0)
    }
}

impl Recent {
    /// Adds an answer to a request that was sent with `open` in flight. The means cover as
    /// many answers as a quarter of the `limit`, and at least [`FEWEST_RECENT`].
    pub(super) fn add(&mut self, ratio: f64, wait: f64, open: u32, limit: f64) {
        self.answers += 1;
        let answers = (limit / 4.0).max(f64::from(FEWEST_RECENT));
        let share = 1.0 / answers.min(f64::from(self.answers));
        self.ratio += (ratio - self.ratio) * share;
        self.wait += (wait - self.wait) * share;
        self.open += (f64::from(open) - self.open) * share;
    }
}

impl Round {
    /// A round that begins now.
    pub(super) fn begin(now: Instant) -> Self {
        Self { begun: Some(now), ..Self::default() }
    }

    /// Adds a sample: a request that was sent with `open` in flight.
    pub(super) fn add(&mut self, times: Times, open: u32, least: Option<Times>) {
        let least = least.map_or(times.wait, |least| least.wait);
        self.samples += 1.0;
        self.wait += times.wait.min(LONGEST * least + TOLERANCE);
        self.turn += times.turn;
        self.open += f64::from(open);
    }

    pub(super) fn mean(&self) -> Times {
        Times { wait: self.wait / self.samples, turn: self.turn / self.samples }
    }

    /// Requests in flight, on average.
    pub(super) fn mean_open(&self) -> f64 {
        self.open / self.samples
    }
}
