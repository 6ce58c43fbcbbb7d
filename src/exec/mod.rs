//! Where pages run: which threads, runtimes and processes host the one loop.
//!
//! All executors take pages from the same queue and run the same step. They
//! differ in who waits and who computes, and that is all they decide.

pub mod drain;
mod event_loop;
mod hybrid;
mod processes;
mod rayon_pool;
mod runtime;
mod sequential;
mod threads;

use std::num::NonZeroUsize;

use crate::clock::Clock;
use crate::event::Events;
use crate::model::WorkerKind;
use crate::queue::Queue;
use crate::report::usage::FetchPhase;
use crate::work::{WorkError, WorkFactory};

/// What an executor is given.
pub struct Run<'a> {
    /// The pages.
    pub queue: &'a Queue,
    /// Where to tell what happens.
    pub events: &'a Events,
    /// Makes the work of each runtime.
    pub factory: &'a dyn WorkFactory,
    /// Pages in flight at most.
    pub workers: NonZeroUsize,
    /// CPUs to compute on.
    pub cpus: NonZeroUsize,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Told when the first page is asked for.
    pub fetch_phase: &'a FetchPhase,
}

/// Hosts the loop.
///
/// Implementors return when the queue is done, that is when
/// [`Queue::next`] gave `None` to every worker. Each page that the queue gave
/// out must have come back to it. Never more than `workers` pages are in flight.
/// An error means that the run broke; it must close the queue, so that the
/// other workers end too.
pub trait Executor {
    /// Runs until the queue is done.
    ///
    /// # Errors
    ///
    /// [`ExecError`] when the run broke.
    fn run(&self, run: &Run) -> Result<(), ExecError>;

    /// What its workers are.
    fn workers_are(&self) -> WorkerKind {
        WorkerKind::Thread
    }
}

/// A run broke for a reason of the executor's own.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// No runtime.
    #[error("failed to start an event loop")]
    Runtime(#[source] std::io::Error),
    /// No thread.
    #[error("failed to start worker thread {number}")]
    Thread {
        /// Which one, counted from 1.
        number: usize,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// No thread pool.
    #[error("failed to start the thread pool")]
    Pool(#[source] rayon::ThreadPoolBuildError),
    /// No work.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A bug in a worker, outside its pages.
    #[error("worker {number} panicked outside its pages")]
    Panicked {
        /// Which one, counted from 1.
        number: usize,
    },
}

/// A way to execute.
pub struct Mode {
    /// The name, as `--mode` takes it.
    pub name: &'static str,
    /// What it does, for the help.
    pub about: &'static str,
    /// Pages in flight when `--workers` does not say; given the number of CPUs.
    pub default_workers: fn(NonZeroUsize) -> NonZeroUsize,
    /// Workers for `--workers auto`, given the number of CPUs: as many as may be of
    /// use. The queue finds how many of them are.
    pub auto_workers: fn(NonZeroUsize) -> NonZeroUsize,
    /// Whether `--workers` means anything.
    pub is_scalable: bool,
    /// Threads or processes that compute at a time at most, given the number of
    /// workers and of CPUs.
    pub parallelism: fn(NonZeroUsize, NonZeroUsize) -> NonZeroUsize,
    /// The executor.
    pub executor: &'static (dyn Executor + Sync),
}

impl std::fmt::Debug for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// One page at a time.
const ONE: NonZeroUsize = NonZeroUsize::MIN;
/// Threads with a page each: that many waits overlap, and each thread costs a stack.
const THREADS: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");
const AUTO_THREADS: NonZeroUsize = NonZeroUsize::new(96).expect("96 is not zero");
/// Pages on a loop: a page that waits there costs a few kilobytes and no thread.
const TASKS: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");
const AUTO_TASKS: NonZeroUsize = NonZeroUsize::new(256).expect("256 is not zero");
/// Workers per CPU for `--workers auto`, in modes that are sized to the CPUs.
const AUTO_PER_CPU: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not zero");

/// The ways to execute. Flags, help and tests go through this table.
pub const TABLE: &[Mode] = &[
    Mode {
        name: SEQUENTIAL,
        about: "one page after the other",
        default_workers: |_| ONE,
        auto_workers: |_| ONE,
        is_scalable: false,
        parallelism: |_, _| ONE,
        executor: &sequential::Sequential,
    },
    Mode {
        name: "threads",
        about: "a pool of threads, each with one page at a time",
        default_workers: |_| THREADS,
        auto_workers: |_| AUTO_THREADS,
        is_scalable: true,
        parallelism: NonZeroUsize::min,
        executor: &threads::Threads,
    },
    Mode {
        name: "rayon",
        about: "a parallel iterator over the pages, sized to the CPUs",
        default_workers: |cpus| cpus,
        auto_workers: |cpus| cpus.saturating_mul(AUTO_PER_CPU),
        is_scalable: true,
        parallelism: NonZeroUsize::min,
        executor: &rayon_pool::RayonPool,
    },
    Mode {
        name: "processes",
        about: "copies of this program, each with one page at a time, sized to the CPUs",
        default_workers: |cpus| cpus,
        auto_workers: |cpus| cpus.saturating_mul(AUTO_PER_CPU),
        is_scalable: true,
        parallelism: NonZeroUsize::min,
        executor: &processes::Processes,
    },
    Mode {
        name: "async",
        about: "one event loop on one thread runs all pages, saving included",
        default_workers: |_| TASKS,
        auto_workers: |_| AUTO_TASKS,
        is_scalable: true,
        parallelism: |_, _| ONE,
        executor: &event_loop::EventLoop,
    },
    Mode {
        name: "hybrid",
        about: "an event loop waits, a pool sized to the CPUs computes and saves",
        default_workers: |_| TASKS,
        auto_workers: |_| AUTO_TASKS,
        is_scalable: true,
        parallelism: |_, cpus| cpus,
        executor: &hybrid::Hybrid,
    },
];

/// The mode that speed-up is told against.
pub(crate) const SEQUENTIAL: &str = "sequential";

/// The mode when `--mode` does not say.
pub(crate) const DEFAULT_MODE: &str = "hybrid";

/// The mode of the mode called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Mode> {
    TABLE.iter().find(|mode| mode.name == name)
}

/// Closes the queue when a worker ends with an error or a panic, so that the others end too.
struct CloseOnFailure<'a> {
    queue: &'a Queue,
    is_armed: bool,
}

impl<'a> CloseOnFailure<'a> {
    const fn new(queue: &'a Queue) -> Self {
        Self { queue, is_armed: true }
    }

    fn disarm(mut self) {
        self.is_armed = false;
    }
}

impl Drop for CloseOnFailure<'_> {
    fn drop(&mut self) {
        if self.is_armed {
            self.queue
                .close(crate::queue::StopReason::Broken(vec!["a worker could not go on".into()]));
        }
    }
}

#[cfg(test)]
mod tests;
