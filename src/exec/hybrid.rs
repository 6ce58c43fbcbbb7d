//! `hybrid`: an event loop waits and a pool of threads computes, so that each kind of work
//! runs where it costs least.
//!
//! The loop hands a task to the pool and waits for its result as it waits for a socket:
//!
//! ```
//! use tokio::sync::oneshot;
//!
//! let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
//! let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! let digest = runtime.block_on(async {
//!     let body = vec![1_u8; 1_000]; // received on the loop
//!     let (sender, receiver) = oneshot::channel();
//!     pool.spawn_fifo(move || {
//!         let sum: u32 = body.iter().map(|byte| u32::from(*byte)).sum(); // on the pool
//!         sender.send(sum).expect("the loop waits for it");
//!     });
//!     receiver.await // the loop runs other pages
//! })?;
//! assert_eq!(digest, 1_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **A page in it**: as in [`async`](super::event_loop) until the answer is there. Then a pool
//! thread decodes, hashes and saves the page while the loop serves other sockets, and the
//! worker on the loop reports the result.
//!
//! **Why it is written so**: a page keeps its worker until it is saved. So a pool that falls
//! behind slows the fetching down, and memory stays bounded by workers times body; a queue
//! between loop and pool could grow without limit. The pool works first in, first out, so
//! that no page waits longer than it has to. A page that costs less than handing it over
//! does is computed on the loop; the [work](crate::work) decides that by the page's size.
//!
//! **Where it loses**: pages of a few kilobytes gain nothing from the pool, and `async` does
//! the same with fewer threads. All sockets are served by one thread: when that thread is
//! busy without computing, a second loop would help, and there is none.

use std::sync::Arc;

use super::{ExecError, Executor, Run, close_on_failure, event_loop};
use crate::model::WorkerKind;
use crate::work::{Cpu, CpuPool};

/// Runs the loop N times on one event loop, and computes on a pool as large as the CPUs.
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
                close_on_failure::close(run.queue);
                Err(ExecError::Pool(error))
            }
        }
    }

    fn workers_are(&self) -> WorkerKind {
        WorkerKind::Task
    }
}

/// Rayon's pool: tasks run in the order in which they come.
struct Pool(rayon::ThreadPool);

impl CpuPool for Pool {
    fn spawn(&self, task: Box<dyn FnOnce(usize) + Send>) {
        self.0.spawn_fifo(|| task(rayon::current_thread_index().unwrap_or(0)));
    }
}
