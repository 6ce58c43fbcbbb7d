//! What one page needs done: one trait, so that executors never know what they execute.

mod cost;
mod finisher;
pub(crate) mod local;
mod pooled;
pub(crate) mod process;
mod remote_save;
pub(crate) mod step;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod turn;

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use crate::fetch::FetchError;
use crate::in_flight::InFlight;
use crate::model::{Attempt, Failure, FailureCode, Job, Response};

/// Makes requests for jobs, many at a time on one thread.
///
/// Implementors are total: whatever goes wrong with a page is told in the
/// [`Response`]. Dropping the future must stop the turn and leave nothing half
/// done. Redirects, retries, pacing and events are the caller's business.
pub trait Work {
    /// Makes the one request that `job` needs next, and what follows from its
    /// answer. `in_flight` shows how far it has come.
    fn turn<'a>(&'a self, job: &'a Job, in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response>;
}

/// Makes the work of one runtime. Called inside each runtime of an executor,
/// because what it holds (an HTTP client's connections) must not cross runtimes.
pub trait WorkFactory: Sync {
    /// Makes a work for the calling thread's runtime, which computes where `cpu` says.
    ///
    /// # Errors
    ///
    /// [`WorkError`] when the run cannot go on; a page's trouble is not one.
    fn make(&self, cpu: Cpu) -> Result<Box<dyn Work>, WorkError>;
}

/// Where decoding, hashing, extracting and a local save run.
#[derive(Clone)]
pub enum Cpu {
    /// On the thread that waited for the answer.
    Inline,
    /// On a pool of threads, while that thread waits for other answers.
    Pool(Arc<dyn CpuPool>),
}

/// Threads that compute.
///
/// Implementors run each task once, on whichever of their threads is free, and
/// tell it which one that is, counted from 0. The caller sees to it that no more
/// tasks wait than it has pages in flight.
pub trait CpuPool: Send + Sync {
    /// Runs `task` soon.
    fn spawn(&self, task: Box<dyn FnOnce(usize) + Send>);
}

/// Work cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// No client can be made.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// This program's own file is not known.
    #[error("failed to find this program's own file")]
    Program(#[source] std::io::Error),
    /// The options cannot be told to a worker process.
    #[error("failed to write the options out for a worker process")]
    SetUp(#[source] process::WireError),
}

/// The attempt of a page whose work panicked.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Attempt {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let message = format!("a bug in fetchpages: the page's work panicked: {text}");
    Attempt::failed(Failure::new(FailureCode::Internal, message))
}
