//! What happens in a run, told once: executors send events, and progress, summary and manifest observe them.
//!
//! Events go to one thread in the order in which they were sent. They are
//! handed over in batches: the observing thread lets events gather for a moment
//! after the first, so that telling costs a page far less than a thread switch.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use url::Url;

use crate::clock::Clock;
use crate::foreign::Foreign;
use crate::in_flight::ProgressView;
use crate::model::{Attempt, Job, Settled};

/// How long events gather, counted from the first.
const BATCH_DELAY: Duration = Duration::from_millis(20);
/// Without events, observers are called so often all the same, to show the time.
const IDLE_DELAY: Duration = Duration::from_millis(500);
/// So many waiting events wake the observers at once.
const BATCH_SIZE: usize = 512;
/// So many waiting events make a sender wait: an observer that is slow, on a
/// slow disk say, must not let memory grow.
const WAITING_LIMIT: usize = 4096;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A request for a page began.
    Started {
        /// The page's place in the input.
        seq: u64,
        /// When.
        at: Instant,
        /// On which worker, counted from 0.
        worker: usize,
        /// Time that the attempt took before, up to the redirect that led here.
        spent: Duration,
        /// The address that is asked.
        url: Url,
        /// How far it has come, to look at.
        progress: ProgressView,
    },
    /// A page was redirected, and waits for its turn at the other address.
    Onward {
        /// The page's place in the input.
        seq: u64,
        /// When the answer was there.
        at: Instant,
    },
    /// A request that is for no page began, such as one for a robots.txt. Pages may
    /// wait for it; nothing is counted, drawn or recorded of it.
    SideRequestStarted {
        /// The address that was asked first: tells the request from others.
        asked: Url,
        /// The address that is asked now, behind redirects.
        url: Url,
        /// When.
        at: Instant,
        /// How far it has come, to look at.
        progress: ProgressView,
    },
    /// A request that is for no page ended, whatever came of it.
    SideRequestEnded {
        /// The address that was asked first.
        asked: Url,
    },
    /// An attempt failed and the page will be tried again.
    Retrying {
        /// The page, with its attempts counted.
        job: Box<Job>,
        /// The attempt.
        attempt: Box<Attempt>,
        /// When it ended.
        at: Instant,
        /// How long the page waits at least.
        after: Duration,
    },
    /// A page is done with.
    Settled(Box<Settled>),
    /// An entry of the input is no http(s) URL.
    Invalid {
        /// Where it stands, for people: `line 17`, `link 3`.
        place: Foreign,
        /// What is wrong with it.
        reason: Foreign,
    },
    /// A host is left alone for a while.
    Parked {
        /// Its name.
        host: String,
        /// From then on.
        from: Instant,
        /// Until then.
        until: Instant,
        /// Why: `429, Retry-After 60`.
        why: Foreign,
    },
    /// Something that went wrong, in one line.
    Warning(Foreign),
    /// Something good to know, in one line.
    Note(Foreign),
    /// The input was read to its end and names this many pages.
    InputEnded {
        /// Pages to fetch in all.
        pages: u64,
    },
}

/// An observer could not do its work, and the run must stop.
#[derive(Debug, thiserror::Error)]
#[error("{attempted}")]
pub struct ObserverError {
    /// What was attempted, on what.
    pub attempted: String,
    /// The cause.
    #[source]
    pub source: std::io::Error,
}

/// Something that watches a run.
///
/// Implementors get every event once, in order, on one thread. They may keep
/// state and write, but must not wait for anything but their own output. The
/// first error stops the run; until it has stopped, events go on coming, so that
/// what is counted stays whole.
pub trait Observer: Send {
    /// Takes note of one event.
    ///
    /// # Errors
    ///
    /// [`ObserverError`] when the observer cannot do its work; it ends the run.
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError>;

    /// Called after each batch of events, and at least every half second: the
    /// time to write what was collected. `now` is the present moment.
    ///
    /// # Errors
    ///
    /// As [`on_event`](Self::on_event).
    fn on_batch_end(&mut self, now: Instant) -> Result<(), ObserverError> {
        let _ = now; // only observers that show time need it
        Ok(())
    }
}

/// The sending end; clones send to the same observers.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<Waiting>,
    arrived: Condvar,
    taken: Condvar,
}

#[derive(Default)]
struct Waiting {
    events: Vec<Event>,
    is_over: bool,
    /// Set when no observer listens any more, because one panicked: events are
    /// then dropped, and senders do not wait for ever.
    is_deaf: bool,
}

/// The observing thread; [`finish`](Observing::finish) ends it and gives the observer back.
pub struct Observing<O> {
    shared: Arc<Shared>,
    thread: JoinHandle<(O, Result<(), ObserverError>)>,
}

