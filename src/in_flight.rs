//! A request in flight: what its worker shares with observers, and with whoever stops it.
//!
//! The two parts have nothing to do with each other but that they live equally long, so
//! that one allocation holds both. [`AttemptProgress`] is only shown: nothing is decided by
//! it. [`CommitLock`] decides whether the attempt may be cut short. Observers get a
//! [`ProgressView`], which does not reach the lock.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

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
    /// Memory, which other pages hold.
    HeldBack,
}

impl Phase {
    const ALL: [Self; 5] =
        [Self::Connecting, Self::Waiting, Self::Receiving, Self::Working, Self::HeldBack];
}

/// How far an attempt has come, for display only.
///
/// Observers look at it when they need it: an event for each step would cost a page more
/// than the steps are worth.
#[derive(Debug)]
pub struct AttemptProgress {
    phase: AtomicU8,
    bytes: AtomicU64,
}

impl Default for AttemptProgress {
    fn default() -> Self {
        Self { phase: AtomicU8::new(Phase::Waiting as u8), bytes: AtomicU64::new(0) }
    }
}

// Relaxed: the values are shown, and guard no other memory.
impl AttemptProgress {
    /// Shows that the attempt has come to `phase`.
    pub fn set(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Shows `next`, unless the attempt is in another phase than `current`.
    pub fn advance(&self, current: Phase, next: Phase) {
        let (current, next) = (current as u8, next as u8);
        // In another phase there is nothing to do.
        let _ = self.phase.compare_exchange(current, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The phase now.
    pub fn get(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Ordering::Relaxed))]
    }

    /// Shows how many bytes of the body were received.
    pub fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Bytes of the body that were received.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Not decided yet whether the attempt may be cut short.
const FREE: u8 = 0;
/// A step has begun that must not be cut short.
const HELD: u8 = 1;
/// The attempt is to be cut short.
const CANCELLED: u8 = 2;

/// Decides once whether an attempt is cut short or commits its result, such as a page that
/// a thread of a pool saves.
#[derive(Debug)]
pub struct CommitLock {
    state: AtomicU8,
    cancelled: Notify,
}

impl Default for CommitLock {
    fn default() -> Self {
        Self { state: AtomicU8::new(FREE), cancelled: Notify::new() }
    }
}

impl CommitLock {
    /// Begins a step that must not be cut short; false when the attempt was cancelled before.
    pub fn hold(&self) -> bool {
        self.decide(HELD) != CANCELLED
    }

    /// Requests that the attempt is cut short; true when it may be dropped at once.
    /// Otherwise the holder of the lock ends the attempt as soon as it can.
    pub fn cancel(&self) -> bool {
        let may_drop = self.decide(CANCELLED) != HELD;
        self.cancelled.notify_one();
        may_drop
    }

    /// Ends when [`cancel`](Self::cancel) is called; for the holder of the lock.
    pub async fn cancelled(&self) {
        self.cancelled.notified().await;
    }

    /// Decides once: returns the earlier decision, else `wish`.
    fn decide(&self, wish: u8) -> u8 {
        match self.state.compare_exchange(FREE, wish, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => wish,
            Err(before) => before,
        }
    }
}

#[derive(Debug, Default)]
struct Shared {
    progress: AttemptProgress,
    commit: CommitLock,
}

/// The worker's handle of an attempt in flight. Clones are handles of the same attempt.
#[derive(Debug, Clone, Default)]
pub struct InFlight(ProgressView);

impl InFlight {
    /// What observers see of the attempt.
    pub const fn progress(&self) -> &ProgressView {
        &self.0
    }

    /// What decides whether the attempt may be cut short.
    pub fn commit(&self) -> &CommitLock {
        &self.0.0.commit
    }
}

/// The progress of an attempt in flight, without its [`CommitLock`].
#[derive(Debug, Clone, Default)]
pub struct ProgressView(Arc<Shared>);

impl Deref for ProgressView {
    type Target = AttemptProgress;

    fn deref(&self) -> &AttemptProgress {
        &self.0.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_reads_as_it_was_set() {
        let in_flight = InFlight::default();
        let shown = in_flight.progress().clone();
        for phase in Phase::ALL {
            in_flight.progress().set(phase);
            assert_eq!(shown.get(), phase);
        }
        shown.advance(Phase::HeldBack, Phase::Waiting);
        assert_eq!(shown.get(), Phase::Waiting);
        shown.advance(Phase::HeldBack, Phase::Working);
        assert_eq!(shown.get(), Phase::Waiting);
    }

    #[test]
    fn a_page_is_held_or_cancelled_but_not_both() {
        let lock = CommitLock::default();
        assert!(lock.hold());
        assert!(!lock.cancel());
        let lock = CommitLock::default();
        assert!(lock.cancel());
        assert!(!lock.hold());
        assert!(lock.cancel(), "again is no harm");
    }
}
