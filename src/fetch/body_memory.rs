//! The memory for bodies that one request holds, and the time that it waited for more.

use std::cell::Cell;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use crate::budget::Share;
use crate::clock::Clock;
use crate::in_flight::{AttemptProgress, Phase};

/// Every request reserves this many bytes at its start: its buffers and the head of its
/// answer. Most small bodies fit in as well.
pub(super) const FIRST_RESERVATION: u64 = 16 * 1024;

/// Returns the memory in bytes that a connection holds beside a body whose pieces have
/// `piece` bytes: the library reads the next piece before this one is taken, and then has a
/// buffer for another. It doubles its buffers up to 400 KiB for a fast server, so what many
/// connections hold would exceed a small budget. The first reservation includes small ones.
pub(super) const fn read_ahead(piece: usize) -> usize {
    if piece as u64 > FIRST_RESERVATION { 2 * piece } else { 0 }
}

/// The time limit of an attempt that is held back is checked again after this time at the
/// earliest.
const RECHECK: Duration = Duration::from_millis(100);
/// Longer than any run.
const FOR_EVER: Duration = Duration::from_hours(100 * 365 * 24);

/// Returns `start + limit`, or a time beyond the end of any run if that overflows.
pub(super) fn deadline_of(start: Instant, limit: Duration) -> tokio::time::Instant {
    start.checked_add(limit).unwrap_or(start + FOR_EVER).into()
}

/// The memory of one attempt. The program's own limit causes the waits for more of it, so
/// they do not count for the time limits of the options.
pub struct BodyMemory<'a> {
    share: Share,
    clock: &'a dyn Clock,
    waited: Cell<Duration>,
    /// The start of the current wait, if there is one.
    since: Cell<Option<Instant>>,
}

impl<'a> BodyMemory<'a> {
    /// Makes an attempt's memory from `share`, which holds nothing yet.
    pub fn new(share: Share, clock: &'a dyn Clock) -> Self {
        Self { share, clock, waited: Cell::default(), since: Cell::default() }
    }

    /// Returns the memory that the request holds at its end.
    pub fn into_share(self) -> Share {
        self.share
    }

    /// Waits for `exchange`, which began at `started`, for at most `limit`, not counting
    /// the time that it is held back. Returns `None` when the limit is reached.
    pub(super) async fn within<T>(
        &self,
        started: Instant,
        limit: Duration,
        mut exchange: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        let end = || {
            let end = deadline_of(started, limit.saturating_add(self.waited()));
            if self.since.get().is_some() { end + RECHECK } else { end }
        };
        let mut deadline = end();
        loop {
            if let Ok(exchanged) = timeout_at(deadline, &mut exchange).await {
                return Some(exchanged);
            }
            let later = end();
            if later <= deadline {
                return None;
            }
            deadline = later;
        }
    }

    /// The time spent waiting so far.
    fn waited(&self) -> Duration {
        let going_on = self.since.get().map_or(Duration::ZERO, |since| self.clock.now() - since);
        self.waited.get() + going_on
    }

    /// Reserves memory until the request holds `bytes` in all, or more. Waits if they are
    /// not free.
    pub async fn reserve(&self, bytes: u64, progress: &AttemptProgress) {
        let missing = bytes.saturating_sub(self.share.bytes());
        if self.share.try_grow(missing) {
            return;
        }
        let before = progress.get();
        progress.set(Phase::HeldBack);
        let wait = Wait::begin(self);
        self.share.grow(missing).await;
        drop(wait);
        progress.set(before);
    }
}

/// A current wait, which ends when this is dropped.
struct Wait<'a>(&'a BodyMemory<'a>);

impl<'a> Wait<'a> {
    fn begin(held: &'a BodyMemory<'a>) -> Self {
        held.since.set(Some(held.clock.now()));
        Self(held)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.0.waited.set(self.0.waited());
        self.0.since.set(None);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;

    use tokio::time::sleep;

    use super::*;
    use crate::budget::Budget;
    use crate::clock::PausedClock;

    #[test]
    fn what_a_fast_connection_reads_ahead_is_counted() {
        for (piece, ahead) in [(0, 0), (300, 0), (16_384, 0), (16_385, 32_770), (400_000, 800_000)]
        {
            assert_eq!(read_ahead(piece), ahead, "{piece}");
        }
    }

    #[test]
    fn the_time_that_a_request_is_held_back_does_not_count() {
        let seconds = Duration::from_secs;
        // Seconds of waiting for memory and then for the server, and the limit.
        for (held_back, works, limit, ends) in [
            (0, 1, 2, true),
            (0, 3, 2, false),
            (60, 1, 2, true),
            (60, 3, 2, false),
            (2, 1, 2, true),
        ] {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            let ended = runtime.block_on(async {
                let budget = Arc::new(Budget::new(100));
                let (first, other) = (Share::new(&budget), Share::new(&budget));
                first.grow(1000).await; // and so exceeds it
                let held = BodyMemory::new(other, &PausedClock);
                let progress = AttemptProgress::default();
                let started = PausedClock.now();
                let exchange = async {
                    held.reserve(50, &progress).await;
                    assert_eq!(PausedClock.now() - started, seconds(held_back));
                    sleep(seconds(works)).await;
                };
                let exchange = pin!(exchange);
                let released = async {
                    sleep(seconds(held_back)).await;
                    drop(first);
                };
                let (ended, ()) =
                    tokio::join!(held.within(started, seconds(limit), exchange), released);
                ended
            });
            assert_eq!(ended.is_some(), ends, "{held_back} s, then {works} s of {limit} s");
        }
    }
}
