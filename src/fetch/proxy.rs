//! Proxies: their addresses, and which requests may go through which of them.
//!
//! `rotation` picks one of several proxies, and `tunnel` interprets their errors.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use super::no_proxy::NoProxy;

/// The default port of a SOCKS proxy (RFC 1928, 3).
const SOCKS_PORT: u16 = 1080;

/// A proxy's address, which may hold a user name and a password. `Display` and `Debug`
/// omit these.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Proxy(Url);

/// A text is not a proxy's address. The error does not repeat the text, which may hold a
/// password.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// It is not a URL.
    #[error("{0}")]
    Malformed(#[from] url::ParseError),
    /// It is a URL with another scheme.
    #[error("its scheme is {0}; use http, https, socks5 or socks5h")]
    Scheme(String),
    /// It has no host, or one that cannot be used.
    #[error("it has no usable host")]
    NoHost,
}

impl Proxy {
    /// Parses `http://host:port` and the like. The default scheme is http.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] when it is not a proxy's address.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let mut url = if text.contains("://") {
            Url::parse(text)?
        } else {
            Url::parse(&format!("http://{text}"))?
        };
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            return Err(ProxyError::Scheme(url.scheme().to_owned()));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(ProxyError::NoHost)?;
        // The URL library changes only the hosts of http URLs to lower case.
        let host = host.to_ascii_lowercase();
        url.set_host(Some(&host))?;
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        // The HTTP library ignores a proxy that it cannot parse, and connects directly.
        let is_readable = url.as_str().parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some());
        if is_readable { Ok(Self(url)) } else { Err(ProxyError::NoHost) }
    }

    /// Whether it speaks HTTP, so that it reads plain requests itself.
    pub(super) fn is_http(&self) -> bool {
        matches!(self.0.scheme(), "http" | "https")
    }

    /// Whether the proxy looks names up, so that this program does not learn the
    /// addresses.
    pub fn resolves_names(&self) -> bool {
        self.0.scheme() != "socks5"
    }

    /// Whether the address has a user name or a password.
    pub(super) fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }

    pub(super) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The address with its secrets, for the HTTP library only.
    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.0.port_or_known_default().unwrap_or(SOCKS_PORT);
        write!(f, "{}://{}:{port}", self.0.scheme(), self.host())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// The proxies of a run, and the URLs that go through them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Proxies {
    known: Vec<Proxy>,
    /// The numbers of those for http URLs.
    http: Vec<usize>,
    /// The numbers of those for https URLs.
    https: Vec<usize>,
    no_proxy: NoProxy,
}

impl Proxies {
    /// Sends every URL through `proxies`, in turn. Duplicates are dropped.
    pub fn in_turn(proxies: Vec<Proxy>) -> Self {
        let mut seen = HashSet::new();
        let mut known = proxies;
        known.retain(|proxy| seen.insert(proxy.clone()));
        let all: Vec<_> = (0..known.len()).collect();
        Self { known, http: all.clone(), https: all, no_proxy: NoProxy::default() }
    }

    /// Sends http URLs through `http`, and https URLs through `https`.
    pub fn by_scheme(http: Option<Proxy>, https: Option<Proxy>) -> Self {
        let both = Self::in_turn(http.iter().chain(&https).cloned().collect());
        let place = |proxy: &Proxy| both.known.iter().position(|known| known == proxy);
        let places = |proxy: Option<Proxy>| proxy.as_ref().and_then(place).into_iter().collect();
        Self { http: places(http), https: places(https), ..both }
    }

    /// Excepts the hosts in `no_proxy`, which get direct connections.
    #[must_use]
    pub fn except(self, no_proxy: NoProxy) -> Self {
        Self { no_proxy, ..self }
    }

    /// All proxies, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Proxy> {
        self.known.iter()
    }

    pub(super) fn get(&self, at: usize) -> &Proxy {
        &self.known[at]
    }

    /// Returns the numbers of the proxies that `url` may go through; empty for a direct
    /// connection.
    pub(super) fn candidates(&self, url: &Url) -> &[usize] {
        let candidates = if url.scheme() == "https" { &self.https } else { &self.http };
        if candidates.is_empty() || self.no_proxy.covers(url) { &[] } else { candidates }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_typed_and_shown_without_secrets() {
        for (text, shown) in [
            ("127.0.0.1:8888", "http://127.0.0.1:8888"),
            ("proxy.a.org", "http://proxy.a.org:80"),
            ("me:secret@proxy:3128", "http://proxy:3128"),
            ("HTTPS://me:sec%2Fret@Proxy.org/x?y#z", "https://proxy.org:443"),
            ("socks5://me:secret@Proxy.ORG", "socks5://proxy.org:1080"),
            (" socks5h://[::1]:9050 ", "socks5h://[::1]:9050"),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!(proxy.to_string(), shown);
            assert_eq!(format!("{proxy:?}"), format!("Proxy({shown})"));
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_it() {
        for text in [
            "",
            "http://",
            "socks5://",
            "ftp://me:secret@a.org",
            "socks4://a.org",
            "me:secret@",
            "http://me:secret@[bad",
            "me:secret@host:99999",
            "socks5://a%20b:1",
        ] {
            let error = Proxy::parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn each_scheme_has_its_own_proxies() {
        let proxy = |text| Proxy::parse(text).unwrap();
        let url = |text| Url::parse(text).unwrap();
        let both = Proxies::by_scheme(Some(proxy("a:1")), Some(proxy("b:1")));
        assert_eq!(both.candidates(&url("http://x.org/")), [0]);
        assert_eq!(both.candidates(&url("https://x.org/")), [1]);
        let one = Proxies::by_scheme(None, Some(proxy("a:1"))).except(NoProxy::parse("x.org"));
        assert!(one.candidates(&url("http://y.org/")).is_empty());
        assert_eq!(one.candidates(&url("https://y.org/")), [0]);
        assert!(one.candidates(&url("https://x.org/")).is_empty());
        let same = Proxies::by_scheme(Some(proxy("a:1")), Some(proxy("http://a:1")));
        assert_eq!(same.iter().len(), 1);
    }
}
