//! Reads the bytes of a sitemap: unzips and decodes them, and chooses the format.

use std::io::Cursor;

use bytes::Bytes;
use url::Url;

use super::items::Item;
use super::xml;
use crate::message;
use crate::page::{Codings, GZIP_MAGIC, decode};
use crate::source::list::{self, FormatChoice, ListFormat};
use crate::source::{Source, charset, text};

/// A byte that no text in UTF-8 holds, so that a list reports its line as invalid.
const NO_TEXT: u8 = 0xff;

/// The contents of a sitemap.
pub(super) enum Parsed {
    /// Addresses of pages.
    Pages(Vec<Item>),
    /// Addresses of sitemaps.
    Parts(Vec<Item>),
    /// Text with one address per line.
    List(Box<dyn Source>),
}

/// Reads the addresses of a sitemap, which came from `base`. A file that is gzipped
/// itself may have `max_bytes` when it is unzipped.
///
/// # Errors
///
/// What is wrong, when it is not a sitemap, or has faults and no address.
pub(super) fn parse(
    body: &Bytes,
    content_type: Option<&str>,
    base: &Url,
    max_bytes: u64,
) -> Result<Parsed, String> {
    let body = unzipped(body, max_bytes)?;
    let encoding = charset::sniff_xml(&body, content_type);
    let text = charset::decode(&body, encoding);
    if is_list(&text, content_type) {
        // Bytes that are not part of a character must not become a part of an address.
        let pieces: Vec<_> = text.split('\u{fffd}').map(str::as_bytes).collect();
        let reader = Cursor::new(pieces.join(&NO_TEXT));
        let list = list::read(reader, "the sitemap".into(), &FormatChoice::Is(ListFormat::Text));
        return list.map(Parsed::List).map_err(|error| message::one_line(&error));
    }
    let content = xml::read(&text, base)?;
    Ok(if content.is_index { Parsed::Parts(content.items) } else { Parsed::Pages(content.items) })
}

fn unzipped(body: &Bytes, max_bytes: u64) -> Result<Bytes, String> {
    let coding = body.starts_with(&GZIP_MAGIC).then_some("gzip");
    decode::decode(body, &Codings::parse(coding), max_bytes)
        .map_err(|failure| failure.message.to_string())
}

