//! The loop that every executor hosts.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};

use futures_util::FutureExt;

use super::Run;
use crate::event::Event;
use crate::model::{Attempt, Failure, FailureCode, Job, Outcome, Settled};
use crate::queue::Closing;
use crate::queue::frontier::Settlement;
use crate::work::Work;

/// Runs pages one after the other as worker `worker`, until the queue is done.
pub async fn drain(run: &Run<'_>, work: &dyn Work, worker: usize) {
    let mut abandoned = pin!(run.queue.abandoned());
    while let Some(job) = run.queue.next().await {
        step(run, work, worker, job, abandoned.as_mut()).await;
    }
}

/// Makes one attempt at a page, settles it with the queue and tells what happened.
///
/// A panic fails the page and nothing else. When `abandoned` ends first, the
/// page ends as interrupted.
pub async fn step(
    run: &Run<'_>,
    work: &dyn Work,
    worker: usize,
    job: Job,
    abandoned: Pin<&mut impl Future<Output = ()>>,
) {
    let started = run.clock.now();
    run.events.send(Event::Started { seq: job.seq, at: started });
    let attempt = {
        let attempt = AssertUnwindSafe(work.attempt(&job)).catch_unwind();
        tokio::select! {
            biased;
            attempt = attempt => attempt.unwrap_or_else(|panic| panicked(&*panic)),
            () = abandoned => Attempt::without_answer(Outcome::Interrupted),
        }
    };
    if let Some(why) = &attempt.breaks_run {
        run.queue.close(Closing::Broken(why.clone()));
    }
    let total = run.clock.now() - started;
    run.events.send(match run.queue.settle(job, &attempt) {
        Settlement::Done(job) => Event::Settled(Box::new(Settled {
            job,
            attempt,
            worker: Some(worker),
            started: Some(started),
            total,
        })),
        Settlement::Again { job, after } => {
            let Outcome::Failed(failure) = attempt.outcome else {
                unreachable!("only failures are tried again");
            };
            let wire_bytes = attempt.wire_bytes;
            Event::Retrying { job: Box::new(job), failure, after, wire_bytes }
        }
    });
}

/// The attempt of a page whose work panicked.
fn panicked(panic: &(dyn std::any::Any + Send)) -> Attempt {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let message = format!("the page's work panicked: {text} (this is a bug in fetchpages)");
    Attempt::failed(Failure::new(FailureCode::Save, message))
}
