//! The source that is a sitemap or a sitemap index (<https://www.sitemaps.org/protocol.html>),
//! gzipped or not, read part by part. Feeds and lists of addresses count as sitemaps too.

mod format;
mod items;
mod parts;
mod read;
mod references;
#[cfg(test)]
mod tests;
mod tokens;
mod xml;

use url::Url;

use super::address::Addresses;
use super::{Entry, Getter, Source, SourceError, label};
use crate::foreign::Foreign;
use crate::message::{self, excerpt_url};
use items::Item;
use parts::{Part, Parts};
use read::Parsed;

/// The pages of a sitemap; the parts of an index are fetched one after the other.
pub(crate) struct SitemapSource {
    getter: Getter,
    parts: Parts,
    current: Current,
    current_name: String,
    addresses: Addresses,
}

/// The rest of the part that is being read.
enum Current {
    /// XML, which was parsed as a whole.
    Items(std::vec::IntoIter<Item>),
    /// A list of addresses, which is read line by line.
    List(Box<dyn Source>),
}

impl SitemapSource {
    /// Fetches the sitemap at `url`.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when it cannot be fetched, or is not a sitemap. A missing part of
    /// an index is an entry, not an error.
    pub(crate) fn fetch(url: &Url, getter: Getter) -> Result<Self, SourceError> {
        let mut sitemap = Self {
            getter,
            parts: Parts::of(url),
            current: Current::Items(Vec::new().into_iter()),
            current_name: String::new(),
            addresses: Addresses::default(),
        };
        sitemap.open_part(url, 0)?;
        Ok(sitemap)
    }

    fn open_part(&mut self, url: &Url, depth: u32) -> Result<(), SourceError> {
        let raw = self.getter.get(url)?;
        let name = format!("the sitemap {}", label(url));
        let kind = raw.head.content_type.as_ref().map(Foreign::raw);
        let parsed = read::parse(&raw.body, kind, &raw.head.final_url, self.getter.max_bytes());
        let parsed = parsed.map_err(|reason| SourceError::Format { what: name.clone(), reason })?;
        self.current_name = name;
        match parsed {
            Parsed::Pages(items) => self.current = Current::Items(items.into_iter()),
            Parsed::List(list) => self.current = Current::List(list),
            Parsed::Parts(items) => self.parts.add(items, depth + 1, &self.current_name),
        }
        Ok(())
    }
}

impl SitemapSource {
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
            Item::Fault(why) => Entry::MissingPart(format!("{}, {why}", self.current_name)),
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

impl Source for SitemapSource {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        loop {
            if let Some(entry) = self.next_of_current()? {
                return Ok(Some(entry));
            }
            match self.parts.next() {
                None => return Ok(None),
                Some(Part::Missing(why)) => return Ok(Some(Entry::MissingPart(why))),
                Some(Part::At(url, depth)) => {
                    match self.open_part(&url, depth) {
                        Ok(()) => (),
                        // The whole run ends, so that the other parts are not missing.
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
