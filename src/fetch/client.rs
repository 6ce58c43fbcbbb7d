//! Options become a client. One client belongs to one runtime; what many clients
//! have in common (TLS settings, session cache, resolved names) is made once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::channel::NoBody;
use super::connect::{ConnectionCounter, CountConnections};
use super::credentials::{self, Credentials};
use super::handshakes::Handshakes;
use super::pool::{HostStats, Keeping, Pool};
use super::proxy::Proxies;
use super::recording::TlsVersions;
use super::resolve::{CachingResolver, Guard, Resolver};
use super::rotation::Rotation;
use super::route::Route;
use super::sender::Sender;
use super::serde_headers;
use super::tunnel::{Setup, Tunnels};
use super::{Request, cookies, library, tls};
use crate::budget::Budget;
use crate::clock::Clock;
use crate::model::{Connections, ProxyUse, Validators};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

/// `--connect-timeout`: looking the name up, TCP and TLS together.
pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// `--read-timeout`: silence before or within an answer.
pub(crate) const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// `--max-time`: one attempt, redirects included.
pub(crate) const DEFAULT_MAX_TIME: Duration = Duration::from_mins(5);
/// `--max-size`: a body, on the wire and decoded, in bytes.
pub(crate) const DEFAULT_MAX_SIZE: u64 = 128 * 1024 * 1024;
/// `--max-redirs`: redirects followed for one page.
pub(crate) const DEFAULT_MAX_REDIRECTS: u32 = 10;
/// Hosts whose idle connections are kept for each request in flight, where open
/// files are not scarce.
pub(crate) const DEFAULT_KEPT_HOSTS: usize = 64;

/// The name of this program to servers.
pub(crate) const USER_AGENT: &str = concat!("fetchpages/", env!("CARGO_PKG_VERSION"));

/// What is asked for, and taken apart by `page::decode`.
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");

/// Which version of HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HttpChoice {
    /// HTTP/2 where the server offers it over TLS, else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only; without TLS by prior knowledge (RFC 9113, 3.3).
    Http2,
}

/// How pages are asked for.
///
/// Written out, for another process, they hold all secrets that they hold here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Options {
    /// The `User-Agent` header.
    #[serde(with = "serde_headers::value")]
    pub user_agent: HeaderValue,
    /// Headers for every request; none of them is a secret.
    #[serde(with = "serde_headers::headers")]
    pub headers: HeaderMap,
    /// What proves who asks, and who gets it.
    pub credentials: Credentials,
    /// Limit for looking the name up, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Limit for silence before or within an answer.
    pub read_timeout: Duration,
    /// Limit for one attempt, redirects included.
    pub max_time: Duration,
    /// Limit for a body, on the wire and decoded, in bytes.
    pub max_size: u64,
    /// Redirects followed for one page.
    pub max_redirects: u32,
    /// The version of HTTP.
    pub http: HttpChoice,
    /// Whom to trust over TLS.
    pub trust: tls::Trust,
    /// The proxies.
    pub proxies: Proxies,
    /// Whether only addresses of the public internet are asked. The proxies must
    /// then be such that names are resolved here.
    pub untrusted: bool,
    /// Follow no redirect to another host than the one that was named.
    pub keeps_to_host: bool,
    /// Hosts whose idle connections are kept, for each request in flight.
    pub kept_hosts: usize,
    /// Whether both sides of each exchange are recorded; see [`Exchange`](crate::model::Exchange).
    pub records_exchange: bool,
}

impl Default for Options {
    /// The values that hold where the command line says nothing else.
    fn default() -> Self {
        Self {
            user_agent: HeaderValue::from_static(USER_AGENT),
            headers: HeaderMap::new(),
            credentials: Credentials::default(),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            read_timeout: DEFAULT_READ_TIMEOUT,
            max_time: DEFAULT_MAX_TIME,
            max_size: DEFAULT_MAX_SIZE,
            max_redirects: DEFAULT_MAX_REDIRECTS,
            http: HttpChoice::Auto,
            trust: tls::Trust::System,
            proxies: Proxies::default(),
            untrusted: false,
            keeps_to_host: false,
            kept_hosts: DEFAULT_KEPT_HOSTS,
            records_exchange: false,
        }
    }
}

impl Options {
    /// The `User-Agent` that requests carry: one among the `headers` goes before
    /// [`user_agent`](Self::user_agent), and of several the first.
    #[must_use]
    pub fn sent_user_agent(&self) -> &HeaderValue {
        self.headers.get(header::USER_AGENT).unwrap_or(&self.user_agent)
    }
}

