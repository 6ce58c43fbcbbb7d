//! The HTTP clients of one runtime: one for each proxy, because connections are
//! pooled by destination only, and all new after so many hosts, because a pool
//! has no limit over all its hosts.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use super::first::{First, Lead};

/// An idle connection is closed after this time: servers keep theirs for 5 s
/// (Apache, Node.js) to 75 s (nginx), and a host that is asked again is asked soon.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A run over more hosts than this hardly meets a host again while its connection is open.
const MANY_HOSTS: usize = 64;
/// So many hosts' idle connections are worth their memory, some 25 kB each, for
/// each request in flight of a run over many hosts.
const KEPT_OF_MANY: usize = 4;
/// So many hosts are remembered by their protocol; beyond that the memory starts afresh.
const REMEMBERED: usize = 10_000;

/// Whether the run is one over many hosts; shared by all its pools.
#[derive(Default)]
pub(super) struct Crowd {
    spread: RandomState,
    hosts: Mutex<HashSet<u64>>,
    is_large: AtomicBool,
    /// Hosts that were met over TLS and speak HTTP/1.1.
    http1: Mutex<HashSet<u64>>,
}

impl Crowd {
    /// Of `kept` hosts' connections, those that are worth keeping.
    fn worth(&self, kept: usize) -> usize {
        if self.is_large.load(Ordering::Relaxed) { kept.min(KEPT_OF_MANY) } else { kept }
    }

    /// Notes that `host` speaks HTTP/1.1 where it might have chosen HTTP/2.
    pub(super) fn speaks_http1(&self, host: u64) {
        let mut known = self.http1.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(host);
    }

    /// Whether `host` is known to speak HTTP/1.1.
    pub(super) fn is_known_for_http1(&self, host: u64) -> bool {
        self.http1.lock().unwrap_or_else(PoisonError::into_inner).contains(&host)
    }

    fn add(&self, host: u64) {
        if self.is_large.load(Ordering::Relaxed) {
            return;
        }
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.insert(host);
        if hosts.len() > MANY_HOSTS {
            self.is_large.store(true, Ordering::Relaxed);
            *hosts = HashSet::new();
        }
    }
}

/// The clients that are in use, and for which hosts.
#[derive(Default)]
pub(super) struct Pool {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    clients: BTreeMap<Option<usize>, reqwest::Client>,
    /// Hashes of proxy, scheme, host and port, since the clients were made.
    spoken_to: BTreeMap<u64, Arc<First>>,
    in_flight: usize,
}

impl Pool {
    /// The client for a request of `url` through the proxy of number `proxy`; `make` makes a new one.
    ///
    /// So that no more idle connections pile up than `kept` for each request in
    /// flight, all clients are given up when another host would be too many. Those
    /// in use live until their requests end.
    pub(super) fn lend<E>(
        &self,
        url: &Url,
        proxy: Option<usize>,
        (kept, crowd): (usize, &Crowd),
        make: impl FnOnce() -> Result<reqwest::Client, E>,
    ) -> Result<Loan<'_>, E> {
        let port = url.port_or_known_default();
        let host = crowd.spread.hash_one((proxy, url.scheme(), url.host_str(), port));
        let mut held = self.held();
        let spoken_to = held.spoken_to.get(&host).map(Arc::clone);
        let is_first = spoken_to.is_none();
        let first = spoken_to.unwrap_or_default();
        let lead = is_first.then(|| Arc::new(Lead(Arc::clone(&first))));
        if is_first {
            crowd.add(host);
            let room = crowd.worth(kept).saturating_mul(held.in_flight + 1).max(1);
            if held.spoken_to.len() >= room {
                held.spoken_to.clear();
                held.clients.clear();
            }
            held.spoken_to.insert(host, Arc::clone(&first));
        }
        let client = match held.clients.get(&proxy) {
            Some(client) => client.clone(),
            None => held.clients.entry(proxy).or_insert(make()?).clone(),
        };
        held.in_flight += 1;
        Ok(Loan { client, host, first, lead, pool: self })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client, lent for one request.
pub(super) struct Loan<'a> {
    pub(super) client: reqwest::Client,
    /// The number of its host.
    pub(super) host: u64,
    pub(super) first: Arc<First>,
    /// Held by the first request for its host.
    pub(super) lead: Option<Arc<Lead>>,
    pool: &'a Pool,
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        self.pool.held().in_flight -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn clients_are_made_when_needed_and_renewed_after_many_hosts() {
        let (pool, crowd) = (Pool::default(), Crowd::default());
        let count = Cell::new(0);
        let make = || {
            count.set(count.get() + 1);
            Ok::<_, Infallible>(crate::fetch::client::tests::bare())
        };
        let url = |host: usize| Url::parse(&format!("http://h{host}.org/x")).unwrap();
        let lend = |host, proxy| pool.lend(&url(host), proxy, (4, &crowd), make).unwrap();
        (0..4).chain(0..4).for_each(|host| drop(lend(host, None)));
        assert_eq!(count.get(), 1);
        drop(lend(4, None));
        assert_eq!(count.get(), 2);
        drop(lend(4, Some(0)));
        drop(lend(4, Some(1)));
        assert_eq!(count.get(), 4);
        // With another request in flight there is room for twice as many.
        let _other = lend(4, None);
        (5..10).for_each(|host| drop(lend(host, None)));
        assert_eq!(count.get(), 4);
        drop(lend(10, None));
        assert_eq!(count.get(), 5);
    }

    #[test]
    fn of_many_hosts_few_connections_are_kept() {
        let crowd = Crowd::default();
        for host in 0..MANY_HOSTS as u64 {
            crowd.add(host);
            crowd.add(host);
            assert_eq!(crowd.worth(64), 64);
        }
        crowd.add(u64::MAX);
        assert_eq!((crowd.worth(64), crowd.worth(2)), (KEPT_OF_MANY, 2));
    }
}
