//! Which of the user's secrets a request carries: decided by its address, by the address
//! that its page began with, and by who chose the steps between.
//!
//! Secrets are `--user`, `--cookie` and the header fields whose names say so. The cookies
//! that answers set have rules of their own, and proxies' passwords never come here.

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
/// Fields with such a word that carry none.
const NO_SECRETS: &[&str] = &["idempotency-key", "sec-websocket-key", "surrogate-key"];

/// Whether a header field carries a secret, by its name. A field that is taken for one
/// by mistake goes to fewer hosts, which is the lesser harm.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    let name = name.as_str();
    !NO_SECRETS.contains(&name) && SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// A host that header fields with secrets are sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldHost {
    name: String,
    /// `None` for the usual one of each scheme.
    port: Option<u16>,
}

impl FieldHost {
    /// Reads `a.org`, `a.org:8443` or `[::1]:8443`; `None` when it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let read = |scheme| Url::parse(&format!("{scheme}://{text}/")).ok();
        let (https, http) = (read("https")?, read("http")?);
        // A user name, a path or a query would have moved what stands behind it.
        let ends = text.ends_with(|c: char| c.is_alphanumeric() || ".]".contains(c));
        let is_bare = !text.contains(['/', '\\', '@', '?', '#', '*']) && ends;
        let name = https.host_str().filter(|_| is_bare)?.to_owned();
        // The usual port of a scheme is left out by it, and not by the other.
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
/// Written out, for another process, they are what they are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// User name and password, and cookies (`--user`, `--cookie`).
    #[serde(with = "serde_headers::headers")]
    login: HeaderMap,
    /// Further header fields that carry secrets.
    #[serde(with = "serde_headers::headers")]
    fields: HeaderMap,
    /// One address of each origin whose pages get all of them: what the user typed.
    homes: Vec<Url>,
    /// The origins that get all of them behind a redirect too (`--credentials-for`).
    opened: Vec<Url>,
    /// Those that get the fields (`--header-for`).
    field_hosts: Vec<FieldHost>,
}

impl Credentials {
    /// Secrets that nobody gets yet. A field of `login` takes the place of one of its
    /// name among the `fields`.
    pub fn new(login: HeaderMap, fields: HeaderMap) -> Self {
        Self { login, fields, ..Self::default() }
    }

    /// Adds the origin of an address that the user typed: its pages get all of them.
    pub fn add_home(&mut self, url: &Url) {
        if !self.homes.iter().any(|home| same_origin(home, url)) {
            self.homes.push(without_secrets(url));
        }
    }

    /// Adds the origin of an address that the user opened.
    pub fn open(&mut self, url: &Url) {
        self.opened.push(without_secrets(url));
    }

    /// Adds a host that gets the fields.
    pub fn open_fields(&mut self, host: FieldHost) {
        self.field_hosts.push(host);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.login.is_empty() && self.fields.is_empty()
    }

    /// The names of the fields that carry secrets, apart from user name and cookies.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(HeaderName::as_str)
    }

    /// An address of each origin whose pages get all of them.
    pub fn homes(&self) -> &[Url] {
        &self.homes
    }

    /// The fields for the request of `ask`.
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

    /// Whether a redirect from the address of `ask` leads where an origin wanted it that
    /// the user does not trust with secrets.
    pub(super) fn leaves_home(&self, request: &Request<'_>) -> bool {
        let is_trusted = same_origin(request.url, request.start_url) || self.is_opened(request.url);
        request.has_left_home || !is_trusted
    }

    fn gets_all(&self, request: &Request<'_>) -> bool {
        let Request { url, start_url, .. } = *request;
        let is_home = |url| self.homes.iter().any(|home| same_origin(home, url));
        // A redirect from one home to the other is not what the user typed.
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

    /// Over http only where the user sends secrets over http anyway.
    fn gets_fields(&self, url: &Url) -> bool {
        let is_clear = || self.homes.iter().any(|home| home.scheme() == "http");
        (url.scheme() == "https" || is_clear())
            && self.field_hosts.iter().any(|host| host.is_of(url))
    }
}

/// Whether user name and password within the address that a page began with go along.
pub(super) fn keeps_own_login(request: &Request<'_>) -> bool {
    let is_home = request.hops == 0 || same_origin(request.url, request.start_url);
    is_home && (!request.has_left_home || is_below_start(request))
}

/// Whether an address lies in the folder of the one that its page began with.
fn is_below_start(request: &Request<'_>) -> bool {
    // Rules stand at the top of a site, and nobody asked for all of it.
    request.body_limit == BodyLimit::Whole && is_below(request.url, request.start_url)
}

/// Whether `url` lies in the folder of `base`, as every server reads it.
fn is_below(url: &Url, base: &Url) -> bool {
    // What some servers take for `/`, `.`, a folder up or the end: also where UTF-8 must
    // not write them so (RFC 3629, 3), and as `%u002e`, which is of old.
    const WAYS_OUT: &[&str] =
        &["..", "%2e", "%2f", "%5c", "%25", "%00", "%c0", "%c1", "%e0%80", "%u"];
    let folder = base.path().rfind('/').map_or("", |end| &base.path()[..=end]);
    let rest = url.path().strip_prefix(folder).filter(|_| same_origin(url, base));
    rest.is_some_and(|rest| {
        let rest = rest.to_ascii_lowercase();
        !WAYS_OUT.iter().any(|way| rest.contains(way))
    })
}

/// Whether two addresses are of one origin (RFC 6454, 5).
fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// An address without user name, password, query and fragment.
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
