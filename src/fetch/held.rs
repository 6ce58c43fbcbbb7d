//! What a request holds of the memory for bodies, and how long it was held back for it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::budget::Share;
use crate::clock::Clock;
use crate::phase::{Phase, PhaseCell};

/// What a request is taken to hold from its beginning, in bytes: its buffers and the head
/// of its answer; most small bodies are within it.
pub(super) const FIRST: u64 = 16 * 1024;

/// The memory of one attempt. Time that passes in waiting for more of it is this side's
/// affair: it does not count for the limits of the options.
pub struct Held<'a> {
    share: Share,
    clock: &'a dyn Clock,
    waited: Cell<Duration>,
    /// When a wait began that goes on.
    since: Cell<Option<Instant>>,
}

impl<'a> Held<'a> {
    /// Memory of `share`, which is nothing yet.
    pub fn new(share: Share, clock: &'a dyn Clock) -> Self {
        Self { share, clock, waited: Cell::default(), since: Cell::default() }
    }

    /// What is held, when the request has ended.
    pub fn into_share(self) -> Share {
        self.share
    }

    /// The time that was waited so far.
    pub(super) fn waited(&self) -> Duration {
        let going_on = self.since.get().map_or(Duration::ZERO, |since| self.clock.now() - since);
        self.waited.get() + going_on
    }

    /// Whether it is held back at the moment.
    pub(super) fn is_waiting(&self) -> bool {
        self.since.get().is_some()
    }

    /// Holds `bytes` in all, or more, after a wait where they are not left.
    pub async fn have(&self, bytes: u64, phase: &PhaseCell) {
        let missing = bytes.saturating_sub(self.share.bytes());
        if self.share.try_grow(missing) {
            return;
        }
        let before = phase.get();
        phase.set(Phase::HeldBack);
        let wait = Wait::begin(self);
        self.share.grow(missing).await;
        drop(wait);
        phase.set(before);
    }
}

/// A wait that goes on; it ends when this is dropped.
struct Wait<'a>(&'a Held<'a>);

impl<'a> Wait<'a> {
    fn begin(held: &'a Held<'a>) -> Self {
        held.since.set(Some(held.clock.now()));
        Self(held)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.0.waited.set(self.0.waited());
        self.0.since.set(None);
    }
}
