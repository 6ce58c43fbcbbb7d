//! `async`: one event loop on one thread runs all pages, saving included. This is
//! concurrency without parallelism.
//!
//! The waits overlap because the loop turns to another page whenever one has to wait. A page
//! that waits is a future in memory, a few kilobytes, and not a thread:
//!
//! ```
//! use std::time::Duration;
//!
//! use futures_util::stream::{FuturesUnordered, StreamExt};
//!
//! async fn fetch(page: u32) -> u32 {
//!     tokio::time::sleep(Duration::from_millis(1)).await; // the loop runs other pages
//!     page
//! }
//!
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! let done: Vec<u32> =
//!     runtime.block_on((0..100).map(fetch).collect::<FuturesUnordered<_>>().collect());
//! assert_eq!(done.len(), 100);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! **A page in it**: the loop polls the page's worker until the worker waits for a socket. The
//! operating system reports when the socket is ready, and the loop polls that worker again.
//! When the answer is there, the loop decodes, hashes and saves the page, and polls no other
//! worker meanwhile.
//!
//! **Why it is written so**: the workers are futures of one `FuturesUnordered` and not
//! spawned tasks. They may borrow the run, they need not be `Send`, and dropping the
//! collection drops them all. Each worker drains the queue; it is not one future per page,
//! because then all pages of a list would be in memory at once.
//!
//! **Where it loses**: computing does not overlap. While a page is decoded, answers of other
//! pages lie in the sockets, and the second CPU has nothing to do, except that name lookups
//! and observers have helper threads. [`hybrid`](super::hybrid) mends that.

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::close_on_failure::CloseOnFailure;
use super::runtime::WorkerRuntime;
use super::{ExecError, Executor, Run, drain};
use crate::model::WorkerKind;
use crate::work::Cpu;

/// Runs the loop N times on one event loop.
pub(super) struct EventLoop;

impl Executor for EventLoop {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        host(run, Cpu::Inline)
    }

    fn workers_are(&self) -> WorkerKind {
        WorkerKind::Task
    }
}

/// Runs all workers on the event loop of the calling thread. Pages are computed where `cpu`
/// says.
pub(super) fn host(run: &Run, cpu: Cpu) -> Result<(), ExecError> {
    let guard = CloseOnFailure::new(run.queue);
    WorkerRuntime::new(run, cpu, run.workers.get())?.block_on(|work| {
        let workers = 0..run.workers.get();
        let drains = workers.map(|worker| drain::drain(run, work, worker));
        drains.collect::<FuturesUnordered<_>>().collect::<()>()
    });
    guard.disarm();
    Ok(())
}
