//! The child's side of the connection: takes orders from the parent, one turn at a time.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::connection::Connection;
use super::wire::{self, Order, WireError, WorkerReply};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::fetch::NetworkCounts;
use crate::in_flight::InFlight;
use crate::message;
use crate::model::{Attempt, Job, Outcome, Response};
use crate::work::Work;
use crate::work::step::panicked;

/// The interval at which the parent gets the progress of a turn.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// The parts of a process that is set up.
pub(in crate::work) struct Served {
    /// Does the turns.
    pub(in crate::work) work: Box<dyn Work>,
    /// Returns the network counts of all requests so far.
    pub(in crate::work) counts: Box<dyn Fn() -> NetworkCounts>,
    /// The memory of its turns.
    pub(in crate::work) lent: Lent,
}

/// The memory of a process: its own part and what the parent lends it for a turn.
pub(in crate::work) struct Lent {
    pub(in crate::work) memory: Arc<Budget>,
    /// The own part, in bytes.
    pub(in crate::work) own: u64,
    /// Receives the requests of turns that need more, in bytes.
    pub(in crate::work) needs: UnboundedReceiver<u64>,
}

/// Does turns for the parent until it closes its end.
///
/// `make` turns the parent's set-up into work, or returns why it cannot, outermost
/// cause first.
///
/// # Errors
///
/// [`WireError`] when the parent sends a message that this process does not understand, or
/// is gone when this process sends one.
pub(in crate::work) async fn serve<S: DeserializeOwned>(
    mut parent: Connection,
    clock: &dyn Clock,
    make: impl FnOnce(S) -> Result<Served, Vec<String>>,
) -> Result<(), WireError> {
    let Some(hello) = parent.receive().await? else {
        return Ok(());
    };
    let outcome = wire::set_up(hello).map_err(|error| message::chain(&error)).and_then(make);
    let mut served = match outcome {
        Ok(served) => served,
        Err(causes) => return send(&mut parent, &WorkerReply::Refused(causes)).await,
    };
    send(&mut parent, &WorkerReply::Ready).await?;
    // All turns share one interval: a new one for each would wake the event loop each time.
    let mut interval = interval_at(Instant::now() + PROGRESS_INTERVAL, PROGRESS_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sent = NetworkCounts::default();
    while let Some(order) = parent.receive().await? {
        // A cancellation that arrives after its turn has ended changes nothing.
        let Order::Turn(task) = order else { continue };
        let job = task.into_job(clock.now());
        let turn = run(&*served.work, &job, &mut served.lent, &mut parent, &mut interval).await?;
        let Some(turn) = turn else {
            return Ok(());
        };
        served.lent.give_back();
        let counts = (served.counts)();
        let new = counts.since(&sent);
        sent = counts;
        send(&mut parent, &WorkerReply::Done(Box::new(turn), new)).await?;
    }
    Ok(())
}

impl Lent {
    /// Returns to the own part: the parent takes back what it lent when a turn ends.
    fn give_back(&mut self) {
        self.memory.reset(self.own);
        // The requests of a turn that was cancelled are void.
        while self.needs.try_recv().is_ok() {}
    }
}

async fn send(parent: &mut Connection, reply: &impl Serialize) -> Result<(), WireError> {
    let mut frames = Vec::new();
    wire::encode(reply, &mut frames)?;
    parent.send(&frames).await
}

/// Does the turn of `job`, unless the parent cancels it. Returns `None` if the parent has
/// closed its end.
async fn run(
    work: &dyn Work,
    job: &Job,
    lent: &mut Lent,
    parent: &mut Connection,
    interval: &mut Interval,
) -> Result<Option<Response>, WireError> {
    let in_flight = InFlight::default();
    let mut turn = pin!(AssertUnwindSafe(work.turn(job, &in_flight)).catch_unwind());
    loop {
        tokio::select! {
            biased;
            turn = turn.as_mut() => {
                return Ok(Some(turn.unwrap_or_else(|panic| Response::Done(panicked(&*panic)))));
            }
            order = parent.receive::<Order>() => match order? {
                None => return Ok(None),
                Some(Order::Cancel) => {
                    return Ok(Some(Response::Done(Attempt::without_answer(Outcome::Interrupted))));
                }
                Some(Order::Granted(bytes)) => lent.memory.raise(bytes),
                // A parent never sends a second job before the first has ended.
                Some(Order::Turn(_)) => (),
            },
            Some(bytes) = lent.needs.recv() => send(parent, &WorkerReply::Needs(bytes)).await?,
            _ = interval.tick() => {
                let progress = in_flight.progress();
                send(parent, &WorkerReply::Phase(progress.get(), progress.bytes())).await?;
            }
        }
    }
}
