//! The client of one runtime: its pool, and the state that it shares with the others.
//! `route`, `library_request` and `exchange` add what it does.

use std::sync::Arc;
use std::time::Instant;

use super::network::{FetchError, Network};
use super::options::Options;
use super::pool::Pool;
use super::reuse::Reuse;

/// An HTTP client for one runtime. It is not `Clone`, because a client must not cross
/// runtimes.
pub struct Client {
    pool: Pool,
    network: Arc<Network>,
}

impl Client {
    /// Makes a client that opens its connections on the runtime that polls it.
    ///
    /// # Errors
    ///
    /// [`FetchError::Client`] when the HTTP library refuses the options.
    pub fn new(network: &Arc<Network>) -> Result<Self, FetchError> {
        // The first client is made only for its error: later clients have the same
        // options.
        network.make(None, Reuse::Pooled)?;
        Ok(Self { pool: Pool::default(), network: Arc::clone(network) })
    }

    pub(super) fn options(&self) -> &Options {
        self.network.options()
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    pub(super) fn now(&self) -> Instant {
        self.network.clock().now()
    }
}
