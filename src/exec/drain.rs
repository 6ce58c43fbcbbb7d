//! The loop that every executor hosts.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::Run;
use crate::event::Event;
use crate::in_flight::InFlight;
use crate::model::{Attempt, Job, Kind, Outcome, Response, Settled};
use crate::queue::StopReason;
use crate::queue::frontier::Settlement;
use crate::work::{Work, panicked};

/// Runs pages one after the other as worker `worker`, until the queue is done.
pub async fn drain(run: &Run<'_>, work: &dyn Work, worker: usize) {
    let mut aborted = pin!(run.queue.aborted());
    while let Some(next) = run.queue.next().await {
        step(run, work, worker, next, aborted.as_mut()).await;
    }
}

/// That the turn of `job` began at `at`: the slowest are shown, whatever they are for.
fn begun(job: &Job, worker: usize, at: Instant, in_flight: &InFlight) -> Event {
    let (url, progress) = (job.target().clone(), in_flight.progress().clone());
    if job.kind != Kind::Page {
        return Event::SideRequestStarted { asked: job.url.clone(), url, at, progress };
    }
    let spent = job.hop.as_ref().map_or(Duration::ZERO, |hop| hop.spent);
    Event::Started { seq: job.seq, at, worker, spent, url, progress }
}

/// Gives a job the turn that came at `started`, settles it with the queue and tells
/// what happened.
///
/// A panic fails the page and nothing else. When `aborted` ends first, so does
/// the page, unless it is [held](crate::in_flight::CommitLock::hold): it is then waited for.
pub async fn step(
    run: &Run<'_>,
    work: &dyn Work,
    worker: usize,
    (job, started): (Job, Instant),
    aborted: Pin<&mut impl Future<Output = ()>>,
) {
    let in_flight = InFlight::default();
    if job.kind == Kind::Page {
        run.fetch_phase.begin();
    }
    run.events.send(begun(&job, worker, started, &in_flight));
    let aside = (job.kind != Kind::Page).then(|| job.url.clone());
    let turn = {
        let mut turn = pin!(AssertUnwindSafe(work.turn(&job, &in_flight)).catch_unwind());
        let ended = tokio::select! {
            biased;
            turn = turn.as_mut() => Some(turn),
            () = aborted => None,
        };
        match ended {
            Some(ended) => ended,
            None if in_flight.commit().cancel() => {
                Ok(Response::Done(Attempt::without_answer(run.queue.aborted_outcome())))
            }
            // Somebody else is at it, and says what came of it.
            None => turn.await.map(|turn| match turn {
                Response::Done(Attempt { outcome: Outcome::Interrupted, .. }) => {
                    Response::Done(Attempt::without_answer(run.queue.aborted_outcome()))
                }
                turn => turn,
            }),
        }
    };
    let turn = turn.unwrap_or_else(|panic| Response::Done(panicked(&*panic)));
    if let Response::Done(Attempt { breaks_run: Some(why), .. }) = &turn {
        run.queue.close(StopReason::Broken(why.clone()));
    }
    let ended = run.clock.now();
    let first = job.hop.as_ref().map(|hop| (hop.started, hop.spent));
    let (settlement, effects) = run.queue.settle(job, turn, started, ended);
    if let Some(asked) = aside {
        run.events.send(Event::SideRequestEnded { asked });
    }
    match settlement {
        Settlement::Done(job, attempt) => {
            let (first, spent) = first.unwrap_or((started, Duration::ZERO));
            run.events.send(Event::Settled(Box::new(Settled {
                job,
                attempt,
                worker: Some(worker),
                started: Some(first),
                total: spent + (ended - started),
            })));
        }
        Settlement::Again { job, attempt, after } if job.kind == Kind::Page => {
            let (job, attempt) = (Box::new(job), Box::new(attempt));
            run.events.send(Event::Retrying { job, attempt, at: ended, after });
        }
        Settlement::Onward(seq) => run.events.send(Event::Onward { seq, at: ended }),
        Settlement::Again { .. } | Settlement::Nothing => (),
    }
    if let Some(effects) = effects {
        run.events.send_all(effects.into_events());
    }
}
