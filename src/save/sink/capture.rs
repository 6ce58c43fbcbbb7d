//! What a sink gets of a page: the whole exchange, if the sink wants it.

use bytes::Bytes;

use crate::model::{Exchange, Failure, Key, RedirectExchange};

/// One page for a sink.
///
/// A sink that does not [want the exchange](super::Capabilities::wants_exchange) gets
/// `exchange: None` and no redirects: the run does not record them.
#[derive(Debug, Clone, Copy)]
pub struct Capture<'a> {
    /// The page's name in the output.
    pub key: &'a Key,
    /// The request as it was sent and the head of the answer as it was received, with the date,
    /// the server's address and the versions of HTTP and TLS.
    pub exchange: Option<&'a Exchange>,
    /// The redirects that led to this answer, the first one first.
    pub redirects: &'a [RedirectExchange],
    /// The body as it was received, still in its content coding.
    pub encoded: &'a Bytes,
    /// The page.
    pub content: Content<'a>,
}

/// What the body is.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// A page.
    Whole {
        /// The decoded body.
        decoded: &'a [u8],
        /// SHA-256 of the decoded body.
        sha256: [u8; 32],
    },
    /// A page that is decoded while it is saved; its pieces follow.
    InPieces,
    /// No page, for this reason. Only a sink that keeps failures is given one.
    Incomplete(&'a Failure),
}

/// A [`Capture`] that owns its parts, for a sink that works on the event loop.
#[derive(Debug, Clone)]
pub struct OwnedCapture {
    /// As in [`Capture`].
    pub key: Key,
    /// As in [`Capture`].
    pub exchange: Option<Box<Exchange>>,
    /// As in [`Capture`].
    pub redirects: Vec<RedirectExchange>,
    /// As in [`Capture`].
    pub encoded: Bytes,
    /// The page.
    pub content: OwnedContent,
}

/// What the body is; a page is always whole.
#[derive(Debug, Clone)]
pub enum OwnedContent {
    /// A page.
    Whole {
        /// The decoded body.
        decoded: Bytes,
        /// SHA-256 of the decoded body.
        sha256: [u8; 32],
    },
    /// No page, for this reason. Only a sink that keeps failures is given one.
    Incomplete(Failure),
}

impl OwnedCapture {
    /// Returns the same capture with borrowed parts.
    pub fn borrowed(&self) -> Capture<'_> {
        Capture {
            key: &self.key,
            exchange: self.exchange.as_deref(),
            redirects: &self.redirects,
            encoded: &self.encoded,
            content: match &self.content {
                OwnedContent::Whole { decoded, sha256 } => {
                    Content::Whole { decoded, sha256: *sha256 }
                }
                OwnedContent::Incomplete(failure) => Content::Incomplete(failure),
            },
        }
    }
}

#[cfg(test)]
impl<'a> Capture<'a> {
    /// Returns a whole page without an exchange; its body has no coding.
    pub(in crate::save) fn of_body(key: &'a Key, encoded: &'a Bytes) -> Self {
        let content = Content::Whole { decoded: encoded, sha256: crate::digest::sha256(encoded) };
        Self { key, exchange: None, redirects: &[], encoded, content }
    }
}
