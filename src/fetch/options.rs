//! The options of requests, with the default of each.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::credentials::Credentials;
use super::http_choice::HttpChoice;
use super::proxy::Proxies;
use super::{serde_headers, tls};

/// The default of `--connect-timeout`: looking the name up, TCP and TLS together.
pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The default of `--read-timeout`: silence before or within an answer.
pub(crate) const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The default of `--max-time`: one attempt, redirects included.
pub(crate) const DEFAULT_MAX_TIME: Duration = Duration::from_mins(5);
/// The default of `--max-size`: a body, on the wire and decoded, in bytes.
pub(crate) const DEFAULT_MAX_SIZE: u64 = 128 * 1024 * 1024;
/// The default of `--max-redirs`: redirects followed for one page.
pub(crate) const DEFAULT_MAX_REDIRECTS: u32 = 10;
/// The number of hosts whose idle connections are kept for each request in flight, unless
/// open files are scarce.
pub(crate) const DEFAULT_KEPT_HOSTS: usize = 64;

/// The program's name in requests.
pub(crate) const USER_AGENT: &str = concat!("fetchpages/", env!("CARGO_PKG_VERSION"));

/// How to request pages.
///
/// The serialised form, for another process, contains the secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Options {
    /// The `User-Agent` header.
    #[serde(with = "serde_headers::value")]
    pub user_agent: HeaderValue,
    /// Headers of every request; none of them is a secret.
    #[serde(with = "serde_headers::headers")]
    pub headers: HeaderMap,
    /// The user's secrets, and who gets them.
    pub credentials: Credentials,
    /// The limit for looking the name up, TCP and TLS together.
    pub connect_timeout: Duration,
    /// The limit for silence before or within an answer.
    pub read_timeout: Duration,
    /// The limit for one attempt, redirects included.
    pub max_time: Duration,
    /// The limit for a body, on the wire and decoded, in bytes.
    pub max_size: u64,
    /// The limit for redirects of one page.
    pub max_redirects: u32,
    /// The version of HTTP.
    pub http: HttpChoice,
    /// The certificates to trust.
    pub trust: tls::Trust,
    /// The proxies.
    pub proxies: Proxies,
    /// Whether to connect only to addresses of the public internet. Names must then be
    /// resolved here, not by the proxies.
    pub untrusted: bool,
    /// Whether to follow redirects only within the host that the user or the source
    /// named.
    pub keeps_to_host: bool,
    /// The number of hosts whose idle connections are kept for each request in flight.
    pub kept_hosts: usize,
    /// Whether to record both sides of each exchange; see
    /// [`Exchange`](crate::model::Exchange).
    pub records_exchange: bool,
}

impl Default for Options {
    /// The values that apply if the command line sets none.
    fn default() -> Self {
        Self {
            user_agent: HeaderValue::from_static(USER_AGENT),
            headers: HeaderMap::new(),
            credentials: Credentials::default(),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            read_timeout: DEFAULT_READ_TIMEOUT,
            max_time: DEFAULT_MAX_TIME,
            max_size: DEFAULT_MAX_SIZE,
            max_redirects: DEFAULT_MAX_REDIRECTS,
            http: HttpChoice::Auto,
            trust: tls::Trust::System,
            proxies: Proxies::default(),
            untrusted: false,
            keeps_to_host: false,
            kept_hosts: DEFAULT_KEPT_HOSTS,
            records_exchange: false,
        }
    }
}

impl Options {
    /// The `User-Agent` that requests carry: the first one among the `headers`, else
    /// [`user_agent`](Self::user_agent).
    #[must_use]
    pub fn sent_user_agent(&self) -> &HeaderValue {
        self.headers.get(header::USER_AGENT).unwrap_or(&self.user_agent)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use url::Url;

    use super::*;
    use crate::fetch::credentials::FieldHost;
    use crate::fetch::proxy::{NoProxy, Proxy};

    /// Default options with a short `User-Agent` that trust every certificate.
    pub(in crate::fetch) fn options() -> Options {
        Options {
            user_agent: HeaderValue::from_static("test"),
            trust: tls::Trust::Anyone,
            ..Options::default()
        }
    }

    #[test]
    fn options_reach_another_process_with_everything_that_they_hold() {
        let mut secret = HeaderValue::from_static("session=secret");
        secret.set_sensitive(true);
        let strange = HeaderValue::from_bytes(b"\xff\"\t").unwrap();
        let proxy = Proxy::parse("socks5://me:sec%2Fret@a.org").unwrap();
        let secret: HeaderMap = [(header::COOKIE, secret)].into_iter().collect();
        let mut credentials = Credentials::new(secret.clone(), secret);
        credentials.add_home(&Url::parse("https://me:secret@a.org/").unwrap());
        credentials.open(&Url::parse("https://b.org/x/").unwrap());
        credentials.open_fields(FieldHost::parse("c.org:81").unwrap());
        let given = Options {
            headers: [(header::ACCEPT, strange.clone()), (header::ACCEPT_LANGUAGE, strange)]
                .into_iter()
                .collect(),
            credentials,
            http: HttpChoice::Http2,
            trust: tls::Trust::Authorities(vec![vec![1, 2, 255].into()]),
            proxies: Proxies::in_turn(vec![proxy.clone()])
                .except(NoProxy::parse("b.org,10.0.0.0/8")),
            ..options()
        };
        let written = serde_json::to_vec(&given).unwrap();
        let read: Options = serde_json::from_slice(&written).unwrap();
        // Their `Debug` form omits secrets, so the secrets are compared separately.
        assert_eq!(format!("{read:?}"), format!("{given:?}"));
        assert_eq!((&read.headers, &read.credentials), (&given.headers, &given.credentials));
        assert!(!format!("{read:?}").contains("secret"));
        assert_eq!(read.proxies.get(0), &proxy);
    }
}
