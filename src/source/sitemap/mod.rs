//! A sitemap or a sitemap index (<https://www.sitemaps.org/protocol.html>),
//! gzipped or not, read part by part.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Cursor, Read};

use bytes::Bytes;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use url::Url;

use super::address::Addresses;
use super::{Entry, Getter, Source, SourceError, page_url, told};
use crate::fingerprint::Fingerprints;
use crate::message::{self, excerpt, excerpt_url};
use crate::page::decode;

/// Indexes may not nest at all by the protocol; some do.
const MAX_DEPTH: u32 = 3;

/// The pages of a sitemap; the parts of an index are fetched one after the other.
pub struct Sitemap {
    getter: Getter,
    parts: VecDeque<Part>,
    /// Parts that were queued already: an index may name itself.
    seen: Fingerprints,
    current: std::vec::IntoIter<String>,
    current_name: String,
    addresses: Addresses,
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
            addresses: Addresses::default(),
            place: 0,
        };
        sitemap.seen.insert(url.as_str());
        sitemap.open_part(url, 0)?;
        Ok(sitemap)
    }

    fn open_part(&mut self, url: &Url, depth: u32) -> Result<(), SourceError> {
        let body = self.getter.get(url)?.body;
        let parsed = parse(&body, self.getter.max_bytes()).map_err(|reason| {
            SourceError::Format { what: format!("the sitemap {}", told(url)), reason }
        })?;
        self.current_name = told(url);
        self.place = 0;
        match parsed {
            Parsed::Pages(pages) => self.current = pages.into_iter(),
            Parsed::Parts(parts) => {
                for part in &parts {
                    self.add_part(part, depth + 1);
                }
            }
        }
        Ok(())
    }
}

impl Sitemap {
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

impl Source for Sitemap {
    fn next_entry(&mut self) -> Result<Option<Entry>, SourceError> {
        loop {
            if let Some(text) = self.current.next() {
                self.place += 1;
                return Ok(Some(self.addresses.read(&text).map_or_else(
                    |why| Entry::Invalid {
                        place: format!("{} entry {}", self.current_name, self.place),
                        reason: format!("{:?} is not an http(s) URL: {why}", excerpt_url(&text)),
                    },
                    Entry::Page,
                )));
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

#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    Pages(Vec<String>),
    Parts(Vec<String>),
}

/// Takes the addresses out of a sitemap: XML, or text with one URL a line.
/// A file that is gzipped itself may unfold to `max_bytes`.
fn parse(body: &Bytes, max_bytes: u64) -> Result<Parsed, String> {
    let reader =
        decode::plain_reader(Cursor::new(body.clone())).map_err(|error| error.to_string())?;
    let mut reader = BufReader::new(reader.take(max_bytes + 1));
    let start = reader.fill_buf().map_err(|error| error.to_string())?;
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let is_text = start.starts_with(b"http://") || start.starts_with(b"https://");
    let parsed = if is_text { parse_text(&mut reader) } else { parse_xml(&mut reader) };
    if reader.get_ref().limit() == 0 {
        return Err(format!("it holds more than {max_bytes} bytes (--max-size)"));
    }
    parsed
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
    let mut root: Option<Root> = None;
    let mut locations = Vec::new();
    // The text of the `loc` being read; `image:loc` and the like have other names.
    let mut location: Option<String> = None;
    let is_whole = loop {
        buffer.clear();
        match (xml.read_event_into(&mut buffer).map_err(|error| error.to_string())?, &root) {
            (Event::Start(tag) | Event::Empty(tag), None) => {
                root = Some(Root::new(tag.name().as_ref())?);
            }
            (Event::Start(tag), Some(root)) if tag.name().as_ref() == root.location => {
                location = Some(String::new());
            }
            (Event::Text(text), _) => append(&mut location, &text),
            (Event::CData(text), _) => append(&mut location, &text),
            (Event::GeneralRef(reference), _) => match reference.resolve_char_ref() {
                Ok(Some(character)) => append(&mut location, character.encode_utf8(&mut [0; 4])),
                _ => match resolve_predefined_entity(&reference) {
                    Some(text) => append(&mut location, text),
                    // What XML does not define stays as it is, for the user to see.
                    None => append(&mut location, &format!("&{};", &*reference)),
                },
            },
            (Event::End(tag), Some(root)) if tag.name().as_ref() == root.location => {
                locations.extend(location.take().map(|text| text.trim().to_owned()));
            }
            (Event::End(tag), Some(root)) if tag.name().as_ref() == root.name => break true,
            (Event::Eof, _) => break false,
            _ => (),
        }
    };
    match root {
        None => Err("it holds no <urlset>".into()),
        Some(root) if !is_whole && !locations.is_empty() => {
            Err(format!("it ends before </{}>", root.name))
        }
        Some(Root { is_index: true, .. }) => Ok(Parsed::Parts(locations)),
        Some(Root { is_index: false, .. }) => Ok(Parsed::Pages(locations)),
    }
}

/// The outermost element of a sitemap.
struct Root {
    /// As it is written, with its prefix.
    name: String,
    is_index: bool,
    /// The name of the elements that hold addresses, with the same prefix.
    location: String,
}

impl Root {
    fn new(name: &str) -> Result<Self, String> {
        let (prefix, local) = name.split_at(name.find(':').map_or(0, |colon| colon + 1));
        let is_index = match local {
            "urlset" => false,
            "sitemapindex" => true,
            _ => return Err(format!("it begins with <{}>, not <urlset>", excerpt(name))),
        };
        Ok(Self { name: name.into(), is_index, location: format!("{prefix}loc") })
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
        parse(&Bytes::from_static(text.as_bytes()), 1000)
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
        let prefixed = "<s:urlset><s:url><s:loc>http://a.org/1?&x;</s:loc></s:url></s:urlset>";
        assert_eq!(pages(prefixed), Ok(Parsed::Pages(vec!["http://a.org/1?&x;".into()])));
        assert_eq!(pages("<urlset/>"), Ok(Parsed::Pages(vec![])));
        let text = "http://a.org/1\n\nhttp://a.org/2\n";
        let wanted = vec!["http://a.org/1".to_owned(), "http://a.org/2".to_owned()];
        assert_eq!(pages(text), Ok(Parsed::Pages(wanted)));
    }

    #[test]
    fn what_is_no_sitemap_is_told() {
        let long = "http://a.org/1\n".repeat(100);
        let told = parse(&Bytes::from(long), 1000).unwrap_err();
        assert_eq!(told, "it holds more than 1000 bytes (--max-size)");
        assert_eq!(pages("<html><a>"), Err("it begins with <html>, not <urlset>".into()));
        assert_eq!(pages(""), Err("it holds no <urlset>".into()));
        assert!(pages("<urlset><url></loc>").is_err());
        let cut = "<urlset><url><loc>http://a.org/1</loc></url><url>";
        assert_eq!(pages(cut), Err("it ends before </urlset>".into()));
    }
}
