//! `sequential`: one page after the other, on the calling thread.
//!
//! This is the baseline: the speed-up of every other mode is computed against it. It is
//! also the place to start reading, because it hosts the loop once and does nothing else.
//!
//! **A page in it**: the thread takes the page from the queue, sleeps until the answer is
//! there, computes, saves, reports the result, and takes the next page.
//!
//! **Why it is written so**: even one page at a time runs on an event loop, because there is
//! one implementation of a page for all modes, and that is asynchronous. The thread blocks
//! on that loop, which never has more than one page to run.
//!
//! **Where it loses**: nearly everywhere. Its time is the sum of all waits and all
//! computing, and the CPU is idle during the waits.

use super::close_on_failure::CloseOnFailure;
use super::runtime::WorkerRuntime;
use super::{ExecError, Executor, Run, drain};
use crate::work::Cpu;

/// Runs the loop once, on the calling thread.
pub(super) struct Sequential;

impl Executor for Sequential {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        drain_here(run, 0)
    }
}

/// Runs the loop as worker `worker` on the calling thread, until the queue is done.
pub(super) fn drain_here(run: &Run, worker: usize) -> Result<(), ExecError> {
    let guard = CloseOnFailure::new(run.queue);
    WorkerRuntime::new(run, Cpu::Inline, 1)?.block_on(|work| drain::drain(run, work, worker));
    guard.disarm();
    Ok(())
}
