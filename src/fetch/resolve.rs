//! Resolves host names: by the system's resolver, with a time limit, once for each host
//! of a run.
//!
//! With `--untrusted`, the resolver removes the addresses that must not be used. The
//! connection uses the same answer, so an attacker gains nothing by a name that resolves
//! to another address a moment later.

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

/// At most this many names are remembered; then the memory is cleared, which costs
/// look-ups but limits it.
const REMEMBERED: usize = 10_000;

/// Addresses, in the order in which to try them.
type Listed = std::vec::IntoIter<SocketAddr>;
type Lookup = Arc<OnceCell<Arc<Addresses>>>;

/// The addresses of a name, in the resolver's order (RFC 6724).
#[derive(Debug)]
struct Addresses {
    all: Box<[SocketAddr]>,
    /// The position of the address that last worked; 0 before that.
    preferred: AtomicUsize,
}

impl Addresses {
    fn new(all: Box<[SocketAddr]>) -> Self {
        Self { all, preferred: AtomicUsize::new(0) }
    }

    /// Records that a connection to `address` is open.
    fn worked(&self, address: IpAddr) {
        if let Some(at) = self.all.iter().position(|known| known.ip() == address) {
            self.preferred.store(at, Ordering::Relaxed);
        }
    }

    /// Returns all addresses, the one that last worked first (RFC 8305, 4).
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

/// The addresses that may be used.
pub(super) enum Guard {
    /// All addresses.
    Open,
    /// Public addresses, and every address of these names, which the user typed.
    Public(HashSet<String>),
}

/// Resolves names once and remembers the answers. Failures are not remembered: the next
/// attempt asks the system again.
pub(super) struct Resolver {
    lookups: Mutex<HashMap<String, Lookup>>,
    limit: Duration,
    guard: Guard,
}

impl Resolver {
    pub(super) fn new(limit: Duration, guard: Guard) -> Self {
        Self { lookups: Mutex::default(), limit, guard }
    }

    /// Returns the addresses of `host`. If several requests ask at the same time, one
    /// looks the name up.
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

    /// Records that a connection to `host` at `address` is open: this address is then
    /// tried first.
    pub(super) fn worked(&self, host: &str, address: IpAddr) {
        let lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(addresses) = lookups.get(host).and_then(|lookup| lookup.get()) {
            addresses.worked(address);
        }
    }

    async fn look_up(&self, host: &str) -> Result<Arc<Addresses>, DnsError> {
        let limit = self.limit;
        // On its way to a SOCKS proxy, an address comes here in brackets.
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
    /// Returns the addresses of `host` that may be used. If a name has both kinds, only
    /// its public addresses are used.
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

/// The shared resolver, as clients call it.
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

/// The shared resolver, as connectors of the layer below the HTTP library call it.
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
