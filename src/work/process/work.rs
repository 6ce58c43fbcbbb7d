//! A page's turn in a worker process: the parent sends the job and receives the result.
//! Bodies stay in the process.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use super::pool::{WorkerPool, not_started};
use super::wire::{self, Hello, Order, Task, WireError, WorkerReply};
use super::worker::WorkerProcess;
use crate::budget::{Budget, Share};
use crate::fetch::NetworkCounts;
use crate::in_flight::{InFlight, Phase};
use crate::message;
use crate::model::{Attempt, Failure, FailureCode, Job, Outcome, Response};
use crate::work::{Work, WorkError};

/// A process has this time to end a turn that was cancelled, then it is killed: it may
/// be computing a large page, or saving on a slow disk.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);

/// Hands each page to a worker process.
///
/// Every turn [holds](crate::in_flight::CommitLock::hold) its lock, so a caller that cancels
/// it waits until the process reports the result.
pub(in crate::work) struct ProcessWork {
    pub(super) pool: WorkerPool,
    /// The first message to each process.
    pub(super) hello: Vec<u8>,
    /// The memory that is lent to the processes.
    memory: Arc<Budget>,
    /// Adds the network counts of a process to those of the run.
    add: Box<dyn Fn(&NetworkCounts)>,
    /// The time that a process has to end a turn that was cancelled.
    pub(super) patience: Duration,
}

impl ProcessWork {
    /// Creates work for the processes of `pool`, which set themselves up with `set_up`. They
    /// borrow memory from `memory`, and `add` receives their network counts.
    ///
    /// # Errors
    ///
    /// [`WorkError::SetUp`] when `set_up` cannot be written as a message.
    pub(in crate::work) fn new(
        pool: WorkerPool,
        set_up: impl Serialize,
        memory: Arc<Budget>,
        add: impl Fn(&NetworkCounts) + 'static,
    ) -> Result<Self, WorkError> {
        let mut hello = Vec::new();
        wire::encode(&Hello::new(set_up), &mut hello).map_err(WorkError::SetUp)?;
        Ok(Self { pool, hello, memory, add: Box::new(add), patience: CANCEL_PATIENCE })
    }

    async fn run(&self, job: &Job, in_flight: &InFlight) -> Response {
        let mut order = Vec::new();
        if let Err(error) = wire::encode(&Order::Turn(Box::new(Task::of(job))), &mut order) {
            let message = format!("failed to hand the page over: {}", message::one_line(&error));
            return Response::Done(Attempt::failed(Failure::new(FailureCode::TooLarge, message)));
        }
        let mut process = match self.pool.take().await {
            Ok(process) => process,
            Err(attempt) => return Response::Done(attempt),
        };
        if !process.is_ready {
            order.splice(..0, self.hello.iter().copied());
        }
        // The share is lent for this turn, and given back when the turn ends, whatever the
        // process does.
        let lent = Share::new(&self.memory);
        let attempt = match self.exchange(&mut process, &order, &lent, in_flight).await {
            Ok(OrderEnd::Done(turn)) => {
                self.pool.put_back(process);
                return *turn;
            }
            Ok(OrderEnd::Refused(causes)) => not_started(process.number, causes),
            Ok(OrderEnd::Cancelled) => {
                self.pool.reap(process, None).await;
                Attempt::without_answer(Outcome::Interrupted)
            }
            Ok(OrderEnd::Closed) => self.pool.reap(process, None).await,
            Err(error) => self.pool.reap(process, Some(error)).await,
        };
        Response::Done(attempt)
    }

    /// Sends the order and receives messages until the turn ends.
    async fn exchange(
        &self,
        process: &mut WorkerProcess,
        order: &[u8],
        lent: &Share,
        in_flight: &InFlight,
    ) -> Result<OrderEnd, WireError> {
        tokio::select! {
            biased;
            // A process that does not take the whole order is dead or useless. It may have
            // sent the reason before.
            sent = process.send(order) => if sent.is_err() {
                process.kill();
            },
            () = in_flight.commit().cancelled() => return Ok(OrderEnd::Cancelled),
        }
        tokio::select! {
            biased;
            end = self.receive(process, lent, in_flight) => return end,
            () = in_flight.commit().cancelled() => (),
        }
        let mut cancel = Vec::new();
        wire::encode(&Order::Cancel, &mut cancel)?;
        // A process that does not take it is dead, and the next receive finds its end.
        let _ = process.send(&cancel).await;
        let end = tokio::time::timeout(self.patience, self.receive(process, lent, in_flight)).await;
        let end = match end {
            Ok(end) => end,
            Err(_elapsed) => {
                process.kill();
                // It may have reported the page just before.
                self.receive(process, lent, in_flight).await
            }
        };
        match end {
            Ok(OrderEnd::Done(turn)) => Ok(OrderEnd::Done(turn)),
            _ => Ok(OrderEnd::Cancelled),
        }
    }

    /// Receives messages until the process ends its turn or its output.
    async fn receive(
        &self,
        process: &mut WorkerProcess,
        lent: &Share,
        in_flight: &InFlight,
    ) -> Result<OrderEnd, WireError> {
        loop {
            match process.receive().await? {
                None => return Ok(OrderEnd::Closed),
                Some(WorkerReply::Ready) => {
                    process.is_ready = true;
                    self.pool.count_ready();
                }
                Some(WorkerReply::Refused(causes)) => return Ok(OrderEnd::Refused(causes)),
                Some(WorkerReply::Phase(reached, bytes)) => {
                    in_flight.progress().set(reached);
                    in_flight.progress().set_bytes(bytes);
                }
                Some(WorkerReply::Needs(bytes)) => {
                    in_flight.progress().set(Phase::HeldBack);
                    lent.grow(bytes).await;
                    in_flight.progress().set(Phase::Receiving);
                    let mut granted = Vec::new();
                    wire::encode(&Order::Granted(bytes), &mut granted)?;
                    // A process that does not take it is dead, and the next receive finds its
                    // end.
                    let _ = process.send(&granted).await;
                }
                Some(WorkerReply::Done(turn, counts)) => {
                    (self.add)(&counts);
                    return Ok(OrderEnd::Done(turn));
                }
            }
        }
    }
}

impl Work for ProcessWork {
    fn turn<'a>(&'a self, job: &'a Job, in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            if !in_flight.commit().hold() {
                // The turn was cancelled before it began. The caller drops this future next.
                std::future::pending::<()>().await;
            }
            self.run(job, in_flight).await
        })
    }
}

/// How an order to a process ended.
enum OrderEnd {
    /// The process reported this result.
    Done(Box<Response>),
    /// The process cannot be set up, for these reasons.
    Refused(Vec<String>),
    /// The process closed its output without a result.
    Closed,
    /// The turn was cancelled, and the process reported no result.
    Cancelled,
}
