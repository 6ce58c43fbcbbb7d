//! A parallel iterator over the pages: `rayon`, the usual tool for data parallelism.
//!
//! What differs from `threads` is who owns the pool and how it is sized. Rayon
//! sizes it to the CPUs, which is right for computing and wrong for waiting: a
//! thread that waits for a server keeps its CPU idle. With as many workers as
//! `threads` it does the same.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rayon::iter::{ParallelBridge, ParallelIterator};

use super::runtime::WorkerRuntime;
use super::{CloseOnFailure, ExecError, Executor, Run, drain};
use crate::model::Job;
use crate::work::Cpu;

thread_local! {
    /// What a pool thread needs for its pages. Rayon gives its closures no place
    /// for a thread's own state that outlives a split of the iterator; the
    /// thread fills this when it starts and empties it before it ends.
    static RUNTIME: RefCell<Option<WorkerRuntime>> = const { RefCell::new(None) };
}

/// Rayon's pool.
pub(super) struct RayonPool;

impl Executor for RayonPool {
    fn run(&self, run: &Run) -> Result<(), ExecError> {
        let guard = CloseOnFailure::new(run.queue);
        let broken = Mutex::new(None);
        rayon::ThreadPoolBuilder::new()
            .num_threads(run.workers.get())
            .thread_name(|worker| format!("rayon-{worker}"))
            .build_scoped(
                |thread| {
                    match WorkerRuntime::new(run, Cpu::Inline, 1) {
                        Ok(runtime) => RUNTIME.set(Some(runtime)),
                        Err(error) => {
                            drop(CloseOnFailure::new(run.queue));
                            *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        }
                    }
                    thread.run();
                    RUNTIME.take();
                },
                |pool| pool.install(|| drain_in_parallel(run)),
            )
            .map_err(ExecError::Pool)?;
        if let Some(error) = broken.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        guard.disarm();
        Ok(())
    }
}

fn drain_in_parallel(run: &Run) {
    std::iter::from_fn(|| next_page(run)).par_bridge().for_each(|next| {
        let worker = rayon::current_thread_index().unwrap_or(0);
        RUNTIME.with_borrow(|runtime| {
            let runtime = runtime.as_ref().expect("only a thread with a runtime gets a page");
            runtime.block_on(|work| async move {
                let aborted = pin!(run.queue.aborted());
                drain::step(run, work, worker, next, aborted).await;
            });
        });
    });
}

/// The queue's next page, waited for on the calling pool thread's runtime. A
/// thread that has none ends its share; the queue is closed then.
fn next_page(run: &Run) -> Option<(Job, Instant)> {
    RUNTIME.with_borrow(|runtime| runtime.as_ref()?.block_on(|_| run.queue.next()))
}
