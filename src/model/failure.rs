//! Why a page could not be fetched or saved.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::foreign::Foreign;

/// Why a page could not be fetched or saved. The names are stable: scripts read them in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCode {
    /// The host's name does not resolve.
    Dns,
    /// The resolver did not answer in time.
    DnsTimeout,
    /// No connection could be opened.
    Connect,
    /// Opening a connection took too long.
    ConnectTimeout,
    /// The TLS handshake failed, for example on a certificate.
    Tls,
    /// The request was sent, and the answer did not begin in time.
    FirstByteTimeout,
    /// The server stopped sending the body.
    ReadTimeout,
    /// The whole attempt took too long.
    MaxTime,
    /// The run's deadline came before the page was complete.
    Deadline,
    /// The connection was reset.
    Reset,
    /// The body ended before its announced length.
    Truncated,
    /// The answer is not HTTP, or breaks the rules of HTTP.
    Protocol,
    /// Too many redirects, or a redirect without a usable target.
    Redirects,
    /// The body is larger than the limit, on the wire or decoded.
    TooLarge,
    /// The body cannot be decoded from its content coding.
    Decode,
    /// Answers with this status are not saved.
    Http,
    /// The host's robots rules could not be fetched.
    Robots,
    /// The address must not be requested.
    Blocked,
    /// The proxy failed.
    Proxy,
    /// The page could not be written.
    Save,
    /// The worker process of the page died.
    WorkerLost,
    /// A bug in this program: the code that processed the page panicked.
    Internal,
}

impl FailureCode {
    /// Every class, in the order of reports.
    pub const ALL: [Self; 22] = [
        Self::Dns,
        Self::DnsTimeout,
        Self::Connect,
        Self::ConnectTimeout,
        Self::Tls,
        Self::FirstByteTimeout,
        Self::ReadTimeout,
        Self::MaxTime,
        Self::Deadline,
        Self::Reset,
        Self::Truncated,
        Self::Protocol,
        Self::Redirects,
        Self::TooLarge,
        Self::Decode,
        Self::Http,
        Self::Robots,
        Self::Blocked,
        Self::Proxy,
        Self::Save,
        Self::WorkerLost,
        Self::Internal,
    ];

    /// The stable name, as in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::DnsTimeout => "dns-timeout",
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect-timeout",
            Self::Tls => "tls",
            Self::FirstByteTimeout => "first-byte-timeout",
            Self::ReadTimeout => "read-timeout",
            Self::MaxTime => "max-time",
            Self::Deadline => "deadline",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::Protocol => "protocol",
            Self::Redirects => "redirects",
            Self::TooLarge => "too-large",
            Self::Decode => "decode",
            Self::Http => "http",
            Self::Robots => "robots",
            Self::Blocked => "blocked",
            Self::Proxy => "proxy",
            Self::Save => "save",
            Self::WorkerLost => "worker-lost",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A page's failure: data in its outcome, never an `Err` that ends the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class, for programs.
    pub code: FailureCode,
    /// One line for display; credentials are stripped.
    pub message: Foreign,
}

impl Failure {
    /// A failure of class `code`, with `message` for display.
    pub fn new(code: FailureCode, message: impl Into<Foreign>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl std::error::Error for Failure {}
