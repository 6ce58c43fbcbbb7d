//! A worker's wait for its next page.
//!
//! A worker that finds nothing is parked until another wakes it for a change that lets
//! it go; of those that wait for a moment, one has a timer.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::time::Sleep;

use crate::model::Job;
use crate::queue::Queue;
use crate::queue::frontier::Next;
use crate::queue::handle::State;
use crate::queue::waiters::WaiterId;

/// What waiting for pages has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// How often workers have looked for a page.
    pub looks: u64,
    /// How often a worker that waited was woken.
    pub wakes: u64,
}

/// A worker's wait for its next page; see [`Queue::next`].
pub struct NextPage<'a> {
    queue: &'a Queue,
    /// The worker's number, once it has had to wait.
    id: Option<WaiterId>,
    /// Runs while the worker watches for a moment.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Queue {
    /// Returns the next page that may go, as soon as there is one, and the moment when its
    /// turn came; `None` when every page is settled or the queue is closed.
    ///
    /// Each page given out must come back through [`settle`](Self::settle).
    /// Needs a tokio runtime with time enabled.
    pub const fn next(&self) -> NextPage<'_> {
        NextPage { queue: self, id: None, timer: None }
    }

    /// What waiting has cost so far.
    pub fn waits(&self) -> Waits {
        let state = self.lock();
        Waits { looks: state.looks, wakes: state.waiters.wakes() }
    }
}

impl Future for NextPage<'_> {
    type Output = Option<(Job, Instant)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let (due, now) = match self.look(cx.waker()) {
                Ok(found) => return Poll::Ready(found),
                Err(Parked::Idle) => return Poll::Pending,
                Err(Parked::Watching { due, now }) => (due, now),
            };
            // A timer counts in whole milliseconds and is never early.
            let timer = Box::pin(tokio::time::sleep(due.saturating_duration_since(now)));
            if self.timer.insert(timer).as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

/// A worker that found nothing.
enum Parked {
    /// It will be woken.
    Idle,
    /// It watches for the moment `due`.
    Watching { due: Instant, now: Instant },
}

impl NextPage<'_> {
    /// Takes the page that may go now, or parks the worker.
    fn look(&mut self, waker: &Waker) -> Result<Option<(Job, Instant)>, Parked> {
        let queue = self.queue;
        let mut state = queue.lock();
        let now = queue.now();
        let next = state.frontier.next(now);
        state.looks += 1;
        let due = match next {
            Next::Job(job) => {
                let waker = self.leave(&mut state, now);
                queue.finish(state, waker);
                return Ok(Some((job, now)));
            }
            Next::Done => {
                let waker = self.leave(&mut state, now);
                queue.finish(state, waker);
                return Ok(None);
            }
            Next::NotBefore(due) => Some(due),
            Next::Wait => None,
        };
        let waiters = &mut state.waiters;
        let id = *self.id.get_or_insert_with(|| waiters.register());
        waiters.park(id, waker);
        let watched = due.filter(|due| waiters.watch(id, *due));
        if watched.is_none() {
            waiters.unwatch(id);
        }
        // A host that was parked makes room for the feeder thread, too.
        queue.finish(state, None);
        watched.map_or_else(
            || {
                self.timer = None;
                Err(Parked::Idle)
            },
            |due| Err(Parked::Watching { due, now }),
        )
    }

    /// Waits no more; returns the worker to wake for what is left to do.
    fn leave(&mut self, state: &mut State, now: Instant) -> Option<Waker> {
        if let Some(id) = self.id.take() {
            state.waiters.leave(id);
        }
        state.pick(now)
    }
}

impl Drop for NextPage<'_> {
    /// A worker that gives up may have been woken for a page, or have watched for a moment.
    fn drop(&mut self) {
        if self.id.is_some() {
            let mut state = self.queue.lock();
            let waker = self.leave(&mut state, self.queue.now());
            self.queue.finish(state, waker);
        }
    }
}
