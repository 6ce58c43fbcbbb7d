//! Workers that wait for a page, and which of them is woken for what. Pure: it returns wakers
//! and calls none.
//!
//! A change wakes one worker when there is a page that may go now, or a moment that no worker
//! watches for yet. The woken worker is in no list until it has looked. A worker that looks
//! and finds nothing wakes no other, so that workers cannot keep each other awake.

use std::task::Waker;
use std::time::Instant;

/// What the frontier has for a worker that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// A page may go now.
    Now,
    /// A page may go at this moment, unless something changes before.
    At(Instant),
    /// No page may go, until something changes.
    Nothing,
}

/// The number of a worker that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WaiterId(u64);

/// The cost of waiting for pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    /// The number of times that workers have looked for a page.
    pub looks: u64,
    /// The number of times that a waiting worker was woken.
    pub wakes: u64,
}

/// The workers that wait.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// The workers that were not woken. The last one is woken first: its connection is the
    /// warmest, and where fewer pages are in flight than there are workers, the others need
    /// no connection.
    parked: Vec<(WaiterId, Waker)>,
    /// The moment that one worker watches for, and that worker. The others need no timer.
    watch: Option<(Instant, WaiterId)>,
    next: u64,
    waits: Waits,
}

impl Waiters {
    /// Counts a look for a page.
    pub(super) const fn count_look(&mut self) {
        self.waits.looks += 1;
    }

    /// Returns a number for a worker that begins to wait.
    pub(super) const fn register(&mut self) -> WaiterId {
        self.next += 1;
        WaiterId(self.next)
    }

    /// Parks a worker that found nothing, while the next page may go at `due`. Returns that
    /// moment if the worker must watch for it; otherwise another worker does.
    pub(super) fn park(
        &mut self,
        id: WaiterId,
        waker: &Waker,
        due: Option<Instant>,
    ) -> Option<Instant> {
        match self.position(id) {
            Some(at) => self.parked[at].1.clone_from(waker),
            None => self.parked.push((id, waker.clone())),
        }
        let watched = due.filter(|due| self.watch(id, *due));
        if watched.is_none() {
            self.unwatch(id);
        }
        watched
    }

    /// Lets the worker `id` watch for the moment `due`, unless another one watches for that
    /// moment or an earlier one. Returns whether it does.
    fn watch(&mut self, id: WaiterId, due: Instant) -> bool {
        if self.watch.is_some_and(|(earliest, holder)| holder != id && earliest <= due) {
            return false;
        }
        self.watch = Some((due, id));
        true
    }

    /// Notes that the worker `id` watches for no moment.
    fn unwatch(&mut self, id: WaiterId) {
        self.watch.take_if(|(_, holder)| *holder == id);
    }

    /// Notes that the worker `id` no longer waits. [`pick`](Self::pick) must follow, because
    /// the worker may have watched for a moment, or have been woken for a page that it does
    /// not take.
    pub(super) fn leave(&mut self, id: WaiterId) {
        self.unwatch(id);
        if let Some(at) = self.position(id) {
            self.parked.remove(at);
        }
    }

    /// Returns the worker to wake, if there is cause to wake one.
    pub(super) fn pick(&mut self, readiness: Readiness) -> Option<Waker> {
        let is_watched = |due: Instant| self.watch.is_some_and(|(earliest, _)| earliest <= due);
        let due = match readiness {
            Readiness::Now => None,
            Readiness::At(due) if !is_watched(due) => Some(due),
            Readiness::At(_) | Readiness::Nothing => return None,
        };
        let (id, waker) = self.parked.pop()?;
        if let Some(due) = due {
            // Until it has looked, no other worker is woken for this moment.
            self.watch = Some((due, id));
        }
        self.waits.wakes += 1;
        Some(waker)
    }

    /// Takes all workers, because nothing is left to wait for.
    pub(super) fn all(&mut self) -> Vec<Waker> {
        self.waits.wakes += self.parked.len() as u64;
        self.parked.drain(..).map(|(_, waker)| waker).collect()
    }

    /// Returns the cost of waiting so far.
    pub(super) const fn waits(&self) -> Waits {
        self.waits
    }

    fn position(&self, id: WaiterId) -> Option<usize> {
        self.parked.iter().rposition(|(parked, _)| *parked == id)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock, ManualClock};

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Workers that wait, each with a count of its wakes.
    fn parked(count: usize) -> (Waiters, Vec<(WaiterId, Arc<Woken>)>) {
        let mut waiters = Waiters::default();
        let workers: Vec<_> =
            (0..count).map(|_| (waiters.register(), Arc::<Woken>::default())).collect();
        for (id, woken) in &workers {
            waiters.park(*id, &Waker::from(Arc::clone(woken)), None);
        }
        (waiters, workers)
    }

    fn wake(waiters: &mut Waiters, readiness: Readiness) -> bool {
        waiters.pick(readiness).map(Waker::wake).is_some()
    }

    fn woken(workers: &[(WaiterId, Arc<Woken>)]) -> Vec<u32> {
        workers.iter().map(|(_, woken)| woken.0.load(Ordering::SeqCst)).collect()
    }

    #[test]
    fn each_cause_wakes_one_worker_and_each_worker_once() {
        let (mut waiters, workers) = parked(2);
        assert!(!wake(&mut waiters, Readiness::Nothing));
        assert!(wake(&mut waiters, Readiness::Now));
        assert_eq!(woken(&workers), [0, 1]);
        assert!(wake(&mut waiters, Readiness::Now));
        assert!(!wake(&mut waiters, Readiness::Now), "no worker is left");
        assert_eq!((woken(&workers), waiters.waits().wakes), (vec![1, 1], 2));
    }

    #[test]
    fn a_moment_is_watched_for_by_one_worker() {
        let now = ManualClock::new().now();
        let later = now + Duration::from_secs(1);
        let (mut waiters, workers) = parked(3);
        assert!(wake(&mut waiters, Readiness::At(later)));
        assert!(!wake(&mut waiters, Readiness::At(later)), "the woken worker will watch");
        assert!(!waiters.watch(workers[0].0, later));
        assert!(wake(&mut waiters, Readiness::At(now)), "an earlier moment");
        assert!(!waiters.watch(workers[2].0, later), "the earlier one comes first");
        waiters.leave(workers[1].0);
        assert!(waiters.watch(workers[2].0, later));
        waiters.unwatch(workers[0].0);
        assert!(!wake(&mut waiters, Readiness::At(later)), "worker 0 does not watch");
        waiters.leave(workers[2].0);
        assert!(wake(&mut waiters, Readiness::At(later)));
        assert_eq!(woken(&workers), [1, 1, 1]);
    }
}
