//! A budget of memory: who needs some takes it from there before using it, and waits
//! where it is used up.
//!
//! Waiting never deadlocks. At any time one of those that would have to wait is over
//! the budget instead, until it ends: it takes what it needs, so it always gets on. The
//! budget is thus exceeded by at most what one page needs.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// A lender is asked for at least so many bytes, so that one page asks a few times only.
const LEAST_LOAN: u64 = 1024 * 1024;

/// Memory that may be used at a time, in bytes.
pub struct Budget {
    limit: AtomicU64,
    used: AtomicU64,
    /// How many wait, for those who give back: mostly nobody does.
    waiting: AtomicUsize,
    line: Mutex<Line>,
    /// Where more can be had than the limit; it is asked instead of exceeding it.
    lender: Option<UnboundedSender<u64>>,
}

#[derive(Default)]
struct Line {
    waiters: VecDeque<Waiter>,
    is_exceeded: bool,
}

struct Waiter {
    bytes: u64,
    granted: oneshot::Sender<Share>,
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, used) = (&self.limit, &self.used);
        f.debug_struct("Budget").field("limit", limit).field("used", used).finish_non_exhaustive()
    }
}

// `used` and `waiting` are each written by the one side before it reads the other's, so
// one of the two sees the other: whoever gives back, or whoever begins to wait. That
// takes the one order of all that `SeqCst` gives.
impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            limit: AtomicU64::new(limit),
            used: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            line: Mutex::default(),
            lender: None,
        }
    }

    /// A budget that is never used up.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX / 2)
    }

    /// A budget of `limit` bytes that asks `lender` for what is missing, in bytes,
    /// rather than exceed it. What it gets is made known by [`raise`](Self::raise).
    pub fn lent(limit: u64, lender: UnboundedSender<u64>) -> Self {
        Self { lender: Some(lender), ..Self::new(limit) }
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.limit.load(Ordering::SeqCst)
    }

    /// Bytes that are taken at the moment.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::SeqCst)
    }

    /// Adds `bytes` to the limit.
    pub fn raise(self: &Arc<Self>, bytes: u64) {
        self.limit.fetch_add(bytes, Ordering::SeqCst);
        self.serve();
    }

    /// Sets the limit back to `limit`, when what was lent is given back.
    pub fn reset(&self, limit: u64) {
        self.limit.store(limit, Ordering::SeqCst);
    }

    /// Takes `bytes` for good, without waiting.
    pub fn set_aside(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::SeqCst);
    }

    /// Takes `bytes` when they are left.
    fn take(&self, bytes: u64) -> bool {
        let limit = self.limit();
        let taken = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |used| {
            used.checked_add(bytes).filter(|sum| *sum <= limit)
        });
        taken.is_ok()
    }

    fn give_back(self: &Arc<Self>, bytes: u64, was_exceeding: bool) {
        self.used.fetch_sub(bytes, Ordering::SeqCst);
        if was_exceeding {
            self.line().is_exceeded = false;
        }
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.serve();
        }
    }

    fn wait(self: &Arc<Self>, waiter: Waiter) {
        let bytes = waiter.bytes;
        {
            let mut line = self.line();
            self.waiting.fetch_add(1, Ordering::SeqCst);
            line.waiters.push_back(waiter);
        }
        // What it waits for may have been given back a moment before.
        self.serve();
        if let Some(lender) = &self.lender
            && self.waiting.load(Ordering::SeqCst) > 0
        {
            let missing = self.used().saturating_add(bytes).saturating_sub(self.limit());
            // A lender that is gone has ended whatever this is for.
            let _ = lender.send(missing.max(LEAST_LOAN));
        }
    }

    /// Gives those who wait what there is, in their order.
    fn serve(self: &Arc<Self>) {
        let mut served = Vec::new();
        {
            let mut line = self.line();
            for waiter in std::mem::take(&mut line.waiters) {
                let bytes = waiter.bytes;
                let has_left = waiter.granted.is_closed();
                let exceeds = !has_left && !self.take(bytes);
                if exceeds {
                    if line.is_exceeded || self.lender.is_some() {
                        line.waiters.push_back(waiter);
                        continue;
                    }
                    line.is_exceeded = true;
                    self.set_aside(bytes);
                }
                self.waiting.fetch_sub(1, Ordering::SeqCst);
                if !has_left {
                    let share = Share::new(self);
                    share.bytes.set(bytes);
                    share.is_exceeding.set(exceeds);
                    served.push((waiter.granted, share));
                }
            }
        }
        for (granted, share) in served {
            // Whoever has left meanwhile gives it back by dropping it.
            drop(granted.send(share));
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one user of a budget has taken. All of it is given back when this is dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    bytes: Cell<u64>,
    /// Whether this is the one that may exceed the budget.
    is_exceeding: Cell<bool>,
}

impl Share {
    /// A share of `budget` that is nothing yet.
    pub fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), bytes: Cell::new(0), is_exceeding: Cell::new(false) }
    }

    /// The bytes that it is.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Takes `bytes` more, when that needs no waiting.
    pub fn try_grow(&self, bytes: u64) -> bool {
        if bytes == 0 {
            return true; // Even while another one exceeds the budget.
        }
        let has_grown = if self.is_exceeding.get() {
            self.budget.set_aside(bytes);
            true
        } else {
            self.budget.take(bytes)
        };
        if has_grown {
            self.bytes.set(self.bytes.get() + bytes);
        }
        has_grown
    }

    /// Takes `bytes` more, after a wait where they are not left. Nothing is taken when
    /// this is dropped before its end.
    pub async fn grow(&self, bytes: u64) {
        if self.try_grow(bytes) {
            return;
        }
        let (sender, receiver) = oneshot::channel();
        self.budget.wait(Waiter { bytes, granted: sender });
        let granted = receiver.await.expect("the budget lives, and serves all who wait");
        self.bytes.set(self.bytes.get() + granted.bytes.take());
        self.is_exceeding.set(granted.is_exceeding.take() || self.is_exceeding.get());
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes.get() > 0 || self.is_exceeding.get() {
            self.budget.give_back(self.bytes.get(), self.is_exceeding.get());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;
    use tokio::sync::mpsc;

    use super::*;

    fn budget(limit: u64) -> Arc<Budget> {
        Arc::new(Budget::new(limit))
    }

    #[test]
    fn what_fits_is_had_at_once_and_given_back() {
        let budget = budget(100);
        let (first, second) = (Share::new(&budget), Share::new(&budget));
        assert!(first.try_grow(60) && !second.try_grow(41) && second.try_grow(40));
        assert_eq!((first.bytes(), second.bytes(), budget.used()), (60, 40, 100));
        drop(first);
        assert_eq!(budget.used(), 40);
        assert!(second.try_grow(60));
        drop(second);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn one_may_exceed_it_and_the_others_wait_in_their_order() {
        let budget = budget(100);
        let shares: Vec<_> = (0..4).map(|_| Share::new(&budget)).collect();
        for share in &shares {
            assert!(share.try_grow(25));
        }
        assert!(shares[0].grow(1000).now_or_never().is_some(), "one is never held back");
        assert!(shares[0].try_grow(500), "nor later");
        assert_eq!(budget.used(), 1600);
        {
            let mut second = pin!(shares[1].grow(80));
            let mut third = pin!(shares[2].grow(80));
            assert!(second.as_mut().now_or_never().is_none());
            assert!(third.as_mut().now_or_never().is_none());
            assert_eq!(budget.used(), 1600);
        }
        assert_eq!(shares[1].bytes(), 25, "what was waited for in vain is not taken");
        let mut second = Box::pin(shares[1].grow(80));
        let mut third = Box::pin(shares[2].grow(20));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        // As if a share that does not exceed it had ended.
        budget.give_back(1500, false);
        assert!(third.as_mut().now_or_never().is_none(), "nothing is left yet");
        budget.give_back(20, false);
        assert!(
            third.as_mut().now_or_never().is_some(),
            "what fits need not wait for what does not"
        );
        assert!(second.as_mut().now_or_never().is_none());
    }

    #[test]
    fn who_needs_no_more_does_not_wait_for_the_one_that_exceeds_it() {
        let budget = budget(100);
        let (first, second) = (Share::new(&budget), Share::new(&budget));
        assert!(second.try_grow(25));
        assert!(first.grow(1000).now_or_never().is_some());
        assert!(!second.try_grow(1));
        assert!(second.try_grow(0) && second.grow(0).now_or_never().is_some());
        assert_eq!((second.bytes(), budget.used()), (25, 1025));
    }

    #[test]
    fn the_right_to_exceed_goes_to_the_one_that_waits_longest() {
        let budget = budget(10);
        let first = Share::new(&budget);
        assert!(first.grow(50).now_or_never().is_some());
        let (second, third) = (Share::new(&budget), Share::new(&budget));
        let mut waits_longest = Box::pin(second.grow(40));
        let mut waits = Box::pin(third.grow(30));
        assert!(waits_longest.as_mut().now_or_never().is_none());
        assert!(waits.as_mut().now_or_never().is_none());
        drop(first);
        assert!(waits.as_mut().now_or_never().is_none());
        assert!(waits_longest.as_mut().now_or_never().is_some());
        assert_eq!(budget.used(), 40);
        drop(waits_longest);
        drop(second);
        assert!(waits.as_mut().now_or_never().is_some());
    }

    #[test]
    fn whoever_leaves_the_line_loses_nothing_for_the_others() {
        let budget = budget(10);
        let first = Share::new(&budget);
        assert!(first.grow(50).now_or_never().is_some());
        let (second, third) = (Share::new(&budget), Share::new(&budget));
        let mut leaves = Box::pin(second.grow(40));
        let mut stays = Box::pin(third.grow(30));
        assert!(leaves.as_mut().now_or_never().is_none());
        assert!(stays.as_mut().now_or_never().is_none());
        drop(leaves);
        drop(first);
        assert!(stays.as_mut().now_or_never().is_some());
        // Granted, and not taken up.
        let fourth = Share::new(&budget);
        let mut granted = Box::pin(fourth.grow(5));
        assert!(granted.as_mut().now_or_never().is_none());
        drop(stays);
        drop(third);
        drop(granted);
        drop((second, fourth));
        assert_eq!(budget.used(), 0);
        assert!(!budget.line().is_exceeded);
    }

    #[test]
    fn a_lender_is_asked_for_what_is_missing() {
        let (lender, mut asked) = mpsc::unbounded_channel();
        let budget = Arc::new(Budget::lent(100, lender));
        let share = Share::new(&budget);
        assert!(share.try_grow(90));
        let mut growing = Box::pin(share.grow(5_000_000));
        assert!(growing.as_mut().now_or_never().is_none());
        let missing = asked.try_recv().unwrap();
        assert_eq!(missing, 5_000_000 - 10);
        budget.raise(missing);
        assert!(growing.as_mut().now_or_never().is_some());
        drop(growing);
        drop(share);
        budget.reset(100);
        let share = Share::new(&budget);
        assert!(share.grow(101).now_or_never().is_none());
        assert_eq!(asked.try_recv().unwrap(), LEAST_LOAN);
    }

    #[test]
    fn many_threads_never_deadlock_and_exceed_it_by_one_share_at_most() {
        const SHARE: u64 = 64;
        let budget = budget(4 * SHARE);
        std::thread::scope(|threads| {
            for _ in 0..16 {
                threads.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(async {
                        for _ in 0..200 {
                            let share = Share::new(&budget);
                            for _ in 0..8 {
                                share.grow(SHARE / 8).await;
                                assert!(budget.used() <= 5 * SHARE);
                            }
                        }
                    });
                });
            }
        });
        assert_eq!(budget.used(), 0);
    }
}
