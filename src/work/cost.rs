//! Estimates what computing a page costs, from the pages so far: small pages are cheaper to
//! compute than to hand to another thread.

use std::cell::Cell;
use std::time::Duration;

/// Pages that take longer to compute are handed over. Handing over costs both threads about
/// ten microseconds, and computing should not keep the loop from its other pages for much
/// longer than that.
const WORTH_HANDING_OVER: Duration = Duration::from_micros(100);
/// The part of a page's cost that does not depend on its size, such as opening and renaming
/// a file, as the number of bytes that cost as much.
const FIXED_BYTES: usize = 4096;
/// The first guess, in nanoseconds per byte on the wire: the cost of text in gzip.
const FIRST_GUESS: f64 = 5.0;
/// The weight of the last page in the guess.
const WEIGHT: f64 = 0.125;

/// Predicts the cost of pages from their size.
#[derive(Debug)]
pub(super) struct Cost {
    nanos_per_byte: Cell<f64>,
}

impl Cost {
    /// Starts with the first guess.
    pub(super) const fn new() -> Self {
        Self { nanos_per_byte: Cell::new(FIRST_GUESS) }
    }

    /// Whether a body of `bytes` on the wire is worth handing over.
    pub(super) fn is_worth_handing_over(&self, bytes: usize) -> bool {
        let nanos = (bytes + FIXED_BYTES) as f64 * self.nanos_per_byte.get();
        nanos > WORTH_HANDING_OVER.as_nanos() as f64
    }

    /// Learns from a body of `bytes` that took `time`.
    pub(super) fn learn(&self, bytes: usize, time: Duration) {
        let seen = time.as_nanos() as f64 / (bytes + FIXED_BYTES) as f64;
        let known = self.nanos_per_byte.get();
        self.nanos_per_byte.set(known + (seen - known) * WEIGHT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pages_stay_and_large_ones_go() {
        let cost = Cost::new();
        assert!(!cost.is_worth_handing_over(7_000));
        assert!(cost.is_worth_handing_over(100_000));
    }

    #[test]
    fn small_pages_that_prove_dear_go_too_until_they_are_cheap_again() {
        let cost = Cost::new();
        (0..20).for_each(|_| cost.learn(7_000, Duration::from_millis(10)));
        assert!(cost.is_worth_handing_over(7_000));
        (0..80).for_each(|_| cost.learn(7_000, Duration::from_micros(40)));
        assert!(!cost.is_worth_handing_over(7_000));
    }
}
