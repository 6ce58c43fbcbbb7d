//! What happens in a run: workers send events, and progress, summary, manifest and trace
//! observe them.
//!
//! [`Events`] is the sending end of a bounded channel. The observer thread takes the events
//! out in the order in which they were sent, and calls the one [`Observer`] of the run with
//! each of them:
//!
//! ```text
//!  workers, feeder, queue                             observer thread
//!
//!  events.send(event) ──▶ [ channel, bounded ] ──▶ every 20 ms, all that wait:
//!    waits while the channel is full                 on_event(&event), one by one
//!                                                    on_batch_end(now)
//! ```
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//!
//! use fetchpages::clock::SystemClock;
//! use fetchpages::event::{Event, Events, Observer, ObserverError};
//!
//! #[derive(Default)]
//! struct Warnings(usize);
//!
//! impl Observer for Warnings {
//!     fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
//!         self.0 += usize::from(matches!(event, Event::Warning(_)));
//!         Ok(())
//!     }
//! }
//!
//! let stop_the_run = || ();
//! let (events, observing) =
//!     Events::start(Warnings::default(), Arc::new(SystemClock), stop_the_run)?;
//! let another_worker = events.clone();
//! std::thread::spawn(move || another_worker.send(Event::Warning("slow".into()))).join().unwrap();
//! events.send(Event::InputEnded { pages: 7 });
//!
//! let (warnings, result) = observing.finish();
//! assert!(result.is_ok());
//! assert_eq!(warnings.0, 1);
//! # Ok::<(), std::io::Error>(())
//! ```

mod channel;

use std::time::{Duration, Instant};

use url::Url;

pub use channel::{Events, Observing};

use crate::foreign::Foreign;
use crate::in_flight::ProgressView;
use crate::model::{Attempt, Job, Settled};

/// Something that happened in a run.
#[derive(Debug)]
pub enum Event {
    /// A worker began the request of a page.
    Started {
        /// The page's place in the input.
        seq: u64,
        /// When the request began.
        at: Instant,
        /// The worker's number, counted from 0.
        worker: usize,
        /// The time that the attempt took before, up to the redirect that led here.
        spent: Duration,
        /// The address of the request.
        url: Url,
        /// How far the attempt has come.
        progress: ProgressView,
    },
    /// A page waits for the next request of the same attempt: it was redirected, or the
    /// server refused the request without working on it.
    Onward {
        /// The page's place in the input.
        seq: u64,
        /// When the answer arrived.
        at: Instant,
    },
    /// A request for something other than a page began, such as for a robots.txt. Pages may
    /// wait for it, but it is not counted, drawn or recorded.
    SideRequestStarted {
        /// The address before redirects, which identifies the request.
        start_url: Url,
        /// The address of the request.
        url: Url,
        /// When the request began.
        at: Instant,
        /// How far the request has come.
        progress: ProgressView,
    },
    /// A request for something other than a page ended, with or without success.
    SideRequestEnded {
        /// The address before redirects.
        start_url: Url,
    },
    /// An attempt failed, and the page will be tried again.
    Retrying {
        /// The page, with its attempts counted.
        job: Box<Job>,
        /// The attempt that failed.
        attempt: Box<Attempt>,
        /// When the attempt ended.
        at: Instant,
        /// The page waits at least this time.
        after: Duration,
    },
    /// A page has its final result.
    Settled(Box<Settled>),
    /// An entry of the input is not an http(s) URL.
    Invalid {
        /// The entry's place, in words: `line 17`, `link 3`.
        place: Foreign,
        /// What is wrong with the entry.
        reason: Foreign,
    },
    /// A host gets no requests for a while.
    Parked {
        /// The host's name.
        host: String,
        /// The start of the pause.
        from: Instant,
        /// The end of the pause.
        until: Instant,
        /// The reason: `429, Retry-After 60`.
        why: Foreign,
    },
    /// Something went wrong: one line for the user.
    Warning(Foreign),
    /// Something is good to know: one line for the user.
    Note(Foreign),
    /// The input was read to its end.
    InputEnded {
        /// The number of pages that it names.
        pages: u64,
    },
}

/// An observer failed, and the run must stop.
#[derive(Debug, thiserror::Error)]
#[error("{attempted}")]
pub struct ObserverError {
    /// What the observer attempted, and on what.
    pub attempted: String,
    /// The cause.
    #[source]
    pub source: std::io::Error,
}

/// Something that watches a run.
///
/// Implementors get every event once, in the order in which it was sent, on one thread.
/// They may remember what they have seen and write their own output, but must not wait for
/// anything else: events pile up meanwhile, and then workers wait.
///
/// The first error stops the run. Events still arrive until it has stopped, and an
/// implementor counts these as well, so that its figures stay complete.
pub trait Observer: Send {
    /// Takes note of one event.
    ///
    /// # Errors
    ///
    /// [`ObserverError`] when the observer cannot do its work; it ends the run.
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError>;

    /// Ends a batch: this is the time to write what was collected, and to show the time.
    ///
    /// The observer thread calls it after each batch of events, at least every half second
    /// without events, and at the end of the run. `now` is the present moment.
    ///
    /// # Errors
    ///
    /// As [`on_event`](Self::on_event).
    fn on_batch_end(&mut self, now: Instant) -> Result<(), ObserverError> {
        let _ = now; // only observers that show time need it
        Ok(())
    }
}
