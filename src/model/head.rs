//! The parts of an answer's head that the program uses.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::foreign::Foreign;

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpVersion {
    /// HTTP/1.0
    #[serde(rename = "1.0")]
    Http10,
    /// HTTP/1.1
    #[serde(rename = "1.1")]
    Http11,
    /// HTTP/2
    #[serde(rename = "2")]
    Http2,
    /// HTTP/3
    #[serde(rename = "3")]
    Http3,
}

/// The values of an answer's head that the manifest and the queue use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The address that answered, after redirects.
    pub final_url: Url,
    /// The status code.
    pub status: u16,
    /// The version of HTTP.
    pub http: HttpVersion,
    /// `Content-Type` as sent.
    pub content_type: Option<Foreign>,
    /// `Content-Encoding` as sent, several fields joined by commas.
    pub content_encoding: Option<Foreign>,
    /// `ETag` as sent.
    pub etag: Option<Foreign>,
    /// `Last-Modified` as sent.
    pub last_modified: Option<Foreign>,
    /// `Retry-After` as sent.
    pub retry_after: Option<Foreign>,
    /// `Date` as sent, if the answer has a `Retry-After` to compare with it.
    pub date: Option<Foreign>,
    /// Whether a connection was opened for the request.
    pub is_on_new_connection: bool,
}

impl Head {
    /// Returns the body's content codings, as the server sent them.
    pub(crate) fn coding(&self) -> Option<&str> {
        self.content_encoding.as_ref().map(Foreign::raw)
    }

    /// Returns the body's media type, as the server sent it.
    pub(crate) fn media_type(&self) -> Option<&str> {
        self.content_type.as_ref().map(Foreign::raw)
    }

    /// Whether the answer's body is a page: 200 to 299, except for the statuses that
    /// announce no content (RFC 9110, 15.3.5 and 15.3.6) or a difference to the client's
    /// copy (RFC 3229, 10.4.1). A partial answer (206) is a page only when it holds all of
    /// it, which is checked when its body is received.
    pub(crate) const fn has_page(&self) -> bool {
        matches!(self.status, 200..=299) && !matches!(self.status, 204 | 205 | 226)
    }
}
