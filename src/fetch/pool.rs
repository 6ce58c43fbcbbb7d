//! The HTTP clients of one runtime. Each proxy has a client of its own, because the
//! library pools connections by destination only. All clients are replaced after many
//! hosts, because the library's pool has no limit over all hosts.
//!
//! A host whose connection is full or does not answer gets further clients, each with a
//! connection of its own: see [`Channel`].

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;

use super::channel::{Channel, Leader};
use super::reuse::Reuse;
use super::sender::Sender;

/// A run over more hosts than this seldom needs a host again while its connection is
/// open.
const MANY_HOSTS: usize = 64;
/// A run over many hosts keeps the idle connections of this many hosts for each request
/// in flight. A connection takes about 25 kB.
const KEPT_OF_MANY: usize = 4;
/// The protocols of this many hosts are remembered; then the memory is cleared.
const REMEMBERED: usize = 10_000;

/// What the run has learnt about all hosts; shared by all its pools.
#[derive(Default)]
pub(super) struct HostStats {
    hasher: RandomState,
    hosts: Mutex<HashSet<u64>>,
    is_wide_crawl: AtomicBool,
    /// Hosts that speak HTTP/1.1 over TLS.
    http1: Mutex<HashSet<u64>>,
}

impl HostStats {
    /// Returns the number of hosts, at most `kept`, whose idle connections are worth
    /// their memory.
    fn hosts_to_keep(&self, kept: usize) -> usize {
        if self.is_wide_crawl.load(Ordering::Relaxed) { kept.min(KEPT_OF_MANY) } else { kept }
    }

    /// Records that `host` chose HTTP/1.1 although HTTP/2 was offered.
    pub(super) fn record_http1(&self, host: u64) {
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
        if self.is_wide_crawl.load(Ordering::Relaxed) {
            return;
        }
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.insert(host);
        if hosts.len() > MANY_HOSTS {
            self.is_wide_crawl.store(true, Ordering::Relaxed);
            *hosts = HashSet::new();
        }
    }
}

/// The clients in use, and their hosts.
#[derive(Default)]
pub(super) struct Pool {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    clients: BTreeMap<Option<usize>, Sender>,
    /// Clients without idle connections, for requests that need a new connection.
    fresh: BTreeMap<Option<usize>, Sender>,
    /// The hosts since the clients were made, by a hash of proxy, scheme, host and port.
    hosts: BTreeMap<u64, Host>,
    in_flight: usize,
}

/// What is known of a host, and its channels.
#[derive(Default)]
struct Host {
    channels: Vec<HostChannel>,
    /// The number of streams that it admits on a connection, if known.
    streams: Option<usize>,
    /// Whether a channel was retired: the shared client has a connection that does not
    /// answer.
    has_retired: bool,
    /// Whether its answers have very many header lines.
    has_many_fields: bool,
}

/// A channel, its client, and the number of its open requests.
struct HostChannel {
    client: Sender,
    channel: Arc<Channel>,
    open: usize,
}

/// What a request needs of its client.
pub(super) struct LeaseTerms<'a> {
    pub(super) url: &'a Url,
    /// The number of the proxy to go through.
    pub(super) proxy: Option<usize>,
    /// Whether connections are used again.
    pub(super) reuse: Reuse,
    /// The number of hosts whose idle connections are kept for each request in flight.
    pub(super) kept: usize,
    pub(super) host_stats: &'a HostStats,
}

impl Pool {
    /// Lends the client for a request; `make` makes a new one.
    ///
    /// The number of idle connections is limited for each request in flight. When another
    /// host would exceed that limit, all clients are dropped. Those in use live until
    /// their requests end.
    pub(super) fn lend<E>(
        &self,
        terms: &LeaseTerms<'_>,
        make: impl FnOnce(Reuse) -> Result<Sender, E>,
    ) -> Result<Lease<'_>, E> {
        let LeaseTerms { url, proxy, host_stats, .. } = *terms;
        let port = url.port_or_known_default();
        let host = host_stats.hasher.hash_one((proxy, url.scheme(), url.host_str(), port));
        let mut inner = self.inner();
        if terms.reuse == Reuse::Never {
            let client = match inner.fresh.get(&proxy) {
                Some(client) => client.clone(),
                None => inner.fresh.entry(proxy).or_insert(make(Reuse::Never)?).clone(),
            };
            inner.in_flight += 1;
            // No other request shares the connection, so none waits for it.
            let channel = Arc::<Channel>::default();
            channel.first.settle();
            return Ok(Lease { sender: client, host, channel, leader: None, pool: self });
        }
        if !inner.hosts.contains_key(&host) {
            host_stats.add(host);
            let room =
                host_stats.hosts_to_keep(terms.kept).saturating_mul(inner.in_flight + 1).max(1);
            if inner.hosts.len() >= room {
                inner.hosts.clear();
                inner.clients.clear();
            }
        }
        let Inner { clients, hosts, in_flight, .. } = &mut *inner;
        let known = hosts.entry(host).or_default();
        let streams = known.streams;
        let has_room = |channel: &HostChannel| streams.is_none_or(|streams| channel.open < streams);
        let at = if let Some(at) = known.channels.iter().position(has_room) {
            at
        } else {
            // The first channel of each host shares a client with the other hosts.
            let client = match clients.get(&proxy) {
                Some(client) if known.channels.is_empty() && !known.has_retired => client.clone(),
                _ if known.has_many_fields => make(Reuse::PooledManyFields)?,
                _ => make(Reuse::Pooled)?,
            };
            if !known.has_many_fields {
                clients.entry(proxy).or_insert_with(|| client.clone());
            }
            known.channels.push(HostChannel { client, channel: Arc::default(), open: 0 });
            known.channels.len() - 1
        };
        let chosen = &mut known.channels[at];
        let leader =
            chosen.channel.take_lead().then(|| Arc::new(Leader(Arc::clone(&chosen.channel))));
        chosen.open += 1;
        *in_flight += 1;
        let (client, channel) = (chosen.client.clone(), Arc::clone(&chosen.channel));
        Ok(Lease { sender: client, host, channel, leader, pool: self })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client that is lent for one request.
pub(super) struct Lease<'a> {
    pub(super) sender: Sender,
    /// The number of the host.
    pub(super) host: u64,
    pub(super) channel: Arc<Channel>,
    /// The lead, for the first request of the channel.
    pub(super) leader: Option<Arc<Leader>>,
    pool: &'a Pool,
}

