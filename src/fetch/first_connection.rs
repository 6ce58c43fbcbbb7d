//! The first connection to a host settles which version of HTTP is spoken there.
//!
//! A client with many requests for a new host would open a connection for each,
//! and where the server turns out to speak HTTP/2, drop all but one. So over TLS
//! the others wait until the first connection is there. Where the host is known to
//! speak HTTP/1.1, from an index that was read there for one, nobody waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Turns of the event loop until the first connection is ready for all: its
/// protocol has to be set up in a task of its own. Too few cost a connection.
const TURNS: usize = 8;

/// Whether a channel's first connection is there.
#[derive(Default)]
pub(super) struct FirstConnection {
    /// Whether a request opens it, or has done so.
    is_led: AtomicBool,
    is_settled: AtomicBool,
    settled: Notify,
}

impl FirstConnection {
    /// Whether the caller is the first to ask, and opens the connection.
    pub(super) fn take_lead(&self) -> bool {
        !self.is_led.swap(true, Ordering::AcqRel)
    }

    /// Whether the connection is there, or came to nothing.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// Lets the others go, however it went.
    pub(super) fn settle(&self) {
        self.is_settled.store(true, Ordering::Release);
        self.settled.notify_waiters();
    }

    /// Waits for the first connection, for `limit` at most; false when it was there.
    pub(super) async fn wait(&self, limit: Duration) -> bool {
        let mut settled = std::pin::pin!(self.settled.notified());
        // Registered before looking, so that nothing in between is missed.
        settled.as_mut().enable();
        if self.is_settled() {
            return false;
        }
        // The first one's own limit ends it, and tells why.
        let _ = tokio::time::timeout(limit, settled).await;
        turns().await;
        true
    }
}

/// Gives the tasks of the connections their turn on the event loop.
pub(super) async fn turns() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use std::sync::Arc;

    use super::*;
    use crate::fetch::channel::{Channel, Leader};

    #[tokio::test]
    async fn the_others_wait_for_the_first_however_it_ends() {
        for connects in [true, false] {
            let channel = Arc::<Channel>::default();
            let first = &channel.first;
            assert!(first.take_lead() && !first.take_lead());
            let leader = Leader(Arc::clone(&channel));
            let mut waiting = std::pin::pin!(first.wait(Duration::MAX));
            assert!(waiting.as_mut().now_or_never().is_none());
            if connects {
                leader.connected();
                assert!(waiting.await);
                drop(leader);
            } else {
                drop(leader);
                assert!(waiting.await);
            }
            assert!(!first.wait(Duration::MAX).await);
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let channel = Arc::<Channel>::default();
        let _lead = Leader(Arc::clone(&channel));
        assert!(channel.first.wait(Duration::ZERO).await);
    }
}
