//! One HTTP exchange, request and answer, as exactly as the program knows it.
//!
//! Archives store both sides of an exchange. Other runs do not record exchanges.
//!
//! What is exact:
//! - the request: every field that was sent, in the order in which it was sent;
//! - the status line of an answer over HTTP/1.1, its reason phrase included;
//! - the value of every field of an answer, byte for byte, without the blanks around it.
//!
//! What is not:
//! - the names of an answer's fields are in lower case, and fields of one name are grouped at
//!   the place of the first one, because the HTTP library stores them in such a map;
//! - interim answers (RFC 9110, 15.2), lines that are not fields, and trailers are left out;
//! - a reason phrase with other characters than ASCII is empty;
//! - a line that was folded (RFC 9112, 5.2) is one line;
//! - fields and requests for a proxy, such as `Proxy-Authorization` or a CONNECT, are left out;
//! - once a server has answered in HTTP/1.0, the library sends further requests on that
//!   connection in HTTP/1.0 with `Connection: keep-alive`; they are recorded as HTTP/1.1.

use std::fmt;
use std::net::SocketAddr;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{HttpVersion, compact};
use crate::foreign;

/// Bytes of redirects' exchanges, heads and bodies together, that one attempt remembers.
const REDIRECTS_LIMIT: usize = 1024 * 1024;

/// A request and the head of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When the request began.
    pub started_at: SystemTime,
    /// The request.
    pub request: RequestHead,
    /// The head of the answer.
    pub response: ResponseHead,
    /// The server's address; `None` where a proxy connects to it.
    pub peer: Option<SocketAddr>,
    /// The version of HTTP that the connection speaks.
    pub protocol: HttpVersion,
    /// The version of TLS; `None` without TLS.
    pub tls: Option<TlsVersion>,
    /// The reason why the body is not complete; `None` when it is complete.
    pub truncated: Option<Truncation>,
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestHead {
    /// The method.
    pub method: String,
    /// The request target as in the request line (RFC 9112, 3.2), or `:path` over HTTP/2.
    pub target: String,
    /// The version of HTTP.
    pub version: HttpVersion,
    /// The fields. Over HTTP/2 the pseudo-fields come first (RFC 9113, 8.3.1).
    pub fields: Vec<Field>,
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseHead {
    /// The version of HTTP.
    pub version: HttpVersion,
    /// The status code.
    pub status: u16,
    /// The reason phrase as received; empty over HTTP/2, which has no reason phrases.
    #[serde(with = "compact::base64")]
    pub reason: Vec<u8>,
    /// The fields. Over HTTP/2 the pseudo-field `:status` comes first.
    pub fields: Vec<Field>,
}

/// A header field.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The value.
    #[serde(with = "compact::base64")]
    pub value: Vec<u8>,
    /// Whether the value is a secret of the user, such as a password or a cookie.
    pub is_secret: bool,
}

impl fmt::Debug for Field {
    /// Shows the field without a secret, and without characters that a terminal obeys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_secret {
            return write!(f, "{}: (secret)", self.name);
        }
        write!(f, "{}: {}", self.name, foreign::clean(&String::from_utf8_lossy(&self.value)))
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3
    #[serde(rename = "1.3")]
    Tls13,
}

/// The reason why a body is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truncation {
    /// The body is longer than the part that the client reads.
    Length,
    /// The body took longer than the client waits.
    Time,
    /// The connection broke, or the server aborted the body.
    Disconnect,
}

/// The exchange of a redirect that the attempt followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectExchange {
    /// The address that was requested.
    pub url: Url,
    /// The exchange.
    pub exchange: Exchange,
    /// The body as received, still in its content coding; at most 64 KiB of it.
    #[serde(with = "compact::base64")]
    pub body: Bytes,
}

impl Field {
    fn size(&self) -> usize {
        self.name.len() + self.value.len()
    }
}

impl RedirectExchange {
    /// Adds the exchange `next` to those of the redirects before it.
    ///
    /// A chain of redirects may be long, and all of it travels to worker processes. So the
    /// exchanges of one attempt share 1 MiB: where they would take more, `next` loses its
    /// body, and where that does not suffice, it is left out.
    pub(crate) fn add_to(exchanges: &mut Vec<Self>, mut next: Self) {
        let before: usize = exchanges.iter().map(Self::size).sum();
        if before + next.size() > REDIRECTS_LIMIT {
            next.body = Bytes::new();
            next.exchange.truncated = Some(Truncation::Length);
        }
        if before + next.size() <= REDIRECTS_LIMIT {
            exchanges.push(next);
        }
    }

    fn size(&self) -> usize {
        let Exchange { request, response, .. } = &self.exchange;
        let fields = request.fields.iter().chain(&response.fields).map(Field::size);
        self.url.as_str().len() + request.target.len() + self.body.len() + fields.sum::<usize>()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A redirect's exchange, with a body of `length` bytes.
    pub(crate) fn redirect(length: usize) -> RedirectExchange {
        let field = |name: &str, value: &[u8], is_secret| Field {
            name: name.into(),
            value: value.into(),
            is_secret,
        };
        let request = RequestHead {
            method: "GET".into(),
            target: "/x?y".into(),
            version: HttpVersion::Http11,
            fields: vec![field("host", b"a.org", false), field("cookie", b"id=7", true)],
        };
        let response = ResponseHead {
            version: HttpVersion::Http11,
            status: 302,
            reason: b"Fo\xffnd".into(),
            fields: vec![field("location", b"/\xe9\x1b", false)],
        };
        let exchange = Exchange {
            started_at: SystemTime::UNIX_EPOCH,
            request,
            response,
            peer: Some(([192, 0, 2, 1], 443).into()),
            protocol: HttpVersion::Http11,
            tls: Some(TlsVersion::Tls13),
            truncated: None,
        };
        let url = Url::parse("https://a.org/x?y").expect("this is a URL");
        RedirectExchange { url, exchange, body: vec![7; length].into() }
    }

    #[test]
    fn an_exchange_reads_as_it_was_written_and_shows_no_secret() {
        let given = redirect(3);
        let written = serde_json::to_string(&given).unwrap();
        assert_eq!(serde_json::from_str::<RedirectExchange>(&written).unwrap(), given);
        let shown = format!("{given:?}");
        assert!(shown.contains("cookie: (secret)") && !shown.contains("id=7"), "{shown}");
        assert!(!shown.contains('\x1b'), "{shown}");
    }

    #[test]
    fn the_exchanges_of_a_chain_share_one_limit() {
        let mut exchanges = Vec::new();
        let frame = redirect(0).size();
        let half = REDIRECTS_LIMIT / 2 - frame;
        for length in [half, half, 1, 0] {
            RedirectExchange::add_to(&mut exchanges, redirect(length));
        }
        assert_eq!(exchanges.len(), 2);
        RedirectExchange::add_to(&mut exchanges, redirect(0));
        assert_eq!(exchanges.len(), 2, "there is no room left");
        exchanges.truncate(1);
        RedirectExchange::add_to(&mut exchanges, redirect(half + 1));
        assert_eq!(exchanges[1].body.len(), 0);
        assert_eq!(exchanges[1].exchange.truncated, Some(Truncation::Length));
    }
}
