//! Where pages run: six executors host one loop.
//!
//! All executors take pages from the same [queue](crate::queue), run the same
//! [step](drain), and send the same [events](crate::event). They differ in which thread,
//! event loop or process a page runs on, and in nothing else. So when two modes take
//! different times for the same pages, the concurrency model is the reason.
//!
//! # Waiting and computing
//!
//! A page costs two kinds of work:
//!
//! - **Waiting**: connect, send the request, receive the answer. The CPU has nothing to do
//!   meanwhile, so waits overlap: 64 pages can wait in the time of one. What limits them is
//!   the price of a page that waits: a thread with its stack, or a few kilobytes of state.
//! - **Computing**: decode, hash, write. It occupies a CPU, so two CPUs compute two pages at
//!   a time and never more.
//!
//! An executor answers two questions: what holds a page while it waits, and what computes?
//!
//! | mode | what waits | what computes | wins when |
//! |---|---|---|---|
//! | [`sequential`] | the calling thread | the same thread | it is the baseline, and the simplest to debug |
//! | [`threads`] | a thread for each page | the same thread | one slow page must not delay others |
//! | [`rayon`](rayon_pool) | a thread of a pool as large as the CPUs | the same thread | computing takes far longer than waiting |
//! | [`processes`] | a process for each page | the same process | a page may crash or take all memory |
//! | [`async`](event_loop) | a task on one event loop | that loop's thread | pages are small and there are many |
//! | [`hybrid`] | a task on one event loop | a pool as large as the CPUs | almost always: it is the default |
//!
//! The same four pages on two CPUs, from left to right in time. `·` is waiting, `█` is
//! computing, and `-` is a page that could be computed but finds no free thread or CPU:
//!
//! ```text
//! sequential  thread 0   A ····█B ····█C ····█D ····█
//!
//! rayon,      thread 0   A ····█C ····█               processes looks the same, with a
//! processes   thread 1   B ····█D ····█               process in the place of each thread
//!
//! threads     thread 0   A ····█
//!             thread 1   B ····█
//!             thread 2   C ····-█
//!             thread 3   D ····-█
//!
//! async       one loop   A ····█
//!                        B ····-█
//!                        C ····--█
//!                        D ····---█
//!
//! hybrid      one loop   A ····     compute 0   █          (page A)
//!                        B ····     compute 1   █          (page B)
//!                        C ····     compute 0   -█         (page C)
//!                        D ····     compute 1   -█         (page D)
//! ```
//!
//! `threads` and `hybrid` look alike here. The difference is the price of the dots: the
//! threads of `threads` have a stack, a runtime and a client each, the tasks of `hybrid`
//! share one loop.
//!
//! `fetchpages compare --tutorial` measures all of them on the same 233 pages at a distance
//! of 59 ms. On two CPUs sequential took 14.5 s, rayon and processes with two workers 7.3
//! and 7.4 s, threads with 32 workers 0.58 s, async and hybrid with 64 workers 0.44 and
//! 0.35 s. The whole table is in the [guide](crate::guide::comparing).
//!
//! # How to read this chapter
//!
//! 1. [`drain`] is the loop itself, with the life of a page.
//! 2. [`sequential`] hosts it once; `runtime.rs` has what each hosting thread needs.
//! 3. [`threads`], [`rayon_pool`], [`event_loop`] and [`hybrid`] host it several times.
//! 4. [`processes`] hosts it as `async` does, and moves the [work](crate::work) elsewhere.
//!
//! A new executor is a file with one [`Executor`] and a row in [`TABLE`]: the option
//! `--mode`, its help, `compare` and the conformance tests all loop over the table.
//!
//! # Examples
//!
//! Every executor runs the same work, here pages that only wait for a millisecond:
//!
//! ```
//! use std::num::NonZeroUsize;
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use fetchpages::clock::SystemClock;
//! use fetchpages::event::{Event, Events, Observer, ObserverError};
//! use fetchpages::exec::{Run, TABLE};
//! use fetchpages::in_flight::InFlight;
//! use fetchpages::model::{Attempt, Job, Key, Outcome, Response};
//! use fetchpages::queue::{Options, Queue};
//! use fetchpages::random::Rng;
//! use fetchpages::work::{Cpu, Work, WorkError, WorkFactory};
//! use futures_util::future::LocalBoxFuture;
//!
//! struct Wait;
//!
//! impl Work for Wait {
//!     fn turn<'a>(&'a self, _: &'a Job, _: &'a InFlight) -> LocalBoxFuture<'a, Response> {
//!         Box::pin(async {
//!             tokio::time::sleep(Duration::from_millis(1)).await;
//!             Response::Done(Attempt::without_answer(Outcome::Unchanged))
//!         })
//!     }
//! }
//!
//! impl WorkFactory for Wait {
//!     fn make(&self, _: Cpu) -> Result<Box<dyn Work>, WorkError> {
//!         Ok(Box::new(Wait))
//!     }
//! }
//!
//! struct Count(usize);
//!
//! impl Observer for Count {
//!     fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
//!         self.0 += usize::from(matches!(event, Event::Settled(_)));
//!         Ok(())
//!     }
//! }
//!
//! let cpus = NonZeroUsize::new(2).unwrap();
//! for mode in TABLE {
//!     let queue = Queue::new(Options::default(), Rng::new(1), Arc::new(SystemClock));
//!     for seq in 0..20 {
//!         let url = format!("http://example.org/{seq}").parse().unwrap();
//!         queue.push(Job::new(seq, url, Key::new(format!("{seq}.html")).unwrap())).unwrap();
//!     }
//!     queue.end_input();
//!
//!     let (events, observing) = Events::start(Count(0), Arc::new(SystemClock), || ())?;
//!     let workers = (mode.default_workers)(cpus);
//!     mode.executor.run(&Run {
//!         queue: &queue,
//!         events: &events,
//!         factory: &Wait,
//!         workers,
//!         cpus,
//!         clock: &SystemClock,
//!         before_page: &|| (),
//!     })?;
//!     assert_eq!(observing.finish().0.0, 20, "{}", mode.name);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod close_on_failure;
pub mod drain;
pub mod event_loop;
pub mod hybrid;
pub mod processes;
pub mod rayon_pool;
mod runtime;
pub mod sequential;
#[cfg(test)]
mod tests;
pub mod threads;

