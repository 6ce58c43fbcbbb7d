//! A request that runs outside the executor: a source's own, such as for an index.
//!
//! The source makes the request itself, because an index is read before there are
//! workers. The queue decides when the request may go, as for any page. There is at most
//! one side request at a time.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Sleep;

use super::Queue;
use super::frontier::Next;
use crate::model::Job;

impl Queue {
    /// Submits a side request; [`next_side`](Self::next_side) returns it when it may go.
    pub fn submit_side(&self, job: Job) {
        let mut state = self.lock();
        state.frontier.submit_side(job, self.now());
        self.finish(state, None);
    }

    /// Waits until the side request may go, and returns it with that moment.
    ///
    /// The job must come back through [`settle`](Self::settle). When it must
    /// wait for another turn, this function returns it again. `None` means that the queue is
    /// closed, or that the request's host gets no more requests in this run.
    ///
    /// Needs a tokio runtime with time enabled.
    pub async fn next_side(&self) -> Option<(Job, Instant)> {
        let mut timer = None;
        poll_fn(move |context| self.poll_side(&mut timer, context)).await
    }

    fn poll_side(
        &self,
        timer: &mut Option<Pin<Box<Sleep>>>,
        context: &mut Context<'_>,
    ) -> Poll<Option<(Job, Instant)>> {
        loop {
            let mut state = self.lock();
            let now = self.now();
            let due = match state.frontier.next_side(now) {
                Next::Job(job) => {
                    // The host may allow another request, now or at a moment that a worker
                    // must watch for.
                    let waker = state.pick(now);
                    self.finish(state, waker);
                    return Poll::Ready(Some((job, now)));
                }
                Next::Done => return Poll::Ready(None),
                Next::Wait => None,
                Next::NotBefore(due) => Some(due),
            };
            state.side = Some(context.waker().clone());
            drop(state);
            let sleep = |due: Instant| tokio::time::sleep(due.saturating_duration_since(now));
            *timer = due.map(|due| Box::pin(sleep(due)));
            let is_due =
                timer.as_mut().is_some_and(|timer| timer.as_mut().poll(context).is_ready());
            if !is_due {
                return Poll::Pending;
            }
        }
    }
}
