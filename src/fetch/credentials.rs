//! Decides which of the user's secrets a request carries: by its address, by the address
//! that its page began with, and by the origins that chose the redirects between them.
//!
//! Secrets are `--user`, `--cookie` and the header fields whose names say so. Cookies
//! that answers set follow rules of their own (`cookies`), and proxy passwords are
//! handled in `proxy`.

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{BodyLimit, Request, serde_headers};

/// Words in the names of header fields that carry secrets.
const SECRET_WORDS: &[&str] = &[
    "auth",
    "token",
    "secret",
    "key",
    "password",
    "passwd",
    "session",
    "credential",
    "cookie",
    "csrf",
    "xsrf",
    "jwt",
    "signature",
];
/// Fields whose names contain such a word but that carry no secret.
const NO_SECRETS: &[&str] = &["idempotency-key", "sec-websocket-key", "surrogate-key"];

/// Whether a header field carries a secret, by its name. A field that is wrongly taken
/// for a secret only goes to fewer hosts, which is the lesser harm.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    let name = name.as_str();
    !NO_SECRETS.contains(&name) && SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// A host that gets the header fields with secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldHost {
    name: String,
    /// `None` for the default port of each scheme.
    port: Option<u16>,
}

impl FieldHost {
    /// Parses `a.org`, `a.org:8443` or `[::1]:8443`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let read = |scheme| Url::parse(&format!("{scheme}://{text}/")).ok();
        let (https, http) = (read("https")?, read("http")?);
        // A user name, a path or a query would change which part is the host.
        let ends = text.ends_with(|c: char| c.is_alphanumeric() || ".]".contains(c));
        let is_bare = !text.contains(['/', '\\', '@', '?', '#', '*']) && ends;
        let name = https.host_str().filter(|_| is_bare)?.to_owned();
        // Each scheme omits only its own default port.
        Some(Self { name, port: https.port().or(http.port()) })
    }

    fn is_of(&self, url: &Url) -> bool {
        let is_at_port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.port().is_none(),
        };
        is_at_port && url.host_str() == Some(&self.name)
    }
}

/// The secrets of a run, and who gets them.
///
/// The serialised form, for another process, contains the secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// User name and password, and cookies (`--user`, `--cookie`).
    #[serde(with = "serde_headers::headers")]
    login: HeaderMap,
    /// Further header fields that carry secrets.
    #[serde(with = "serde_headers::headers")]
    fields: HeaderMap,
    /// One address of each origin whose pages get all secrets, because the user typed it.
    homes: Vec<Url>,
    /// The origins that get all secrets after a redirect too (`--credentials-for`).
    opened: Vec<Url>,
    /// The hosts that get the header fields (`--header-for`).
    field_hosts: Vec<FieldHost>,
}

impl Credentials {
    /// Makes the secrets of a run, which no host gets yet. If `login` and `fields` have a
    /// field of one name, the one in `login` is sent.
    pub fn new(login: HeaderMap, fields: HeaderMap) -> Self {
        Self { login, fields, ..Self::default() }
    }

    /// Adds the origin of an address that the user typed: its pages get all secrets.
    pub fn add_home(&mut self, url: &Url) {
        if !self.homes.iter().any(|home| same_origin(home, url)) {
            self.homes.push(without_secrets(url));
        }
    }

    /// Adds the origin of a `--credentials-for` address.
    pub fn open(&mut self, url: &Url) {
        self.opened.push(without_secrets(url));
    }

    /// Adds a host that gets the header fields.
    pub fn open_fields(&mut self, host: FieldHost) {
        self.field_hosts.push(host);
    }

    /// Whether there are no secrets.
    pub fn is_empty(&self) -> bool {
        self.login.is_empty() && self.fields.is_empty()
    }

