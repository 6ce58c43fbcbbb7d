//! What a request holds of the memory for bodies, and how long it was held back for it.

use std::cell::Cell;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use crate::budget::Share;
use crate::clock::Clock;
use crate::in_flight::{AttemptProgress, Phase};

/// What a request is taken to hold from its beginning, in bytes: its buffers and the head
/// of its answer; most small bodies are within it.
pub(super) const FIRST_RESERVATION: u64 = 16 * 1024;

/// The limit of an attempt that is held back is looked at again no sooner than this.
const RECHECK: Duration = Duration::from_millis(100);
/// No run lasts so long.
const FOR_EVER: Duration = Duration::from_hours(100 * 365 * 24);

/// When `limit` is over that began at `start`; one that is beyond all reckoning is not met.
pub(super) fn deadline_of(start: Instant, limit: Duration) -> tokio::time::Instant {
    start.checked_add(limit).unwrap_or(start + FOR_EVER).into()
}

/// The memory of one attempt. Time that passes in waiting for more of it is this side's
/// affair: it does not count for the limits of the options.
pub struct BodyMemory<'a> {
    share: Share,
    clock: &'a dyn Clock,
    waited: Cell<Duration>,
    /// When a wait began that goes on.
    since: Cell<Option<Instant>>,
}

impl<'a> BodyMemory<'a> {
    /// Memory of `share`, which is nothing yet.
    pub fn new(share: Share, clock: &'a dyn Clock) -> Self {
        Self { share, clock, waited: Cell::default(), since: Cell::default() }
    }

    /// What is held, when the request has ended.
    pub fn into_share(self) -> Share {
        self.share
    }

    /// Waits for `exchange`, which began at `started`, for `limit` of the time that it is
    /// not held back; `None` when that is over.
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

    /// The time that was waited so far.
    fn waited(&self) -> Duration {
        let going_on = self.since.get().map_or(Duration::ZERO, |since| self.clock.now() - since);
        self.waited.get() + going_on
    }

    /// Holds `bytes` in all, or more, after a wait where they are not left.
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

/// A wait that goes on; it ends when this is dropped.
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
    use std::time::SystemTime;

    use tokio::time::sleep;

    use super::*;
    use crate::budget::Budget;

    /// The event loop's clock, which stands still while anything is to be done.
    struct LoopClock;

    impl Clock for LoopClock {
        fn now(&self) -> Instant {
            tokio::time::Instant::now().into_std()
        }

        fn wall(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    #[test]
    fn the_time_that_a_request_is_held_back_does_not_count() {
        let seconds = Duration::from_secs;
        // How long it waits for memory and then for the server, and its limit.
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
                let held = BodyMemory::new(other, &LoopClock);
                let progress = AttemptProgress::default();
                let started = LoopClock.now();
                let exchange = async {
                    held.reserve(50, &progress).await;
                    assert_eq!(LoopClock.now() - started, seconds(held_back));
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
