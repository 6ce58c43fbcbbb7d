//! Host names become addresses: by the system's resolver, with a limit of its
//! own, once for each host of a run.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

/// So many names are remembered; beyond that the memory starts afresh, which
/// costs look-ups but bounds it.
const REMEMBERED: usize = 10_000;

type Answer = Arc<OnceCell<Arc<[SocketAddr]>>>;

/// A name could not be resolved.
#[derive(Debug, thiserror::Error)]
pub(super) enum DnsError {
    #[error("the name {host} does not resolve")]
    Failed {
        host: String,
        #[source]
        source: std::io::Error,
    },
    #[error("no answer for the name {host} within {limit:?} (--connect-timeout)")]
    TimedOut { host: String, limit: Duration },
    #[error("the name {host} has no address")]
    NoAddress { host: String },
}

/// Resolves names once and remembers the answers. Failures are not remembered:
/// the next attempt asks again.
pub(super) struct Resolver {
    answers: Mutex<HashMap<String, Answer>>,
    limit: Duration,
}

impl Resolver {
    pub(super) fn new(limit: Duration) -> Self {
        Self { answers: Mutex::default(), limit }
    }

    /// The addresses of `host`; of many that ask at a time, one looks up.
    async fn resolve(&self, host: &str) -> Result<Arc<[SocketAddr]>, DnsError> {
        let answer = self.answer(host);
        answer.get_or_try_init(|| self.look_up(host)).await.map(Arc::clone)
    }

    fn answer(&self, host: &str) -> Answer {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers.get(host) {
            return Arc::clone(answer);
        }
        if answers.len() >= REMEMBERED {
            answers.clear();
        }
        Arc::clone(answers.entry(host.to_owned()).or_default())
    }

    async fn look_up(&self, host: &str) -> Result<Arc<[SocketAddr]>, DnsError> {
        let limit = self.limit;
        let looking = tokio::net::lookup_host((host, 0));
        let found = tokio::time::timeout(limit, looking)
            .await
            .map_err(|_elapsed| DnsError::TimedOut { host: host.to_owned(), limit })?
            .map_err(|source| DnsError::Failed { host: host.to_owned(), source })?;
        let addresses: Arc<[SocketAddr]> = found.collect();
        if addresses.is_empty() {
            return Err(DnsError::NoAddress { host: host.to_owned() });
        }
        Ok(addresses)
    }
}

/// A client's way to the shared resolver.
pub(super) struct CachingResolver(pub(super) Arc<Resolver>);

impl Resolve for CachingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = resolver.resolve(name.as_str()).await?;
            // Owned, because the iterator outlives the cache's hold on the answer.
            let addresses: Vec<_> = addresses.iter().copied().collect();
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}