/// A client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The TLS settings do not hold together.
    #[error("failed to set up TLS")]
    Tls(#[source] rustls::Error),
    /// The HTTP library refuses the options.
    #[error("failed to set up an HTTP client")]
    Client(#[source] reqwest::Error),
}

/// What requests have come to, for adding up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NetworkCounts {
    /// Connections, and handshakes on them.
    pub connections: Connections,
    /// Requests and failures of each proxy, in the options' order; none when all are zero.
    pub proxies: Vec<(u64, u64)>,
}

impl NetworkCounts {
    /// What has come since it was `before`.
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

/// What all clients of a run have in common.
pub struct Shared {
    options: Options,
    tls: rustls::ClientConfig,
    handshakes: Arc<Handshakes>,
    resolver: Arc<Resolver>,
    counter: Arc<ConnectionCounter>,
    tls_versions: Arc<TlsVersions>,
    rotation: Mutex<Rotation>,
    /// The connections of other processes.
    others: Mutex<Connections>,
    host_stats: HostStats,
    clock: Arc<dyn Clock>,
    memory: Arc<Budget>,
}

impl Shared {
    /// Prepares what the clients share; loads nothing yet.
    ///
    /// # Errors
    ///
    /// [`FetchError::Tls`] when the TLS settings do not hold together.
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

    /// The same, with bodies in flight that take their memory from `memory`. Without this
    /// they take what they need.
    #[must_use]
    pub fn within(self, memory: Arc<Budget>) -> Self {
        Self { memory, ..self }
    }

    /// The memory for bodies in flight, encoded and decoded.
    pub const fn memory(&self) -> &Arc<Budget> {
        &self.memory
    }

    /// The options, as given.
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

    /// What its requests have come to so far.
    pub fn tally(&self) -> NetworkCounts {
        let proxies = self.rotation().counts().collect();
        NetworkCounts { connections: self.connections(), proxies }
    }

    /// Adds what the requests of another process have come to, which has the same options.
    pub fn add(&self, tally: &NetworkCounts) {
        let mut others = self.others();
        *others = *others + tally.connections;
        self.rotation().add(&tally.proxies);
    }

    /// What went through each proxy so far.
    pub fn traffic(&self) -> Vec<ProxyUse> {
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

    pub(super) const fn host_stats(&self) -> &HostStats {
        &self.host_stats
    }

    pub(super) fn rotation(&self) -> MutexGuard<'_, Rotation> {
        self.rotation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an HTTP client whose requests go through the proxy of number `proxy`.
    pub(super) fn make(
        &self,
        proxy: Option<usize>,
        keeping: Keeping,
    ) -> Result<Sender, FetchError> {
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
            Tunnels::new(proxy, &Setup { options, tls, resolver, counting, keeping })
        });
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(CachingResolver(Arc::clone(&self.resolver)))
            .connector_layer(counting);
        let mut builder = library::configure(builder, options, keeping);
        if let Some(proxy) = proxy {
            let proxy = reqwest::Proxy::all(proxy.url().clone()).map_err(FetchError::Client)?;
            builder = builder.proxy(proxy);
        }
        let library = builder.build().map_err(FetchError::Client)?;
        Ok(Sender::new(library, tunnels, common))
    }
}

/// An HTTP client for one runtime. Cloning is not offered: a client must not cross runtimes.
pub struct Client {
    pool: Pool,
    shared: Arc<Shared>,
}

impl Client {
    /// Makes a client that opens its connections on the runtime that polls it.
    ///
    /// # Errors
    ///
    /// [`FetchError::Client`] when the HTTP library refuses the options.
    pub fn new(shared: &Arc<Shared>) -> Result<Self, FetchError> {
        // Made here for the sake of its error: later ones have the same options.
        shared.make(None, Keeping::Kept)?;
        Ok(Self { pool: Pool::default(), shared: Arc::clone(shared) })
    }

    pub(super) fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn tls_versions(&self) -> &TlsVersions {
        &self.shared.tls_versions
    }

    pub(super) fn now(&self) -> Instant {
        self.shared.clock.now()
    }

