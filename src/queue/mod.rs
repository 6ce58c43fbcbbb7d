//! When a page goes: the queue that every executor takes its pages from.
//!
//! The queue owns all waiting that is not a page's own input and output: input
//! that is still to come, retries that are not due, hosts that are to be left
//! alone, rules that are not read yet, room for more input. Its decisions are
//! made in [`frontier`] and the modules below it, which are pure; this file adds
//! the lock, the clock and the waking.

pub mod frontier;
pub mod host;
mod next_page;
pub mod notice;
pub mod retry;
pub mod robots;
#[cfg(test)]
mod tests;
mod waiters;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::model::{AutoWorkers, Failure, FailureCode, Job, Outcome, Response};
use crate::random::Rng;
use frontier::{Frontier, Moment, Next, Settlement};
use host::HostLimits;
pub use next_page::{NextPage, Waits};
use notice::Effects;
use retry::{FailureLimit, RetryPolicy};
use robots::ProductToken;
use waiters::Waiters;

/// Pages read ahead of the workers. Input is streamed, so this, not the length
/// of a list, bounds the memory that waiting pages take (some 400 bytes each).
const READ_AHEAD: usize = 1024;
/// Reading stops when so many pages wait, those of hosts that are left alone and
/// those between two attempts included: enough for one slow host not to stop the
/// others at once.
const WAITING_LIMIT: usize = 8 * READ_AHEAD;

/// How the queue decides.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How often a failed page is tried again.
    pub retry: RetryPolicy,
    /// What may be asked of one host.
    pub limits: HostLimits,
    /// Whether robots rules are kept.
    pub obeys_robots: bool,
    /// Whose rules they are.
    pub agent: ProductToken,
    /// How many failures the run bears.
    pub failure_limit: Option<FailureLimit>,
    /// Pages in flight at most, for telling when a host's limits make it vain; 0 where
    /// nobody asked for a number.
    pub workers: usize,
}

/// Why a run stops before its pages are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The user asked for it (Ctrl-C or SIGTERM).
    Interrupted,
    /// Its time is over (`--deadline`).
    Deadline,
    /// So many pages failed, more than it bears (`--max-failures`).
    TooManyFailures(u64),
    /// Something that every further page needs is broken; the words say what,
    /// outermost first.
    Broken(Vec<String>),
}

/// The pages of a run, shared by its workers. See the module's documentation.
pub struct Queue {
    frontier: Mutex<Frontier>,
    clock: Arc<dyn Clock>,
    /// Workers that wait in [`next`](Self::next); locked after the frontier.
    waiters: Mutex<Waiters>,
    /// How often workers have looked for a page.
    looks: AtomicU64,
    /// Wakes the feeder: there is room again, or the queue is closed.
    room: Condvar,
    /// Whether the feeder waits for room; changed under the frontier's lock.
    is_feeder_waiting: AtomicBool,
    closing: Mutex<Option<StopReason>>,
    is_aborted: AtomicBool,
    aborted: Notify,
    /// What happened besides and was not told yet.
    left: Mutex<Effects>,
    /// Wakes the guest: an open request ended, or the queue is closed.
    guest_changed: Notify,
}

impl Queue {
    /// An empty queue that waits for input.
    pub fn new(options: Options, rng: Rng, clock: Arc<dyn Clock>) -> Self {
        Self {
            frontier: Mutex::new(Frontier::new(options, rng)),
            clock,
            waiters: Mutex::default(),
            looks: AtomicU64::new(0),
            room: Condvar::new(),
            is_feeder_waiting: AtomicBool::new(false),
            closing: Mutex::new(None),
            is_aborted: AtomicBool::new(false),
            aborted: Notify::new(),
            guest_changed: Notify::new(),
            left: Mutex::default(),
        }
    }

    /// A panic while the lock is held could only come from the allocator; the
    /// frontier stays usable, and its pages must still be accounted for.
    fn frontier(&self) -> MutexGuard<'_, Frontier> {
        self.frontier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found of how many requests its hosts are best asked at a time;
    /// `None` where that was not looked for, or nothing was answered.
    pub fn found(&self) -> Option<AutoWorkers> {
        self.frontier().found()
    }

    /// Adds a page; waits while the queue is full. What follows from it besides
    /// is for the caller to tell.
    ///
    /// # Errors
    ///
    /// Gives the page back when the queue is closed.
    pub fn push(&self, job: Job) -> Result<Option<Effects>, Box<Job>> {
        let mut frontier = self.frontier();
        while is_full(&frontier) && !frontier.is_closed() {
            self.is_feeder_waiting.store(true, Ordering::SeqCst);
            frontier = self.room.wait(frontier).unwrap_or_else(PoisonError::into_inner);
        }
        self.is_feeder_waiting.store(false, Ordering::SeqCst);
        if frontier.is_closed() {
            return Err(Box::new(job));
        }
        let now = self.clock.now();
        frontier.push(job, now);
        let waker = self.waiters().pick(frontier.readiness(now));
        let effects = self.apply(frontier);
        wake(waker);
        Ok(effects)
    }

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that no more pages will be pushed.
    pub fn end_input(&self) {
        let mut frontier = self.frontier();
        frontier.end_input();
        let wakers = if frontier.is_over() { self.waiters().all() } else { Vec::new() };
        drop(frontier);
        wake(wakers);
    }

