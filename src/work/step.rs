//! One step of a job: a turn that can be stopped, then settled with the queue.
//!
//! The executors' loop steps pages, and the source steps its own requests. Both call
//! [`Step::run`]; they differ in where their jobs come from and in what they do with the
//! settlement.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::Work;
use crate::clock::Clock;
use crate::event::{Event, Events};
use crate::in_flight::InFlight;
use crate::model::{Attempt, Failure, FailureCode, Job, Kind, Outcome, Response};
use crate::queue::frontier::Settlement;
use crate::queue::{Queue, StopReason};

/// The parts of a run that a step needs.
pub(crate) struct Step<'a> {
    /// Where the job came from and goes back to.
    pub queue: &'a Queue,
    /// Runs the turn.
    pub work: &'a dyn Work,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Where the request is reported; `None` until there are observers.
    pub events: Option<&'a Events>,
    /// The executor's worker, counted from 0; `None` outside the executor.
    pub worker: Option<usize>,
}

/// The result of a step.
#[derive(Debug)]
pub(crate) struct Stepped {
    /// What the queue decided.
    pub settlement: Settlement,
    /// When the attempt began, before its redirects.
    pub attempt_started: Instant,
    /// The time that the attempt has taken in all its turns, without the waits between them.
    pub attempt_spent: Duration,
    /// When the turn ended.
    pub ended: Instant,
}

impl Step<'_> {
    /// Runs the turn of a job that may go since `started`, and settles the job with the
    /// queue.
    ///
    /// A panic fails the job and nothing else. When `aborted` ends first, the step drops the
    /// turn. It waits for a turn whose lock another thread
    /// [holds](crate::in_flight::CommitLock::hold).
    pub(crate) async fn run(
        &self,
        (job, started): (Job, Instant),
        aborted: Pin<&mut impl Future<Output = ()>>,
    ) -> Stepped {
        let in_flight = InFlight::default();
        self.report(|| begun(&job, self.worker, started, &in_flight));
        let start_url = (job.kind != Kind::Page).then(|| job.url.clone());
        let response = self.respond(&job, &in_flight, aborted).await;
        if let Response::Done(Attempt { breaks_run: Some(why), .. }) = &response {
            self.queue.close(StopReason::Broken(why.clone()));
        }
        let ended = self.clock.now();
        let hop = job.hop.as_ref().map(|hop| (hop.started, hop.spent));
        let (attempt_started, spent) = hop.unwrap_or((started, Duration::ZERO));
        let settlement = self.queue.settle(job, response, started, ended);
        if let Some(start_url) = start_url {
            self.report(|| Event::SideRequestEnded { start_url });
        }
        let attempt_spent = spent + (ended - started);
        Stepped { settlement, attempt_started, attempt_spent, ended }
    }

    /// Runs the turn, and returns its response, however the turn ends.
    async fn respond(
        &self,
        job: &Job,
        in_flight: &InFlight,
        aborted: Pin<&mut impl Future<Output = ()>>,
    ) -> Response {
        let mut turn = pin!(AssertUnwindSafe(self.work.turn(job, in_flight)).catch_unwind());
        let ended = tokio::select! {
            biased;
            ended = turn.as_mut() => Some(ended),
            () = aborted => None,
        };
        let interrupted = || Response::Done(Attempt::without_answer(self.queue.aborted_outcome()));
        let response = match ended {
            Some(ended) => ended,
            None if in_flight.commit().cancel() => return interrupted(),
            // Another thread holds the page and returns its result.
            None => turn.await.map(|response| match response {
                Response::Done(Attempt { outcome: Outcome::Interrupted, .. }) => interrupted(),
                response => response,
            }),
        };
        response.unwrap_or_else(|panic| Response::Done(panicked(&*panic)))
    }

    fn report(&self, event: impl FnOnce() -> Event) {
        if let Some(events) = self.events {
            events.send(event());
        }
    }
}

/// Returns the event that a turn began at `at`. There is one for every turn, because progress
/// shows the slowest requests of all kinds.
fn begun(job: &Job, worker: Option<usize>, at: Instant, in_flight: &InFlight) -> Event {
    let (url, progress) = (job.target().clone(), in_flight.progress().clone());
    match worker {
        Some(worker) if job.kind == Kind::Page => {
            let spent = job.hop.as_ref().map_or(Duration::ZERO, |hop| hop.spent);
            Event::Started { seq: job.seq, at, worker, spent, url, progress }
        }
        _ => Event::SideRequestStarted { start_url: job.url.clone(), url, at, progress },
    }
}

/// Returns the attempt of a page whose work panicked with `panic`.
pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> Attempt {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let message = format!("a bug in fetchpages: the page's work panicked: {text}");
    Attempt::failed(Failure::new(FailureCode::Internal, message))
}
