//! The nouns that every module shares: jobs, pages, attempts, outcomes, failures, counts.
//!
//! Only data lives here: no I/O, no command line, no HTTP client.

mod compact;
mod connections;
mod exchange;
mod failure;
mod summary;

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::foreign::Foreign;

pub use connections::Connections;
#[cfg(test)]
pub(crate) use exchange::tests as exchange_cases;
pub use exchange::{
    Exchange, Field, RedirectExchange, RequestHead, ResponseHead, TlsVersion, Truncation,
};
pub use failure::{Failure, FailureCode};
pub use summary::{AutoWorkers, FailureClass, Intake, ProxyUse, Summary};

/// Where a page is saved, relative to the output directory: `India.html`, `a.org/b/c.html`.
///
/// A key never leaves the directory: its parts are separated by `/`, and none
/// is empty, `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key(Box<str>);

impl Key {
    /// Wraps `path` when it is a relative path that stays where it is put, else `None`.
    pub fn new(path: impl Into<Box<str>>) -> Option<Self> {
        let path = path.into();
        let is_safe = |part: &str| {
            !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0'])
        };
        path.split('/').all(is_safe).then_some(Self(path))
    }

    /// The key as text, with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Kind {
    /// A page of the input.
    #[default]
    Page,
    /// A host's robots.txt; its pages wait for it.
    Robots,
    /// A page that the source needs, such as an index.
    Source,
}

/// One page to fetch, with the name that it is saved under.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is for.
    pub kind: Kind,
    /// Place in the input, counted from 0 over everything that was read.
    pub seq: u64,
    /// The address as the input named it, without fragment.
    pub url: Url,
    /// Where the page is saved.
    pub key: Key,
    /// Attempts made so far.
    pub attempts: u32,
    /// Attempts among them that do not count against the limit of retries: the
    /// host asked for patience.
    pub refusals: u32,
    /// Times in a row that the server refused to work on it, which are no attempts.
    pub unworked: u32,
    /// The pauses before each attempt after the first.
    pub waits: Vec<Duration>,
    /// Where redirects have led in the attempt that is going on.
    pub hop: Option<Box<Hop>>,
    /// What the page was when it was last saved, to ask whether it has changed.
    pub validators: Option<Box<Validators>>,
}

impl Job {
    /// A page of the input that was not tried yet.
    pub const fn new(seq: u64, url: Url, key: Key) -> Self {
        Self {
            kind: Kind::Page,
            seq,
            url,
            key,
            attempts: 0,
            refusals: 0,
            unworked: 0,
            waits: Vec::new(),
            hop: None,
            validators: None,
        }
    }

    /// The address that is asked next: where redirects have led, or the page's own.
    pub fn target(&self) -> &Url {
        self.hop.as_ref().map_or(&self.url, |hop| &hop.url)
    }

    /// What the address that is asked next said of the page when it was saved.
    pub fn validators_of_target(&self) -> Option<&Validators> {
        self.validators.as_deref().filter(|known| known.of == shown_url(self.target()))
    }
}

/// A step of an attempt that was redirected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Where it leads.
    pub url: Url,
    /// Redirects so far, this one included.
    pub count: u32,
    /// When the attempt began.
    pub started: Instant,
    /// Time that the attempt took so far, without waiting for its turn.
    pub spent: Duration,
    /// The cookies that the answers on the way set.
    pub cookies: Vec<SetCookie>,
    /// Whether an origin that is not trusted with credentials chose a step of the way.
    pub has_left_home: bool,
    /// The exchanges of these redirects, when the run records exchanges.
    pub exchanges: Vec<RedirectExchange>,
}

/// A cookie that an answer sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetCookie {
    /// The address that answered.
    pub by: Url,
    /// The value of the `Set-Cookie` field (RFC 6265, 4.1).
    pub line: String,
}

/// Where an answer leads on to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The address.
    pub to: Url,
    /// The cookies that the answer sets, for the rest of the way.
    pub cookies: Vec<SetCookie>,
    /// Whether an origin that is not trusted with credentials chose this step or one before.
    pub has_left_home: bool,
    /// The exchange that led there, when the run records exchanges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Box<RedirectExchange>>,
}

impl Moved {
    /// On to an address, without cookies, by the word of a trusted origin.
    pub const fn to(to: Url) -> Self {
        Self { to, cookies: Vec::new(), has_left_home: false, exchange: None }
    }
}

/// A saved page as its record has it: what the server said of it (RFC 9110, 8.8),
/// and what is recorded anew when it says that nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// The address that sent them, as it is shown: they mean nothing to another.
    pub of: String,
    /// `ETag` as sent.
    pub etag: Option<Foreign>,
    /// `Last-Modified` as sent.
    pub last_modified: Option<Foreign>,
    /// `Content-Type` as sent.
    pub content_type: Option<Foreign>,
    /// Size of the decoded body.
    pub bytes: u64,
    /// SHA-256 of the decoded body, in hexadecimal.
    pub sha256: String,
}

