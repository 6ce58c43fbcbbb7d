//! The loop that every executor hosts: take a page, step it, report what became of it.
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
//!                      ├ Done, not worked on        │
//!                      │   ─▶ Onward ───────────────┤  at once, at the same host
//!                      ├ Done, failed for now       │
//!                      │   ─▶ Again ─── after a ────┘
//!                      │                pause
//!                      └ Done, for good ─▶ Done ──────▶ Event::Settled: the one record
//! ```
//!
//! - A **turn** is one exchange: one request and its response. A page that is redirected
//!   twice and retried once takes at least four turns.
//! - An **attempt** is the turns from the page's own address to the end of its redirects.
//!   Only attempts count against `--retry`.
//! - Each job that [`Queue::next`](crate::queue::Queue::next) returns must come back through
//!   [`Queue::settle`](crate::queue::Queue::settle). The queue then decides, so a worker
//!   never sleeps with a page in hand.
//! - A worker does nothing else: it takes a page, [steps](crate::work::step) it, and reports
//!   what became of it. The executors differ only in where this loop runs, and how often.
//!
//! # Example
//!
//! The server redirects `/x` to `/y`. At the first request of `/y` the connection breaks, at
//! the second the server answers. The page takes four turns in two attempts, and is recorded
//! once:
//!
//! | turn | request | answer | the queue decides | events |
//! |---|---|---|---|---|
//! | 1 | `/x` | 302 to `/y` | `Onward` | [`Started`](Event::Started), [`Onward`](Event::Onward) |
//! | 2 | `/y` | none: `reset` | `Again`, after a pause | `Started`, [`Retrying`](Event::Retrying) |
//! | 3 | `/x` | 302 to `/y` | `Onward` | `Started`, `Onward` |
//! | 4 | `/y` | 200, saved | `Done` | `Started`, [`Settled`](Event::Settled) |
//!
//! `exec/tests/life.rs` runs this example.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Instant;

use super::Run;
use crate::event::Event;
use crate::model::{Job, Kind, Settled};
use crate::queue::frontier::Settlement;
use crate::work::Work;
use crate::work::step::{Step, Stepped};

/// Takes pages from the queue and steps them one after the other, as worker `worker`, until
/// the queue is done.
pub(crate) async fn drain(run: &Run<'_>, work: &dyn Work, worker: usize) {
    let mut aborted = pin!(run.queue.aborted());
    while let Some(next) = run.queue.next().await {
        step(run, work, worker, next, aborted.as_mut()).await;
    }
}

/// Runs one turn of the job in `next`, whose turn came at the moment beside it, and reports
/// what became of the job.
pub(crate) async fn step(
    run: &Run<'_>,
    work: &dyn Work,
    worker: usize,
    next: (Job, Instant),
    aborted: Pin<&mut impl Future<Output = ()>>,
) {
    if next.0.kind == Kind::Page {
        (run.before_page)();
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
