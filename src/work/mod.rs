//! How one request of a page is made: the seam between executors and everything that a page
//! needs.
//!
//! A [`Work`] makes the requests of jobs; a [`WorkFactory`] makes one `Work` for each runtime
//! of an executor. Executors see only these two traits, so no executor knows what a page is,
//! and a page is fetched by the same code in every mode:
//!
//! | factory | its work | made for |
//! |---|---|---|
//! | [`LocalWorkFactory`](local::LocalWorkFactory) | fetches, computes and saves in this process | the modes whose workers are threads or tasks |
//! | [`ProcessWorkFactory`](process::factory::ProcessWorkFactory) | hands each job to a worker process, whose own local work does it | the mode whose workers are processes |
//! | `tests::scripted` | does what a script says | tests of executors |
//!
//! The source has a `Work` of its own for the pages that it reads, without a factory: it
//! steps them one at a time on its own thread.
//!
//! # What runs where
//!
//! ```text
//!  step.rs      reports the turn, stops it, settles it      on the worker's event loop
//!    └─ Work::turn
//!         ├─ turn.rs       one request and its reply        on the event loop
//!         └─ local.rs      what follows from the reply:
//!              ├─ decode, hash          Cpu::Inline:        on the event loop
//!              └─ put into a sink       Cpu::Pool:          on a thread of the pool,
//!                 that blocks                               unless the page is small
//!         remote_save.rs   put into a sink that waits       on the event loop
//! ```
//!
//! [`step`] calls every `Work`: the executors' loop steps pages and robots.txt files with it,
//! and the source its own requests. Redirects, retries and pauses are the queue's business;
//! each redirect and each retry costs a job another step.
//!
//! # Examples
//!
//! A work that finds every page unchanged, and the factory that makes it:
//!
//! ```
//! use fetchpages::in_flight::InFlight;
//! use fetchpages::model::{Attempt, Job, Key, Outcome, Response};
//! use fetchpages::work::{Cpu, Work, WorkError, WorkFactory};
//! use futures_util::future::{FutureExt, LocalBoxFuture};
//!
//! struct Unchanged;
//!
//! impl Work for Unchanged {
//!     fn turn<'a>(&'a self, _: &'a Job, _: &'a InFlight) -> LocalBoxFuture<'a, Response> {
//!         Box::pin(async { Response::Done(Attempt::without_answer(Outcome::Unchanged)) })
//!     }
//! }
//!
//! struct Factory;
//!
//! impl WorkFactory for Factory {
//!     fn make(&self, _: Cpu) -> Result<Box<dyn Work>, WorkError> {
//!         Ok(Box::new(Unchanged))
//!     }
//! }
//!
//! let work = Factory.make(Cpu::Inline)?;
//! let job = Job::new(0, "http://example.org/".parse()?, Key::new("index.html").unwrap());
//! let response = work.turn(&job, &InFlight::default()).now_or_never().unwrap();
//! let Response::Done(attempt) = response else { panic!("it is done") };
//! assert_eq!(attempt.outcome, Outcome::Unchanged);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
use crate::model::{Job, Response};

/// Makes the requests of jobs, many at a time on one thread.
///
/// Callers rely on this of every implementor:
///
/// - A turn is total: whatever goes wrong with a page is in the [`Response`]. A panic is a
///   bug, which the caller turns into a failure of the page.
/// - A turn is one request. Redirects, retries, pauses and events are the caller's business.
/// - Dropping the future stops the turn and leaves nothing half done, such as a file under
///   its final name. A step that cannot be dropped, because another thread runs it, must
///   [hold](crate::in_flight::CommitLock::hold) the page's lock; the caller then waits for
///   the future, and the step should end soon after
///   [`cancelled`](crate::in_flight::CommitLock::cancelled).
/// - A turn never blocks the thread for longer than its own computing takes: other pages run
///   on the same thread.
pub trait Work {
    /// Makes the one request that `job` needs next, and does what follows from its answer.
    /// The implementor shows its progress in `in_flight`.
    fn turn<'a>(&'a self, job: &'a Job, in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response>;
}

/// Makes one [`Work`] for each runtime of an executor.
///
/// Executors call it on the thread that runs the work, inside that thread's runtime. What a
/// work holds, such as the connections of an HTTP client, must not cross runtimes, so
/// implementors make it here and not before. Factories are shared by all threads; what the
/// works have in common (a resolver's cache, TLS sessions, counts) belongs to the factory.
pub trait WorkFactory: Sync {
    /// Makes a work for the calling thread's runtime, which computes where `cpu` says.
    ///
    /// # Errors
    ///
    /// [`WorkError`] when the run cannot go on. What is wrong with one page is not an error.
    fn make(&self, cpu: Cpu) -> Result<Box<dyn Work>, WorkError>;
}

/// Where a page is decoded and hashed, and put into a sink that blocks.
#[derive(Clone)]
pub enum Cpu {
    /// On the thread that waited for the answer.
    Inline,
    /// On a pool of threads, while that thread waits for other answers.
    Pool(Arc<dyn CpuPool>),
}

/// Threads that compute.
///
/// Implementors run each task once, on whichever of their threads is free, in the order in
/// which the tasks came. They need not limit how many tasks wait: a caller spawns at most
/// one for each page in flight. A task catches its own panics.
pub trait CpuPool: Send + Sync {
    /// Runs `task` soon, with the number of the thread that runs it, counted from 0.
    fn spawn(&self, task: Box<dyn FnOnce(usize) + Send>);
}

/// Work cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The HTTP client could not be made.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The system does not know this program's own file.
    #[error("failed to find this program's own file")]
    Program(#[source] std::io::Error),
    /// The options could not be encoded for a worker process.
    #[error("failed to write the options out for a worker process")]
    SetUp(#[source] process::WireError),
}
