//! Connections: counted, timed and limited in one layer around the client's connector.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tower_layer::Layer;
use tower_service::Service;

use crate::clock::Clock;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connecting gets this much longer than looking a name up, which is a part of
/// it with the same limit: so a slow resolver is told as such.
const GRACE: Duration = Duration::from_millis(100);

/// What is known of the connections of one client, and of all clients together.
pub(super) struct Links {
    connecting: AtomicUsize,
    last_connected: Mutex<Option<Instant>>,
    total: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

impl Links {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            connecting: AtomicUsize::new(0),
            last_connected: Mutex::new(None),
            total: Arc::new(AtomicU64::new(0)),
            clock,
        }
    }

    /// The links of one client, whose connections count into those of `all`.
    pub(super) fn within(all: &Self) -> Self {
        Self { total: Arc::clone(&all.total), ..Self::new(Arc::clone(&all.clock)) }
    }

    /// Connections opened so far.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Whether a connection is being opened now.
    pub(super) fn is_connecting(&self) -> bool {
        self.connecting.load(Ordering::SeqCst) > 0
    }

    /// When a connection was last opened.
    pub(super) fn last_connected(&self) -> Option<Instant> {
        *self.last_connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connected(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        *self.last_connected.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

/// Opening a connection took longer than its limit.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {0:?} (--connect-timeout)")]
pub(super) struct ConnectTimedOut(Duration);

/// The layer that counts and limits.
#[derive(Clone)]
pub(super) struct CountConnections {
    links: Arc<Links>,
    limit: Duration,
}

impl CountConnections {
    pub(super) const fn new(links: Arc<Links>, limit: Duration) -> Self {
        Self { links, limit }
    }
}

impl<S> Layer<S> for CountConnections {
    type Service = Counting<S>;

    fn layer(&self, connector: S) -> Counting<S> {
        Counting { connector, links: Arc::clone(&self.links), limit: self.limit }
    }
}

/// A connector whose connections are counted.
#[derive(Clone)]
pub(super) struct Counting<S> {
    connector: S,
    links: Arc<Links>,
    limit: Duration,
}

impl<S, R> Service<R> for Counting<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, destination: R) -> Self::Future {
        let opening = Opening::new(&self.links);
        let connecting = self.connector.call(destination);
        let limit = self.limit;
        Box::pin(async move {
            let opening = opening;
            let connection = tokio::time::timeout(limit + GRACE, connecting)
                .await
                .map_err(|_elapsed| ConnectTimedOut(limit))??;
            opening.0.connected();
            Ok(connection)
        })
    }
}

/// Counts a connection as being opened until it is there, failed or no longer wanted.
struct Opening(Arc<Links>);

impl Opening {
    fn new(links: &Arc<Links>) -> Self {
        links.connecting.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(links))
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.connecting.fetch_sub(1, Ordering::SeqCst);
    }
}
