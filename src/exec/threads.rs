//! `threads`: a pool of threads, each with one page at a time.
//!
//! The waits overlap because the operating system switches threads: a thread that waits for
//! an answer sleeps, and the CPU runs another one. Each thread does what [`sequential`] does,
//! and nothing in a page has to know of the others:
//!
//! ```
//! use std::sync::Mutex;
//! use std::time::Duration;
//!
//! let queue = Mutex::new(0..100);
//! let done = Mutex::new(Vec::new());
//! std::thread::scope(|scope| {
//!     for _worker in 0..16 {
//!         scope.spawn(|| {
//!             loop {
//!                 // The lock is free again before the page begins.
//!                 let next = queue.lock().unwrap().next();
//!                 let Some(page) = next else { break };
//!                 std::thread::sleep(Duration::from_millis(1)); // 15 others wait meanwhile
//!                 done.lock().unwrap().push(page);
//!             }
//!         });
//!     }
//! });
//! assert_eq!(done.into_inner().unwrap().len(), 100);
//! ```
//!
//! **A page in it**: as in `sequential`. What another page does in the meantime, the
//! operating system decides.
//!
//! **Why it is written so**: each thread has a runtime and a client of its own. A blocking
//! client that all threads share has one hidden thread for all input and output, and "32
//! threads" would measure that thread. The threads are scoped: they borrow the run, and
//! cannot outlive it.
//!
//! **Where it loses**: a page in flight costs a thread, with its stack, its runtime, its
//! connections and two thread switches for each wait. At a few hundred pages in flight the
//! loop of [`async`](super::event_loop) is cheaper.

use std::thread::ScopedJoinHandle;

use super::{ExecError, Executor, Run, close_on_failure, sequential};

/// The size of a thread's stack. Stacks hold no bodies, and a pool may have hundreds of
/// threads.
const STACK_BYTES: usize = 512 * 1024;

/// Runs the loop once on each of N threads.
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
                    .spawn_scoped(scope, move || sequential::drain_here(run, worker));
                match spawned {
                    Ok(thread) => threads.push(thread),
                    Err(source) => {
                        close_on_failure::close(run.queue);
                        result = Err(ExecError::Thread { number: worker + 1, source });
                        break;
                    }
                }
            }
            threads.into_iter().enumerate().map(join).fold(result, Result::and)
        })
    }
}

fn join(
    (worker, thread): (usize, ScopedJoinHandle<'_, Result<(), ExecError>>),
) -> Result<(), ExecError> {
    thread.join().unwrap_or(Err(ExecError::Panicked { number: worker + 1 }))
}