    /// The request of `ask`, to be sent by `route`.
    pub(super) fn library_request(
        &self,
        route: &Route<'_>,
        request: &Request<'_>,
    ) -> reqwest::RequestBuilder {
        let mut url = request.url.clone();
        if request.hops > 0 {
            // The user's own go along at home; those within a redirect's target are the
            // server's wish. Neither call fails for an http(s) URL, which always has a host.
            let own = Some(request.start_url).filter(|_| credentials::keeps_own_login(request));
            let _ = url.set_username(own.map_or("", |start| start.username()));
            let _ = url.set_password(own.and_then(|start| start.password()));
        }
        let body = reqwest::Body::wrap(NoBody(Arc::clone(route.sent())));
        let mut library_request = route.sender().get(url).body(body);
        let mut secrets = self.options().credentials.fields_for(request);
        if !request.cookies.is_empty()
            && let Some(field) =
                cookies::field(request.cookies, secrets.get(header::COOKIE), request.url)
        {
            // In the place of the user's own, which are in it.
            secrets.insert(header::COOKIE, field);
        }
        if !secrets.is_empty() {
            library_request = library_request.headers(secrets);
        }
        // A server that knows the one passes over the other (RFC 9110, 13.2.2).
        if let Some(Validators { etag, last_modified, .. }) = request.validators {
            library_request =
                [(header::IF_NONE_MATCH, etag), (header::IF_MODIFIED_SINCE, last_modified)]
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value.as_ref()?.raw())))
                    .fold(library_request, |library_request, (name, value)| {
                        library_request.header(name, value)
                    });
        }
        library_request
    }
}

#[cfg(test)]
pub(super) mod tests {
    use url::Url;

    use super::*;
    use crate::clock::SystemClock;
    use crate::fetch::credentials::FieldHost;
    use crate::fetch::proxy::{NoProxy, Proxy};

    /// Options with nothing special in them.
    pub(in crate::fetch) fn options() -> Options {
        Options {
            user_agent: HeaderValue::from_static("test"),
            trust: tls::Trust::Anyone,
            ..Options::default()
        }
    }

    /// An HTTP client with nothing special to it.
    pub(in crate::fetch) fn bare() -> Sender {
        Shared::new(options(), Arc::new(SystemClock)).unwrap().make(None, Keeping::Kept).unwrap()
    }

    #[test]
    fn options_reach_another_process_with_everything_that_they_hold() {
        let mut secret = HeaderValue::from_static("session=secret");
        secret.set_sensitive(true);
        let strange = HeaderValue::from_bytes(b"\xff\"\t").unwrap();
        let proxy = Proxy::parse("socks5://me:sec%2Fret@a.org").unwrap();
        let secret: HeaderMap = [(header::COOKIE, secret)].into_iter().collect();
        let mut credentials = Credentials::new(secret.clone(), secret);
        credentials.add_home(&Url::parse("https://me:secret@a.org/").unwrap());
        credentials.open(&Url::parse("https://b.org/x/").unwrap());
        credentials.open_fields(FieldHost::parse("c.org:81").unwrap());
        let given = Options {
            headers: [(header::ACCEPT, strange.clone()), (header::ACCEPT_LANGUAGE, strange)]
                .into_iter()
                .collect(),
            credentials,
            http: HttpChoice::Http2,
            trust: tls::Trust::Authorities(vec![vec![1, 2, 255].into()]),
            proxies: Proxies::in_turn(vec![proxy.clone()])
                .except(NoProxy::parse("b.org,10.0.0.0/8")),
            ..options()
        };
        let written = serde_json::to_vec(&given).unwrap();
        let read: Options = serde_json::from_slice(&written).unwrap();
        // What is told of them leaves secrets out, so these are compared by themselves.
        assert_eq!(format!("{read:?}"), format!("{given:?}"));
        assert_eq!((&read.headers, &read.credentials), (&given.headers, &given.credentials));
        assert!(!format!("{read:?}").contains("secret"));
        assert_eq!(read.proxies.get(0), &proxy);
    }

    #[test]
    fn tallies_are_told_apart_and_added_up() {
        let proxies =
            Proxies::in_turn(vec![Proxy::parse("a:1").unwrap(), Proxy::parse("b:1").unwrap()]);
        let shared = Shared::new(Options { proxies, ..options() }, Arc::new(SystemClock)).unwrap();
        let tally = |opened, proxies: &[_]| {
            let connections =
                Connections { opened, tls_handshakes: opened, ..Connections::default() };
            NetworkCounts { connections, proxies: proxies.to_vec() }
        };
        let tallies =
            [tally(0, &[(0, 0), (0, 0)]), tally(2, &[(1, 0), (0, 0)]), tally(2, &[(3, 1), (0, 0)])];
        for pair in tallies.windows(2) {
            shared.add(&pair[1].since(&pair[0]));
        }
        assert_eq!(shared.tally(), tallies[2]);
        assert_eq!(tallies[2].since(&tallies[2]), NetworkCounts::default());
    }
}