    /// The next page that may go, as soon as there is one, and the moment when its
    /// turn came; `None` when every page is settled or the queue is closed.
    ///
    /// Each page given out must come back through [`settle`](Self::settle).
    /// Needs a tokio runtime with time enabled.
    pub const fn next(&self) -> NextPage<'_> {
        NextPage::new(self)
    }

    /// What waiting has cost so far.
    pub fn waits(&self) -> Waits {
        Waits { looks: self.looks.load(Ordering::Relaxed), wakes: self.waiters().wakes() }
    }

    /// Wakes the feeder when it waits and there is room for more than a few pages.
    fn tell_feeder(&self, frontier: &Frontier) {
        let has_room = frontier.ready_len() <= READ_AHEAD / 2
            && frontier.waiting_len() <= WAITING_LIMIT * 7 / 8;
        if has_room && self.is_feeder_waiting.load(Ordering::SeqCst) {
            self.room.notify_one();
        }
    }

    /// Takes back a job after a turn that began at `started` and has `ended` now: it is
    /// done with, or waits for its next turn. What follows from it besides is for the
    /// caller to tell.
    pub fn settle(
        &self,
        job: Job,
        turn: Response,
        started: Instant,
        ended: Instant,
    ) -> (Settlement, Option<Effects>) {
        let at = Moment { now: ended, wall: self.clock.wall() };
        let mut frontier = self.frontier();
        let settlement = frontier.settle(job, turn, started, at);
        let mut waiters = self.waiters();
        // The worker that settles may not be the one that looks next.
        let wakers = if frontier.is_over() {
            waiters.all()
        } else {
            waiters.pick(frontier.readiness(ended)).into_iter().collect()
        };
        drop(waiters);
        self.tell_feeder(&frontier);
        let effects = self.apply(frontier);
        self.guest_changed.notify_one();
        wake(wakers);
        (settlement, effects)
    }

    /// Takes out what happened besides, and closes the queue when that says so.
    fn apply(&self, mut frontier: MutexGuard<'_, Frontier>) -> Option<Effects> {
        let effects = frontier.take_effects();
        drop(frontier);
        if let Some(failed) = effects.as_ref().and_then(|effects| effects.too_many_failures) {
            self.close(StopReason::TooManyFailures(failed));
        }
        effects
    }

    /// Makes a request of somebody outside the executor wait for its turn; it
    /// comes back as the same job, and must be [settled](Self::settle) like any.
    /// `None` when the queue is closed. One at a time.
    pub async fn invite(&self, job: Job) -> Option<Job> {
        self.frontier().invite(job, self.clock.now());
        self.next_guest().await
    }

    /// The guest's next turn, after one that was followed by another.
    pub async fn next_guest(&self) -> Option<Job> {
        loop {
            let mut changed = pin!(self.guest_changed.notified());
            changed.as_mut().enable();
            match self.look_for_guest() {
                Next::Job(job) => return Some(job),
                Next::Done => return None,
                Next::Wait => changed.await,
                Next::NotBefore(due) => self.sleep(due, changed).await,
            }
        }
    }

    fn look_for_guest(&self) -> Next {
        let mut frontier = self.frontier();
        let now = self.clock.now();
        let next = frontier.next_guest(now);
        if matches!(next, Next::Job(_)) {
            // Its host may have room left, or a moment to be watched for.
            let waker = self.waiters().pick(frontier.readiness(now));
            drop(frontier);
            wake(waker);
        }
        next
    }

    /// Keeps what happened besides for whoever can tell it:
    /// [`take_left`](Self::take_left).
    pub fn leave(&self, effects: Effects) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.ended.extend(effects.ended);
        left.notices.extend(effects.notices);
    }

    /// Takes what was [left](Self::leave).
    pub fn take_left(&self) -> Effects {
        std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a moment or for a change, whichever comes first.
    async fn sleep(&self, due: Instant, changed: impl Future<Output = ()>) {
        let pause = due.saturating_duration_since(self.clock.now());
        tokio::select! {
            () = changed => (),
            () = tokio::time::sleep(pause) => (),
        }
    }

    /// Hands out no more pages; those in flight may end. The first reason stands.
    pub fn close(&self, why: StopReason) {
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        closing.get_or_insert(why);
        drop(closing);
        let mut frontier = self.frontier();
        frontier.close();
        let wakers = self.waiters().all();
        drop(frontier);
        wake(wakers);
        self.guest_changed.notify_one();
        self.room.notify_all();
    }

    /// Why the queue was closed, if it was.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the queue, and ends the pages in flight now.
    pub fn abort(&self, why: StopReason) {
        self.close(why);
        self.is_aborted.store(true, Ordering::SeqCst);
        self.aborted.notify_waiters();
    }

    /// Ends when [`abort`](Self::abort) is called.
    pub async fn aborted(&self) {
        let mut aborted = pin!(self.aborted.notified());
        aborted.as_mut().enable();
        if !self.is_aborted.load(Ordering::SeqCst) {
            aborted.await;
        }
    }

    /// What a page in flight ends in when the queue is aborted.
    pub fn aborted_outcome(&self) -> Outcome {
        match self.stop_reason() {
            Some(StopReason::Deadline) => Outcome::Failed(Failure::new(
                FailureCode::Deadline,
                "the run's time was over (--deadline)",
            )),
            _ => Outcome::Interrupted,
        }
    }

    /// Takes out the pages that a closed queue leaves behind, in input order.
    pub fn take_rest(&self) -> Vec<Job> {
        self.frontier().take_rest()
    }
}

fn is_full(frontier: &Frontier) -> bool {
    frontier.ready_len() >= READ_AHEAD || frontier.waiting_len() >= WAITING_LIMIT
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}
