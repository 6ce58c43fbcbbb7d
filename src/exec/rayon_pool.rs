//! `rayon`: a parallel iterator over the pages, the usual tool for data parallelism.
//!
//! Rayon's model is a loop whose iterations are independent, spread over a pool that is as
//! large as the number of CPUs:
//!
//! ```
//! use rayon::iter::{ParallelBridge, ParallelIterator};
//!
//! let queue = 0..100;
//! let done: usize = queue.par_bridge().map(|_page| 1).sum();
//! assert_eq!(done, 100);
//! ```
//!
//! **A page in it**: a pool thread pulls the page out of the iterator, blocks on it as a
//! thread of [`threads`](super::threads) does, and pulls the next one.
//!
//! **Why it is written so**: `par_bridge` pulls items one by one as threads become free. It
//! does not split a collection in advance, which is right for a queue that hands out a page
//! only when its host's limits allow. The runtime and the client live once per pool thread:
//! `for_each_init` would make them once per split of the iterator instead, and each new
//! client would open its connections again.
//!
//! **Where it loses**: the model assumes that a busy thread uses its CPU. A thread that waits
//! for a server does not, so with 2 CPUs the pool overlaps 2 waits and leaves both CPUs idle.
//! With as many workers as `threads` it does what `threads` does. What differs is who owns
//! the pool and how it is sized.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rayon::iter::{ParallelBridge, ParallelIterator};

use super::close_on_failure::{self, CloseOnFailure};
use super::runtime::WorkerRuntime;
use super::{ExecError, Executor, Run, drain};
use crate::model::Job;
use crate::work::Cpu;

thread_local! {
    /// What a pool thread needs for its pages. Rayon offers its closures no place for a
    /// thread's own state that outlives a split of the iterator. The thread fills this when
    /// it starts and empties it before it ends.
    static RUNTIME: RefCell<Option<WorkerRuntime>> = const { RefCell::new(None) };
}

/// Runs steps in a parallel iterator over the queue, on a pool of N threads.
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
                            close_on_failure::close(run.queue);
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

/// Steps all pages of the queue on the pool of the calling thread.
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

/// Waits for the queue's next page on the runtime of the calling pool thread. `None` ends
/// the iterator: the queue is done, or the thread has no runtime and has closed the queue.
fn next_page(run: &Run) -> Option<(Job, Instant)> {
    RUNTIME.with_borrow(|runtime| runtime.as_ref()?.block_on(|_| run.queue.next()))
}
