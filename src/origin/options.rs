//! The options of an origin: what the site holds and how it is served.

use std::num::NonZeroU32;
use std::time::Duration;

use super::countries;
use super::faults::Faults;

/// The default of [`Options::port`]: the system picks a free one.
pub(crate) const DEFAULT_PORT: u16 = 0;

/// The default of [`Options::pages`]: one for each country.
pub(crate) const DEFAULT_PAGES: usize = countries::COUNT;

/// The default of [`Options::seed`].
pub(crate) const DEFAULT_SEED: u64 = 1;

/// What the site holds and how it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The port on 127.0.0.1; with 0 the system picks a free one.
    pub port: u16,
    /// The delay before the first byte of a new connection is read, and before each response
    /// begins. Requests of one HTTP/2 connection wait side by side.
    pub latency: Duration,
    /// The number of requests that have their latency at the same time; later ones wait for a
    /// slot, in the order in which they came. `None` sets no limit.
    pub capacity: Option<NonZeroU32>,
    /// Bytes per second at which a connection's bodies are sent, without headers and TLS. `None`
    /// sets no limit, and 0 counts as 1. On HTTP/2 each response has this rate for itself.
    pub bandwidth: Option<u64>,
    /// The number of articles that the index lists; see [`Site::new`](super::Site::new).
    pub pages: usize,
    /// About how much CPU time a client needs to decode, hash and save an article; see
    /// [`Site::heavy`](super::Site::heavy).
    pub cpu_per_page: Duration,
    /// The seed of the pages' text and of the faults.
    pub seed: u64,
    /// Whether to serve HTTPS, with HTTP/2 and HTTP/1.1, instead of plain HTTP/1.1.
    pub tls: bool,
    /// What goes wrong on purpose, with articles only. The same attempt at the same path has the
    /// same fault, whatever the order of the paths.
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