/// The bytes of the longest address that is a page's: eight times what servers are asked
/// to take (RFC 9110, 4.1).
pub const ADDRESS_LIMIT: usize = 64 * 1024;

/// The characters of an address that people are shown.
const TOLD_LIMIT: usize = 300;

/// `url` for people: without user name and password, and not longer than a few lines.
pub fn told_url(url: &Url) -> Cow<'_, str> {
    let shown = shown_url(url);
    // A URL is ASCII.
    if shown.len() <= TOLD_LIMIT {
        return shown;
    }
    Cow::Owned(format!("{}…", &shown[..TOLD_LIMIT]))
}

/// `url` as it may be shown and recorded: without user name and password.
pub fn shown_url(url: &Url) -> Cow<'_, str> {
    if url.username().is_empty() && url.password().is_none() {
        return Cow::Borrowed(url.as_str());
    }
    let mut bare = url.clone();
    // Neither call fails for a URL that has a user name, because it has a host.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    Cow::Owned(bare.into())
}

/// Whether `url` names this machine by itself: by a loopback address (RFC 1122, 3.2.1.3;
/// RFC 4291, 2.5.3) or by a name that always means one (RFC 6761, 6.3).
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// The version of HTTP that an answer came over.
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

/// What the last answer's head said; kept for the manifest.
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
    /// `Date` as sent, where there is a `Retry-After` to compare with it.
    pub date: Option<Foreign>,
    /// Whether a connection was opened for it.
    pub is_on_new_connection: bool,
}

impl Head {
    /// The body's content codings, as the server sent them.
    pub fn coding(&self) -> Option<&str> {
        self.content_encoding.as_ref().map(Foreign::raw)
    }

    /// The body's media type, as the server sent it.
    pub fn media_type(&self) -> Option<&str> {
        self.content_type.as_ref().map(Foreign::raw)
    }

    /// Whether the answer's body is a page: 200 to 299, except for the statuses that
    /// announce no content (RFC 9110, 15.3.5 and 15.3.6) or a difference to what the
    /// client has (RFC 3229, 10.4.1). A part (206) is one only when it is all, which is
    /// looked at when it comes.
    pub const fn has_page(&self) -> bool {
        matches!(self.status, 200..=299) && !matches!(self.status, 204 | 205 | 226)
    }
}

/// An answer as it came over the wire: the body is still encoded.
#[derive(Debug, Clone)]
pub struct RawPage {
    /// What the head said.
    pub head: Box<Head>,
    /// The body as received, still in its content coding.
    pub body: Bytes,
    /// From the start of the attempt, connecting included, to the response's headers.
    pub wait: Duration,
    /// The exchange that brought it, when the run records exchanges.
    pub exchange: Option<Box<Exchange>>,
}

/// A page after the CPU stage: decoded and hashed.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The decoded body.
    pub body: &'a [u8],
    /// SHA-256 of the decoded body.
    pub sha256: [u8; 32],
}

/// How one attempt at a page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The page is whole at its place (or, where nothing is kept, was fetched whole).
    Saved {
        /// Size of the decoded body.
        bytes: u64,
        /// SHA-256 of the decoded body.
        #[serde(with = "compact::hex")]
        sha256: [u8; 32],
    },
    /// The server says that the page is as it was when it was last saved.
    Unchanged,
    /// The page could not be had.
    Failed(Failure),
    /// The host's robots rules say that the page must not be asked for.
    Robots,
    /// The run stopped before the attempt ended.
    Interrupted,
}

impl Outcome {
    /// The recorded state that this outcome settles a page in.
    pub const fn state(&self) -> State {
        match self {
            Self::Saved { .. } => State::Saved,
            Self::Unchanged => State::Unchanged,
            Self::Failed(_) => State::Failed,
            Self::Robots => State::Robots,
            Self::Interrupted => State::Interrupted,
        }
    }
}

/// When the stages of an attempt's last turn were over, from the start of that
/// turn; zero for those that it did not come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// The answer was there, whole or not.
    #[serde(with = "compact::nanos")]
    pub received: Duration,
    /// A thread took the answer up, to compute.
    #[serde(with = "compact::nanos")]
    pub taken_up: Duration,
    /// The body was decoded and hashed.
    #[serde(with = "compact::nanos")]
    pub computed: Duration,
    /// The page was kept.
    #[serde(with = "compact::nanos")]
    pub kept: Duration,
    /// The thread of a CPU pool that computed, counted from 0; `None` when the
    /// worker did so itself.
    pub thread: Option<usize>,
}

