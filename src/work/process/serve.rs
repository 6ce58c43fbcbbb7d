//! The other end of a worker process's connection: takes orders, one at a time.

use std::os::unix::net::UnixStream;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::wire::{self, Order, Pipe, Reply, WireError};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::fetch::NetworkCounts;
use crate::in_flight::InFlight;
use crate::message;
use crate::model::{Attempt, Job, Outcome, Response};
use crate::work::{Work, panicked};

/// How often it is told how far the turn that goes on has come.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// A set-up, done.
pub(in crate::work) struct Served {
    /// Does the turns.
    pub(in crate::work) work: Box<dyn Work>,
    /// What all its requests have come to so far.
    pub(in crate::work) tally: Box<dyn Fn() -> NetworkCounts>,
    /// The memory of its turns.
    pub(in crate::work) lent: Lent,
}

/// Memory of which a part is the parent's.
pub(in crate::work) struct Lent {
    pub(in crate::work) memory: Arc<Budget>,
    /// What need not be asked for, in bytes.
    pub(in crate::work) own: u64,
    /// What is asked for, in bytes.
    pub(in crate::work) asked: UnboundedReceiver<u64>,
}

/// Does what the parent at the other end of `stream` wants, until it hangs up.
/// What `make` gives does the work; or it says why it cannot, outermost words first.
///
/// # Errors
///
/// [`WireError`] when the parent says what cannot be understood, or is gone
/// while it is spoken to.
pub(in crate::work) async fn serve<S: DeserializeOwned>(
    stream: UnixStream,
    clock: &dyn Clock,
    make: impl FnOnce(S) -> Result<Served, Vec<String>>,
) -> Result<(), WireError> {
    let mut parent = Pipe::new(stream)?;
    let Some(hello) = parent.receive().await? else {
        return Ok(());
    };
    let outcome = wire::set_up(hello).map_err(|error| message::chain(&error)).and_then(make);
    let mut served = match outcome {
        Ok(served) => served,
        Err(why) => return say(&mut parent, &Reply::Refused(why)).await,
    };
    say(&mut parent, &Reply::Ready).await?;
    // One for all turns: a new one for each would wake the event loop each time.
    let mut telling = interval_at(Instant::now() + TOLD_EVERY, TOLD_EVERY);
    telling.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = NetworkCounts::default();
    while let Some(order) = parent.receive().await? {
        // A turn that is over cannot be cancelled any more.
        let Order::Turn(task) = order else { continue };
        let job = task.into_job(clock.now());
        let turn = run(&*served.work, &job, &mut served.lent, &mut parent, &mut telling).await?;
        let Some(turn) = turn else {
            return Ok(());
        };
        served.lent.give_back();
        let tally = (served.tally)();
        let news = tally.since(&told);
        told = tally;
        say(&mut parent, &Reply::Done(Box::new(turn), news)).await?;
    }
    Ok(())
}

impl Lent {
    /// The parent takes back what it has lent when a turn is over, and so must this side.
    fn give_back(&mut self) {
        self.memory.reset(self.own);
        // What a turn that was cancelled has asked for is not asked for any more.
        while self.asked.try_recv().is_ok() {}
    }
}

async fn say(parent: &mut Pipe, reply: &impl Serialize) -> Result<(), WireError> {
    let mut frames = Vec::new();
    wire::encode(reply, &mut frames)?;
    parent.send(&frames).await
}

/// Gives `job` its turn, unless the parent cancels it or, as `None`, hangs up.
async fn run(
    work: &dyn Work,
    job: &Job,
    lent: &mut Lent,
    parent: &mut Pipe,
    telling: &mut Interval,
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
                // Whoever gives two at a time loses the first.
                Some(Order::Turn(_)) => (),
            },
            Some(bytes) = lent.asked.recv() => say(parent, &Reply::Needs(bytes)).await?,
            _ = telling.tick() => {
                let progress = in_flight.progress();
                say(parent, &Reply::Phase(progress.get(), progress.bytes())).await?;
            }
        }
    }
}
