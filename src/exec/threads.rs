//! A pool of threads, each with one page at a time: the waits overlap because
//! the operating system switches between the threads.
//!
//! Each thread has a runtime and a client of its own and blocks on one page at a
//! time. One client shared by all would have one I/O thread, and "32 threads"
//! would measure that thread.

use std::thread::ScopedJoinHandle;

use super::runtime::WorkerRuntime;
use super::{CloseOnFailure, ExecError, Executor, Run, drain};
use crate::work::Cpu;

/// Stacks hold no bodies, and a pool may have hundreds of threads.
const STACK_BYTES: usize = 512 * 1024;

/// N threads.
pub(super) struct Threads;

impl Executor for Threads {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        std::thread::scope(|scope| {
            let mut threads = Vec::with_capacity(run.workers.get());
            let mut result = Ok(());
            for worker in 0..run.workers.get() {
                let spawned = std::thread::Builder::new()
                    .name(format!("worker-{worker}"))
                    .stack_size(STACK_BYTES)
                    .spawn_scoped(scope, move || work(run, worker));
                match spawned {
                    Ok(thread) => threads.push(thread),
                    Err(source) => {
                        drop(CloseOnFailure::new(run.queue));
                        result = Err(ExecError::Thread { number: worker + 1, source });
                        break;
                    }
                }
            }
            threads.into_iter().enumerate().map(join).fold(result, Result::and)
        })
    }
}

fn work(run: &Run, worker: usize) -> Result<(), ExecError> {
    let guard = CloseOnFailure::new(run.queue);
    WorkerRuntime::new(run, Cpu::Inline, 1)?.block_on(|work| drain::drain(run, work, worker));
    guard.disarm();
    Ok(())
}

fn join(
    (worker, thread): (usize, ScopedJoinHandle<'_, Result<(), ExecError>>),
) -> Result<(), ExecError> {
    thread.join().unwrap_or(Err(ExecError::Panicked { number: worker + 1 }))
}