use std::num::NonZeroUsize;

use crate::clock::Clock;
use crate::event::Events;
use crate::model::WorkerKind;
use crate::queue::Queue;
use crate::work::{WorkError, WorkFactory};

/// The parts of a run that an executor needs.
pub struct Run<'a> {
    /// Where the pages come from and go back to.
    pub queue: &'a Queue,
    /// Where workers report what happens.
    pub events: &'a Events,
    /// Makes the work for each runtime.
    pub factory: &'a dyn WorkFactory,
    /// The most pages in flight at a time.
    pub workers: NonZeroUsize,
    /// The number of CPUs to compute on.
    pub cpus: NonZeroUsize,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Called before each request for a page, on the worker's thread.
    pub before_page: &'a (dyn Fn() + Sync),
}

/// Hosts the loop of a run on threads, event loops or processes.
///
/// Implementors run [`drain`](mod@drain) on behalf of `workers` workers, and return when the
/// queue is done: when [`Queue::next`] has returned `None` to every worker. Callers rely on
/// this:
///
/// - Each page that the queue handed out has come back to it.
/// - At most `workers` pages are in flight at any moment.
/// - A panic in a page fails that page and no other.
/// - An error means that the run broke. The queue is closed then, so that the other workers
///   end as well.
///
/// `exec/tests/conformance.rs` checks this for every row of the [`TABLE`].
pub trait Executor {
    /// Runs until the queue is done; blocks the calling thread meanwhile.
    ///
    /// # Errors
    ///
    /// [`ExecError`] when the run broke.
    fn run(&self, run: &Run) -> Result<(), ExecError>;

    /// The kind of its workers.
    fn workers_are(&self) -> WorkerKind {
        WorkerKind::Thread
    }
}

/// An executor failed, and the run broke.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// An event loop did not start.
    #[error("failed to start an event loop")]
    Runtime(#[source] std::io::Error),
    /// A worker thread did not start.
    #[error("failed to start worker thread {number}")]
    Thread {
        /// The thread's number, counted from 1.
        number: usize,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A thread pool did not start.
    #[error("failed to start the thread pool")]
    Pool(#[source] rayon::ThreadPoolBuildError),
    /// The work of a runtime could not be made.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// A worker panicked outside its pages, which is a bug.
    #[error("worker {number} panicked outside its pages")]
    Panicked {
        /// The worker's number, counted from 1.
        number: usize,
    },
}

/// One row of the table: an executor, with its name and its sizes.
pub struct Mode {
    /// The name, as `--mode` takes it.
    pub name: &'static str,
    /// What it does, for the help.
    pub about: &'static str,
    /// Returns the number of workers when `--workers` is not given. The argument is the
    /// number of CPUs.
    pub default_workers: fn(NonZeroUsize) -> NonZeroUsize,
    /// Returns the number of workers for `--workers auto`: the largest that may be of use.
    /// The queue finds out how many of them are. The argument is the number of CPUs.
    pub auto_workers: fn(NonZeroUsize) -> NonZeroUsize,
    /// Whether `--workers` changes anything.
    pub is_scalable: bool,
    /// Returns the most threads or processes that compute at a time. The arguments are the
    /// numbers of workers and of CPUs.
    pub parallelism: fn(NonZeroUsize, NonZeroUsize) -> NonZeroUsize,
    /// The executor.
    pub executor: &'static (dyn Executor + Sync),
}

impl std::fmt::Debug for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The only worker of a mode that runs one page at a time.
const ONE: NonZeroUsize = NonZeroUsize::MIN;
/// Threads with a page each: 16 waits overlap, and each thread costs a stack.
const THREADS: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");
const AUTO_THREADS: NonZeroUsize = NonZeroUsize::new(96).expect("96 is not zero");
/// Pages on a loop: a page that waits there costs a few kilobytes and no thread.
const TASKS: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");
const AUTO_TASKS: NonZeroUsize = NonZeroUsize::new(256).expect("256 is not zero");
/// Workers per CPU for `--workers auto`, in modes that are sized to the CPUs.
const AUTO_PER_CPU: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not zero");

/// All executors. Options, help, `compare` and tests loop over this table.
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

/// The mode against which speed-ups are computed.
pub(crate) const SEQUENTIAL: &str = "sequential";

/// The mode when `--mode` is not given.
pub(crate) const DEFAULT_MODE: &str = "hybrid";

/// Returns the mode called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Mode> {
    TABLE.iter().find(|mode| mode.name == name)
}
