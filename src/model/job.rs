//! A page to fetch, and what the program knows about it before the request.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::address::shown_url;
use super::key::Key;
use super::redirect::Hop;
use super::stored::Stored;
use crate::foreign::Foreign;

/// What a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Kind {
    /// A page of the input.
    #[default]
    Page,
    /// A host's robots.txt, which the host's pages wait for.
    Robots,
    /// A page that the source needs, such as an index.
    Source,
}

/// One page to fetch, with the name that it is saved under.
#[derive(Debug, Clone)]
pub struct Job {
    /// The purpose.
    pub kind: Kind,
    /// Place in the input, counted from 0 over everything that was read.
    pub seq: u64,
    /// The address as the input named it, without fragment.
    pub url: Url,
    /// Where the page is saved.
    pub key: Key,
    /// Attempts made so far.
    pub attempts: u32,
    /// Attempts among them that do not count towards the limit of retries, because the
    /// host asked the client to wait.
    pub refusals: u32,
    /// Refusals in a row by an overloaded server, which do not count as attempts.
    pub unworked: u32,
    /// The pauses before each attempt after the first.
    pub waits: Vec<Duration>,
    /// The redirects of the current attempt.
    pub hop: Option<Box<Hop>>,
    /// The state of the page when it was last saved, to ask whether it has changed.
    pub validators: Option<Box<Validators>>,
}

impl Job {
    /// A page of the input before its first attempt.
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

    /// The address of the next request: the target of the last redirect, or the page's own.
    pub fn target(&self) -> &Url {
        self.hop.as_ref().map_or(&self.url, |hop| &hop.url)
    }

    /// The validators, if the address of the next request sent them.
    pub(crate) fn validators_of_target(&self) -> Option<&Validators> {
        self.validators.as_deref().filter(|known| known.of == shown_url(self.target()))
    }
}

/// A saved page as its record describes it: the server's validators (RFC 9110, 8.8), and
/// the values that are recorded again when the server answers "not modified".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// The address that sent them, as it is shown; they are not valid for another.
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
    /// Where the page is.
    pub stored: Stored,
}
