//! When a page goes: the queue that every executor takes its pages from.
//!
//! The queue owns all waiting that is not a page's own input and output: input
//! that is still to come, retries that are not due, room for more input. Its
//! decisions are made in [`frontier`] and [`retry`], which are pure; this file
//! adds the lock, the clock and the waking.

pub mod frontier;
pub mod retry;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::model::{Attempt, Job};
use frontier::{Frontier, Next, Settlement};
use retry::{Dice, RetryPolicy};

/// Pages read ahead of the workers. Input is streamed, so this, not the length
/// of a list, bounds the memory that waiting pages take (some 300 bytes each).
const READ_AHEAD: usize = 1024;
/// Reading stops when so many pages wait, those between two attempts included:
/// enough for one dead host not to stop the others at once.
const WAITING_LIMIT: usize = 8 * READ_AHEAD;

/// Why a run stops before its pages are done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// The user asked for it (Ctrl-C or SIGTERM).
    Interrupted,
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
}

impl Queue {
    /// An empty queue that waits for input.
    pub fn new(policy: RetryPolicy, dice: Dice, clock: Arc<dyn Clock>) -> Self {
        Self {
            frontier: Mutex::new(Frontier::new(policy, dice)),
            clock,
            changed: Notify::new(),
            room: Condvar::new(),
            is_feeder_waiting: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            closing: Mutex::new(None),
            is_abandoned: AtomicBool::new(false),
            abandoned: Notify::new(),
        }
    }

    /// A panic while the lock is held could only come from the allocator; the
    /// frontier stays usable, and its pages must still be accounted for.
    fn frontier(&self) -> MutexGuard<'_, Frontier> {
        self.frontier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a page; waits while the queue is full.
    ///
    /// # Errors
    ///
    /// Gives the page back when the queue is closed.
    pub fn push(&self, job: Job) -> Result<(), Box<Job>> {
        let mut frontier = self.frontier();
        while is_full(&frontier) && !frontier.is_closed() {
            self.is_feeder_waiting.store(true, Ordering::SeqCst);
            frontier = self.room.wait(frontier).unwrap_or_else(PoisonError::into_inner);
        }
        self.is_feeder_waiting.store(false, Ordering::SeqCst);
        if frontier.is_closed() {
            return Err(Box::new(job));
        }
        frontier.push(job);
        drop(frontier);
        self.wake_one();
        Ok(())
    }

    /// Says that no more pages will be pushed.
    pub fn end_input(&self) {
        self.frontier().end_input();
        self.changed.notify_waiters();
    }

    /// The next page that may go, as soon as there is one; `None` when every
    /// page is settled or the queue is closed.
    ///
    /// Each page given out must come back through [`settle`](Self::settle).
    /// Needs a tokio runtime with time enabled.
    pub async fn next(&self) -> Option<Job> {
        loop {
            match self.ask() {
                Next::Job(job) => return Some(job),
                Next::Done => return None,
                Next::Wait | Next::NotBefore(_) => (),
            }
            // Registered before the frontier is asked again, so that no change
            // between the two is missed.
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let _counted = Waiting::new(&self.waiting);
            match self.ask() {
                Next::Job(job) => return Some(job),
                Next::Done => return None,
                Next::Wait => changed.await,
                Next::NotBefore(due) => {
                    let pause = due.saturating_duration_since(self.clock.now());
                    tokio::select! {
                        () = changed => (),
                        () = tokio::time::sleep(pause) => (),
                    }
                }
            }
        }
    }

    /// What the frontier has now.
    fn ask(&self) -> Next {
        let mut frontier = self.frontier();
        let next = frontier.next(self.clock.now());
        if matches!(next, Next::Job(_)) {
            let has_more = frontier.has_waiting();
            self.tell_feeder(&frontier);
            drop(frontier);
            // Another worker takes over the watch on the next due time.
            if has_more {
                self.wake_one();
            }
        }
        next
    }

    /// Wakes the feeder when it waits and there is room for more than a few pages.
    fn tell_feeder(&self, frontier: &Frontier) {
        let has_room =
            frontier.ready_len() <= READ_AHEAD / 2 && frontier.waiting_len() < WAITING_LIMIT;
        if has_room && self.is_feeder_waiting.load(Ordering::SeqCst) {
            self.room.notify_one();
        }
    }

    fn wake_one(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_one();
        }
    }

    /// Takes back a page after an attempt at it: the page is done with, or waits
    /// for its next attempt.
    pub fn settle(&self, job: Job, attempt: &Attempt) -> Settlement {
        let mut frontier = self.frontier();
        let settlement = frontier.settle(job, attempt, self.clock.now());
        let is_over = frontier.is_over();
        self.tell_feeder(&frontier);
        drop(frontier);
        if is_over {
            self.changed.notify_waiters();
        } else if matches!(settlement, Settlement::Again { .. }) {
            self.wake_one();
        }
        settlement
    }

    /// Hands out no more pages; those in flight may end. The first reason stands.
    pub fn close(&self, why: Closing) {
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        closing.get_or_insert(why);
        drop(closing);
        self.frontier().close();
        self.changed.notify_waiters();
        self.room.notify_all();
    }

    /// Why the queue was closed, if it was.
    pub fn closing(&self) -> Option<Closing> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the queue, and ends the pages in flight now, as interrupted.
    pub fn abandon(&self) {
        self.close(Closing::Interrupted);
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

    /// Takes out the pages that a closed queue leaves behind, in input order.
    pub fn take_rest(&self) -> Vec<Job> {
        self.frontier().take_rest()
    }
}

fn is_full(frontier: &Frontier) -> bool {
    frontier.ready_len() >= READ_AHEAD || frontier.waiting_len() >= WAITING_LIMIT
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
