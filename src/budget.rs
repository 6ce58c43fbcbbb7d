//! A budget of memory. A page takes memory from the budget before it uses it, and waits
//! when too little is left.
//!
//! Waiting never deadlocks. At any time, one page may exceed the budget instead of waiting,
//! until it ends: it takes the memory that it needs, so it always makes progress. So the
//! program exceeds the budget by at most the memory that one page needs.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// The smallest amount that a budget asks its lender for, in bytes, so that one page asks
/// only a few times.
const MIN_LOAN: u64 = 1024 * 1024;

/// Memory that may be used at a time, in bytes.
pub struct Budget {
    limit: AtomicU64,
    used: AtomicU64,
    /// The length of the wait list, so that shares that end need no lock while it is empty,
    /// as it mostly is.
    waiting: AtomicUsize,
    wait_list: Mutex<WaitList>,
    /// The lender, which the budget asks for more instead of being exceeded.
    lender: Option<UnboundedSender<u64>>,
}

/// The shares that wait for memory, and whether one exceeds the budget.
#[derive(Default)]
struct WaitList {
    waiters: VecDeque<Waiter>,
    is_exceeded: bool,
}

struct Waiter {
    bytes: u64,
    granted: oneshot::Sender<Share>,
}

// A share that ends writes `used` before it reads `waiting`; a share that begins to wait
// writes `waiting` before it reads `used`. So at least one of them sees what the other wrote.
// That needs the single order of all operations that `SeqCst` guarantees.
impl Budget {
    /// Creates a budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            limit: AtomicU64::new(limit),
            used: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            wait_list: Mutex::default(),
            lender: None,
        }
    }

    /// Creates a budget that is never used up.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX / 2)
    }

    /// Creates a budget of `limit` bytes that is never exceeded: it asks `lender` for the
    /// missing bytes. The lender grants them by [`raise`](Self::raise).
    pub(crate) fn lent(limit: u64, lender: UnboundedSender<u64>) -> Self {
        Self { lender: Some(lender), ..Self::new(limit) }
    }

    /// Returns the limit in bytes.
    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Ordering::SeqCst)
    }

    /// Returns the bytes that are taken now.
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::SeqCst)
    }

    /// Adds `bytes` to the limit.
    pub(crate) fn raise(self: &Arc<Self>, bytes: u64) {
        self.limit.fetch_add(bytes, Ordering::SeqCst);
        self.serve();
    }

    /// Sets the limit back to `limit`, when the loan is returned.
    pub(crate) fn reset(&self, limit: u64) {
        self.limit.store(limit, Ordering::SeqCst);
    }

    /// Takes `bytes` for good and without waiting.
    pub(crate) fn set_aside(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::SeqCst);
    }

    /// Takes `bytes` when they are left, and returns whether it did.
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
            self.wait_list().is_exceeded = false;
        }
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.serve();
        }
    }

    fn wait(self: &Arc<Self>, waiter: Waiter) {
        let bytes = waiter.bytes;
        {
            let mut list = self.wait_list();
            self.waiting.fetch_add(1, Ordering::SeqCst);
            list.waiters.push_back(waiter);
        }
        // The memory may have been returned just before the waiter was added.
        self.serve();
        if let Some(lender) = &self.lender
            && self.waiting.load(Ordering::SeqCst) > 0
        {
            let missing = self.used().saturating_add(bytes).saturating_sub(self.limit());
            // A lender that is gone has ended the work that needs the memory.
            let _ = lender.send(missing.max(MIN_LOAN));
        }
    }

    /// Grants the waiters the memory that is left, in their order.
    fn serve(self: &Arc<Self>) {
        let mut served = Vec::new();
        {
            let mut list = self.wait_list();
            for waiter in std::mem::take(&mut list.waiters) {
                let bytes = waiter.bytes;
                let has_left = waiter.granted.is_closed();
                let exceeds = !has_left && !self.take(bytes);
                if exceeds {
                    if list.is_exceeded || self.lender.is_some() {
                        list.waiters.push_back(waiter);
                        continue;
                    }
                    list.is_exceeded = true;
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
            // If the waiter has left meanwhile, dropping its share returns the memory.
            drop(granted.send(share));
        }
    }

    fn wait_list(&self) -> MutexGuard<'_, WaitList> {
        self.wait_list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory that one user of a budget has taken. Dropping the share returns all of it.
pub struct Share {
    budget: Arc<Budget>,
    bytes: Cell<u64>,
    /// Whether this is the one share that may exceed the budget.
    is_exceeding: Cell<bool>,
}

impl Share {
    /// Creates an empty share of `budget`.
    pub fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), bytes: Cell::new(0), is_exceeding: Cell::new(false) }
    }

    /// Returns the size of the share in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Takes `bytes` more when that needs no waiting, and returns whether it did.
    pub(crate) fn try_grow(&self, bytes: u64) -> bool {
        if bytes == 0 {
            return true; // Even while another share exceeds the budget.
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

    /// Takes `bytes` more, and waits when they are not left. A caller that drops this future
    /// before its end takes nothing.
    pub(crate) async fn grow(&self, bytes: u64) {
        if self.try_grow(bytes) {
            return;
        }
        let (sender, receiver) = oneshot::channel();
        self.budget.wait(Waiter { bytes, granted: sender });
        let granted = receiver.await.expect("the budget lives, and serves all waiters");
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
        assert_eq!(shares[1].bytes(), 25, "a wait that was given up takes nothing");
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
            "a waiter that fits does not wait for one that does not"
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
        assert!(!budget.wait_list().is_exceeded);
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
        assert_eq!(asked.try_recv().unwrap(), MIN_LOAN);
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
