//! The worker processes of a run: starts them, hands out idle ones and reaps dead ones.
//!
//! There are never more processes than pages in flight. The pool starts one when a page
//! finds no idle process, so a short run starts few. The process that was busy last is
//! handed out first, because its connections are warm.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use super::wire::WireError;
use super::worker::{self, Program, WorkerProcess};
use crate::message;
use crate::model::{Attempt, Failure, FailureCode};
use crate::save::Sink;

/// The run stops when this number of processes in a row were killed during their set-up and
/// no other process is alive: a short shortage of memory would be over by then.
pub(super) const STARTS: u32 = 3;
/// Idle processes have this time to end when their work is over, then they are killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// All worker processes of one work. They end when this is dropped.
pub(in crate::work) struct WorkerPool {
    program: Program,
    sink: Arc<Sink>,
    /// Processes without a page. The last one was busy most recently.
    pub(super) idle: RefCell<Vec<WorkerProcess>>,
    pub(super) started: Cell<usize>,
    /// Processes that finished their set-up and are not known to be dead.
    alive: Cell<usize>,
    /// Starts that failed since the last one that succeeded.
    failed_starts: Cell<u32>,
}

impl WorkerPool {
    /// Creates a pool of processes that run `program` and save pages where `sink` does. It
    /// starts no process yet.
    pub(in crate::work) fn new(program: Program, sink: Arc<Sink>) -> Self {
        Self {
            program,
            sink,
            idle: RefCell::default(),
            started: Cell::default(),
            alive: Cell::default(),
            failed_starts: Cell::default(),
        }
    }

    /// Takes an idle process, or starts one. The error is the attempt of the page that gets
    /// no process.
    pub(super) async fn take(&self) -> Result<WorkerProcess, Attempt> {
        loop {
            let Some(mut process) = self.idle.borrow_mut().pop() else {
                break;
            };
            if !process.is_useless() {
                return Ok(process);
            }
            // It had no page, so its end fails no page.
            self.reap(process, None).await;
        }
        let number = self.started.get() + 1;
        self.started.set(number);
        WorkerProcess::start(&self.program, number).map_err(|error| {
            let causes = message::chain(&error);
            // The first start shows whether processes can be started at all.
            if number > 1 && self.may_start_again() {
                return lost(format!("worker process {number} did not start: {error}"));
            }
            not_started(number, causes)
        })
    }

    /// Takes back a process whose page is done.
    pub(super) fn put_back(&self, process: WorkerProcess) {
        self.idle.borrow_mut().push(process);
    }

    /// Counts a process that has finished its set-up.
    pub(super) fn count_ready(&self) {
        self.alive.set(self.alive.get() + 1);
        self.failed_starts.set(0);
    }

    /// Counts a start that failed for a reason that may pass, and returns whether another
    /// start may succeed.
    fn may_start_again(&self) -> bool {
        let failed = self.failed_starts.get() + 1;
        self.failed_starts.set(failed);
        failed < STARTS || self.alive.get() > 0
    }

    /// Kills and reaps the process, removes its unfinished files, and maps its exit
    /// status to the attempt of its page. `error` says what was wrong with its messages.
    pub(super) async fn reap(&self, process: WorkerProcess, error: Option<WireError>) -> Attempt {
        let (number, id, is_ready) = (process.number, process.id(), process.is_ready);
        self.alive.set(self.alive.get() - usize::from(is_ready));
        let sink = Arc::clone(&self.sink);
        let reaped = tokio::task::spawn_blocking(move || {
            let status = process.reap();
            // A file that stays behind harms no page, and the next run removes it.
            let _ = sink.clear_after(id);
            status.ok()
        });
        let status = reaped.await.ok().flatten();
        let (end, is_killed) = match (error, status) {
            (Some(error @ (WireError::Garbled(_) | WireError::TooLong(_))), _) => {
                (format!("is of no use: {}", message::one_line(&error)), false)
            }
            (_, Some(status)) => (worker::describe(status), status.code().is_none()),
            (_, None) => ("is gone".to_owned(), false),
        };
        if is_ready || (is_killed && self.may_start_again()) {
            lost(format!("worker process {number} {end}"))
        } else {
            not_started(number, vec![format!("it {end}")])
        }
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        worker::shut_down(self.idle.take(), PATIENCE);
    }
}

/// Returns the attempt of a page whose process is gone.
fn lost(message: String) -> Attempt {
    Attempt::failed(Failure::new(FailureCode::WorkerLost, message))
}

/// Returns the attempt of a page that gets no process, when no other page would get one
/// either. It stops the run.
pub(super) fn not_started(number: usize, causes: Vec<String>) -> Attempt {
    let mut texts = vec![format!("failed to start worker process {number}")];
    texts.extend(causes);
    Attempt { breaks_run: Some(texts.clone()), ..lost(texts.join(": ")) }
}
