//! The state that all clients of a run share, in every runtime: TLS settings and
//! sessions, resolved names, proxies, counters.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::connect::{ConnectionCounter, CountConnections};
use super::handshakes::Handshakes;
use super::options::Options;
use super::pool::HostStats;
use super::recording::TlsVersions;
use super::resolve::{CachingResolver, Guard, Resolver};
use super::reuse::Reuse;
use super::rotation::Rotation;
use super::sender::Sender;
use super::tunnel::{Setup, Tunnels};
use super::{library, tls};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::model::{Connections, ProxyUse};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};

/// The codings that `page::decode` can decode.
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");

/// A client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The TLS settings contradict each other.
    #[error("failed to set up TLS")]
    Tls(#[source] rustls::Error),
    /// The HTTP library refuses the options.
    #[error("failed to set up an HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Counts of all requests so far, which can be added up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NetworkCounts {
    /// Connections, and handshakes on them.
    pub connections: Connections,
    /// Requests and failures of each proxy, in the options' order; empty if all are zero.
    pub proxies: Vec<(u64, u64)>,
}

impl NetworkCounts {
    /// Returns the difference from an earlier count.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let zeros = std::iter::repeat(&(0, 0));
        let proxies = self.proxies.iter().zip(before.proxies.iter().chain(zeros));
        let proxies = proxies.map(|(now, before)| (now.0 - before.0, now.1 - before.1));
        let mut proxies: Vec<_> = proxies.collect();
        if proxies.iter().all(|counts| *counts == (0, 0)) {
            proxies.clear();
        }
        Self { connections: self.connections - before.connections, proxies }
    }
}

/// The state that all clients of a run share.
pub struct Network {
    options: Options,
    tls: rustls::ClientConfig,
    handshakes: Arc<Handshakes>,
    resolver: Arc<Resolver>,
    counter: Arc<ConnectionCounter>,
    tls_versions: Arc<TlsVersions>,
    rotation: Mutex<Rotation>,
    /// The connections that other processes counted.
    others: Mutex<Connections>,
    host_stats: HostStats,
    clock: Arc<dyn Clock>,
    memory: Arc<Budget>,
}

impl Network {
    /// Prepares the shared state; loads no certificates yet.
    ///
    /// # Errors
    ///
    /// [`FetchError::Tls`] when the TLS settings contradict each other.
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Result<Self, FetchError> {
        let handshakes = Arc::<Handshakes>::default();
        let tls = tls::client_config(&options.trust, options.http, &handshakes);
        let tls = tls.map_err(FetchError::Tls)?;
        let own = options.proxies.iter().map(|proxy| proxy.host().to_owned()).collect();
        let guard = if options.untrusted { Guard::Public(own) } else { Guard::Open };
        let resolver = Arc::new(Resolver::new(options.connect_timeout, guard));
        let counter = Arc::<ConnectionCounter>::default();
        let rotation = Mutex::new(Rotation::new(options.proxies.iter().len()));
        let (others, host_stats) = (Mutex::default(), HostStats::default());
        let memory = Arc::new(Budget::unlimited());
        Ok(Self {
            options,
            tls,
            handshakes,
            resolver,
            counter,
            tls_versions: Arc::default(),
            rotation,
            others,
            host_stats,
            clock,
            memory,
        })
    }

    /// Limits the memory for bodies in flight to `memory`. Without this they take as much
    /// as they need.
    #[must_use]
    pub fn within(self, memory: Arc<Budget>) -> Self {
        Self { memory, ..self }
    }

    /// The memory for bodies in flight, encoded and decoded.
    pub const fn memory(&self) -> &Arc<Budget> {
        &self.memory
    }

    /// The options as given to [`new`](Self::new).
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// The connections of all clients so far, here and in other processes.
    pub fn connections(&self) -> Connections {
        let (tls_handshakes, tls_resumptions) = self.handshakes.counts();
        let own = Connections { opened: self.counter.total(), tls_handshakes, tls_resumptions };
        own + *self.others()
    }

