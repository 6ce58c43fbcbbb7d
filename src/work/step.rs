//! One step of a job: a turn that can be stopped, settled with the queue.
//!
//! The executors' loop and the reading of sources both go by this function; they differ
//! in who gets the jobs and in what they make of the settlement.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::{Work, panicked};
use crate::clock::Clock;
use crate::event::{Event, Events};
use crate::in_flight::InFlight;
use crate::model::{Attempt, Job, Kind, Outcome, Response};
use crate::queue::frontier::Settlement;
use crate::queue::{Queue, StopReason};

/// What a step needs beside its job.
pub(crate) struct Step<'a> {
    /// Where the job came from and goes back to.
    pub queue: &'a Queue,
    /// Runs the turn.
    pub work: &'a dyn Work,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Where the request is reported, once there are observers.
    pub events: Option<&'a Events>,
    /// The executor's worker, counted from 0; `None` outside the executor.
    pub worker: Option<usize>,
}

/// What came of a step.
#[derive(Debug)]
pub(crate) struct Stepped {
    /// What the queue decided.
    pub settlement: Settlement,
    /// When the attempt began, before its redirects.
    pub attempt_started: Instant,
    /// How long the attempt has taken, without waiting for its turns.
    pub attempt_spent: Duration,
    /// When the turn ended.
    pub ended: Instant,
}

impl Step<'_> {
    /// Runs the turn of a job that may go since `started`, and settles the job with the
    /// queue.
    ///
    /// A panic fails the job and nothing else. When `aborted` ends first, so does the turn,
    /// unless another thread [holds](crate::in_flight::CommitLock::hold) it: that thread is then waited for.
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

    /// The response of the turn, however it ends.
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
            // Another thread holds the page, and returns what came of it.
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

/// Reports that a turn began at `at`: progress shows the slowest requests, whatever they
/// are for.
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