    /// The names of the header fields with secrets, apart from login and cookies.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(HeaderName::as_str)
    }

    /// One address of each origin whose pages get all secrets.
    pub fn homes(&self) -> &[Url] {
        &self.homes
    }

    /// Returns the header fields with secrets that `request` carries.
    pub(super) fn fields_for(&self, request: &Request<'_>) -> HeaderMap {
        if self.is_empty() {
            return HeaderMap::new();
        }
        let gets_all = self.gets_all(request);
        let gets_fields = gets_all || self.gets_fields(request.url);
        let mut fields = if gets_fields { self.fields.clone() } else { HeaderMap::new() };
        if gets_all {
            for (name, value) in &self.login {
                fields.insert(name, value.clone());
            }
        }
        fields
    }

    /// Whether a redirect from the address of `request` is chosen by an origin that the
    /// user does not trust with secrets.
    pub(super) fn leaves_home(&self, request: &Request<'_>) -> bool {
        let is_trusted = same_origin(request.url, request.start_url) || self.is_opened(request.url);
        request.has_left_home || !is_trusted
    }

    fn gets_all(&self, request: &Request<'_>) -> bool {
        let Request { url, start_url, .. } = *request;
        let is_home = |url| self.homes.iter().any(|home| same_origin(home, url));
        // The user did not type a redirect from one home to another.
        let is_start_at_home = same_origin(url, start_url) && is_home(url);
        if !is_start_at_home && !self.is_opened(url) {
            return false;
        }
        let is_own_way = request.hops == 0
            || (!request.has_left_home && (is_home(start_url) || self.is_opened(start_url)));
        is_own_way
            || is_below_start(request)
            || self.opened.iter().any(|opened| is_below(url, opened))
    }

    fn is_opened(&self, url: &Url) -> bool {
        self.opened.iter().any(|opened| same_origin(opened, url))
    }

    /// Fields go over http only where the user sends secrets over http anyway.
    fn gets_fields(&self, url: &Url) -> bool {
        let is_clear = || self.homes.iter().any(|home| home.scheme() == "http");
        (url.scheme() == "https" || is_clear())
            && self.field_hosts.iter().any(|host| host.is_of(url))
    }
}

/// Whether the request carries the user name and password of the address that its page
/// began with.
pub(super) fn keeps_own_login(request: &Request<'_>) -> bool {
    let is_home = request.hops == 0 || same_origin(request.url, request.start_url);
    is_home && (!request.has_left_home || is_below_start(request))
}

/// Whether the request's address is in the folder of the address that its page began
/// with.
fn is_below_start(request: &Request<'_>) -> bool {
    // A robots.txt is at the top of a site, and the user did not ask for the whole site.
    request.body_limit == BodyLimit::Whole && is_below(request.url, request.start_url)
}

/// Whether `url` is in the folder of `base`, for every server's reading of paths.
fn is_below(url: &Url, base: &Url) -> bool {
    // Some servers read these as `/`, `.`, a parent folder or the end of the path. This
    // includes UTF-8 in forms that RFC 3629, 3, forbids, and the obsolete `%u002e`.
    const WAYS_OUT: &[&str] =
        &["..", "%2e", "%2f", "%5c", "%25", "%00", "%c0", "%c1", "%e0%80", "%u"];
    let folder = base.path().rfind('/').map_or("", |end| &base.path()[..=end]);
    let rest = url.path().strip_prefix(folder).filter(|_| same_origin(url, base));
    rest.is_some_and(|rest| {
        let rest = rest.to_ascii_lowercase();
        !WAYS_OUT.iter().any(|way| rest.contains(way))
    })
}

/// Whether two addresses have the same origin (RFC 6454, 5).
fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Returns the address without user name, password, query and fragment.
fn without_secrets(url: &Url) -> Url {
    let mut bare = url.clone();
    // Neither call fails for an http(s) URL, which always has a host.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.set_query(None);
    bare.set_fragment(None);
    bare
}

#[cfg(test)]
#[path = "credentials_cases.rs"]
mod tests;
