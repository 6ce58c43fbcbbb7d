//! Whether a request got a new connection. Observers do not see this: retries, the resolver
//! and the concurrency controller decide by it.

use std::sync::atomic::{AtomicBool, Ordering};

/// The connection of one request, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct ConnectState {
    is_opening: AtomicBool,
    is_new: AtomicBool,
}

// Relaxed: the values guard no other memory.
impl ConnectState {
    /// Records that a connection for the request is being opened.
    pub(super) fn open(&self) {
        self.is_opening.store(true, Ordering::Relaxed);
    }

    /// Records that the connection is open.
    pub(super) fn opened(&self) {
        if self.is_opening.swap(false, Ordering::Relaxed) {
            self.set_new();
        }
    }

    /// Records that the connection failed, or was not needed.
    pub(super) fn failed(&self) {
        self.is_opening.store(false, Ordering::Relaxed);
    }

    /// Records that the request has a new connection.
    pub(super) fn set_new(&self) {
        self.is_new.store(true, Ordering::Relaxed);
    }

    /// Whether a connection was opened for the request; false when it took an old one.
    pub(super) fn is_new(&self) -> bool {
        self.is_new.load(Ordering::Relaxed)
    }
}
