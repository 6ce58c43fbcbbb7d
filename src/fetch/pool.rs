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
    spread: RandomState,
    hosts: Mutex<HashSet<u64>>,
    is_large: AtomicBool,
    /// Hosts that were met over TLS and speak HTTP/1.1.
    http1: Mutex<HashSet<u64>>,
}

impl HostStats {
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
    lines: Vec<Line>,
    /// Streams that it admits on a connection, as far as it has shown that.
    streams: Option<usize>,
    /// Whether a channel was left: the shared client has a connection that does not answer.
    is_left: bool,
    /// Whether its answers have very many header lines.
    is_wide: bool,
}

/// A channel and its client.
struct Line {
    client: Sender,
    channel: Arc<Channel>,
    open: usize,
}

/// What a client is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Its connections are kept for other requests.
    Kept,
    /// The same, with room for answers whose heads have very many lines.
    KeptAndWide,
    /// Each request has a connection of its own.
    Fresh,
}

/// Which client a request wants.
pub(super) struct Wish<'a> {
    pub(super) url: &'a Url,
    /// The number of the proxy that it goes through.
    pub(super) proxy: Option<usize>,
    /// Whether its connection must be new.
    pub(super) keeping: Keeping,
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
        wish: &Wish<'_>,
        make: impl FnOnce(Keeping) -> Result<Sender, E>,
    ) -> Result<Lease<'_>, E> {
        let Wish { url, proxy, host_stats, .. } = *wish;
        let port = url.port_or_known_default();
        let host = host_stats.spread.hash_one((proxy, url.scheme(), url.host_str(), port));
        let mut inner = self.inner();
        if wish.keeping == Keeping::Fresh {
            let client = match inner.fresh.get(&proxy) {
                Some(client) => client.clone(),
                None => inner.fresh.entry(proxy).or_insert(make(Keeping::Fresh)?).clone(),
            };
            inner.in_flight += 1;
            // No other request shares its connection: there is none to wait for.
            let channel = Arc::<Channel>::default();
            channel.first.settle();
            return Ok(Lease { sender: client, host, channel, leader: None, pool: self });
        }
        if !inner.hosts.contains_key(&host) {
            host_stats.add(host);
            let room = host_stats.worth(wish.kept).saturating_mul(inner.in_flight + 1).max(1);
            if inner.hosts.len() >= room {
                inner.hosts.clear();
                inner.clients.clear();
            }
        }
        let Inner { clients, hosts, in_flight, .. } = &mut *inner;
        let known = hosts.entry(host).or_default();
        let streams = known.streams;
        let has_room = |line: &Line| streams.is_none_or(|streams| line.open < streams);
        let at = if let Some(at) = known.lines.iter().position(has_room) {
            at
        } else {
            // The first channel of each host shares a client with the other hosts.
            let client = match clients.get(&proxy) {
                Some(client) if known.lines.is_empty() && !known.is_left => client.clone(),
                _ if known.is_wide => make(Keeping::KeptAndWide)?,
                _ => make(Keeping::Kept)?,
            };
            if !known.is_wide {
                clients.entry(proxy).or_insert_with(|| client.clone());
            }
            known.lines.push(Line { client, channel: Arc::default(), open: 0 });
            known.lines.len() - 1
        };
        let line = &mut known.lines[at];
        let leader = line.channel.take_lead().then(|| Arc::new(Leader(Arc::clone(&line.channel))));
        line.open += 1;
        *in_flight += 1;
        let (client, channel) = (line.client.clone(), Arc::clone(&line.channel));
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
    pub(super) fn leave(&self) {
        if let Some(host) = self.pool.inner().hosts.get_mut(&self.host) {
            host.lines.retain(|line| !Arc::ptr_eq(&line.channel, &self.channel));
            host.is_left = true;
        }
    }

    /// Makes room for answers of the host with very many header lines.
    pub(super) fn widen(&self) {
        let mut inner = self.pool.inner();
        let host = inner.hosts.entry(self.host).or_default();
        if !host.is_wide {
            (host.is_wide, host.is_left) = (true, true);
            host.lines.clear();
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
        let lines = inner.hosts.get_mut(&self.host).map(|host| &mut host.lines);
        let mut lines = lines.into_iter().flatten();
        if let Some(line) = lines.find(|line| Arc::ptr_eq(&line.channel, &self.channel)) {
            line.open -= 1;
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
        fn lend(&self, url: &Url, proxy: Option<usize>, keeping: Keeping) -> Lease<'_> {
            let wish = Wish { url, proxy, keeping, kept: 4, host_stats: &self.host_stats };
            let make = |_| {
                self.made.set(self.made.get() + 1);
                Ok::<_, Infallible>(crate::fetch::client::tests::bare())
            };
            self.pool.lend(&wish, make).unwrap()
        }
    }

    #[test]
    fn clients_are_made_when_needed_and_renewed_after_many_hosts() {
        let counted = Counted::default();
        let lend = |host, proxy| counted.lend(&url(host), proxy, Keeping::Kept);
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
        let lend = || counted.lend(&home, None, Keeping::Kept);
        let (first, second) = (lend(), lend());
        assert!(Arc::ptr_eq(&first.channel, &second.channel));
        assert!(first.leader.is_some() && second.leader.is_none());
        first.admits(2);
        let third = lend();
        assert!(!Arc::ptr_eq(&first.channel, &third.channel) && third.leader.is_some());
        assert_eq!(counted.made.get(), 2);
        drop(second);
        assert!(Arc::ptr_eq(&first.channel, &lend().channel), "there is room again");
        first.leave();
        third.leave();
        let fourth = lend();
        assert!(fourth.leader.is_some());
        assert_eq!(counted.made.get(), 3, "the shared client is no way to this host any more");
        let shared = counted.lend(&other, None, Keeping::Kept);
        assert_eq!(counted.made.get(), 3, "to others it is");
        drop((first, third, fourth, shared));
        for _ in 0..2 {
            let fresh = counted.lend(&home, None, Keeping::Fresh);
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
            assert_eq!(host_stats.worth(64), 64);
        }
        host_stats.add(u64::MAX);
        assert_eq!((host_stats.worth(64), host_stats.worth(2)), (KEPT_OF_MANY, 2));
    }
}
