//! An event loop that waits and a pool of threads that computes: each kind of
//! work where it costs least.
//!
//! The loop holds all connections and hands whole answers to the pool, where
//! they are decoded, hashed and saved on all CPUs. A page keeps its worker until
//! it is saved, so a pool that is behind holds up the fetching, and memory stays
//! bounded by workers times body. Pages that cost less than being handed over are
//! computed on the loop.

use std::sync::Arc;

use super::{ExecError, Executor, Run, event_loop};
use crate::model::WorkerKind;
use crate::work::{Cpu, CpuPool};

/// A loop and a pool.
pub(super) struct Hybrid;

impl Executor for Hybrid {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(run.cpus.get())
            .thread_name(|thread| format!("compute-{thread}"))
            .build();
        match pool {
            Ok(pool) => event_loop::host(run, Cpu::Pool(Arc::new(Pool(pool)))),
            Err(error) => {
                drop(super::CloseOnFailure::new(run.queue));
                Err(ExecError::Pool(error))
            }
        }
    }

    fn workers_are(&self) -> WorkerKind {
        WorkerKind::Task
    }
}

/// Rayon's pool, first come, first served.
struct Pool(rayon::ThreadPool);

impl CpuPool for Pool {
    fn spawn(&self, task: Box<dyn FnOnce(usize) + Send>) {
        self.0.spawn_fifo(|| task(rayon::current_thread_index().unwrap_or(0)));
    }
}
