//! What one page needs done: one trait, so that executors never know what they execute.

pub mod page_work;
pub mod scripted;

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use crate::fetch::FetchError;
use crate::model::{Job, Turn};
use crate::phase::PhaseCell;

/// Makes requests for jobs, many at a time on one thread.
///
/// Implementors are total: whatever goes wrong with a page is told in the
/// [`Turn`]. Dropping the future must stop the turn and leave nothing half
/// done. Redirects, retries, pacing and events are the caller's business.
pub trait Work {
    /// Makes the one request that `job` needs next, and what follows from its
    /// answer. How far it has come is told to `phase`.
    fn turn<'a>(&'a self, job: &'a Job, phase: &'a Arc<PhaseCell>) -> LocalBoxFuture<'a, Turn>;
}

/// Makes the work of one runtime. Called inside each runtime of an executor,
/// because what it holds (an HTTP client's connections) must not cross runtimes.
pub trait WorkFactory: Sync {
    /// Makes a work for the calling thread's runtime.
    ///
    /// # Errors
    ///
    /// [`WorkError`] when the run cannot go on; a page's trouble is not one.
    fn make(&self) -> Result<Box<dyn Work>, WorkError>;
}

/// Work cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// No client can be made.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}
