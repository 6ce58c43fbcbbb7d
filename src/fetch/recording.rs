//! Records exchanges, for runs that archive both sides of them.
//!
//! The request is recorded as this program builds it. The fields that the libraries below
//! add are added here by the same rules; the integration tests compare the result with
//! what a server received.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};
use hyper::ext::ReasonPhrase;
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::Response;

use super::credentials;
use super::head::http_version;
use crate::model::{Exchange, Field, HttpVersion, RequestHead, ResponseHead, TlsVersion};

/// The fields that describe a connection; the HTTP library does not send them over HTTP/2
/// (RFC 9113, 8.2.2).
const OF_CONNECTIONS: [HeaderName; 4] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The version of TLS of each connection, by the connection's local address.
///
/// A later connection may use a local address again, and then replaces the version.
#[derive(Debug, Default)]
pub(super) struct TlsVersions(Mutex<HashMap<SocketAddr, TlsVersion>>);

impl TlsVersions {
    /// Records the version of a new connection.
    pub(super) fn insert(&self, local: SocketAddr, version: TlsVersion) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(local, version);
    }

    fn get(&self, local: SocketAddr) -> Option<TlsVersion> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&local).copied()
    }
}

/// The parts of a request's route that change its recorded form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Straight to the server.
    Direct,
    /// Through a proxy that opens a connection to the server.
    Tunnel,
    /// To a proxy that reads the request and sends its own.
    ReadByProxy,
}

/// A request that waits for its answer.
pub(super) struct SentRequest {
    started_at: SystemTime,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl SentRequest {
    /// Records a request that is about to be sent; `None` if it cannot be sent.
    pub(super) fn new(request: &reqwest::Request, started_at: SystemTime) -> Option<Self> {
        let uri = request.url().as_str().parse().ok()?;
        let (method, headers) = (request.method().clone(), request.headers().clone());
        Some(Self { started_at, method, uri, headers })
    }

    /// Returns the exchange once the head of the answer is there.
    pub(super) fn answered(
        self,
        response: &Response,
        way: Way,
        versions: &TlsVersions,
    ) -> Exchange {
        let protocol = http_version(response.version());
        let connection = response.extensions().get::<HttpInfo>();
        let is_https = self.uri.scheme_str() == Some("https");
        let local = connection.filter(|_| is_https).map(HttpInfo::local_addr);
        Exchange {
            started_at: self.started_at,
            peer: connection.filter(|_| way == Way::Direct).map(HttpInfo::remote_addr),
            tls: local.and_then(|local| versions.get(local)),
            request: self.head(protocol, way),
            response: response_head(response, protocol),
            protocol,
            truncated: None,
        }
    }

    fn head(self, protocol: HttpVersion, way: Way) -> RequestHead {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let method = self.method.as_str().to_owned();
        if protocol == HttpVersion::Http2 {
            // This is the order in which the library writes them.
            let pseudo = [
                (":method", &*method),
                (":scheme", self.uri.scheme_str().unwrap_or_default()),
                (":authority", self.uri.authority().map_or("", |authority| authority.as_str())),
                (":path", &*path),
            ];
            let mut fields: Vec<_> = pseudo.map(|(name, value)| pseudo_field(name, value)).into();
            add(&mut fields, &without_connection(self.headers));
            return RequestHead { method, target: path, version: protocol, fields };
        }
        let mut headers = self.headers;
        if !headers.contains_key(header::HOST)
            && let Ok(host) = HeaderValue::from_str(&host(&self.uri))
        {
            headers.insert(header::HOST, host);
        }
        let target = if way == Way::ReadByProxy { self.uri.to_string() } else { path };
        let mut fields = Vec::with_capacity(headers.len());
        add(&mut fields, &headers);
        // A server may answer in an older version than the request's.
        RequestHead { method, target, version: HttpVersion::Http11, fields }
    }
}

/// Returns the value of `Host`, without the scheme's default port (RFC 9110, 7.2).
fn host(uri: &Uri) -> String {
    let name = uri.host().unwrap_or_default();
    match (uri.port_u16(), uri.scheme_str()) {
        (None, _) | (Some(80), Some("http")) | (Some(443), Some("https")) => name.to_owned(),
        (Some(port), _) => format!("{name}:{port}"),
    }
}

/// Removes the fields that are not sent over HTTP/2; the others keep the order that these
/// removals leave.
fn without_connection(mut headers: HeaderMap) -> HeaderMap {
    for name in &OF_CONNECTIONS {
        headers.remove(name);
    }
    if headers.get(header::TE).is_some_and(|value| value != "trailers") {
        headers.remove(header::TE);
    }
    if let Some(names) = headers.remove(header::CONNECTION) {
        for name in names.to_str().unwrap_or_default().split(',') {
            headers.remove(name.trim());
        }
    }
    headers
}

fn pseudo_field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: value.as_bytes().to_owned(), is_secret: false }
}

fn add(fields: &mut Vec<Field>, headers: &HeaderMap) {
    fields.extend(headers.iter().map(|(name, value)| Field {
        name: name.as_str().to_owned(),
        value: value.as_bytes().to_owned(),
        is_secret: value.is_sensitive() || credentials::is_secret(name),
    }));
}

fn response_head(response: &Response, version: HttpVersion) -> ResponseHead {
    let status = response.status();
    let mut fields = Vec::with_capacity(response.headers().len() + 1);
    let mut reason = Vec::new();
    if version == HttpVersion::Http2 {
        fields.push(pseudo_field(":status", status.as_str()));
    } else {
        // The library reports the phrase only if it is not the usual one.
        let phrase = response.extensions().get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
        let usual = || StatusCode::canonical_reason(&status).unwrap_or_default().as_bytes();
        reason.extend_from_slice(phrase.unwrap_or_else(usual));
    }
    add(&mut fields, response.headers());
    ResponseHead { version, status: status.as_u16(), reason, fields }
}
