//! A sitemap or a sitemap index (<https://www.sitemaps.org/protocol.html>),
//! gzipped or not, read part by part.

use std::collections::VecDeque;
use std::io::{BufRead, Cursor};

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use url::Url;

use super::{Entry, Getter, Source, SourceError, excerpt, page_url, told};
use crate::fingerprint::Fingerprints;
use crate::page::decode;

/// Indexes may not nest at all by the protocol; some do.
const MAX_DEPTH: u32 = 3;

/// The pages of a sitemap; the parts of an index are fetched one after the other.
pub struct Sitemap {
    getter: Getter,
    parts: VecDeque<(Url, u32)>,
    /// Parts that were queued already: an index may name itself.
    seen: Fingerprints,
    current: std::vec::IntoIter<String>,
    current_name: String,
    place: u64,
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
            current: Vec::new().into_iter(),
            current_name: String::new(),
            place: 0,
        };
        sitemap.seen.insert(url.as_str());
        sitemap.open_part(url, 0)?;
        Ok(sitemap)
    }

    fn open_part(&mut self, url: &Url, depth: u32) -> Result<(), SourceError> {
        let body = self.getter.get(url)?.body;
        let parsed = parse(&body).map_err(|reason| SourceError::Format {
            what: format!("the sitemap {}", told(url)),
            reason,
        })?;
        self.current_name = told(url);
        self.place = 0;
        match parsed {
            Parsed::Pages(pages) => self.current = pages.into_iter(),
            Parsed::Parts(parts) => {
                let parts = parts.iter().filter_map(|part| page_url(part).ok());
                for part in parts.filter(|_| depth < MAX_DEPTH) {
                    if self.seen.insert(part.as_str()) {
                        self.parts.push_back((part, depth + 1));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Source for Sitemap {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        loop {
            if let Some(text) = self.current.next() {
                self.place += 1;
                return Ok(Some(page_url(&text).map_or_else(
                    |why| Entry::Invalid {
                        place: format!("{} entry {}", self.current_name, self.place),
                        reason: format!("{:?} is not an http(s) URL: {why}", excerpt(&text)),
                    },
                    Entry::Page,
                )));
            }
            let Some((url, depth)) = self.parts.pop_front() else {
                return Ok(None);
            };
            if let Err(error) = self.open_part(&url, depth) {
                return Ok(Some(Entry::MissingPart(error.to_string())));
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    Pages(Vec<String>),
    Parts(Vec<String>),
}

/// Takes the addresses out of a sitemap: XML, or text with one URL a line.
fn parse(body: &Bytes) -> Result<Parsed, String> {
    let mut reader =
        decode::plain_reader(Cursor::new(body.clone())).map_err(|error| error.to_string())?;
    let start = reader.fill_buf().map_err(|error| error.to_string())?;
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if start.starts_with(b"http://") || start.starts_with(b"https://") {
        return parse_text(reader);
    }
    parse_xml(reader)
}

fn parse_text(reader: impl BufRead) -> Result<Parsed, String> {
    let mut pages = Vec::new();
    for line in reader.lines() {
        let line = line.map_err(|error| error.to_string())?;
        let line = line.trim().trim_start_matches('\u{feff}');
        if !line.is_empty() {
            pages.push(line.to_owned());
        }
    }
    Ok(Parsed::Pages(pages))
}

fn parse_xml(reader: impl BufRead) -> Result<Parsed, String> {
    let mut xml = Reader::from_reader(reader);
    let mut buffer = Vec::new();
    let mut is_index = None;
    let mut locations = Vec::new();
    // The text of the `loc` being read; `image:loc` and the like have other names.
    let mut location: Option<String> = None;
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(|error| error.to_string())? {
            Event::Start(tag) => match tag.name().as_ref() {
                "urlset" if is_index.is_none() => is_index = Some(false),
                "sitemapindex" if is_index.is_none() => is_index = Some(true),
                "loc" if is_index.is_some() => location = Some(String::new()),
                name if is_index.is_none() => {
                    return Err(format!("it begins with <{}>, not <urlset>", excerpt(name)));
                }
                _ => (),
            },
            Event::Text(text) => append(&mut location, &text),
            Event::CData(text) => append(&mut location, &text),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => append(&mut location, character.encode_utf8(&mut [0; 4])),
                // An entity that XML does not define is left out: the address
                // is then wrong, and its page is told as failed.
                _ => append(&mut location, resolve_predefined_entity(&reference).unwrap_or("")),
            },
            Event::End(tag) if tag.name().as_ref() == "loc" => {
                locations.extend(location.take().map(|text| text.trim().to_owned()));
            }
            Event::Eof => break,
            _ => (),
        }
    }
    match is_index {
        Some(true) => Ok(Parsed::Parts(locations)),
        Some(false) => Ok(Parsed::Pages(locations)),
        None => Err("it holds no <urlset>".into()),
    }
}

fn append(location: &mut Option<String>, text: &str) {
    if let Some(location) = location {
        location.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(text: &'static str) -> Result<Parsed, String> {
        parse(&Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn pages_and_parts_are_told_apart() {
        let set = "\u{feff}<?xml version='1.0'?>\n<!-- c --><urlset xmlns='x'><url><loc> http://a.org/1?a=1&amp;b=2 </loc>\
                   <image:loc>http://a.org/i.png</image:loc><lastmod>2026</lastmod></url>\
                   <url><loc><![CDATA[http://a.org/2]]></loc></url></urlset>";
        let wanted = vec!["http://a.org/1?a=1&b=2".to_owned(), "http://a.org/2".to_owned()];
        assert_eq!(pages(set), Ok(Parsed::Pages(wanted)));
        let index = "<sitemapindex><sitemap><loc>http://a.org/s.xml</loc></sitemap></sitemapindex>";
        assert_eq!(pages(index), Ok(Parsed::Parts(vec!["http://a.org/s.xml".into()])));
        let text = "http://a.org/1\n\nhttp://a.org/2\n";
        let wanted = vec!["http://a.org/1".to_owned(), "http://a.org/2".to_owned()];
        assert_eq!(pages(text), Ok(Parsed::Pages(wanted)));
    }

    #[test]
    fn what_is_no_sitemap_is_told() {
        assert_eq!(pages("<html><a>"), Err("it begins with <html>, not <urlset>".into()));
        assert_eq!(pages(""), Err("it holds no <urlset>".into()));
        assert!(pages("<urlset><url></loc>").is_err());
    }
}