impl Lease<'_> {
    /// Sends no further request of the host through this channel, which does not answer.
    pub(super) fn retire(&self) {
        if let Some(host) = self.pool.inner().hosts.get_mut(&self.host) {
            host.channels.retain(|known| !Arc::ptr_eq(&known.channel, &self.channel));
            host.has_retired = true;
        }
    }

    /// Makes room for answers of the host with very many header lines.
    pub(super) fn allow_many_fields(&self) {
        let mut inner = self.pool.inner();
        let host = inner.hosts.entry(self.host).or_default();
        if !host.has_many_fields {
            (host.has_many_fields, host.has_retired) = (true, true);
            host.channels.clear();
        }
    }

    /// Records the number of streams that the host admits on a connection. Further
    /// requests use further connections.
    pub(super) fn admits(&self, streams: usize) {
        if let Some(host) = self.pool.inner().hosts.get_mut(&self.host) {
            host.streams = Some(host.streams.map_or(streams, |known| known.min(streams)));
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut inner = self.pool.inner();
        inner.in_flight -= 1;
        let channels = inner.hosts.get_mut(&self.host).map(|host| &mut host.channels);
        let mut channels = channels.into_iter().flatten();
        if let Some(used) = channels.find(|known| Arc::ptr_eq(&known.channel, &self.channel)) {
            used.open -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    fn url(host: usize) -> Url {
        Url::parse(&format!("http://h{host}.org/x")).unwrap()
    }

    /// A pool that counts the clients that it makes.
    #[derive(Default)]
    struct Counted {
        pool: Pool,
        host_stats: HostStats,
        made: Cell<usize>,
    }

    impl Counted {
        fn lend(&self, url: &Url, proxy: Option<usize>, reuse: Reuse) -> Lease<'_> {
            let terms = LeaseTerms { url, proxy, reuse, kept: 4, host_stats: &self.host_stats };
            let make = |_| {
                self.made.set(self.made.get() + 1);
                Ok::<_, Infallible>(crate::fetch::network::tests::bare())
            };
            self.pool.lend(&terms, make).unwrap()
        }
    }

    #[test]
    fn clients_are_made_when_needed_and_renewed_after_many_hosts() {
        let counted = Counted::default();
        let lend = |host, proxy| counted.lend(&url(host), proxy, Reuse::Pooled);
        (0..4).chain(0..4).for_each(|host| drop(lend(host, None)));
        assert_eq!(counted.made.get(), 1);
        drop(lend(4, None));
        assert_eq!(counted.made.get(), 2);
        drop(lend(4, Some(0)));
        drop(lend(4, Some(1)));
        assert_eq!(counted.made.get(), 4);
        // Another request in flight doubles the room.
        let _other = lend(4, None);
        (5..10).for_each(|host| drop(lend(host, None)));
        assert_eq!(counted.made.get(), 4);
        drop(lend(10, None));
        assert_eq!(counted.made.get(), 5);
    }

    #[test]
    fn a_host_gets_further_channels_where_one_is_full_or_does_not_answer() {
        let counted = Counted::default();
        let (home, other) = (url(0), url(1));
        let lend = || counted.lend(&home, None, Reuse::Pooled);
        let (first, second) = (lend(), lend());
        assert!(Arc::ptr_eq(&first.channel, &second.channel));
        assert!(first.leader.is_some() && second.leader.is_none());
        first.admits(2);
        let third = lend();
        assert!(!Arc::ptr_eq(&first.channel, &third.channel) && third.leader.is_some());
        assert_eq!(counted.made.get(), 2);
        drop(second);
        assert!(Arc::ptr_eq(&first.channel, &lend().channel), "there is room again");
        first.retire();
        third.retire();
        let fourth = lend();
        assert!(fourth.leader.is_some());
        assert_eq!(counted.made.get(), 3, "the shared client is no way to this host any more");
        let another = counted.lend(&other, None, Reuse::Pooled);
        assert_eq!(counted.made.get(), 3, "to others it is");
        drop((first, third, fourth, another));
        for _ in 0..2 {
            let fresh = counted.lend(&home, None, Reuse::Never);
            assert!(fresh.leader.is_none() && fresh.channel.first.is_settled());
        }
        assert_eq!(counted.made.get(), 4);
    }

    #[test]
    fn of_many_hosts_few_connections_are_kept() {
        let host_stats = HostStats::default();
        for host in 0..MANY_HOSTS as u64 {
            host_stats.add(host);
            host_stats.add(host);
            assert_eq!(host_stats.hosts_to_keep(64), 64);
        }
        host_stats.add(u64::MAX);
        assert_eq!((host_stats.hosts_to_keep(64), host_stats.hosts_to_keep(2)), (KEPT_OF_MANY, 2));
    }
}
