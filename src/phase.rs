//! How far a page in flight has come, for those who watch.
//!
//! Told through a cell that the watchers look at when they need it: an event for
//! each step would cost a page more than the steps are worth.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What a page in flight is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Phase {
    /// A connection: name, TCP and TLS.
    Connecting,
    /// The first byte of the answer.
    Waiting,
    /// The rest of the body.
    Receiving,
    /// The processor and the disk: decoding, hashing, saving.
    Working,
    /// Memory, which other pages have taken.
    HeldBack,
}

impl Phase {
    const ALL: [Self; 5] =
        [Self::Connecting, Self::Waiting, Self::Receiving, Self::Working, Self::HeldBack];
}

/// Nobody has decided yet whether the page may be cut short.
const FREE: u8 = 0;
/// Somebody has begun what must not be cut short.
const HELD: u8 = 1;
/// The page is to be cut short.
const CANCELLED: u8 = 2;

/// A page's phase, as far as it is known, and whether it may be cut short.
#[derive(Debug)]
pub struct PhaseCell {
    phase: AtomicU8,
    bytes: AtomicU64,
    connected: Mutex<Option<Instant>>,
    hold: AtomicU8,
    cancelled: Notify,
}

impl Default for PhaseCell {
    fn default() -> Self {
        Self {
            phase: AtomicU8::new(Phase::Waiting as u8),
            bytes: AtomicU64::new(0),
            connected: Mutex::default(),
            hold: AtomicU8::new(FREE),
            cancelled: Notify::new(),
        }
    }
}

// Relaxed, but for `hold`: the values are for showing, and guard no other memory.
impl PhaseCell {
    /// Notes that the page has come to `phase`.
    pub fn set(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// The phase now.
    pub fn get(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Ordering::Relaxed))]
    }

    /// Notes that a request begins, whose connection is not known yet.
    pub fn begin(&self) {
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.set(Phase::Waiting);
    }

    /// Notes how many bytes of the body have come.
    pub fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Bytes of the body that have come.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Notes that a connection was opened for the page.
    pub fn set_connected(&self, at: Instant) {
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        self.set(Phase::Waiting);
    }

    /// When a connection was last opened for the page; `None` when it took an old one.
    pub fn connected(&self) -> Option<Instant> {
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins what must not be cut short, such as saving on another thread; false
    /// when the page was cancelled before.
    pub fn hold(&self) -> bool {
        self.decide(HELD) != CANCELLED
    }

    /// Asks for the page to be cut short; true when it may be dropped at once.
    /// Otherwise somebody holds it, and ends it as soon as that can be.
    pub fn cancel(&self) -> bool {
        let may_drop = self.decide(CANCELLED) != HELD;
        self.cancelled.notify_one();
        may_drop
    }

    /// Ends when [`cancel`](Self::cancel) is called; for the one who holds the page.
    pub async fn cancelled(&self) {
        self.cancelled.notified().await;
    }

    /// Decides once: what was decided before, or `wish`.
    fn decide(&self, wish: u8) -> u8 {
        match self.hold.compare_exchange(FREE, wish, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => wish,
            Err(before) => before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_reads_as_it_was_set() {
        let cell = PhaseCell::default();
        for phase in Phase::ALL {
            cell.set(phase);
            assert_eq!(cell.get(), phase);
        }
    }

    #[test]
    fn a_page_is_held_or_cancelled_but_not_both() {
        let cell = PhaseCell::default();
        assert!(cell.hold());
        assert!(!cell.cancel());
        let cell = PhaseCell::default();
        assert!(cell.cancel());
        assert!(!cell.hold());
        assert!(cell.cancel(), "again is no harm");
    }
}
