//! The loop that every executor hosts.
//!
//! # The life of a page
//!
//! ```text
//!  feeder thread     queue (pure core + lock)                worker
//!
//!  push(job) ──────▶ waits for robots rules
//!                    waits at its host  ◀───────────┐
//!                      │ its host's turn, and       │
//!                      │ all limits allow it        │
//!                      └── next() ──────────────────┼──▶ work.turn(job): one request
//!                                                   │      │ aborted? the turn is cut short
//!                                                   │      ▼
//!                    settle(job, response) ◀────────┼── Response
//!                      ├ Body: robots rules or a    │     { Done, Redirect, Body }
//!                      │ source's page ─▶ Nothing   │
//!                      ├ Redirect ─▶ Onward ────────┤  at once, at the new address's host
//!                      ├ Done, failed for now       │
//!                      │   ─▶ Again ─── after a ────┘
//!                      │                pause
//!                      └ Done, for good ─▶ Done ──────▶ Event::Settled: the one record
//! ```
//!
//! - A **turn** is one exchange: one request and its response. A page that is redirected
//!   twice and retried once takes at least four turns.
//! - An **attempt** is the turns from the page's own address to the end of its redirects.
//!   Only attempts count against `--retries`.
//! - Each job that [`Queue::next`](crate::queue::Queue::next) returns must come back through
//!   [`Queue::settle`](crate::queue::Queue::settle). The queue then decides, so a worker
//!   never sleeps with a page in hand.
//! - A worker does nothing else: it takes a page, [steps](crate::work::step) it, and reports
//!   what became of it. The executors differ only in where this loop runs, and how often.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Instant;

use super::Run;
use crate::event::Event;
use crate::model::{Job, Kind, Settled};
use crate::queue::frontier::Settlement;
use crate::work::Work;
use crate::work::step::{Step, Stepped};

/// Runs pages one after the other as worker `worker`, until the queue is done.
pub(crate) async fn drain(run: &Run<'_>, work: &dyn Work, worker: usize) {
    let mut aborted = pin!(run.queue.aborted());
    while let Some(next) = run.queue.next().await {
        step(run, work, worker, next, aborted.as_mut()).await;
    }
}

/// Runs the turn that came at the moment in `next`, and reports what became of its job.
pub(crate) async fn step(
    run: &Run<'_>,
    work: &dyn Work,
    worker: usize,
    next: (Job, Instant),
    aborted: Pin<&mut impl Future<Output = ()>>,
) {
    if next.0.kind == Kind::Page {
        run.fetch_phase.begin();
    }
    let (queue, clock, events) = (run.queue, run.clock, run.events);
    let step = Step { queue, work, clock, events: Some(events), worker: Some(worker) };
    let Stepped { settlement, attempt_started, attempt_spent, ended } =
        step.run(next, aborted).await;
    match settlement {
        Settlement::Done(job, attempt) => events.send(Event::Settled(Box::new(Settled {
            job,
            attempt,
            worker: Some(worker),
            started: Some(attempt_started),
            total: attempt_spent,
        }))),
        Settlement::Again { job, attempt, after } if job.kind == Kind::Page => {
            let (job, attempt) = (Box::new(job), Box::new(attempt));
            events.send(Event::Retrying { job, attempt, at: ended, after });
        }
        Settlement::Onward(seq) => events.send(Event::Onward { seq, at: ended }),
        Settlement::Again { .. } | Settlement::Nothing => (),
    }
}
