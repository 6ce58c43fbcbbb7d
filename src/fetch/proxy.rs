//! Proxies: their addresses, and which requests may go through which of them.
//!
//! Whose turn it is among several is decided in `rotation`; what a proxy's
//! errors mean in `tunnel`.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use super::no_proxy::NoProxy;

/// The port of a SOCKS proxy that names none (RFC 1928, 3).
const SOCKS_PORT: u16 = 1080;

/// A proxy's address, which may hold a user name and a password. It is shown without them.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Proxy(Url);

/// A text is no proxy's address. The text is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// It is no URL.
    #[error("{0}")]
    Malformed(#[from] url::ParseError),
    /// It is a URL of another kind.
    #[error("its scheme is {0}, which is none of http, https, socks5, socks5h")]
    Scheme(String),
    /// It has no host, or one that nothing can be asked for.
    #[error("it names no host")]
    NoHost,
}

impl Proxy {
    /// Reads `http://host:port` and the like; without a scheme, http is meant.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] when it is none.
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
        // The hosts of other schemes than http are kept as they are typed.
        let host = host.to_ascii_lowercase();
        url.set_host(Some(&host))?;
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        // The HTTP library passes over proxies that it cannot read, and connects directly.
        let is_readable = url.as_str().parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some());
        if is_readable { Ok(Self(url)) } else { Err(ProxyError::NoHost) }
    }

    /// Whether it is asked in HTTP, so that it reads plain requests itself.
    pub(super) fn is_http(&self) -> bool {
        matches!(self.0.scheme(), "http" | "https")
    }

    /// Whether it looks names up itself, so that nobody here sees the addresses.
    pub fn resolves_names(&self) -> bool {
        self.0.scheme() != "socks5"
    }

    /// Whether it is told a user name and a password.
    pub(super) fn has_credentials(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }

    pub(super) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The address with everything that is in it, for the HTTP library only.
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

/// The proxies of a run, and what goes through them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Proxies {
    known: Vec<Proxy>,
    /// Which of them serve http URLs.
    http: Vec<usize>,
    /// Which of them serve https URLs.
    https: Vec<usize>,
    no_proxy: NoProxy,
}

impl Proxies {
    /// Everything goes through `proxies`, in turn. One that is named twice is taken once.
    pub fn in_turn(proxies: Vec<Proxy>) -> Self {
        let mut seen = HashSet::new();
        let mut known = proxies;
        known.retain(|proxy| seen.insert(proxy.clone()));
        let all: Vec<_> = (0..known.len()).collect();
        Self { known, http: all.clone(), https: all, no_proxy: NoProxy::default() }
    }

    /// http URLs go through `http`, https URLs through `https`.
    pub fn by_scheme(http: Option<Proxy>, https: Option<Proxy>) -> Self {
        let both = Self::in_turn(http.iter().chain(&https).cloned().collect());
        let place = |proxy: &Proxy| both.known.iter().position(|known| known == proxy);
        let places = |proxy: Option<Proxy>| proxy.as_ref().and_then(place).into_iter().collect();
        Self { http: places(http), https: places(https), ..both }
    }

    /// The same, but what `no_proxy` covers is asked directly.
    #[must_use]
    pub fn except(self, no_proxy: NoProxy) -> Self {
        Self { no_proxy, ..self }
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Proxy> {
        self.known.iter()
    }

    pub(super) fn get(&self, at: usize) -> &Proxy {
        &self.known[at]
    }

    /// The numbers of the proxies that `url` may go through; none when it is asked directly.
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
