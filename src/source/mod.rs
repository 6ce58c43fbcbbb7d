//! What to fetch: each source becomes a stream of entries, and the plan turns
//! entries into jobs. [`spec`] lists the kinds of sources.
//!
//! Sources read entries and resolve addresses. The plan drops duplicates and names
//! files, in the same way for all sources.

mod address;
pub(crate) mod charset;
pub(crate) mod feed;
mod get;
pub(crate) mod index;
pub mod links;
pub(crate) mod list;
pub mod plan;
pub(crate) mod sitemap;
pub(crate) mod spec;
#[cfg(test)]
mod tests;
mod text;

use std::io;

use url::Url;

use crate::message;
use crate::model::{ADDRESS_LIMIT, Failure, short_url};
pub use get::{Access, Getter};

/// One entry of a source.
#[derive(Debug)]
pub enum Entry {
    /// A page, without fragment.
    Page(Url),
    /// A text in the place of an http(s) URL that is not one.
    Invalid {
        /// Its place, such as `line 17`.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A part of the source could not be read. Why, in words; the rest of the source is read.
    MissingPart(String),
    /// A warning for the user; it counts as no entry.
    Warning(String),
}

/// A stream of entries.
///
/// Implementors return each entry once, in input order, and hold as little of the
/// input in memory as they can. After `Ok(None)`, the end, every call returns `Ok(None)`.
pub trait Source: Send {
    /// Returns the next entry; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the source as a whole cannot be read.
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError>;

    /// The number of lines so far without an entry: blank lines and comments.
    fn skipped_lines(&self) -> u64 {
        0
    }

    /// What the user can do when none of the entries so far named a page.
    fn advice(&self) -> Option<&'static str> {
        None
    }

    /// Whether reading on may take long or never end, as with a pipe. Such a source is not
    /// read further once `--limit` is reached; other sources are read to their end.
    fn is_streamed(&self) -> bool {
        true
    }
}

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file operation failed.
    #[error("failed to read {what}")]
    Read {
        /// What: a path, or "standard input".
        what: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// What was read does not have the format that it should have.
    #[error("failed to read {what}: {reason}")]
    Format {
        /// What: a path, or "standard input".
        what: String,
        /// Why not.
        reason: String,
    },
    /// A table lacks the column that the user named.
    #[error("{what} has no column {column:?}, only {there}")]
    NoColumn {
        /// What: a path, or "standard input".
        what: String,
        /// The column that the user named.
        column: String,
        /// The columns that the table has.
        there: String,
    },
    /// A page that the source needs could not be fetched.
    #[error("failed to fetch {url} after {}", tries(*attempts))]
    Fetch {
        /// Its address.
        url: String,
        /// The number of attempts.
        attempts: u32,
        /// Why the last attempt failed.
        #[source]
        failure: Failure,
    },
    /// The server refused a page that the source needs.
    #[error("failed to fetch {url} after {}: the server answered {}{}", tries(*attempts), message::status(*status), quoted_reason(reason.as_deref()))]
    Refused {
        /// Its address.
        url: String,
        /// The status.
        status: u16,
        /// The number of attempts.
        attempts: u32,
        /// The text of the answer's body, when it has text.
        reason: Option<String>,
        /// What the user can do, when the reasons of this site are known.
        advice: Option<&'static str>,
    },
    /// The run ended before a page that the source needs was fetched.
    #[error("the run ended before {url} was fetched")]
    Stopped {
        /// Its address.
        url: String,
    },
    /// The run sends no more requests to the host of a page that the source needs.
    #[error("{url} was not requested: its host does not answer, or asked for a long pause")]
    Away {
        /// Its address.
        url: String,
    },
    /// The index has no link to a page.
    #[error("no link found at {what}: {diagnosis}")]
    NoLinks {
        /// The index: an address or a path.
        what: String,
        /// What was received instead.
        diagnosis: String,
    },
    /// The records of earlier runs cannot be read.
    #[error(transparent)]
    Earlier(#[from] crate::save::SaveError),
    /// No HTTP client can be made.
    #[error(transparent)]
    Client(#[from] crate::fetch::FetchError),
}

fn tries(count: u32) -> String {
    if count == 1 { "1 try".into() } else { format!("{count} tries") }
}

/// Returns the end of a message that quotes `reason`.
fn quoted_reason(reason: Option<&str>) -> String {
    reason.map(|reason| format!(" and said: {reason}")).unwrap_or_default()
}

/// Reads `text` as the address of a page: absolute, http or https, with a host.
/// The fragment is cut off, because it never reaches a server.
///
/// # Errors
///
/// What is wrong with `text`, as words that follow "is not an http(s) URL: ".
pub fn page_url(text: &str) -> Result<Url, String> {
    check_length(text)?;
    // The URL parser would drop them, and so make one address of two.
    if memchr::memchr3(b'\t', b'\n', b'\r', text.as_bytes()).is_some() {
        return Err("it holds a tab or a line end".into());
    }
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => "it has no http:// or https://".to_owned(),
        other => other.to_string(),
    })?;
    checked_page_url(url)
}

fn checked_page_url(mut url: Url) -> Result<Url, String> {
    if url.cannot_be_a_base() && url.path().contains('@') {
        // What looks like the scheme may be the user name of `name:password@host`.
        return Err("it has no http:// or https://".into());
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("its scheme is {}", url.scheme()));
    }
    if url.fragment().is_some() {
        url.set_fragment(None);
    }
    // A percent-encoded byte takes three bytes.
    check_length(url.as_str())?;
    Ok(url)
}

fn check_length(address: &str) -> Result<(), String> {
    if address.len() <= ADDRESS_LIMIT {
        return Ok(());
    }
    Err(format!("it is longer than {ADDRESS_LIMIT} bytes"))
}

/// Pages that are all known at the start, such as the arguments of a command.
pub struct UrlSource(std::vec::IntoIter<Url>);

impl UrlSource {
    /// A source of the pages `urls`, in this order.
    pub fn new(urls: Vec<Url>) -> Self {
        Self(urls.into_iter())
    }
}

impl Source for UrlSource {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        Ok(self.0.next().map(Entry::Page))
    }

    fn is_streamed(&self) -> bool {
        false
    }
}

/// Returns `url` for a message: without user name and password, and shortened.
fn label(url: &Url) -> String {
    short_url(url).into_owned()
}
