//! The channel between those who send events and the thread that observes them.
//!
//! It is the standard library's bounded channel. Senders never wake the observer thread, so
//! that sending an event costs far less than a thread switch. The thread wakes by itself,
//! fifty times a second, and takes out all events that wait.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Event, Observer, ObserverError};
use crate::clock::Clock;

/// The time between two looks at the channel.
const TICK: Duration = Duration::from_millis(20);
/// Without events, one tick in this number is shown to the observer all the same: half a
/// second.
const IDLE_TICKS: u32 = 25;
/// Events that the channel holds. A sender waits while it is full: an observer that is slow,
/// on a slow disk for instance, must not let memory grow. Full within one tick would mean
/// 100,000 events a second, several times what the fastest mode sends.
const CAPACITY: usize = 2048;

/// The sending end of the channel; clones send to the same observer.
#[derive(Clone)]
pub struct Events {
    sender: SyncSender<Event>,
}

/// The observer thread of a run, which [`finish`](Self::finish) ends.
pub struct Observing<O> {
    /// Nothing is ever sent here: dropping this ends the thread. That the last [`Events`] is
    /// dropped cannot be the sign, because a feeder thread that waits for a silent pipe is
    /// left behind with a clone.
    running: Sender<Infallible>,
    thread: JoinHandle<(O, Result<(), ObserverError>)>,
}

impl Events {
    /// Starts the observer thread.
    ///
    /// The thread calls `on_failure` once, when the observer fails first: it should stop the
    /// run.
    ///
    /// # Errors
    ///
    /// When the system has no thread left.
    pub fn start<O: Observer + 'static>(
        mut observer: O,
        clock: Arc<dyn Clock>,
        on_failure: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<(Self, Observing<O>)> {
        let (sender, events) = mpsc::sync_channel(CAPACITY);
        let (running, is_running) = mpsc::channel();
        let thread = std::thread::Builder::new().name("observer".into()).spawn(move || {
            let result = observe(&events, &is_running, &mut observer, &*clock, on_failure);
            (observer, result)
        })?;
        Ok((Self { sender }, Observing { running, thread }))
    }

    /// Sends several events, one after the other.
    pub fn send_all(&self, events: impl IntoIterator<Item = Event>) {
        events.into_iter().for_each(|event| self.send(event));
    }

    /// Sends one event. Waits only while the channel is full.
    pub fn send(&self, event: Event) {
        // It fails only when the observer thread is gone. Then the run is over, or the
        // observer has panicked, which `finish` reports.
        let _ = self.sender.send(event);
    }
}

