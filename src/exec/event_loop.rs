//! One event loop on one thread, which runs all pages, saving included:
//! concurrency without parallelism.
//!
//! The waits overlap because the loop turns to another page whenever one waits.
//! The computing does not overlap: while a page is decoded, no other gets its
//! turn. Looking up names and telling what happens have helper threads of their own.

use futures_util::stream::{FuturesUnordered, StreamExt};

use super::runtime::WorkerRuntime;
use super::{CloseOnFailure, ExecError, Executor, Run, drain};
use crate::model::WorkerKind;
use crate::work::Cpu;

/// One loop.
pub(super) struct EventLoop;

impl Executor for EventLoop {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        host(run, Cpu::Inline)
    }

    fn workers_are(&self) -> WorkerKind {
        WorkerKind::Task
    }
}

/// Runs all pages on the calling thread's loop, and computes where `cpu` says.
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
