//! The work of others: each page is handed to a worker process, and what came of
//! it comes back. Bodies stay over there.
//!
//! There are never more processes than pages in flight. One is started when a
//! page finds none that is free, so that a short run starts few, and those that
//! were busy last are taken first, because their connections are warm.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use super::process::{self, Process, Program};
use super::wire::{self, Hello, Order, Reply, Task, WireError};
use crate::budget::{Budget, Share};
use crate::fetch::NetworkCounts;
use crate::message;
use crate::model::{Attempt, Failure, FailureCode, Job, Outcome, Turn};
use crate::phase::{Phase, PhaseCell};
use crate::save::Sink;
use crate::work::{Work, WorkError};

/// So long a process may take to end a turn that was cancelled, before it is
/// killed: it may be computing a large page, or saving on a slow disk.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);
/// So many processes in a row may be killed before they are through with their
/// set-up, when no other lives. Memory that is short may pass; more of them tell
/// that nothing does.
const STARTS: u32 = 3;

/// What worker processes are told and what becomes of what they tell.
pub(in crate::work) struct Crew {
    /// What they run.
    program: Program,
    /// Their first message.
    hello: Vec<u8>,
    /// Where they keep pages; for clearing up after a dead one.
    sink: Arc<dyn Sink>,
    /// What they are lent.
    memory: Arc<Budget>,
    /// Adds what their requests have come to.
    add: Box<dyn Fn(&NetworkCounts)>,
}

impl Crew {
    /// A crew of processes that run `program` with `set_up` and keep pages where
    /// `sink` does. They are lent of `memory` what they ask for. What their requests come
    /// to is told to `add`.
    ///
    /// # Errors
    ///
    /// [`WorkError::SetUp`] when `set_up` cannot be written out.
    pub(in crate::work) fn new(
        program: Program,
        set_up: impl Serialize,
        sink: Arc<dyn Sink>,
        memory: Arc<Budget>,
        add: impl Fn(&NetworkCounts) + 'static,
    ) -> Result<Self, WorkError> {
        let mut hello = Vec::new();
        wire::encode(&Hello::new(set_up), &mut hello).map_err(WorkError::SetUp)?;
        Ok(Self { program, hello, sink, memory, add: Box::new(add) })
    }
}

/// Hands each page to a process of its own. All turns are held: who cancels one
/// waits until the process says what came of it.
pub(in crate::work) struct RemoteWork {
    crew: Crew,
    /// Those without a page, the last one busy a moment ago.
    idle: RefCell<Vec<Process>>,
    started: Cell<usize>,
    /// Those that are through with their set-up and not dead, as far as is known.
    alive: Cell<usize>,
    /// Starts that failed since one succeeded.
    failed_starts: Cell<u32>,
    /// How long a process may take to end a turn that was cancelled.
    patience: Duration,
}

impl RemoteWork {
    /// Work for `crew`; starts no process yet.
    pub(in crate::work) fn new(crew: Crew) -> Self {
        Self {
            crew,
            idle: RefCell::default(),
            started: Cell::default(),
            alive: Cell::default(),
            failed_starts: Cell::default(),
            patience: CANCEL_PATIENCE,
        }
    }

    async fn run(&self, job: &Job, phase: &PhaseCell) -> Turn {
        let mut order = Vec::new();
        if let Err(error) = wire::encode(&Order::Turn(Box::new(Task::of(job))), &mut order) {
            let message = format!("failed to hand the page over: {}", message::one_line(&error));
            return Turn::Ended(Attempt::failed(Failure::new(FailureCode::TooLarge, message)));
        }
        let mut process = match self.take().await {
            Ok(process) => process,
            Err(attempt) => return Turn::Ended(attempt),
        };
        if !process.is_ready {
            order.splice(..0, self.crew.hello.iter().copied());
        }
        // Lent for this turn; whatever becomes of the process, it is given back.
        let lent = Share::new(&self.crew.memory);
        let end = self.exchange(&mut process, &order, &lent, phase).await;
        let attempt = match end {
            Ok(TurnEnd::Done(turn)) => {
                self.idle.borrow_mut().push(process);
                return *turn;
            }
            Ok(TurnEnd::Refused(why)) => not_started(process.number, why),
            Ok(TurnEnd::Cut) => {
                self.reap(process, None).await;
                Attempt::without_answer(Outcome::Interrupted)
            }
            Ok(TurnEnd::End) => self.reap(process, None).await,
            Err(error) => self.reap(process, Some(error)).await,
        };
        Turn::Ended(attempt)
    }

    /// A process without a page: one that waits for it, or a new one.
    async fn take(&self) -> Result<Process, Attempt> {
        loop {
            let Some(mut process) = self.idle.borrow_mut().pop() else {
                break;
            };
            if !process.is_useless() {
                return Ok(process);
            }
            // It had no page, so no page is to pay for it.
            self.reap(process, None).await;
        }
        let number = self.started.get() + 1;
        self.started.set(number);
        Process::start(&self.crew.program, number).map_err(|error| {
            let words = message::chain(&error);
            // The first ones show whether it can be done at all.
            if number > 1 && self.may_start_again() {
                return lost(format!("worker process {number} did not start: {error}"));
            }
            not_started(number, words)
        })
    }

