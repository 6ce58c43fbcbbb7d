//! Host names become addresses: by the system's resolver, with a limit of its
//! own, once for each host of a run.
//!
//! With `--untrusted`, addresses that must not be asked are taken out here. The
//! same answer is used for connecting, so a name that resolves to something else
//! a moment later gains nothing.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::dns;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;
use tower_service::Service;

use super::guard;

/// So many names are remembered; beyond that the memory starts afresh, which
/// costs look-ups but bounds it.
const REMEMBERED: usize = 10_000;

/// Addresses, in the order in which they are tried.
type Listed = std::vec::IntoIter<SocketAddr>;
type Lookup = Arc<OnceCell<Arc<Addresses>>>;

/// The addresses of a name, in the resolver's order (RFC 6724).
#[derive(Debug)]
struct Addresses {
    all: Box<[SocketAddr]>,
    /// The place of the one that last worked; the first one before that.
    preferred: AtomicUsize,
}

impl Addresses {
    fn new(all: Box<[SocketAddr]>) -> Self {
        Self { all, preferred: AtomicUsize::new(0) }
    }

    /// Takes note that a connection to `address` is there.
    fn worked(&self, address: IpAddr) {
        if let Some(at) = self.all.iter().position(|known| known.ip() == address) {
            self.preferred.store(at, Ordering::Relaxed);
        }
    }

    /// All of them, the one that last worked first (RFC 8305, 4).
    fn in_order(&self) -> Vec<SocketAddr> {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let first = self.all.get(preferred).copied();
        let others = self.all.iter().enumerate().filter(|(at, _)| *at != preferred);
        first.into_iter().chain(others.map(|(_, address)| *address)).collect()
    }
}

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
    #[error("{host} is at {address}, which is {why} (--untrusted)")]
    Blocked { host: String, address: IpAddr, why: &'static str },
}

impl DnsError {
    /// The name that was looked up.
    pub(super) fn host(&self) -> &str {
        match self {
            Self::Failed { host, .. }
            | Self::TimedOut { host, .. }
            | Self::NoAddress { host }
            | Self::Blocked { host, .. } => host,
        }
    }
}

/// Which addresses may be asked.
pub(super) enum Guard {
    /// All.
    Open,
    /// Those of the public internet, and whatever addresses these names have:
    /// they are the user's own.
    Public(HashSet<String>),
}

/// Resolves names once and remembers the answers. Failures are not remembered:
/// the next attempt asks again.
pub(super) struct Resolver {
    lookups: Mutex<HashMap<String, Lookup>>,
    limit: Duration,
    guard: Guard,
}

impl Resolver {
    pub(super) fn new(limit: Duration, guard: Guard) -> Self {
        Self { lookups: Mutex::default(), limit, guard }
    }

    /// The addresses of `host`; of many that ask at a time, one looks up.
    async fn resolve(&self, host: &str) -> Result<Arc<Addresses>, DnsError> {
        let lookup = self.lookup(host);
        lookup.get_or_try_init(|| self.look_up(host)).await.map(Arc::clone)
    }

    fn lookup(&self, host: &str) -> Lookup {
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lookup) = lookups.get(host) {
            return Arc::clone(lookup);
        }
        if lookups.len() >= REMEMBERED {
            lookups.clear();
        }
        Arc::clone(lookups.entry(host.to_owned()).or_default())
    }

    /// Takes note that a connection to `host` at `address` is there: it is tried first
    /// from then on.
    pub(super) fn worked(&self, host: &str, address: IpAddr) {
        let lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(addresses) = lookups.get(host).and_then(|lookup| lookup.get()) {
            addresses.worked(address);
        }
    }

    async fn look_up(&self, host: &str) -> Result<Arc<Addresses>, DnsError> {
        let limit = self.limit;
        // An address comes here on its way to a SOCKS proxy, brackets and all.
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let looking = tokio::net::lookup_host((bare.unwrap_or(host), 0));
        let found = tokio::time::timeout(limit, looking)
            .await
            .map_err(|_elapsed| DnsError::TimedOut { host: host.to_owned(), limit })?
            .map_err(|source| DnsError::Failed { host: host.to_owned(), source })?;
        self.guard.admit(host, found).map(|admitted| Arc::new(Addresses::new(admitted)))
    }
}

