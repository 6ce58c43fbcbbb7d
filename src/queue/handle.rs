//! The queue's handle: the lock, the clock, and the waking.
//!
//! All that changes lies in one [`State`] under one lock. A call locks it, asks the pure
//! [`Frontier`] what to do, and ends in [`Queue::finish`], which releases the lock before it
//! wakes workers or reports effects.

use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use tokio::sync::Notify;

use super::frontier::{Frontier, Moment, Settlement};
use super::outlet::{Note, Outlet};
use super::waiters::Waiters;
use super::{Options, StopReason};
use crate::clock::Clock;
use crate::event::Events;
use crate::model::{AutoWorkers, Failure, FailureCode, Job, Outcome, Response};
use crate::random::Rng;

/// The number of pages that are read ahead of the workers. Input is streamed, so this number
/// bounds the memory that waiting pages take (about 400 bytes each), and not the length of a
/// list.
const READ_AHEAD: usize = 1024;
/// The feeder thread pauses when this many pages wait, including those of parked hosts and
/// those between two attempts. The limit is high enough that one slow host does not stop
/// the others at once.
const WAITING_LIMIT: usize = 8 * READ_AHEAD;

/// The pages of a run, shared by its workers. See the module's documentation.
pub struct Queue {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    /// Wakes the feeder thread: there is room again, or the queue is closed.
    room: Condvar,
    /// Wakes the pages in flight: the run is aborted.
    aborted: Notify,
}

/// All that changes, under the one lock.
pub(super) struct State {
    pub(super) frontier: Frontier,
    /// Workers that wait in [`Queue::next`].
    pub(super) waiters: Waiters,
    /// The source's task that waits in [`Queue::next_side`].
    pub(super) side: Option<Waker>,
    is_feeder_waiting: bool,
    is_aborted: bool,
    outlet: Outlet,
}

impl State {
    /// Picks a worker to wake for what there is at `now`.
    pub(super) fn pick(&mut self, now: Instant) -> Option<Waker> {
        self.waiters.pick(self.frontier.readiness(now))
    }

    /// Takes all workers and the side request's task, when they have nothing left to wait
    /// for.
    fn all_when_done(&mut self) -> Vec<Waker> {
        if !self.frontier.is_done() {
            return Vec::new();
        }
        let mut wakers = self.waiters.all();
        wakers.extend(self.side.take());
        wakers
    }

    fn is_full(&self) -> bool {
        self.frontier.ready_len() >= READ_AHEAD || self.frontier.waiting_len() >= WAITING_LIMIT
    }

    /// Whether the feeder thread waits, and has reason to go on: the queue is closed, or
    /// has room for more than a few pages.
    fn wakes_feeder(&self) -> bool {
        let has_room = self.frontier.ready_len() <= READ_AHEAD / 2
            && self.frontier.waiting_len() <= WAITING_LIMIT * 7 / 8;
        self.is_feeder_waiting && (has_room || self.frontier.is_closed())
    }
}

impl Queue {
    /// Creates an empty queue that waits for input.
    pub fn new(options: Options, rng: Rng, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            frontier: Frontier::new(options, rng),
            waiters: Waiters::default(),
            side: None,
            is_feeder_waiting: false,
            is_aborted: false,
            outlet: Outlet::default(),
        };
        Self { state: Mutex::new(state), clock, room: Condvar::new(), aborted: Notify::new() }
    }

    /// Locks the state.
    ///
    /// A panic while the lock is held could only come from the allocator; the state stays
    /// usable, and its pages must still be accounted for.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Ends every call that changed the state. Releases the lock, then wakes `wakers`, the
    /// feeder thread if there is room for it, and all workers if nothing is left to wait for;
    /// then sends the effects out.
    pub(super) fn finish(
        &self,
        mut state: MutexGuard<'_, State>,
        wakers: impl IntoIterator<Item = Waker>,
    ) {
        let effects = state.frontier.take_effects();
        let delivery = effects.and_then(|effects| state.outlet.route(effects));
        let all = state.all_when_done();
        let wakes_feeder = state.wakes_feeder();
        drop(state);
        wakers.into_iter().chain(all).for_each(Waker::wake);
        if wakes_feeder {
            self.room.notify_all();
        }
        if let Some(delivery) = delivery {
            delivery.send();
        }
    }

    /// Calls `note` with each notice, until there are [observers](Self::observe_with).
    pub(crate) fn note_with(&self, note: Note) {
        self.lock().outlet.note_with(note);
    }

    /// Sends all effects to the run's observers from now on. The observers first get the
    /// pages that have already ended.
    pub fn observe_with(&self, events: Events) {
        let delivery = self.lock().outlet.observe(events);
        if let Some(delivery) = delivery {
            delivery.send();
        }
    }

    /// Returns the run's observers, once there are any.
    pub fn observers(&self) -> Option<Events> {
        self.lock().outlet.observers()
    }

    /// Returns the numbers of open requests that `--workers auto` has settled at; `None`
    /// without that option, or before the first answers.
    pub(crate) fn auto_workers(&self) -> Option<AutoWorkers> {
        self.lock().frontier.auto_workers()
    }

    /// Adds a page; waits while the queue is full.
    ///
    /// # Errors
    ///
    /// Returns the page when the queue is closed.
    pub fn push(&self, job: Job) -> Result<(), Box<Job>> {
        let mut state = self.lock();
        while state.is_full() && !state.frontier.is_closed() {
            state.is_feeder_waiting = true;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_feeder_waiting = false;
        if state.frontier.is_closed() {
            return Err(Box::new(job));
        }
        let now = self.now();
        state.frontier.push(job, now);
        let waker = state.pick(now);
        self.finish(state, waker);
        Ok(())
    }

    /// Records that no more pages will be pushed.
    pub fn end_input(&self) {
        let mut state = self.lock();
        state.frontier.end_input();
        self.finish(state, None);
    }

    /// Takes back a job after a turn that began at `started` and ended at `ended`, and
    /// decides whether the job is done or waits for another turn.
    pub fn settle(
        &self,
        job: Job,
        response: Response,
        started: Instant,
        ended: Instant,
    ) -> Settlement {
        let at = Moment { now: ended, wall: self.clock.wall() };
        let mut state = self.lock();
        let settlement = state.frontier.settle(job, response, started, at);
        // The worker that settles may not be the one that looks next.
        let worker = state.pick(ended);
        let side = state.side.take();
        self.finish(state, worker.into_iter().chain(side));
        settlement
    }

    /// Hands out no more pages; those in flight may end. The first reason stands.
    pub fn close(&self, why: StopReason) {
        let mut state = self.lock();
        state.frontier.close(why);
        self.finish(state, None);
    }

    /// Returns why the queue was closed, if it was.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.lock().frontier.stop_reason().cloned()
    }

    /// Closes the queue, and cuts the pages in flight short.
    pub fn abort(&self, why: StopReason) {
        let mut state = self.lock();
        state.is_aborted = true;
        state.frontier.close(why);
        self.finish(state, None);
        self.aborted.notify_waiters();
    }

    /// Ends when [`abort`](Self::abort) is called.
    pub async fn aborted(&self) {
        let mut aborted = pin!(self.aborted.notified());
        // The flag is read after this, so no call of `abort` is missed.
        aborted.as_mut().enable();
        let is_aborted = self.lock().is_aborted;
        if !is_aborted {
            aborted.await;
        }
    }

    /// Returns the outcome of a page that was in flight when the queue was aborted.
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
        self.lock().frontier.take_rest()
    }
}
