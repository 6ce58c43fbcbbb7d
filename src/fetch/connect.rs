//! Counts, times and limits connections, in one layer around the client's connector.
//!
//! The library divides the time among the addresses of a name; `resolve` remembers which
//! address worked.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};
use tower_layer::Layer;
use tower_service::Service;

use super::channel::{Leader, SendState};
use super::error_chain::BoxError;
use super::handshakes;
use super::recording::TlsVersions;
use crate::in_flight::{Phase, ProgressView};

/// Connecting may take this much longer than looking a name up, which is part of it and
/// has the same limit: a slow resolver is then reported as a slow resolver.
const GRACE: Duration = Duration::from_millis(100);

/// The time that the library divides among the addresses of a name. It exceeds the limit
/// here, so that the library's own limit is never reached first.
pub(super) fn time_for_addresses(limit: Duration) -> Duration {
    limit.saturating_add(2 * GRACE)
}

tokio::task_local! {
    /// Is called when the request that is being polled gets a connection: the client
    /// calls its connector in the task of the request that needs the connection.
    static LISTENER: ConnectListener;
}

/// The local address of a connection, which identifies it among all open ones.
pub(super) fn local_address(connected: &Connected) -> Option<SocketAddr> {
    let mut extras = http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.get().map(HttpInfo::local_addr)
}

/// Records that a connection for a request is being opened, or is open.
#[derive(Clone)]
pub(super) struct ConnectListener {
    progress: ProgressView,
    sent: Arc<SendState>,
    leader: Option<Arc<Leader>>,
}

impl ConnectListener {
    pub(super) fn new(
        progress: &ProgressView,
        sent: &Arc<SendState>,
        leader: Option<Arc<Leader>>,
    ) -> Self {
        Self { progress: progress.clone(), sent: Arc::clone(sent), leader }
    }
}

/// Runs `sending`, the sending of a request, whose connections `listener` records.
pub(super) fn with_listener<F: Future>(
    listener: ConnectListener,
    sending: F,
) -> impl Future<Output = F::Output> {
    LISTENER.scope(listener, sending)
}

/// Counts the connections of all clients.
#[derive(Default)]
pub(super) struct ConnectionCounter {
    total: AtomicU64,
}

impl ConnectionCounter {
    /// Connections opened so far.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

/// Opening a connection took longer than its limit.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {0:?} (--connect-timeout)")]
pub(super) struct ConnectTimedOut(Duration);

/// The layer around the connector: it counts connections and limits the time for each.
#[derive(Clone)]
pub(super) struct CountConnections {
    counter: Arc<ConnectionCounter>,
    /// The place to record each connection's version of TLS.
    versions: Option<Arc<TlsVersions>>,
    limit: Duration,
}

impl CountConnections {
    pub(super) const fn new(
        counter: Arc<ConnectionCounter>,
        versions: Option<Arc<TlsVersions>>,
        limit: Duration,
    ) -> Self {
        Self { counter, versions, limit }
    }
}

impl<S> Layer<S> for CountConnections {
    type Service = Counting<S>;

    fn layer(&self, connector: S) -> Counting<S> {
        let (connector, layer) = (Arc::new(connector), Arc::new(self.clone()));
        Counting { connector, layer }
    }
}

/// A connector whose connections are counted.
///
/// The client clones its connector ten times for each request and uses few of the clones,
/// so the costly part is shared.
pub(super) struct Counting<S> {
    connector: Arc<S>,
    layer: Arc<CountConnections>,
}

impl<S> Clone for Counting<S> {
    fn clone(&self) -> Self {
        Self { connector: Arc::clone(&self.connector), layer: Arc::clone(&self.layer) }
    }
}

impl<S, R> Service<R> for Counting<S>
where
    S: Service<R, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Response: Connection + 'static,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // `call` waits until its own clone of the connector is ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: R) -> Self::Future {
        let opening = Opening::new(&self.layer.counter);
        let mut connector = S::clone(&self.connector);
        let (layer, limit) = (Arc::clone(&self.layer), self.layer.limit);
        Box::pin(async move {
            let connecting = async {
                poll_fn(|cx| connector.poll_ready(cx)).await?;
                connector.call(destination).await
            };
            let connecting = tokio::time::timeout(limit.saturating_add(GRACE), connecting);
            let (connection, version) = handshakes::with_version(connecting).await;
            let connection = connection.map_err(|_elapsed| ConnectTimedOut(limit))??;
            let connected = connection.connected();
            if let Some(versions) = &layer.versions
                && let Some((local, version)) = local_address(&connected).zip(version)
            {
                versions.insert(local, version);
            }
            opening.connected(&connected);
            Ok(connection)
        })
    }
}

/// A connection that is being opened for a request. If that request finds another
/// connection meanwhile, the next request gets this one.
struct Opening {
    counter: Arc<ConnectionCounter>,
    listener: Option<ConnectListener>,
}

impl Opening {
    fn new(counter: &Arc<ConnectionCounter>) -> Self {
        let listener = LISTENER.try_with(ConnectListener::clone).ok();
        if let Some(listener) = &listener {
            listener.sent.connection().open();
            listener.progress.set(Phase::Connecting);
        }
        Self { counter: Arc::clone(counter), listener }
    }

    fn connected(self, connected: &Connected) {
        self.counter.total.fetch_add(1, Ordering::Relaxed);
        // A request that found another connection meanwhile does not wait for this one.
        if let Some(ConnectListener { progress, sent, leader }) = &self.listener {
            sent.opened(local_address(connected), connected.is_negotiated_h2());
            sent.connection().opened();
            progress.advance(Phase::Connecting, Phase::Waiting);
            if let Some(leader) = leader {
                leader.connected();
            }
        }
    }
}

impl Drop for Opening {
    /// The connection failed or is not needed: a request that found another connection
    /// waits for its answer there, and no longer for this one.
    fn drop(&mut self) {
        if let Some(ConnectListener { progress, sent, .. }) = &self.listener {
            sent.connection().failed();
            progress.advance(Phase::Connecting, Phase::Waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    #[tokio::test]
    async fn a_connection_that_comes_to_nothing_is_not_waited_for() {
        let counter = Arc::<ConnectionCounter>::default();
        for is_opened in [true, false] {
            let progress = ProgressView::default();
            let opening = async { Opening::new(&counter) };
            let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
            let sent = Arc::new(SendState::new(&Arc::default(), &clock));
            let listener = ConnectListener::new(&progress, &sent, None);
            let opening = with_listener(listener, opening).await;
            assert_eq!(progress.get(), Phase::Connecting);
            if is_opened {
                opening.connected(&Connected::new());
            } else {
                drop(opening);
            }
            assert_eq!((progress.get(), sent.connection().is_new()), (Phase::Waiting, is_opened));
        }
    }
}