impl Guard {
    /// Of the addresses of `host` those that may be asked. When a name has both
    /// kinds, its public addresses are used: they are what it shows to everybody.
    fn admit(
        &self,
        host: &str,
        found: impl Iterator<Item = SocketAddr>,
    ) -> Result<Box<[SocketAddr]>, DnsError> {
        let mut blocked = None;
        let refusal_of = |address: &SocketAddr| match self {
            Self::Public(exempt) if !exempt.contains(host) => guard::refusal(address.ip()),
            Self::Public(_) | Self::Open => None,
        };
        let admitted: Box<[_]> = found
            .filter(|address| match refusal_of(address) {
                Some(why) => {
                    blocked = Some((address.ip(), why));
                    false
                }
                None => true,
            })
            .collect();
        match blocked {
            _ if !admitted.is_empty() => Ok(admitted),
            Some((address, why)) => Err(DnsError::Blocked { host: host.to_owned(), address, why }),
            None => Err(DnsError::NoAddress { host: host.to_owned() }),
        }
    }
}

/// A client's way to the shared resolver.
#[derive(Clone)]
pub(super) struct CachingResolver(pub(super) Arc<Resolver>);

impl CachingResolver {
    fn addresses(&self, host: &str) -> impl Future<Output = Result<Listed, DnsError>> + use<> {
        let (resolver, host) = (Arc::clone(&self.0), host.to_owned());
        async move { Ok(resolver.resolve(&host).await?.in_order().into_iter()) }
    }
}

impl Resolve for CachingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = self.addresses(name.as_str());
        Box::pin(async move {
            let addresses: Addrs = Box::new(looking.await?);
            Ok(addresses)
        })
    }
}

/// The same for connectors of the layer below the HTTP library.
impl Service<dns::Name> for CachingResolver {
    type Response = Listed;
    type Error = DnsError;
    type Future = Pin<Box<dyn Future<Output = Result<Listed, DnsError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DnsError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: dns::Name) -> Self::Future {
        Box::pin(self.addresses(name.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(guard: &Guard, host: &str, addresses: &[&str]) -> Result<Vec<String>, DnsError> {
        let found = addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0));
        let admitted = guard.admit(host, found)?;
        Ok(admitted.iter().map(|address| address.ip().to_string()).collect())
    }

    #[test]
    fn the_address_that_worked_is_tried_first() {
        let address = |last| SocketAddr::from(([192, 0, 2, last], 0));
        let addresses = Addresses::new([1, 2, 3].map(address).into());
        assert_eq!(addresses.in_order(), [1, 2, 3].map(address));
        addresses.worked(address(3).ip());
        assert_eq!(addresses.in_order(), [3, 1, 2].map(address));
        addresses.worked(address(9).ip());
        assert_eq!(addresses.in_order(), [3, 1, 2].map(address));
        addresses.worked(address(1).ip());
        assert_eq!(addresses.in_order(), [1, 2, 3].map(address));
    }

    #[test]
    fn a_guarded_name_is_asked_at_its_public_addresses_only() {
        let guard = Guard::Public(HashSet::from(["gate.lan".to_owned()]));
        let mixed = ["10.0.0.1", "8.8.8.8", "::1", "2a00::1"];
        assert_eq!(admitted(&guard, "a.org", &mixed).unwrap(), ["8.8.8.8", "2a00::1"]);
        let blocked = admitted(&guard, "a.org", &["127.0.0.1"]).unwrap_err();
        assert_eq!(
            blocked.to_string(),
            "a.org is at 127.0.0.1, which is loopback (RFC 1122) (--untrusted)"
        );
        assert_eq!(admitted(&guard, "gate.lan", &["10.0.0.1"]).unwrap(), ["10.0.0.1"]);
        assert_eq!(admitted(&Guard::Open, "a.org", &mixed).unwrap().len(), 4);
        assert!(matches!(admitted(&guard, "a.org", &[]), Err(DnsError::NoAddress { .. })));
    }
}
