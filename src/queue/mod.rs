//! When a page goes: the queue that every executor takes its pages from.
//!
//! The queue owns all waiting that is not a page's own input and output: input
//! that is still to come, retries that are not due, hosts that are to be left
//! alone, rules that are not read yet, room for more input. Its decisions are
//! made in [`frontier`] and the modules below it, which are pure; this file adds
//! the lock, the clock and the waking.

pub mod agent;
pub mod frontier;
mod gate;
pub mod gradient;
mod host;
pub mod hosts;
pub mod limit;
mod lines;
pub mod notice;
pub mod pace;
mod profile;
pub mod retry;
pub mod retry_after;
pub mod robots;
pub mod site_policy;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::model::{Failure, FailureCode, Job, Outcome, Turn};
use agent::ProductToken;
use frontier::{Frontier, Moment, Next, Settlement};
use hosts::{FoundAt, HostLimits};
use limit::FailureLimit;
use notice::Effects;
use retry::{Dice, RetryPolicy};

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
pub enum Closing {
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
    /// Wakes workers: a page came, a retry was scheduled, or all is over.
    changed: Notify,
    /// Wakes the feeder: there is room again, or the queue is closed.
    room: Condvar,
    /// Whether the feeder waits for room; changed under the frontier's lock.
    is_feeder_waiting: AtomicBool,
    /// Workers that wait in [`next`](Self::next).
    waiting: AtomicUsize,
    closing: Mutex<Option<Closing>>,
    is_abandoned: AtomicBool,
    abandoned: Notify,
    /// The moment that a worker watches for; the others need no timer.
    watched: Mutex<Option<Instant>>,
    /// What happened besides and was not told yet.
    left: Mutex<Effects>,
    /// Wakes the guest: an open request ended, or the queue is closed.
    guest_changed: Notify,
}