impl Events {
    /// Starts the observing thread.
    ///
    /// `on_failure` is called, on that thread, when the observer fails: it
    /// should stop the run.
    ///
    /// # Errors
    ///
    /// When the system has no thread left.
    pub fn start<O: Observer + 'static>(
        observer: O,
        clock: Arc<dyn Clock>,
        on_failure: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<(Self, Observing<O>)> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            arrived: Condvar::new(),
            taken: Condvar::new(),
        });
        let hearing = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("observer".into()).spawn(move || {
            let _deaf = DeafOnExit(Arc::clone(&hearing));
            let mut observer = observer;
            let result = observe(&hearing, &mut observer, &*clock, on_failure);
            (observer, result)
        })?;
        Ok((Self { shared: Arc::clone(&shared) }, Observing { shared, thread }))
    }

    /// Hands several events over, one after the other.
    pub fn send_all(&self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| self.send(event));
    }

    /// Hands one event over. Waits only when the observers are far behind.
    pub fn send(&self, event: Event) {
        let mut waiting = self.shared.state.lock().expect("no holder of this lock panics");
        while waiting.events.len() >= WAITING_LIMIT && !waiting.is_deaf {
            waiting = self.shared.taken.wait(waiting).expect("no holder of this lock panics");
        }
        if waiting.is_deaf {
            return;
        }
        waiting.events.push(event);
        if waiting.events.len() == 1 || waiting.events.len() == BATCH_SIZE {
            self.shared.arrived.notify_one();
        }
    }
}

/// Marks the channel as deaf when the observing thread ends, by a panic too.
struct DeafOnExit(Arc<Shared>);

impl Drop for DeafOnExit {
    fn drop(&mut self) {
        if let Ok(mut waiting) = self.0.state.lock() {
            waiting.is_deaf = true;
        }
        self.0.taken.notify_all();
    }
}

fn observe(
    shared: &Shared,
    observer: &mut dyn Observer,
    clock: &dyn Clock,
    on_failure: impl FnOnce(),
) -> Result<(), ObserverError> {
    let mut batch = Vec::new();
    let mut first_error = Ok(());
    let mut on_failure = Some(on_failure);
    loop {
        let is_over = take_batch(shared, &mut batch);
        shared.taken.notify_all();
        for event in &batch {
            first_error = first_error.and(observer.on_event(event));
        }
        batch.clear();
        first_error = first_error.and(observer.on_batch_end(clock.now()));
        if first_error.is_err()
            && let Some(on_failure) = on_failure.take()
        {
            on_failure();
        }
        if is_over {
            return first_error;
        }
    }
}

/// Waits for the next batch and moves it into the empty `batch`; true when it is the last.
fn take_batch(shared: &Shared, batch: &mut Vec<Event>) -> bool {
    let waiting = shared.state.lock().expect("no holder of this lock panics");
    let (waiting, _) = shared
        .arrived
        .wait_timeout_while(waiting, IDLE_DELAY, |waiting| {
            waiting.events.is_empty() && !waiting.is_over
        })
        .expect("no holder of this lock panics");
    let (mut waiting, _) = shared
        .arrived
        .wait_timeout_while(waiting, BATCH_DELAY, |waiting| {
            (1..BATCH_SIZE).contains(&waiting.events.len()) && !waiting.is_over
        })
        .expect("no holder of this lock panics");
    std::mem::swap(&mut waiting.events, batch);
    waiting.is_over
}

impl<O> Observing<O> {
    /// Waits until every event sent so far is observed, and gives the observer back
    /// with the error that stopped it, if one did.
    pub fn finish(self) -> (O, Result<(), ObserverError>) {
        if let Ok(mut waiting) = self.shared.state.lock() {
            waiting.is_over = true;
        }
        self.shared.arrived.notify_one();
        match self.thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::clock::SystemClock;

    #[derive(Default)]
    struct Collector {
        seen: Vec<u64>,
        fail_at: Option<u64>,
    }

    impl Observer for Collector {
        fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
            if let Event::InputEnded { pages } = event {
                if self.fail_at == Some(*pages) {
                    return Err(ObserverError {
                        attempted: "failed to write".into(),
                        source: std::io::ErrorKind::StorageFull.into(),
                    });
                }
                self.seen.push(*pages);
            }
            Ok(())
        }
    }

    #[test]
    fn every_event_arrives_once_and_in_order() {
        let clock = Arc::new(SystemClock);
        let (events, observing) = Events::start(Collector::default(), clock, || ()).unwrap();
        let many = 3 * WAITING_LIMIT as u64;
        for pages in 0..many {
            events.send(Event::InputEnded { pages });
        }
        let (collector, result) = observing.finish();
        assert!(result.is_ok());
        assert_eq!(collector.seen, (0..many).collect::<Vec<_>>());
    }

    #[test]
    fn a_failed_observer_stops_the_run_and_misses_nothing() {
        static STOPPED: AtomicBool = AtomicBool::new(false);
        let observer = Collector { fail_at: Some(7), ..Collector::default() };
        let (events, observing) = Events::start(observer, Arc::new(SystemClock), || {
            STOPPED.store(true, Ordering::SeqCst);
        })
        .unwrap();
        for pages in 0..3 * WAITING_LIMIT as u64 {
            events.send(Event::InputEnded { pages });
        }
        let (collector, result) = observing.finish();
        assert!(result.is_err());
        assert!(STOPPED.load(Ordering::SeqCst));
        let others = (0..3 * WAITING_LIMIT as u64).filter(|pages| *pages != 7);
        assert_eq!(collector.seen, others.collect::<Vec<_>>());
    }
}