    /// Counts a start that failed for a reason that may pass, and says whether
    /// another one is worth while.
    fn may_start_again(&self) -> bool {
        let failed = self.failed_starts.get() + 1;
        self.failed_starts.set(failed);
        failed < STARTS || self.alive.get() > 0
    }

    /// Hands the page over and listens until its turn is over.
    async fn exchange(
        &self,
        process: &mut Process,
        order: &[u8],
        lent: &Share,
        phase: &PhaseCell,
    ) -> Result<TurnEnd, WireError> {
        tokio::select! {
            biased;
            // One that does not take it whole is dead, and has perhaps said why, or is
            // of no more use.
            sent = process.send(order) => if sent.is_err() {
                process.kill();
            },
            () = phase.cancelled() => return Ok(TurnEnd::Cut),
        }
        tokio::select! {
            biased;
            end = self.listen(process, lent, phase) => return end,
            () = phase.cancelled() => (),
        }
        let mut cancel = Vec::new();
        wire::encode(&Order::Cancel, &mut cancel)?;
        let _ = process.send(&cancel).await; // as above
        let end = tokio::time::timeout(self.patience, self.listen(process, lent, phase)).await;
        let end = match end {
            Ok(end) => end,
            Err(_elapsed) => {
                process.kill();
                // It may have ended the page just before.
                self.listen(process, lent, phase).await
            }
        };
        match end {
            Ok(TurnEnd::Done(turn)) => Ok(TurnEnd::Done(turn)),
            _ => Ok(TurnEnd::Cut),
        }
    }

    /// Listens until the process has done with its turn, or with everything.
    async fn listen(
        &self,
        process: &mut Process,
        lent: &Share,
        phase: &PhaseCell,
    ) -> Result<TurnEnd, WireError> {
        loop {
            match process.receive().await? {
                None => return Ok(TurnEnd::End),
                Some(Reply::Ready) => {
                    process.is_ready = true;
                    self.alive.set(self.alive.get() + 1);
                    self.failed_starts.set(0);
                }
                Some(Reply::Refused(why)) => return Ok(TurnEnd::Refused(why)),
                Some(Reply::Phase(come_to, bytes)) => {
                    phase.set(come_to);
                    phase.set_bytes(bytes);
                }
                Some(Reply::Needs(bytes)) => {
                    phase.set(Phase::HeldBack);
                    lent.grow(bytes).await;
                    phase.set(Phase::Receiving);
                    let mut granted = Vec::new();
                    wire::encode(&Order::Granted(bytes), &mut granted)?;
                    let _ = process.send(&granted).await; // as for the order itself
                }
                Some(Reply::Done(turn, tally)) => {
                    (self.crew.add)(&tally);
                    return Ok(TurnEnd::Done(turn));
                }
            }
        }
    }

    /// Sees to it that the process is gone, with all that it left half done, and
    /// says what that means for its page. `error` is what was wrong with what it said.
    async fn reap(&self, process: Process, error: Option<WireError>) -> Attempt {
        let (number, id, is_ready) = (process.number, process.id(), process.is_ready);
        self.alive.set(self.alive.get() - usize::from(is_ready));
        let sink = Arc::clone(&self.crew.sink);
        let reaped = tokio::task::spawn_blocking(move || {
            let status = process.reap();
            // What is left harms no page, and the next run removes it.
            let _ = sink.clear_after(id);
            status.ok()
        });
        let status = reaped.await.ok().flatten();
        let (end, is_killed) = match (error, status) {
            (Some(error @ (WireError::Garbled(_) | WireError::TooLong(_))), _) => {
                (format!("is of no use: {}", message::one_line(&error)), false)
            }
            (_, Some(status)) => (process::describe(status), status.code().is_none()),
            (_, None) => ("is gone".to_owned(), false),
        };
        if is_ready || (is_killed && self.may_start_again()) {
            lost(format!("worker process {number} {end}"))
        } else {
            not_started(number, vec![format!("it {end}")])
        }
    }
}

impl Work for RemoteWork {
    fn turn<'a>(&'a self, job: &'a Job, phase: &'a Arc<PhaseCell>) -> LocalBoxFuture<'a, Turn> {
        Box::pin(async move {
            if !phase.hold() {
                // Whoever cancelled it before it began drops this future next.
                std::future::pending::<()>().await;
            }
            self.run(job, phase).await
        })
    }
}

impl Drop for RemoteWork {
    fn drop(&mut self) {
        process::shut_down(self.idle.take());
    }
}

/// How a turn ended.
enum TurnEnd {
    /// What came of it.
    Done(Box<Turn>),
    /// The set-up cannot be done, for this reason.
    Refused(Vec<String>),
    /// Nothing, and nothing more will be.
    End,
    /// Nothing after it was cancelled.
    Cut,
}

/// The attempt of a page whose process is gone.
fn lost(message: String) -> Attempt {
    Attempt::failed(Failure::new(FailureCode::WorkerLost, message))
}

/// The attempt of a page for which no process can be had, as none can for any other.
fn not_started(number: usize, why: Vec<String>) -> Attempt {
    let mut words = vec![format!("failed to start worker process {number}")];
    words.extend(why);
    Attempt { breaks_run: Some(words.clone()), ..lost(words.join(": ")) }
}

#[cfg(test)]
#[path = "tests/pool.rs"]
mod tests;