    fn others(&self) -> MutexGuard<'_, Connections> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts of all requests so far.
    pub fn counts(&self) -> NetworkCounts {
        let proxies = self.rotation().counts().collect();
        NetworkCounts { connections: self.connections(), proxies }
    }

    /// Adds the counts of another process that has the same options.
    pub fn add_counts(&self, counts: &NetworkCounts) {
        let mut others = self.others();
        *others = *others + counts.connections;
        self.rotation().add(&counts.proxies);
    }

    /// The requests and failures of each proxy so far.
    pub fn proxy_use(&self) -> Vec<ProxyUse> {
        let rotation = self.rotation();
        let counts = self.options.proxies.iter().zip(rotation.counts());
        counts
            .map(|(proxy, (requests, failed))| ProxyUse {
                proxy: proxy.to_string(),
                requests,
                failed,
            })
            .collect()
    }

    pub(super) fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    pub(super) const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(super) fn tls_versions(&self) -> &TlsVersions {
        &self.tls_versions
    }

    pub(super) const fn host_stats(&self) -> &HostStats {
        &self.host_stats
    }

    pub(super) fn rotation(&self) -> MutexGuard<'_, Rotation> {
        self.rotation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an HTTP client whose requests go through the proxy of this number.
    pub(super) fn make(&self, proxy: Option<usize>, reuse: Reuse) -> Result<Sender, FetchError> {
        let options = &self.options;
        let mut common = options.headers.clone();
        common.insert(header::USER_AGENT, options.sent_user_agent().clone());
        common.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        common.insert(header::ACCEPT_ENCODING, ACCEPT_ENCODING);
        let versions = options.records_exchange.then(|| Arc::clone(&self.tls_versions));
        let counting =
            CountConnections::new(Arc::clone(&self.counter), versions, options.connect_timeout);
        let proxy = proxy.map(|at| options.proxies.get(at));
        let tunnels = proxy.filter(|proxy| proxy.is_http()).map(|proxy| {
            let (tls, resolver, counting) = (&self.tls, &self.resolver, &counting);
            Tunnels::new(proxy, &Setup { options, tls, resolver, counting, reuse })
        });
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(CachingResolver(Arc::clone(&self.resolver)))
            .connector_layer(counting);
        let mut builder = library::configure(builder, options, reuse);
        if let Some(proxy) = proxy {
            let proxy = reqwest::Proxy::all(proxy.url().clone()).map_err(FetchError::Client)?;
            builder = builder.proxy(proxy);
        }
        let library = builder.build().map_err(FetchError::Client)?;
        Ok(Sender::new(library, tunnels, common))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::fetch::options::tests::options;
    use crate::fetch::proxy::{Proxies, Proxy};

    /// Makes an HTTP client with default options.
    pub(in crate::fetch) fn bare() -> Sender {
        Network::new(options(), Arc::new(SystemClock)).unwrap().make(None, Reuse::Pooled).unwrap()
    }

    #[test]
    fn tallies_are_told_apart_and_added_up() {
        let proxies =
            Proxies::in_turn(vec![Proxy::parse("a:1").unwrap(), Proxy::parse("b:1").unwrap()]);
        let network =
            Network::new(Options { proxies, ..options() }, Arc::new(SystemClock)).unwrap();
        let tally = |opened, proxies: &[_]| {
            let connections =
                Connections { opened, tls_handshakes: opened, ..Connections::default() };
            NetworkCounts { connections, proxies: proxies.to_vec() }
        };
        let tallies =
            [tally(0, &[(0, 0), (0, 0)]), tally(2, &[(1, 0), (0, 0)]), tally(2, &[(3, 1), (0, 0)])];
        for pair in tallies.windows(2) {
            network.add_counts(&pair[1].since(&pair[0]));
        }
        assert_eq!(network.counts(), tallies[2]);
        assert_eq!(tallies[2].since(&tallies[2]), NetworkCounts::default());
    }
}