impl<O> Observing<O> {
    /// Waits until the observer has had every event that was sent before this call, and
    /// returns it with its first error. Later events are dropped.
    ///
    /// # Panics
    ///
    /// When the observer panicked, with its panic.
    pub fn finish(self) -> (O, Result<(), ObserverError>) {
        drop(self.running);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Observes events until the sender of `is_running` is dropped.
fn observe(
    events: &Receiver<Event>,
    is_running: &Receiver<Infallible>,
    observer: &mut dyn Observer,
    clock: &dyn Clock,
    on_failure: impl FnOnce(),
) -> Result<(), ObserverError> {
    let mut result = Ok(());
    let mut on_failure = Some(on_failure);
    let mut idle_ticks = 0;
    loop {
        let is_over = is_running.recv_timeout(TICK) == Err(RecvTimeoutError::Disconnected);
        idle_ticks += 1;
        // The limit lets a batch end while senders are as fast as the observer. All that was
        // sent before the run was over is within it.
        for event in events.try_iter().take(CAPACITY) {
            result = result.and(observer.on_event(&event));
            idle_ticks = 0;
        }
        if idle_ticks == 0 || idle_ticks == IDLE_TICKS || is_over {
            idle_ticks = 0;
            result = result.and(observer.on_batch_end(clock.now()));
        }
        if result.is_err()
            && let Some(on_failure) = on_failure.take()
        {
            on_failure();
        }
        if is_over {
            return result;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Instant;

    use super::*;
    use crate::clock::SystemClock;

    /// More events than the channel holds.
    const MANY: u64 = 3 * CAPACITY as u64;

    fn start<O: Observer + 'static>(observer: O) -> (Events, Observing<O>) {
        Events::start(observer, Arc::new(SystemClock), || ()).unwrap()
    }

    fn event(number: u64) -> Event {
        Event::InputEnded { pages: number }
    }

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
        let (events, observing) = start(Collector::default());
        (0..MANY).for_each(|number| events.send(event(number)));
        let (collector, result) = observing.finish();
        assert!(result.is_ok());
        assert_eq!(collector.seen, (0..MANY).collect::<Vec<_>>());
    }

    #[test]
    fn events_of_several_senders_arrive_once_and_each_senders_in_order() {
        let (events, observing) = start(Collector::default());
        std::thread::scope(|scope| {
            for sender in 0..4 {
                let events = events.clone();
                scope.spawn(move || {
                    events.send_all((0..MANY).map(|number| event(4 * number + sender)));
                });
            }
        });
        let seen = observing.finish().0.seen;
        for sender in 0..4 {
            let of_sender = seen.iter().filter(|number| **number % 4 == sender);
            let numbers: Vec<_> = of_sender.map(|number| number / 4).collect();
            assert_eq!(numbers, (0..MANY).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_failed_observer_stops_the_run_and_misses_nothing() {
        static STOPPED: AtomicBool = AtomicBool::new(false);
        let observer = Collector { fail_at: Some(7), ..Collector::default() };
        let (events, observing) = Events::start(observer, Arc::new(SystemClock), || {
            STOPPED.store(true, Ordering::SeqCst);
        })
        .unwrap();
        (0..MANY).for_each(|number| events.send(event(number)));
        let (collector, result) = observing.finish();
        assert!(result.is_err());
        assert!(STOPPED.load(Ordering::SeqCst));
        let others = (0..MANY).filter(|number| *number != 7);
        assert_eq!(collector.seen, others.collect::<Vec<_>>());
    }

    /// Compares what was sent with what was seen.
    struct Lag {
        sent: Arc<AtomicU64>,
        seen: u64,
        largest: u64,
    }

    impl Observer for Lag {
        fn on_event(&mut self, _event: &Event) -> Result<(), ObserverError> {
            // The event at hand has left the channel.
            self.seen += 1;
            let waiting = self.sent.load(Ordering::SeqCst).saturating_sub(self.seen);
            self.largest = self.largest.max(waiting);
            Ok(())
        }
    }

    #[test]
    fn senders_wait_while_the_channel_is_full() {
        let sent = Arc::<AtomicU64>::default();
        let (events, observing) = start(Lag { sent: Arc::clone(&sent), seen: 0, largest: 0 });
        for number in 0..MANY {
            events.send(event(number));
            sent.fetch_add(1, Ordering::SeqCst);
        }
        let (lag, _) = observing.finish();
        assert_eq!(lag.seen, MANY);
        assert!(lag.largest <= CAPACITY as u64, "{} events waited", lag.largest);
    }

    struct Panicking;

    impl Observer for Panicking {
        fn on_event(&mut self, _event: &Event) -> Result<(), ObserverError> {
            panic!("a bug in an observer");
        }
    }

    #[test]
    fn an_observer_that_panics_holds_up_no_sender_and_is_reported() {
        let (events, observing) = start(Panicking);
        (0..MANY).for_each(|number| events.send(event(number)));
        let panic = catch_unwind(AssertUnwindSafe(|| observing.finish())).err().unwrap();
        assert_eq!(panic.downcast_ref(), Some(&"a bug in an observer"));
    }

    #[test]
    fn events_after_the_end_are_dropped() {
        let (events, observing) = start(Collector::default());
        events.send(event(1));
        assert_eq!(observing.finish().0.seen, [1]);
        (0..MANY).for_each(|number| events.send(event(number)));
    }

    /// Reports the end of each batch.
    struct Batches(Sender<Instant>);

    impl Observer for Batches {
        fn on_event(&mut self, _event: &Event) -> Result<(), ObserverError> {
            Ok(())
        }

        fn on_batch_end(&mut self, now: Instant) -> Result<(), ObserverError> {
            let _ = self.0.send(now); // the test has ended
            Ok(())
        }
    }

    #[test]
    fn an_observer_is_shown_the_time_without_events() {
        let (sender, batches) = mpsc::channel();
        let (_events, observing) = start(Batches(sender));
        let shown = batches.recv().unwrap();
        observing.finish().1.unwrap();
        assert!(shown < batches.recv().unwrap(), "and once more at the end");
    }
}
