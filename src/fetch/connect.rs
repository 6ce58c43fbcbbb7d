//! Connections: counted, timed and limited in one layer around the client's connector.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

use super::first::Lead;
use crate::clock::Clock;
use crate::phase::{Phase, PhaseCell};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connecting gets this much longer than looking a name up, which is a part of
/// it with the same limit: so a slow resolver is told as such.
const GRACE: Duration = Duration::from_millis(100);

tokio::task_local! {
    /// Whom to tell of the connecting of the request that is being polled: the client's
    /// connector is called in the task of the request that wants the connection.
    static TOLD: Told;
}

/// Whom to tell of a request's connecting.
#[derive(Clone)]
struct Told {
    phase: Arc<PhaseCell>,
    lead: Option<Arc<Lead>>,
}

/// Runs the request `sending`, whose connecting is told to `phase` and `lead`.
pub(super) fn told_to<F: Future>(
    phase: Arc<PhaseCell>,
    lead: Option<Arc<Lead>>,
    sending: F,
) -> impl Future<Output = F::Output> {
    TOLD.scope(Told { phase, lead }, sending)
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
    S::Response: 'static,
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
            let connection = tokio::time::timeout(limit + GRACE, connecting)
                .await
                .map_err(|_elapsed| ConnectTimedOut(limit))??;
            opening.connected();
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

    fn connected(self) {
        self.links.total.fetch_add(1, Ordering::Relaxed);
        // A request that found another connection meanwhile is past this.
        if let Some(Told { phase, lead }) = &self.told {
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
            let opening = told_to(Arc::clone(&phase), None, opening).await;
            assert_eq!(phase.get(), Phase::Connecting);
            if is_opened {
                opening.connected();
            } else {
                drop(opening);
            }
            assert_eq!((phase.get(), phase.connected().is_some()), (Phase::Waiting, is_opened));
        }
    }
}
