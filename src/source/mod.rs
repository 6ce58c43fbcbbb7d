//! What to fetch: every source becomes a stream of entries, and the plan turns
//! entries into jobs. [`spec`] lists the kinds of sources.
//!
//! Sources read and resolve; they neither drop duplicates nor name files, which
//! is the plan's business and the same for all of them.

mod address;
pub(crate) mod charset;
pub(crate) mod feed;
#[cfg(test)]
mod foreign_bytes;
mod get;
pub(crate) mod index;
pub mod links;
pub(crate) mod list;
pub mod plan;
pub(crate) mod sitemap;
pub(crate) mod spec;
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
    /// Something that should be an http(s) URL and is none.
    Invalid {
        /// Where it stands: `line 17`.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A part of the source could not be had; the rest goes on.
    MissingPart(String),
    /// No entry, but something that the user should know.
    Warning(String),
}

/// A stream of entries.
///
/// Implementors give each entry once, in input order, and keep no more of the
/// input in memory than they must. `Ok(None)` is the end, and stays it.
pub trait Source: Send {
    /// The next entry.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the source as a whole cannot be read.
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError>;

    /// How many lines so far held no entry: blank ones and comments.
    fn skipped_lines(&self) -> u64 {
        0
    }

    /// What the user can do when none of the entries so far named a page.
    fn advice(&self) -> Option<&'static str> {
        None
    }

    /// Whether reading on may take long or for ever, as from a pipe. When
    /// enough was read, such a source is left alone; others are read to their end.
    fn is_streamed(&self) -> bool {
        true
    }
}

/// A source cannot be read.
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
    /// The file is of a kind that cannot be read.
    #[error("failed to read {what}: {reason}")]
    Format {
        /// What: a path, or "standard input".
        what: String,
        /// Why not.
        reason: String,
    },
    /// The named column is not there.
    #[error("{what} has no column {column:?}, only {there}")]
    NoColumn {
        /// What: a path, or "standard input".
        what: String,
        /// The column asked for.
        column: String,
        /// The columns that are there.
        there: String,
    },
    /// A page that the source needs did not come.
    #[error("failed to fetch {url} after {}", tries(*attempts))]
    Fetch {
        /// Its address.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// Why it did not come.
        #[source]
        failure: Failure,
    },
    /// A page that the source needs was refused.
    #[error("failed to fetch {url} after {}: the server answered {}{}", tries(*attempts), message::status(*status), said(reason.as_deref()))]
    Refused {
        /// Its address.
        url: String,
        /// The status.
        status: u16,
        /// How often it was tried.
        attempts: u32,
        /// What the answer's body said, when it was text.
        reason: Option<String>,
        /// What the user can do, when the site's refusals are known.
        advice: Option<&'static str>,
    },
    /// The run ended before a page that the source needs came.
    #[error("the run ended before {url} came")]
    Stopped {
        /// Its address.
        url: String,
    },
    /// The host of a page that the source needs is not asked any more in this run.
    #[error("{url} was not asked for: its host does not answer, or wants to be left alone")]
    Away {
        /// Its address.
        url: String,
    },
    /// The index names no page.
    #[error("no link found at {what}: {diagnosis}")]
    NoLinks {
        /// What was looked at.
        what: String,
        /// What came back instead.
        diagnosis: String,
    },
    /// What earlier runs recorded cannot be read.
    #[error(transparent)]
    Earlier(#[from] crate::save::SaveError),
    /// The client cannot be made.
    #[error(transparent)]
    Client(#[from] crate::fetch::FetchError),
}

fn tries(count: u32) -> String {
    if count == 1 { "1 try".into() } else { format!("{count} tries") }
}

fn said(reason: Option<&str>) -> String {
    reason.map(|reason| format!(" and said: {reason}")).unwrap_or_default()
}

/// Reads `text` as the address of a page: absolute, http or https, with a host.
/// The fragment is cut off, because it never reaches a server.
///
/// # Errors
///
/// What is wrong with it, in words that follow "is not an http(s) URL: ".
pub fn page_url(text: &str) -> Result<Url, String> {
    check_length(text)?;
    // The URL rules would drop them, and make one address of two.
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
        // What looks like its scheme may be the user name of `name:password@host`.
        return Err("it has no http:// or https://".into());
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("its scheme is {}", url.scheme()));
    }
    if url.fragment().is_some() {
        url.set_fragment(None);
    }
    // What is percent-encoded takes three times the bytes.
    check_length(url.as_str())?;
    Ok(url)
}

fn check_length(address: &str) -> Result<(), String> {
    if address.len() <= ADDRESS_LIMIT {
        return Ok(());
    }
    Err(format!("it is longer than {ADDRESS_LIMIT} bytes"))
}

/// Pages that are all known from the start, such as the arguments of a command.
pub struct UrlSource(std::vec::IntoIter<Url>);

impl UrlSource {
    /// The pages `urls`, in this order.
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

/// `url` for a message.
fn label(url: &Url) -> String {
    short_url(url).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_limit_as_text_and_as_it_is_asked_for() {
        let start = "http://a.org/".len();
        for (rest, is_page) in [
            ("x".repeat(ADDRESS_LIMIT - start), true),
            ("x".repeat(ADDRESS_LIMIT - start + 1), false),
            ("é".repeat(ADDRESS_LIMIT / 6 - start), true),
            ("é".repeat(ADDRESS_LIMIT / 6), false),
            ("x".repeat(20 << 20), false),
        ] {
            let text = format!("http://a.org/{rest}");
            let mut after_another = address::Addresses::default();
            after_another.read("http://a.org/1").unwrap();
            for read in [page_url(&text), after_another.read(&text)] {
                assert_eq!(read.is_ok(), is_page, "{}", rest.len());
                let told = read.err().unwrap_or("it is longer than 65536 bytes".into());
                assert_eq!(told, "it is longer than 65536 bytes");
            }
        }
    }
}
