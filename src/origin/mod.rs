//! An embedded web site to download: for demonstrations, for measurements, for tests.
//!
//! [`Origin::start`] makes the site, an index of countries and an article for each, and serves it
//! on 127.0.0.1 until the handle is dropped. The same options give the same bytes, on any machine.
//!
//! | file | holds |
//! |---|---|
//! | `site.rs`, `document.rs` | the pages by path; pure, as all that they use: |
//! | `index.rs`, `article.rs`, `padding.rs`, `markup.rs` | how the pages are written |
//! | `entry.rs`, `countries.rs`, `vocabulary.rs`, `data/` | what they are written from |
//! | `response.rs` | request to response, as values |
//! | `fault_kind.rs`, `faults.rs`, `inject.rs` | what goes wrong, and what it does to a response, as values |
//! | `thread.rs`, `server.rs`, `connection.rs`, `tcp.rs`, `wire.rs`, `body.rs`, `certificate.rs` | sockets, waiting, pace, TLS |
//! | `counters.rs` | the counters |
//!
//! What the server knows besides the pages: `/` leads to the index, `/robots.txt` has rules, and
//! `/_stats` shows the counters as JSON. It answers quickly and correctly unless it is told to be
//! slow, or to have [`Faults`]; index, `/`, `/robots.txt` and `/_stats` never have any.

mod article;
mod body;
mod certificate;
mod connection;
mod counters;
mod countries;
mod document;
mod entry;
mod fault_kind;
mod faults;
mod index;
mod inject;
mod markup;
mod padding;
mod response;
mod server;
mod site;
mod tcp;
mod thread;
mod vocabulary;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use self::certificate::Identity;
pub use self::counters::Counters;
use self::counters::LiveCounters;
pub use self::document::Document;
pub use self::fault_kind::FaultKind;
pub use self::faults::{FaultError, FaultShare, Faults};
use self::server::Server;
use self::site::decoded;
pub use self::site::{INDEX_PATH, Site};
use self::thread::ServerThread;

/// The default of [`Options::port`]: one that the system picks.
pub const DEFAULT_PORT: u16 = 0;

/// The default of [`Options::pages`]: one for each country.
pub const DEFAULT_PAGES: usize = countries::COUNT;

/// The default of [`Options::seed`].
pub const DEFAULT_SEED: u64 = 1;

/// What the site holds and how it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for one that the system picks.
    pub port: u16,
    /// How long a new connection waits until its first byte is read, and each request until its
    /// response begins. Requests of one HTTP/2 connection wait side by side.
    pub latency: Duration,
    /// How many requests have their latency at the same time; those beyond it wait for their turn,
    /// in the order in which they came. `None` for any number.
    pub capacity: Option<NonZeroU32>,
    /// Bytes a second at which a connection's bodies are sent, without headers and TLS; `None`
    /// for no limit, and 0 is taken for 1. On HTTP/2 each response has this rate for itself.
    pub bandwidth: Option<u64>,
    /// How many articles the index lists; see [`Site::new`].
    pub pages: usize,
    /// How much of a CPU an article takes to decode, hash and save, roughly; see [`Site::heavy`].
    pub cpu_per_page: Duration,
    /// What the pages' text and the faults are drawn from.
    pub seed: u64,
    /// Whether to serve HTTPS, with HTTP/2 and HTTP/1.1, instead of plain HTTP/1.1.
    pub tls: bool,
    /// What goes wrong on purpose, with articles only. The same attempt at the same path meets the
    /// same fault, in whatever order the paths come.
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: DEFAULT_PORT,
            latency: Duration::ZERO,
            capacity: None,
            bandwidth: None,
            pages: DEFAULT_PAGES,
            cpu_per_page: Duration::ZERO,
            seed: DEFAULT_SEED,
            tls: false,
            faults: Faults::default(),
        }
    }
}

/// Why an origin could not be started.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// The thread or its event loop could not be started.
    #[error("failed to start the origin's thread")]
    Thread(#[source] io::Error),
    /// The port is taken or not allowed.
    #[error("failed to listen on {addr} for the origin")]
    Listen {
        /// Where it was to listen.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("failed to make the origin's certificate")]
    Certificate(#[source] rcgen::Error),
    /// The TLS library did not take the certificate.
    #[error("failed to set up TLS for the origin")]
    Tls(#[source] rustls::Error),
}

/// A running server with its site; dropping it stops the server.
#[derive(Debug)]
pub struct Origin {
    thread: ServerThread,
    site: Arc<Site>,
    counters: Arc<LiveCounters>,
    authority_pem: Option<String>,
    seed: u64,
    faults: Faults,
}

impl Origin {
    /// Makes the site and serves it on a thread of its own; returns when it listens.
    ///
    /// Costs what [`Site::new`] costs; after that a request costs no more than sending it.
    ///
    /// # Errors
    ///
    /// If the port cannot be listened on, or the system refuses a thread, an event loop or
    /// random numbers for keys.
    ///
    /// # Panics
    ///
    /// As [`Site::new`].
    pub fn start(options: &Options) -> Result<Origin, OriginError> {
        let identity = options.tls.then(Identity::generate).transpose()?;
        let site = Arc::new(Site::heavy(options.seed, options.pages, options.cpu_per_page));
        let counters = Arc::new(LiveCounters::default());
        let server = Server {
            site: Arc::clone(&site),
            counters: Arc::clone(&counters),
            latency: options.latency,
            places: options.capacity.map(|places| Semaphore::new(places.get() as usize)),
            bytes_per_second: options
                .bandwidth
                .map(|bytes| NonZeroU64::new(bytes).unwrap_or(NonZeroU64::MIN)),
            tls: identity.as_ref().map(|identity| Arc::clone(&identity.config).into()),
            seed: options.seed,
            faults: options.faults.clone(),
        };
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        Ok(Origin {
            thread: ServerThread::start(server, wanted)?,
            site,
            counters,
            authority_pem: identity.map(|identity| identity.authority_pem),
            seed: options.seed,
            faults: options.faults.clone(),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.thread.addr()
    }

    /// The URL of the index page.
    #[must_use]
    pub fn index_url(&self) -> String {
        self.url(INDEX_PATH)
    }

    /// The URL of a path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = match self.authority_pem {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}{path}", self.addr())
    }

    /// The pages that it serves.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// What is wrong with every answer for this path, which may have escapes but no query; `None`
    /// where an attempt can succeed, and where there is no page.
    #[must_use]
    pub fn permanent_fault(&self, path: &str) -> Option<FaultKind> {
        self.site.get(path)?;
        self.faults.permanent(self.seed, &decoded(path))
    }

    /// The counters as they are now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.snapshot()
    }

    /// With TLS, the certificate of the authority that a client has to trust, as PEM: it goes into
    /// a file of authorities. The server's own is good for `localhost` and `127.0.0.1`.
    #[must_use]
    pub fn certificate_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }
}
