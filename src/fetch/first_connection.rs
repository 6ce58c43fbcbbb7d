//! Lets the first connection to a host settle which version of HTTP the host speaks.
//!
//! A client with many requests for a new host would open a connection for each, and drop
//! all but one if the server turns out to speak HTTP/2. So over TLS the other requests
//! wait until the first connection is open. No request waits if the host is known to
//! speak HTTP/1.1, for example from an index that was read there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// The turns of the event loop until all requests can use the first connection: its
/// protocol is set up in a task of its own. Too few turns cost a connection.
const TURNS: usize = 8;

/// Whether a channel's first connection is open.
#[derive(Default)]
pub(super) struct FirstConnection {
    /// Whether a request opens the connection, or has done so.
    is_led: AtomicBool,
    is_settled: AtomicBool,
    settled: Notify,
}

impl FirstConnection {
    /// Whether the caller is the first to ask, and so must open the connection.
    pub(super) fn take_lead(&self) -> bool {
        !self.is_led.swap(true, Ordering::AcqRel)
    }

    /// Whether the connection is open, or has failed.
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    /// Lets the waiting requests go, whether the connection is open or has failed.
    pub(super) fn settle(&self) {
        self.is_settled.store(true, Ordering::Release);
        self.settled.notify_waiters();
    }

    /// Waits for the first connection, for at most `limit`. Returns false if it was there
    /// already.
    pub(super) async fn wait(&self, limit: Duration) -> bool {
        let mut settled = std::pin::pin!(self.settled.notified());
        // Registered before the check, so that no notification is missed.
        settled.as_mut().enable();
        if self.is_settled() {
            return false;
        }
        // The leading request has its own limit, and reports the reason.
        let _ = tokio::time::timeout(limit, settled).await;
        turns().await;
        true
    }
}

/// Gives the connections' tasks their turn on the event loop.
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
