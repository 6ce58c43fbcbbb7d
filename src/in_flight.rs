//! A request in flight: the state that its worker shares with observers, and with the caller
//! that may stop it.
//!
//! - [`AttemptProgress`] is for display. No code decides by it.
//! - [`CommitLock`] decides whether the attempt may be cut short.
//!
//! The two are independent, and share one allocation because they live equally long. The
//! worker has both as [`InFlight`]; observers get a [`ProgressView`], which does not reach
//! the lock.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// The thing that a page in flight is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Phase {
    /// A connection: name lookup, TCP and TLS.
    Connecting,
    /// The first byte of the answer.
    Waiting,
    /// The rest of the body.
    Receiving,
    /// The processor and the disk: decoding, hashing, saving.
    Working,
    /// Memory that other pages use.
    HeldBack,
}

impl Phase {
    const ALL: [Self; 5] =
        [Self::Connecting, Self::Waiting, Self::Receiving, Self::Working, Self::HeldBack];
}

/// How far an attempt has come, for display only.
///
/// Observers read it when they need it. An event for each phase would cost a page more than
/// the phases are worth.
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

// Relaxed ordering is enough: the values are shown, and guard no other memory.
impl AttemptProgress {
    /// Shows that the attempt has reached `phase`.
    pub fn set(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Shows `next`, unless the attempt is in another phase than `current`.
    pub fn advance(&self, current: Phase, next: Phase) {
        let (current, next) = (current as u8, next as u8);
        // In another phase there is nothing to do.
        let _ = self.phase.compare_exchange(current, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Returns the present phase.
    pub fn get(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Ordering::Relaxed))]
    }

    /// Shows that `bytes` of the body were received.
    pub fn set_bytes(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Returns the number of bytes of the body that were received.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Whether the attempt may be cut short is not decided yet.
const FREE: u8 = 0;
/// A thread has begun a step that must not be cut short.
const HELD: u8 = 1;
/// The attempt is to be cut short.
const CANCELLED: u8 = 2;

/// Decides once whether an attempt is cut short or commits its result.
///
/// A thread that saves a page [holds](Self::hold) the lock, so that a save that has begun is
/// recorded as what it became. A caller that stops the run [cancels](Self::cancel) the
/// attempt. The first of the two calls decides.
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
    /// Begins a step that must not be cut short. Returns false if the attempt was cancelled
    /// before; the caller must not begin then.
    pub fn hold(&self) -> bool {
        self.decide(HELD) != CANCELLED
    }

    /// Requests that the attempt is cut short. Returns true if the attempt may be dropped at
    /// once. Otherwise the holder of the lock ends the attempt as soon as it can.
    pub fn cancel(&self) -> bool {
        let may_drop = self.decide(CANCELLED) != HELD;
        self.cancelled.notify_one();
        may_drop
    }

    /// Waits until [`cancel`](Self::cancel) is called; for the holder of the lock.
    pub async fn cancelled(&self) {
        self.cancelled.notified().await;
    }

    /// Returns the decision: an earlier one, or else `wish`, which stands from now on.
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

/// The worker's handle to an attempt in flight. Clones are handles to the same attempt.
#[derive(Debug, Clone, Default)]
pub struct InFlight(ProgressView);

impl InFlight {
    /// Returns the part that observers see.
    pub const fn progress(&self) -> &ProgressView {
        &self.0
    }

    /// Returns the lock that decides whether the attempt may be cut short.
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
