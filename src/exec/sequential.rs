//! One page after the other, on the calling thread: the baseline of every comparison.

use super::runtime::WorkerRuntime;
use super::{CloseOnFailure, ExecError, Executor, Run, drain};
use crate::work::Cpu;

/// A loop over the pages.
pub(super) struct Sequential;

impl Executor for Sequential {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        let guard = CloseOnFailure::new(run.queue);
        WorkerRuntime::new(run, Cpu::Inline, 1)?.block_on(|work| drain::drain(run, work, 0));
        guard.disarm();
        Ok(())
    }
}
