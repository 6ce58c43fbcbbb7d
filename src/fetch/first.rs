//! The first connection to a host settles which version of HTTP is spoken there.
//!
//! A client with many requests for a new host would open a connection for each,
//! and where the server turns out to speak HTTP/2, drop all but one. So over TLS
//! the others wait until the first connection is there. Where the host is known to
//! speak HTTP/1.1, from an index that was read there for one, nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Turns of the event loop until the first connection is ready for all: its
/// protocol has to be set up in a task of its own. Too few cost a connection.
const TURNS: usize = 8;

/// Whether a host's first connection is there; one for each host of a client.
#[derive(Default)]
pub(super) struct First {
    is_settled: AtomicBool,
    settled: Notify,
}

impl First {
    /// Lets the others go, however it went.
    fn settle(&self) {
        self.is_settled.store(true, Ordering::Release);
        self.settled.notify_waiters();
    }

    /// Waits for the first connection, for `limit` at most; false when it was there.
    pub(super) async fn wait(&self, limit: Duration) -> bool {
        let mut settled = std::pin::pin!(self.settled.notified());
        // Registered before looking, so that nothing in between is missed.
        settled.as_mut().enable();
        if self.is_settled.load(Ordering::Acquire) {
            return false;
        }
        // The first one's own limit ends it, and tells why.
        let _ = tokio::time::timeout(limit, settled).await;
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        true
    }
}

/// Held by the request that opens the first connection; the others go when it is
/// there or this is dropped.
pub(super) struct Lead(pub(super) Arc<First>);

impl Lead {
    /// Says that the connection is there.
    pub(super) fn connected(&self) {
        self.0.settle();
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.0.settle();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_others_wait_for_the_first_however_it_ends() {
        for connects in [true, false] {
            let first = Arc::new(First::default());
            let lead = Lead(Arc::clone(&first));
            let mut waiting = std::pin::pin!(first.wait(Duration::MAX));
            assert!(waiting.as_mut().now_or_never().is_none());
            if connects {
                lead.connected();
                assert!(waiting.await);
                drop(lead);
            } else {
                drop(lead);
                assert!(waiting.await);
            }
            assert!(!first.wait(Duration::MAX).await);
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let first = Arc::new(First::default());
        let _lead = Lead(Arc::clone(&first));
        assert!(first.wait(Duration::ZERO).await);
    }
}
