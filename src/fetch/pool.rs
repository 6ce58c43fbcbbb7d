//! The HTTP clients of one runtime: one for each proxy, because connections are
//! pooled by destination only, and all new after so many hosts, because a pool
//! has no limit over all its hosts.
//!
//! A host whose connection is full or does not answer gets further clients, each with
//! a connection of its own: see [`Channel`].

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use super::channel::{Channel, Leader};
use super::sender::Sender;

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
pub(super) struct HostStats {
    hasher: RandomState,
    hosts: Mutex<HashSet<u64>>,
    is_wide_crawl: AtomicBool,
    /// Hosts that were met over TLS and speak HTTP/1.1.
    http1: Mutex<HashSet<u64>>,
}

impl HostStats {
    /// Of `kept` hosts' connections, those that are worth keeping.
    fn hosts_to_keep(&self, kept: usize) -> usize {
        if self.is_wide_crawl.load(Ordering::Relaxed) { kept.min(KEPT_OF_MANY) } else { kept }
    }

    /// Notes that `host` speaks HTTP/1.1 where it might have chosen HTTP/2.
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

/// The clients that are in use, and for which hosts.
#[derive(Default)]
pub(super) struct Pool {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    clients: BTreeMap<Option<usize>, Sender>,
    /// Clients that keep no connection, for requests that need a new one.
    fresh: BTreeMap<Option<usize>, Sender>,
    /// By hashes of proxy, scheme, host and port, since the clients were made.
    hosts: BTreeMap<u64, Host>,
    in_flight: usize,
}

/// What is known of a host, and the ways to it.
#[derive(Default)]
struct Host {
    channels: Vec<HostChannel>,
    /// Streams that it admits on a connection, as far as it has shown that.
    streams: Option<usize>,
    /// Whether a channel was left: the shared client has a connection that does not answer.
    has_retired: bool,
    /// Whether its answers have very many header lines.
    has_many_fields: bool,
}

/// A channel and its client.
struct HostChannel {
    client: Sender,
    channel: Arc<Channel>,
    open: usize,
}

/// What a client is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// Its connections are kept for other requests.
    Pooled,
    /// The same, with room for answers whose heads have very many lines.
    PooledManyFields,
    /// Each request has a connection of its own.
    Never,
}

/// Which client a request wants.
pub(super) struct LeaseTerms<'a> {
    pub(super) url: &'a Url,
    /// The number of the proxy that it goes through.
    pub(super) proxy: Option<usize>,
    /// Whether its connection must be new.
    pub(super) reuse: Reuse,
    /// Hosts whose idle connections are kept, for each request in flight.
    pub(super) kept: usize,
    pub(super) host_stats: &'a HostStats,
}

impl Pool {
    /// The client for a request; `make` makes a new one.
    ///
    /// So that no more idle connections pile up than are kept for each request in
    /// flight, all clients are given up when another host would be too many. Those
    /// in use live until their requests end.
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
            // No other request shares its connection: there is none to wait for.
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

/// A client, lent for one request.
pub(super) struct Lease<'a> {
    pub(super) sender: Sender,
    /// The number of its host.
    pub(super) host: u64,
    pub(super) channel: Arc<Channel>,
    /// The first request of the channel holds it.
    pub(super) leader: Option<Arc<Leader>>,
    pool: &'a Pool,
}

impl Lease<'_> {
    /// Sends no further request of the host through this channel: it does not answer.
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

    /// Takes note that the host admits so many streams on a connection; further
    /// requests go over further ones.
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

    /// A pool and how many clients it has made.
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
        // With another request in flight there is room for twice as many.
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