impl Stages {
    /// Those of an attempt that came to none.
    pub const NONE: Self = Self {
        received: Duration::ZERO,
        taken_up: Duration::ZERO,
        computed: Duration::ZERO,
        kept: Duration::ZERO,
        thread: None,
    };
}

/// One attempt at a page: how it ended and what it cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// How it ended.
    pub outcome: Outcome,
    /// What the last answer's head said, when there was one.
    pub head: Option<Box<Head>>,
    /// Size of the encoded body as received.
    pub wire_bytes: u64,
    /// From the start of the attempt to the response's headers.
    #[serde(with = "compact::nanos")]
    pub wait: Duration,
    /// CPU time of decoding, hashing and extracting.
    #[serde(with = "compact::nanos")]
    pub cpu: Duration,
    /// Its course.
    pub stages: Stages,
    /// What was unusual about the answer and harmed nothing, for the record.
    pub note: Option<Foreign>,
    /// Whether the server refused to work on it, because it has too much to do: it is
    /// then no attempt at the page.
    pub is_refused: bool,
    /// Set when the failure would meet every further page too, such as a full
    /// disk: the run stops, and this says why, outermost words first.
    pub breaks_run: Option<Vec<String>>,
}

impl Attempt {
    /// An attempt that ended in `outcome` before any answer came.
    pub const fn without_answer(outcome: Outcome) -> Self {
        Self {
            outcome,
            head: None,
            wire_bytes: 0,
            wait: Duration::ZERO,
            cpu: Duration::ZERO,
            stages: Stages::NONE,
            note: None,
            is_refused: false,
            breaks_run: None,
        }
    }

    /// An attempt that failed before any answer came.
    pub const fn failed(failure: Failure) -> Self {
        Self::without_answer(Outcome::Failed(failure))
    }
}

/// What one turn of a job brought: a turn is one exchange, a request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// The attempt ended.
    Done(Attempt),
    /// The answer leads on to another address, whose host may have limits of its own.
    Redirect(Box<Moved>),
    /// The decoded body of a robots.txt (for the queue) or of a page that the source reads.
    Body(Bytes),
}

/// A page that is done with: its one record of this run.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The page, with its attempts counted.
    pub job: Job,
    /// The last attempt.
    pub attempt: Attempt,
    /// The worker that ran it, counted from 0; `None` when none ever did.
    pub worker: Option<usize>,
    /// When the last attempt began; `None` when none ever did.
    pub started: Option<Instant>,
    /// How long the last attempt took, saving included.
    pub total: Duration,
}

/// What the workers of a run are, for those who show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerKind {
    /// Threads that wait and compute, each for itself.
    Thread,
    /// Tasks of one event loop, for which its thread computes, or a pool.
    Task,
    /// Processes.
    Process,
}

/// The state that a URL ends in; each has exactly one in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Fetched and kept in this run.
    Saved,
    /// Asked again, and the kept page is still current.
    Unchanged,
    /// Could not be had.
    Failed,
    /// Left out because its host's robots rules say so.
    Robots,
    /// The run stopped first.
    Interrupted,
}

impl State {
    /// The stable name, as in the manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Robots => "robots",
            Self::Interrupted => "interrupted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_leaves_its_directory() {
        for path in ["India.html", "a.org/b/c.html", "...html", "a/...", "%2E%2E"] {
            assert!(Key::new(path).is_some(), "{path}");
        }
        for path in ["", "/etc/passwd", "..", "a/../b", "a//b", "a/", "./a", "a\\b", "a\0b"] {
            assert!(Key::new(path).is_none(), "{path}");
        }
    }

    #[test]
    fn people_are_shown_the_start_of_a_long_address() {
        for (path, told) in [
            ("x".repeat(287), "http://a.org/".to_owned() + &"x".repeat(287)),
            ("x".repeat(288), "http://a.org/".to_owned() + &"x".repeat(287) + "…"),
        ] {
            let url = Url::parse(&format!("http://me:pw@a.org/{path}")).unwrap();
            assert_eq!(told_url(&url), told);
        }
    }

    #[test]
    fn codes_read_in_the_manifest_as_they_are_told() {
        for code in FailureCode::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
        }
        for state in [State::Saved, State::Unchanged, State::Interrupted] {
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{}\"", state.as_str()));
        }
    }

    #[test]
    fn loopback_is_told_by_address_or_name() {
        for (url, expected) in [
            ("http://127.0.0.1:8/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://localhost:80/", true),
            ("http://a.localhost./", true),
            ("http://localhost.org/", false),
            ("http://192.168.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
