//! A worker's wait for its next page.
//!
//! A worker that finds nothing is parked until another wakes it for a change that lets
//! it go; of those that wait for a moment, one has a timer.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::time::Sleep;

use crate::model::Job;
use crate::queue::frontier::{Frontier, Next};
use crate::queue::waiters::WaiterId;
use crate::queue::{Queue, wake};

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
    /// There once the worker has had to wait.
    id: Option<WaiterId>,
    /// There while it watches for a moment.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<'a> NextPage<'a> {
    pub(super) const fn new(queue: &'a Queue) -> Self {
        Self { queue, id: None, timer: None }
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
        let mut frontier = queue.frontier();
        let now = queue.clock.now();
        let next = frontier.next(now);
        queue.looks.fetch_add(1, Ordering::Relaxed);
        // Room comes of a host that was put aside, too.
        queue.tell_feeder(&frontier);
        let due = match next {
            Next::Job(job) => {
                let waker = self.leave(&mut frontier, now);
                drop(frontier);
                wake(waker);
                return Ok(Some((job, now)));
            }
            Next::Done => {
                self.leave(&mut frontier, now);
                return Ok(None);
            }
            Next::NotBefore(due) => Some(due),
            Next::Wait => None,
        };
        let mut waiters = queue.waiters();
        let id = *self.id.get_or_insert_with(|| waiters.register());
        waiters.park(id, waker);
        match due {
            Some(due) if waiters.watch(id, due) => Err(Parked::Watching { due, now }),
            _ => {
                waiters.unwatch(id);
                self.timer = None;
                Err(Parked::Idle)
            }
        }
    }

    /// Waits no more; gives the worker to wake for what is left to do.
    fn leave(&mut self, frontier: &mut Frontier, now: Instant) -> Option<Waker> {
        let mut waiters = self.queue.waiters();
        if let Some(id) = self.id.take() {
            waiters.leave(id);
        }
        waiters.pick(frontier.readiness(now))
    }
}

impl Drop for NextPage<'_> {
    /// A worker that gives up may have been woken for a page, or have watched.
    fn drop(&mut self) {
        if self.id.is_some() {
            let queue = self.queue;
            let waker = self.leave(&mut queue.frontier(), queue.clock.now());
            wake(waker);
        }
    }
}
