//! A worker's wait for its next page.
//!
//! A worker that finds no page is parked until a change wakes it. Of the workers that wait for
//! a moment, one has a timer.

use std::pin::Pin;
use std::sync::MutexGuard;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Sleep;

use crate::model::Job;
use crate::queue::Queue;
use crate::queue::frontier::Next;
use crate::queue::handle::State;
use crate::queue::waiters::{WaiterId, Waits};

/// A worker's wait for its next page; see [`Queue::next`].
pub struct NextPage<'a> {
    queue: &'a Queue,
    /// The worker's number, while it waits.
    id: Option<WaiterId>,
    /// The timer of a worker that watches for a moment.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Queue {
    /// Waits until a page may go, and returns it with that moment. `None` means that every
    /// page is settled, or that the queue is closed.
    ///
    /// Each page must come back through [`settle`](Self::settle). Needs a tokio runtime with
    /// time enabled.
    pub const fn next(&self) -> NextPage<'_> {
        NextPage { queue: self, id: None, timer: None }
    }

    /// Returns the cost of waiting so far.
    pub fn waits(&self) -> Waits {
        self.lock().waiters.waits()
    }
}

impl Future for NextPage<'_> {
    type Output = Option<(Job, Instant)>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let queue = self.queue;
            let mut state = queue.lock();
            let now = queue.now();
            state.waiters.count_look();
            let due = match state.frontier.next(now) {
                Next::Job(job) => {
                    self.leave(state, now);
                    return Poll::Ready(Some((job, now)));
                }
                Next::Done => {
                    self.leave(state, now);
                    return Poll::Ready(None);
                }
                Next::NotBefore(due) => Some(due),
                Next::Wait => None,
            };
            let id = *self.id.get_or_insert_with(|| state.waiters.register());
            let watched = state.waiters.park(id, context.waker(), due);
            // A host that was parked also makes room for the feeder thread.
            queue.finish(state, None);
            let Some(due) = watched else {
                self.timer = None;
                return Poll::Pending;
            };
            // A timer counts in whole milliseconds and is never early.
            let timer = Box::pin(tokio::time::sleep(due.saturating_duration_since(now)));
            if self.timer.insert(timer).as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl NextPage<'_> {
    /// Ends the wait, and wakes another worker if there is something left to do.
    fn leave(&mut self, mut state: MutexGuard<'_, State>, now: Instant) {
        if let Some(id) = self.id.take() {
            state.waiters.leave(id);
        }
        let waker = state.pick(now);
        self.queue.finish(state, waker);
    }
}

impl Drop for NextPage<'_> {
    /// A worker that gives up may have watched for a moment, or have been woken for a page.
    fn drop(&mut self) {
        if self.id.is_some() {
            self.leave(self.queue.lock(), self.queue.now());
        }
    }
}
