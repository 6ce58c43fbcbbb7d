//! The feeder thread: reads the source and pushes jobs, and blocks while the queue is full.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::SourceError;
use super::plan::{Plan, Planned};
use crate::event::{Event, Events};
use crate::message;
use crate::model::{Intake, Outcome};
use crate::queue::notice::unasked;
use crate::queue::{Queue, StopReason};

/// A feeder thread that pushes the jobs of a plan into a queue.
pub(crate) struct Feed {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The thread waits for the source, and has no entry that is not counted yet.
    is_reading: bool,
    /// The feed was stopped: an entry that is read after this does not count.
    is_stopped: bool,
    is_finished: bool,
    intake: Intake,
    error: Option<SourceError>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feed {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When the system cannot start a thread.
    pub(crate) fn start(plan: Plan, queue: Arc<Queue>, events: Events) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("feed".into()).spawn(move || {
            let _finished = FinishOnExit { shared: &of_thread, queue: &queue };
            if let Err(error) = feed(plan, &queue, &events, &of_thread) {
                queue.close(StopReason::Broken(message::chain(&error)));
                of_thread.state().error = Some(error);
            }
        })?;
        Ok(Self { shared, thread })
    }

    /// Stops the thread, and returns the counts of the input and the error that ended it.
    ///
    /// A thread that waits for its source, such as a silent pipe, is not joined: nothing can
    /// wake it. If it wakes later, it reads `is_stopped` and ends.
    pub(crate) fn stop(self) -> (Intake, Option<SourceError>) {
        let mut state = self.shared.state();
        state.is_stopped = true;
        while !state.is_finished && !state.is_reading {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let ended = (state.intake, state.error.take());
        let is_finished = state.is_finished;
        drop(state);
        if is_finished && let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
        ended
    }
}

/// Marks the feed as finished, however its thread ends, so that the wait of `stop` ends.
struct FinishOnExit<'a> {
    shared: &'a Shared,
    queue: &'a Queue,
}

impl Drop for FinishOnExit<'_> {
    fn drop(&mut self) {
        self.shared.state().is_finished = true;
        self.shared.changed.notify_all();
        self.queue.end_input();
    }
}

fn feed(
    mut plan: Plan,
    queue: &Queue,
    events: &Events,
    shared: &Shared,
) -> Result<(), SourceError> {
    loop {
        if !begin_reading(shared) {
            return Ok(());
        }
        let entry = plan.read();
        if !end_reading(shared) || matches!(entry, Err(SourceError::Stopped { .. })) {
            return Ok(());
        }
        let Some(entry) = entry? else {
            let intake = plan.intake();
            shared.state().intake = intake;
            events.send(Event::InputEnded { pages: intake.pages });
            return Ok(());
        };
        let planned = plan.admit(entry)?;
        shared.state().intake = plan.intake();
        match planned {
            Planned::Nothing => (),
            Planned::Invalid { place, reason } => {
                events.send(Event::Invalid { place: place.into(), reason: reason.into() });
            }
            Planned::MissingPart(text) | Planned::Warning(text) => {
                events.send(Event::Warning(text.into()));
            }
            Planned::Job(job) => {
                if let Err(job) = queue.push(*job) {
                    events.send(unasked(*job, Outcome::Interrupted));
                    return Ok(());
                }
            }
        }
    }
}

fn begin_reading(shared: &Shared) -> bool {
    let mut state = shared.state();
    state.is_reading = !state.is_stopped;
    if state.is_reading {
        return true;
    }
    shared.changed.notify_all();
    false
}

fn end_reading(shared: &Shared) -> bool {
    let mut state = shared.state();
    state.is_reading = false;
    !state.is_stopped
}
