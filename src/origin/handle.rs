//! A running origin as its users see it.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::certificate::Identity;
use super::counters::{Counters, LiveCounters};
use super::error::OriginError;
use super::fault_kind::FaultKind;
use super::faults::Faults;
use super::options::Options;
use super::server::Server;
use super::site::{INDEX_PATH, Site, decoded};
use super::thread::ServerThread;

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
    /// Makes the site and serves it on a thread of its own; returns when the server listens.
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
            slots: options.capacity.map(|slots| Semaphore::new(slots.get() as usize)),
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

    /// The address that the server listens on.
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

    /// The pages that the server serves.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The fault of every answer for this path, which may have escapes but no query; `None` if an
    /// attempt can succeed or there is no page.
    #[must_use]
    pub fn permanent_fault(&self, path: &str) -> Option<FaultKind> {
        self.site.get(path)?;
        self.faults.permanent(self.seed, &decoded(path))
    }

    /// The present values of the counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters.snapshot()
    }

    /// With TLS, the authority's certificate as PEM: clients add it to the authorities that they
    /// trust. The server's own certificate is valid for `localhost` and `127.0.0.1`.
    #[must_use]
    pub fn certificate_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }
}
