//! One GET request: a URL goes in, and the answer comes out as it was received.
//!
//! [`Client::send`] does not follow redirects: it returns their target, and the queue decides
//! when that host may be requested. The body stays in its content coding: decoding is CPU
//! work and belongs to `page`. The caller decides whether a status is a success.

mod body;
mod body_memory;
mod channel;
mod chunked;
mod client;
mod collected;
mod connect;
mod connect_state;
mod content_range;
mod cookies;
pub mod credentials;
mod error_chain;
mod exchange;
pub(crate) mod failure;
mod first_connection;
mod guard;
mod handshakes;
mod head;
mod http_choice;
mod library;
mod library_request;
mod network;
mod no_proxy;
pub(crate) mod options;
mod pool;
pub mod proxy;
mod recording;
mod resolve;
mod reuse;
mod rotation;
mod route;
mod sender;
mod serde_headers;
#[cfg(test)]
mod tests;
pub mod tls;
mod tunnel;

use std::time::{Duration, Instant};

use url::Url;

use crate::in_flight::ProgressView;
use crate::model::{Attempt, Exchange, Failure, Head, RawPage, Redirect, SetCookie, Validators};
pub use body_memory::BodyMemory;
pub use client::Client;
pub use http_choice::HttpChoice;
pub use network::{FetchError, Network, NetworkCounts};
pub use options::Options;

/// An attempt without a complete answer.
#[derive(Debug, Clone)]
pub struct FetchFailure {
    /// The reason.
    pub failure: Failure,
    /// The head of the answer, if it came.
    pub head: Option<Box<Head>>,
    /// Bytes of the body that were received.
    pub wire_bytes: u64,
    /// The time from the start of the attempt to the response's headers; zero if there
    /// were none.
    pub wait: Duration,
    /// Whether the server was overloaded and did not process the request.
    pub is_refused: bool,
    /// The exchange, if the answer began and the run records exchanges.
    pub exchange: Option<Box<Exchange>>,
}

impl From<FetchFailure> for Attempt {
    fn from(failed: FetchFailure) -> Self {
        let FetchFailure { failure, head, wire_bytes, wait, is_refused, exchange: _ } = failed;
        Self { head, wire_bytes, wait, is_refused, ..Self::failed(failure) }
    }
}

/// One GET request, and the attempt that it belongs to.
pub struct Request<'a> {
    /// The address to request.
    pub url: &'a Url,
    /// The address that the user or the source named, where the attempt started.
    pub start_url: &'a Url,
    /// Validators of the saved page, so that the server can answer "not modified".
    pub validators: Option<&'a Validators>,
    /// Redirects that led from `start_url` to `url`.
    pub hops: u32,
    /// The time that these redirects took.
    pub spent: Duration,
    /// The cookies that these redirects set.
    pub cookies: &'a [SetCookie],
    /// Whether an origin that is not trusted with credentials chose one of these redirects.
    pub has_left_home: bool,
    /// How much of the body to read.
    pub body_limit: BodyLimit,
    /// The start of the request.
    pub started: Instant,
    /// The display of the request's progress.
    pub progress: &'a ProgressView,
    /// The memory for the answer's body.
    pub memory: &'a BodyMemory<'a>,
}

/// How much of an answer's body to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLimit {
    /// All of it. A body larger than [`Options::max_size`] is a failure.
    Whole,
    /// At most this many bytes from its start; the rest is not read.
    Prefix(u64),
}

/// What one request returns.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A complete answer, with any status.
    Page(RawPage),
    /// A redirect: another address must be requested instead.
    Redirect(Box<Redirect>),
}
