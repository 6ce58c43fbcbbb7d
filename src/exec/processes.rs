//! Copies of this program, each with one page at a time: nothing is shared, so
//! nothing that goes wrong with one page touches another.
//!
//! An event loop hands pages out and is told what came of them; all else is done
//! in the processes, which fetch, compute and save by themselves. Like `rayon`
//! this overlaps as many waits as there are workers, and the messages come on top;
//! but a page that takes the memory or crashes costs one process and a retry.

use super::{ExecError, Executor, Run, event_loop};
use crate::model::WorkerKind;
use crate::work::Cpu;

/// N processes.
pub(super) struct Processes;

impl Executor for Processes {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        event_loop::host(run, Cpu::Inline)
    }

    fn workers_are(&self) -> WorkerKind {
        WorkerKind::Process
    }
}
