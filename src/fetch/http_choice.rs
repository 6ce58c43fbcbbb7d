//! The choice of the version of HTTP, which the options and the TLS settings share.

use serde::{Deserialize, Serialize};

/// The version of HTTP to speak.
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
