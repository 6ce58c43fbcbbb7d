//! A sitemap or a sitemap index (<https://www.sitemaps.org/protocol.html>), gzipped or
//! not, read part by part; feeds and lists of addresses, which count as sitemaps too.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod foreign_bytes;
mod format;
mod items;
mod read;
mod references;
mod tokens;
mod xml;

use std::collections::VecDeque;

use url::Url;

use super::address::Addresses;
use super::{Entry, Getter, Source, SourceError, page_url, told};
use crate::fingerprint::Fingerprints;
use crate::message::{self, excerpt_url};
use items::Item;
use read::Parsed;

/// Indexes may not nest at all by the protocol; some do.
const MAX_DEPTH: u32 = 3;

/// The pages of a sitemap; the parts of an index are fetched one after the other.
pub struct Sitemap {
    getter: Getter,
    parts: VecDeque<Part>,
    /// Parts that were queued already: an index may name itself.
    seen: Fingerprints,
    current: Current,
    current_name: String,
    addresses: Addresses,
}

/// The part that is being read.
enum Current {
    /// XML, whose items are all read.
    Items(std::vec::IntoIter<Item>),
    /// A list of addresses.
    List(Box<dyn Source>),
}

impl Sitemap {
    /// Fetches the sitemap at `url`.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when it does not come or is no sitemap. A missing part of
    /// an index is an entry, not an error.
    pub fn fetch(url: &Url, getter: Getter) -> Result<Self, SourceError> {
        let mut sitemap = Self {
            getter,
            parts: VecDeque::new(),
            seen: Fingerprints::new(),
            current: Current::Items(Vec::new().into_iter()),
            current_name: String::new(),
            addresses: Addresses::default(),
        };
        sitemap.seen.insert(url.as_str());
        sitemap.open_part(url, 0)?;
        Ok(sitemap)
    }

    fn open_part(&mut self, url: &Url, depth: u32) -> Result<(), SourceError> {
        let raw = self.getter.get(url)?;
        let name = format!("the sitemap {}", told(url));
        let kind = raw.head.content_type.as_deref();
        let parsed = read::parse(&raw.body, kind, &raw.head.final_url, self.getter.max_bytes());
        let parsed = parsed.map_err(|reason| SourceError::Format { what: name.clone(), reason })?;
        self.current_name = name;
        match parsed {
            Parsed::Pages(items) => self.current = Current::Items(items.into_iter()),
            Parsed::List(list) => self.current = Current::List(list),
            Parsed::Parts(parts) => {
                for part in parts {
                    match part {
                        Item::Address { text, .. } => self.add_part(&text, depth + 1),
                        Item::Fault(why) => self.parts.push_back(Part::Missing(self.faulty(&why))),
                    }
                }
            }
        }
        Ok(())
    }

    fn faulty(&self, why: &str) -> String {
        format!("{}, {why}", self.current_name)
    }

    /// Queues a part of an index, or the news that it cannot be had.
    fn add_part(&mut self, text: &str, depth: u32) {
        let told = excerpt_url(text);
        let part = match page_url(text) {
            Ok(_) if depth > MAX_DEPTH => Part::Missing(format!(
                "the sitemap {told:?} is left out: it is {depth} indexes deep"
            )),
            Ok(url) if self.seen.insert(url.as_str()) => Part::At(url, depth),
            Ok(_) => return,
            Err(why) => Part::Missing(format!(
                "the sitemap {told:?}, named by {}, is not an http(s) URL: {why}",
                self.current_name
            )),
        };
        self.parts.push_back(part);
    }
}

impl Sitemap {
    fn next_of_current(&mut self) -> Result<Option<Entry>, SourceError> {
        let item = match &mut self.current {
            Current::Items(items) => items.next(),
            Current::List(list) => {
                let entry = list.next_entry()?;
                return Ok(entry.map(|entry| match entry {
                    Entry::Invalid { place, reason } => {
                        Entry::Invalid { place: format!("{}, {place}", self.current_name), reason }
                    }
                    Entry::Warning(text) => {
                        Entry::Warning(format!("{}, {text}", self.current_name))
                    }
                    entry => entry,
                }));
            }
        };
        Ok(item.map(|item| match item {
            Item::Fault(why) => Entry::MissingPart(self.faulty(&why)),
            Item::Address { line, text } => self.addresses.read(&text).map_or_else(
                |why| Entry::Invalid {
                    place: format!("{}, line {line}", self.current_name),
                    reason: format!("{:?} is not an http(s) URL: {why}", excerpt_url(&text)),
                },
                Entry::Page,
            ),
        }))
    }
}

impl Source for Sitemap {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        loop {
            if let Some(entry) = self.next_of_current()? {
                return Ok(Some(entry));
            }
            match self.parts.pop_front() {
                None => return Ok(None),
                Some(Part::Missing(why)) => return Ok(Some(Entry::MissingPart(why))),
                Some(Part::At(url, depth)) => {
                    match self.open_part(&url, depth) {
                        Ok(()) => (),
                        // The whole run ends, and the parts to come are not missing.
                        Err(error @ SourceError::Stopped { .. }) => return Err(error),
                        Err(error) => {
                            return Ok(Some(Entry::MissingPart(message::one_line(&error))));
                        }
                    }
                }
            }
        }
    }
}

/// A part of an index that is still to come.
enum Part {
    At(Url, u32),
    Missing(String),
}