impl Queue {
    /// An empty queue that waits for input.
    pub fn new(options: Options, dice: Dice, clock: Arc<dyn Clock>) -> Self {
        Self {
            frontier: Mutex::new(Frontier::new(options, dice)),
            clock,
            changed: Notify::new(),
            room: Condvar::new(),
            is_feeder_waiting: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            closing: Mutex::new(None),
            is_abandoned: AtomicBool::new(false),
            abandoned: Notify::new(),
            guest_changed: Notify::new(),
            watched: Mutex::default(),
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
    pub fn found(&self) -> Option<FoundAt> {
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
        frontier.push(job, self.clock.now());
        let effects = self.heed(frontier);
        self.wake_one();
        Ok(effects)
    }

    /// Says that no more pages will be pushed.
    pub fn end_input(&self) {
        self.frontier().end_input();
        self.changed.notify_waiters();
    }

    /// The next page that may go, as soon as there is one, and the moment when its
    /// turn came; `None` when every page is settled or the queue is closed.
    ///
    /// Each page given out must come back through [`settle`](Self::settle).
    /// Needs a tokio runtime with time enabled.
    pub async fn next(&self) -> Option<(Job, Instant)> {
        loop {
            let (next, now) = self.ask();
            match next {
                Next::Job(job) => return Some((job, now)),
                Next::Done => return None,
                Next::Wait | Next::NotBefore(_) => (),
            }
            // Registered before the frontier is asked again, so that no change
            // between the two is missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let _counted = Waiting::new(&self.waiting);
            let (next, now) = self.ask();
            match next {
                Next::Job(job) => return Some((job, now)),
                Next::Done => return None,
                Next::Wait => changed.await,
                Next::NotBefore(due) => match Watch::begin(self, due) {
                    Some(watch) => {
                        self.sleep(due, changed).await;
                        drop(watch);
                        // Whom that has woken may live on this thread, and was perhaps woken
                        // before: without its turn the wake would come back here, for ever.
                        tokio::task::yield_now().await;
                    }
                    // Another worker wakes by then, and wakes the next one.
                    None => changed.await,
                },
            }
        }
    }

    /// What the frontier has now, and when that is.
    fn ask(&self) -> (Next, Instant) {
        let mut frontier = self.frontier();
        let now = self.clock.now();
        let next = frontier.next(now);
        // Room comes of a host that was put aside, too.
        self.tell_feeder(&frontier);
        if matches!(next, Next::Job(_)) {
            let has_more = frontier.waiting_len() > 0;
            drop(frontier);
            // Another worker takes over the watch on the next due time.
            if has_more {
                self.wake_one();
            }
        }
        (next, now)
    }

    /// Wakes the feeder when it waits and there is room for more than a few pages.
    fn tell_feeder(&self, frontier: &Frontier) {
        let has_room = frontier.ready_len() <= READ_AHEAD / 2
            && frontier.waiting_len() <= WAITING_LIMIT * 7 / 8;
        if has_room && self.is_feeder_waiting.load(Ordering::SeqCst) {
            self.room.notify_one();
        }
    }

    fn wake_one(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            // The one that waits for the shortest time: its connection is the warmest, and
            // where fewer pages are in flight than there are workers, the others need none.
            self.changed.notify_last();
        }
    }

    /// Takes back a job after a turn that began at `started` and has `ended` now: it is
    /// done with, or waits for its next turn. What follows from it besides is for the
    /// caller to tell.
    pub fn settle(
        &self,
        job: Job,
        turn: Turn,
        started: Instant,
        ended: Instant,
    ) -> (Settlement, Option<Effects>) {
        let at = Moment { now: ended, wall: self.clock.wall() };
        let mut frontier = self.frontier();
        let settlement = frontier.settle(job, turn, started, at);
        let is_over = frontier.is_over();
        // Somebody has to watch for what may go now or later: the worker that
        // settles may not be the one that asks next.
        let has_more = frontier.waiting_len() > 0;
        self.tell_feeder(&frontier);
        let effects = self.heed(frontier);
        self.guest_changed.notify_one();
        if is_over {
            self.changed.notify_waiters();
        } else if has_more {
            self.wake_one();
        }
        (settlement, effects)
    }

    /// Takes out what happened besides, and closes the queue when that says so.
    fn heed(&self, mut frontier: MutexGuard<'_, Frontier>) -> Option<Effects> {
        let effects = frontier.take_effects();
        drop(frontier);
        if let Some(failed) = effects.as_ref().and_then(|effects| effects.too_many_failures) {
            self.close(Closing::TooManyFailures(failed));
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
            let next = self.frontier().next_guest(self.clock.now());
            match next {
                Next::Job(job) => {
                    // Its host may have room left, or a moment to be watched for.
                    self.wake_one();
                    return Some(job);
                }
                Next::Done => return None,
                Next::Wait => changed.await,
                Next::NotBefore(due) => self.sleep(due, changed).await,
            }
        }
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
    pub fn close(&self, why: Closing) {
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        closing.get_or_insert(why);
        drop(closing);
        self.frontier().close();
        self.changed.notify_waiters();
        self.guest_changed.notify_one();
        self.room.notify_all();
    }

    /// Why the queue was closed, if it was.
    pub fn closing(&self) -> Option<Closing> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the queue, and ends the pages in flight now.
    pub fn abandon(&self, why: Closing) {
        self.close(why);
        self.is_abandoned.store(true, Ordering::SeqCst);
        self.abandoned.notify_waiters();
    }

    /// Ends when [`abandon`](Self::abandon) is called.
    pub async fn abandoned(&self) {
        let mut abandoned = pin!(self.abandoned.notified());
        abandoned.as_mut().enable();
        if !self.is_abandoned.load(Ordering::SeqCst) {
            abandoned.await;
        }
    }

    /// What a page in flight ends in when the queue is abandoned.
    pub fn abandoned_outcome(&self) -> Outcome {
        match self.closing() {
            Some(Closing::Deadline) => Outcome::Failed(Failure::new(
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

/// One worker's watch for a moment. However it ends, another one is woken to look
/// what there is to watch for then.
struct Watch<'a> {
    queue: &'a Queue,
    due: Instant,
}

impl<'a> Watch<'a> {
    /// `None` when a worker watches already, for this moment or an earlier one.
    fn begin(queue: &'a Queue, due: Instant) -> Option<Self> {
        let mut watched = queue.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.is_some_and(|earliest| earliest <= due) {
            return None;
        }
        *watched = Some(due);
        Some(Self { queue, due })
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut watched = self.queue.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // A worker that watches for an earlier moment has taken over.
        if *watched == Some(self.due) {
            *watched = None;
            drop(watched);
            // The worker that watched is one of those that are counted.
            if self.queue.waiting.load(Ordering::SeqCst) > 1 {
                self.queue.changed.notify_last();
            }
        }
    }
}

/// Counts a waiting worker for as long as it waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod schedules;