/// Whether `text` is a list: it begins with an address, or came as text and has no markup.
fn is_list(text: &str, content_type: Option<&str>) -> bool {
    let start = text::trimmed(text);
    let begins = |scheme: &str| {
        start.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let is_text = content_type.is_some_and(|kind| {
        kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain")
    });
    begins("http://") || begins("https://") || (is_text && !start.is_empty() && !begins("<"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Entry;

    /// The addresses and messages of `body`, in its order.
    fn read(body: impl Into<Vec<u8>>, content_type: Option<&str>) -> Result<Vec<String>, String> {
        let base = Url::parse("http://a.org/sitemap.xml").unwrap();
        let body = Bytes::from(body.into());
        match parse(&body, content_type, &base, 10_000)? {
            Parsed::Pages(items) | Parsed::Parts(items) => Ok(items
                .into_iter()
                .map(|item| match item {
                    Item::Address { text, .. } => text,
                    Item::Fault(why) => why,
                })
                .collect()),
            Parsed::List(mut list) => {
                let mut read = Vec::new();
                while let Some(entry) = list.next_entry().unwrap() {
                    read.push(match entry {
                        Entry::Page(url) => url.into(),
                        Entry::Invalid { place, .. } => place,
                        Entry::MissingPart(why) | Entry::Warning(why) => why,
                    });
                }
                Ok(read)
            }
        }
    }

    fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn the_charset_is_that_of_mark_header_and_declaration() {
        let set = "<urlset><url><loc>http://a.org/é</loc></url></urlset>";
        let latin: Vec<u8> = set.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let declared = |name: &str, body: &[u8]| {
            [format!("<?xml version='1.0' encoding='{name}'?>").as_bytes(), body].concat()
        };
        let marked = format!("\u{feff}{set}");
        let utf_16_declared = format!("<?xml version='1.0' encoding='UTF-16'?>{set}");
        for (name, body, content_type) in [
            ("nothing", set.into(), None),
            ("mark", marked.as_bytes().to_vec(), None),
            ("declaration", declared("ISO-8859-1", &latin), None),
            (
                "declaration behind a blank line",
                [b"\n", &declared("latin1", &latin)[..]].concat(),
                None,
            ),
            ("header", latin.clone(), Some("text/xml; charset=\"ISO-8859-1\"")),
            (
                "header before declaration",
                declared("utf-8", &latin),
                Some("text/xml; charset=latin1"),
            ),
            ("mark before header", marked.as_bytes().to_vec(), Some("text/xml; charset=latin1")),
            ("UTF-16 with a mark", utf_16(&marked, u16::to_le_bytes), None),
            (
                "UTF-16 with a mark, big",
                utf_16(&marked, u16::to_be_bytes),
                Some("text/xml; charset=utf-8"),
            ),
            ("UTF-16 without one", utf_16(&utf_16_declared, u16::to_le_bytes), None),
            ("UTF-16 without one, big", utf_16(&utf_16_declared, u16::to_be_bytes), None),
            ("UTF-16 said of UTF-8", declared("utf-16", set.as_bytes()), None),
            ("unknown", declared("nonsense", set.as_bytes()), Some("text/xml; charset=nonsense")),
        ] {
            assert_eq!(read(body, content_type), Ok(vec!["http://a.org/é".into()]), "{name}");
        }
    }

    #[test]
    fn a_byte_that_is_none_costs_at_most_its_entry() {
        let body = b"<urlset><url><loc>http://a.org/1</loc><t>\xe9</t></url>\n\
                     <url><loc>http://a.org/\xe9</loc></url><url><loc>http://a.org/3</loc></url></urlset>";
        let read_all = read(*body, None).unwrap();
        assert_eq!(read_all.len(), 3);
        assert_eq!((&*read_all[0], &*read_all[2]), ("http://a.org/1", "http://a.org/3"));
        assert!(read_all[1].starts_with("line 2: a page is left out: "), "{}", read_all[1]);
        let list = b"http://a.org/1\nhttp://a.org/\xe9\nhttp://a.org/3\n";
        assert_eq!(read(*list, None).unwrap(), ["http://a.org/1", "line 2", "http://a.org/3"]);
        let japanese = b"http://a.org/1\nhttp://a.org/\x81\xff\n";
        let kind = Some("text/plain; charset=shift_jis");
        assert_eq!(read(*japanese, kind).unwrap(), ["http://a.org/1", "line 2"]);
    }

    #[test]
    fn a_list_of_addresses_is_a_sitemap() {
        for (body, content_type) in [
            ("http://a.org/1\n\nhttp://a.org/2\n", None),
            ("\u{feff} HTTP://a.org/1\r\u{a0}http://a.org/2\u{a0}\r", Some("application/xml")),
            ("# pages\nhttp://a.org/1\nhttp://a.org/2", Some("Text/Plain; charset=utf-8")),
        ] {
            let wanted = vec!["http://a.org/1".to_owned(), "http://a.org/2".to_owned()];
            assert_eq!(read(body, content_type), Ok(wanted), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_sitemap_is_told() {
        for (body, content_type, message) in [
            (
                "http://a.org/1\n".repeat(1000),
                None,
                "more than 10000 bytes once decoded (--max-size)",
            ),
            ("<html><a>".into(), None, "it begins with <html>, not <urlset>"),
            ("<!DOCTYPE html><p>".into(), Some("text/plain"), "it begins with <p>, not <urlset>"),
            (String::new(), Some("text/plain"), "it holds no <urlset>"),
            ("{\"a\": 1}".into(), None, "it holds no <urlset>"),
        ] {
            assert_eq!(read(body, content_type), Err(message.into()));
        }
    }
}
