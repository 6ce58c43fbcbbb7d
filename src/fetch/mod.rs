//! One GET: a URL becomes an answer as it came over the wire.
//!
//! Redirects are not followed: where one leads is told, and the queue decides
//! when that host may be asked. The body stays in its content coding: decoding is CPU work and belongs to `page`. Whether a
//! status is a success is for the caller to say.

mod body;
mod bypass;
mod channel;
mod chunked;
pub mod client;
mod collected;
mod connect;
mod content_range;
mod cookies;
pub mod credentials;
mod exchange;
pub mod failure;
mod first;
#[cfg(test)]
mod foreign_bytes;
mod guard;
mod handshakes;
mod head;
mod held;
mod library;
mod pool;
mod portable;
pub mod proxy;
mod resolve;
mod rotation;
mod route;
mod sender;
pub mod tls;
mod tunnel;

use std::sync::Arc;
use std::time::{Duration, Instant};

use url::Url;

use crate::model::{Attempt, Failure, Head, Moved, RawPage, SetCookie, Validators};
use crate::phase::PhaseCell;
pub use client::{Client, FetchError, HttpChoice, Options, Shared, Tally};
pub use held::Held;

/// An attempt that brought no whole answer.
#[derive(Debug, Clone)]
pub struct Missed {
    /// Why.
    pub failure: Failure,
    /// The head of the answer, when it came that far.
    pub head: Option<Box<Head>>,
    /// Bytes of the body that came.
    pub wire_bytes: u64,
    /// From the start of the attempt to the response's headers; zero when none came.
    pub wait: Duration,
    /// Whether the server refused to work on it, because it has too much to do.
    pub is_refused: bool,
}

impl From<Missed> for Attempt {
    fn from(missed: Missed) -> Self {
        let Missed { failure, head, wire_bytes, wait, is_refused } = missed;
        Self { head, wire_bytes, wait, is_refused, ..Self::failed(failure) }
    }
}

/// One request, and what it is a part of.
pub struct Ask<'a> {
    /// The address to ask.
    pub url: &'a Url,
    /// The address that the user or the source named.
    pub asked: &'a Url,
    /// What is there already: the server may answer that it has not changed.
    pub validators: Option<&'a Validators>,
    /// Redirects that led from `asked` to `url`.
    pub hops: u32,
    /// Time that they took.
    pub spent: Duration,
    /// The cookies that they set.
    pub cookies: &'a [SetCookie],
    /// Whether an origin that is not trusted with credentials chose one of them.
    pub has_left_home: bool,
    /// What is wanted of the answer.
    pub want: Want,
    /// When it began, just now.
    pub started: Instant,
    /// Told how far the request has come.
    pub phase: &'a Arc<PhaseCell>,
    /// The memory for its answer.
    pub held: &'a Held<'a>,
}

/// What is wanted of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The body, of which more than the options' limit is a failure.
    Whole,
    /// The first so many bytes of the body; the rest is left.
    Start(u64),
}

/// An answer, of whatever status, or where it leads on to.
#[derive(Debug, Clone)]
pub enum Got {
    /// The answer.
    Answer(RawPage),
    /// Another address is to be asked instead.
    Moved(Box<Moved>),
}
