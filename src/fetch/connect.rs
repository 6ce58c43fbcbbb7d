//! Connections: counted, timed and limited in one layer around the client's connector.
//!
//! Of a name with several addresses each gets its share of the time, by the library;
//! `resolve` remembers which one worked.

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

use super::channel::Sent;
use super::first::Lead;
use crate::clock::Clock;
use crate::phase::{Phase, PhaseCell};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connecting gets this much longer than looking a name up, which is a part of
/// it with the same limit: so a slow resolver is told as such.
const GRACE: Duration = Duration::from_millis(100);

/// The time that the library divides among the addresses of a name: more than all have
/// here, so that its own limit is never the one that is met.
pub(super) fn time_for_addresses(limit: Duration) -> Duration {
    limit.saturating_add(2 * GRACE)
}

tokio::task_local! {
    /// Whom to tell of the connecting of the request that is being polled: the client's
    /// connector is called in the task of the request that wants the connection.
    static TOLD: Told;
}

/// The local address of a connection, which tells it from all others that are open.
pub(super) fn local_address(connected: &Connected) -> Option<SocketAddr> {
    let mut extras = http::Extensions::new();
    connected.get_extras(&mut extras);
    extras.get().map(HttpInfo::local_addr)
}

/// Whom to tell of a request's connecting.
#[derive(Clone)]
pub(super) struct Told {
    phase: Arc<PhaseCell>,
    sent: Arc<Sent>,
    lead: Option<Arc<Lead>>,
}

impl Told {
    pub(super) fn new(phase: &Arc<PhaseCell>, sent: &Arc<Sent>, lead: Option<Arc<Lead>>) -> Self {
        Self { phase: Arc::clone(phase), sent: Arc::clone(sent), lead }
    }
}

/// Runs the request `sending`, whose connecting is told.
pub(super) fn told_to<F: Future>(told: Told, sending: F) -> impl Future<Output = F::Output> {
    TOLD.scope(told, sending)
}

/// The connections of all clients.
pub(super) struct Links {
    total: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl Links {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { total: AtomicU64::new(0), clock }
    }

    /// Connections opened so far.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
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
        let connector = Arc::new(connector);
        Counting { connector, links: Arc::clone(&self.links), limit: self.limit }
    }
}

/// A connector whose connections are counted.
///
/// The client clones its connector ten times for each request, and needs it for
/// few of them: so the costly part is shared.
pub(super) struct Counting<S> {
    connector: Arc<S>,
    links: Arc<Links>,
    limit: Duration,
}

impl<S> Clone for Counting<S> {
    fn clone(&self) -> Self {
        let (connector, links) = (Arc::clone(&self.connector), Arc::clone(&self.links));
        Self { connector, links, limit: self.limit }
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
        // The one that is called is a clone, and asked then.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: R) -> Self::Future {
        let opening = Opening::new(&self.links);
        let mut connector = S::clone(&self.connector);
        let limit = self.limit;
        Box::pin(async move {
            let connecting = async {
                poll_fn(|cx| connector.poll_ready(cx)).await?;
                connector.call(destination).await
            };
            let connection = tokio::time::timeout(limit.saturating_add(GRACE), connecting)
                .await
                .map_err(|_elapsed| ConnectTimedOut(limit))??;
            opening.connected(&connection.connected());
            Ok(connection)
        })
    }
}

/// A connection that is being opened, for a request or, when that found another, for the next one.
struct Opening {
    links: Arc<Links>,
    told: Option<Told>,
}

impl Opening {
    fn new(links: &Arc<Links>) -> Self {
        let told = TOLD.try_with(Told::clone).ok();
        if let Some(told) = &told {
            told.phase.set(Phase::Connecting);
        }
        Self { links: Arc::clone(links), told }
    }

    fn connected(self, connected: &Connected) {
        self.links.total.fetch_add(1, Ordering::Relaxed);
        // A request that found another connection meanwhile is past this.
        if let Some(Told { phase, sent, lead }) = &self.told {
            sent.opened(local_address(connected), connected.is_negotiated_h2());
            if phase.get() == Phase::Connecting {
                phase.set_connected(self.links.clock.now());
            }
            if let Some(lead) = lead {
                lead.connected();
            }
        }
    }
}

impl Drop for Opening {
    /// One that came to nothing: a request that found another connection waits for its
    /// answer there, and no longer for this one.
    fn drop(&mut self) {
        if let Some(Told { phase, .. }) = &self.told
            && phase.get() == Phase::Connecting
        {
            phase.set(Phase::Waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[tokio::test]
    async fn a_connection_that_comes_to_nothing_is_not_waited_for() {
        let links = Arc::new(Links::new(Arc::new(ManualClock::new())));
        for is_opened in [true, false] {
            let phase = Arc::<PhaseCell>::default();
            let opening = async { Opening::new(&links) };
            let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
            let sent = Arc::new(Sent::new(&Arc::default(), &clock));
            let told = Told::new(&phase, &sent, None);
            let opening = told_to(told, opening).await;
            assert_eq!(phase.get(), Phase::Connecting);
            if is_opened {
                opening.connected(&Connected::new());
            } else {
                drop(opening);
            }
            assert_eq!((phase.get(), phase.connected().is_some()), (Phase::Waiting, is_opened));
        }
    }
}
