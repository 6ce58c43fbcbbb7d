//! A page, before and after its body is decoded.

use std::time::Duration;

use bytes::Bytes;

use super::exchange::Exchange;
use super::head::Head;

/// An answer as it was received: the body is still encoded.
#[derive(Debug, Clone)]
pub struct RawPage {
    /// The head.
    pub head: Box<Head>,
    /// The body as received, still in its content coding.
    pub body: Bytes,
    /// The time from the start of the attempt, connecting included, to the response's headers.
    pub wait: Duration,
    /// The exchange, if the run records exchanges.
    pub exchange: Option<Box<Exchange>>,
}

/// A page after the CPU stage: decoded and hashed.
pub struct Page<'a> {
    /// The decoded body.
    pub body: &'a [u8],
    /// SHA-256 of the decoded body.
    pub sha256: [u8; 32],
}
