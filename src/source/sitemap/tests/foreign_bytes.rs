//! Sitemaps and feeds that are nearly correct.

use bytes::Bytes;
use proptest::prelude::*;
use url::Url;

use crate::foreign_bytes::{Format, Input, config, within};
use crate::source::sitemap::items::Item;
use crate::source::sitemap::read::{Parsed, parse};

/// The largest size of a file that is gzipped itself, once it is unzipped.
const MOST: usize = 64 * 1024;
/// Tables of decoders and of names.
const TABLES: usize = 128 * 1024;

fn sitemaps() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 7] = [
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
          xmlns:image=\"http://www.google.com/schemas/sitemap-image/1.1\">\n<url><loc>http://a.org/1?a=1&amp;b=2</loc>\
          <lastmod>2026-11-28</lastmod><image:image><image:loc>http://a.org/i.png</image:loc></image:image></url>\n\
          <url><loc><![CDATA[http://a.org/2?a&b]]></loc></url></urlset>",
        b"<sitemapindex><sitemap><loc> http://a.org/s.xml.gz </loc></sitemap></sitemapindex>",
        b"<rss version=\"2.0\"><channel><link>http://a.org/</link><item><guid isPermaLink=\"false\">7</guid>\
          <link>http://a.org/3</link></item><item><guid>http://a.org/4</guid></item></channel></rss>",
        b"<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"http://b.org/x/\"><entry xml:base=\"y/\">\
          <link rel=\"alternate\" href=\"5?&eacute;&#233;\"/><link rel=self href=z></entry></feed>",
        b"http://a.org/1\nhttps://a.org/2\n\xff\n",
        b"<br />\n<b>Notice</b>: x<urlset><!-- - -- --><url><loc>http://a.org/\xe9</url><url></urlset><urlset/>",
        b"<?xml version='1.0' encoding='windows-1252'?><!DOCTYPE urlset [<!ENTITY a \"&b;&b;\">]><a:urlset xmlns:a=\"x\"/>",
    ];
    let tokens: &[&[u8]] = &[
        b"<",
        b"</",
        b">",
        b"/>",
        b"<url>",
        b"<url><loc>http://a.org/7</loc></url>",
        b"<loc>",
        b"</loc>",
        b"</url>",
        b"<url",
        b" xmlns:a=\"x\"",
        b" xmlns=\"\"",
        b" xml:base=\"y/\"",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"<?",
        b"<!DOCTYPE a [",
        b"<!ENTITY a \"&a;\">",
        b"&a;",
        b"&#x",
        b"&#xd800;",
        b"&#1114112;",
        b"&amp",
        b"\"",
        b"'",
        b"<item>",
        b"<entry><link href='",
        b"<guid>",
    ];
    Format::new(documents, tokens).inputs()
}

fn kinds() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        Some("text/xml; charset=iso-8859-1"),
        Some("text/plain"),
        Some("application/xml;charset=utf-16le"),
    ])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sitemaps_and_feeds(input in sitemaps(), kind in kinds()) {
        let body = Bytes::copy_from_slice(&input);
        let base = Url::parse("http://b.org/s.xml").unwrap();
        let is_gzip = input.starts_with(b"\x1f\x8b");
        let length = if is_gzip { MOST } else { input.len() };
        // A character of one byte may be text of three. The least item is `<loc/>`, which
        // makes one of 40 bytes in a list that grows; the address of an element is copied
        // while it is read. An atom's address begins with its base, which may be most of
        // the input: that is why the count of items is a factor.
        let bases = memchr::memmem::find_iter(&input, b"base").count().min(1);
        let links = memchr::memmem::find_iter(&input, b"link").count();
        let most = TABLES + (64 + bases * links * 4) * length;
        let parsed = within(most, || parse(&body, kind, &base, MOST as u64));
        let Ok(Parsed::Pages(items) | Parsed::Parts(items)) = parsed else { return Ok(()) };
        prop_assert!(items.len() <= length / 4 + 21, "{} items", items.len());
        let lines = input.iter().filter(|byte| b"\r\n".contains(byte)).count() as u64 + 1;
        for item in items {
            match item {
                Item::Address { line, text } => {
                    prop_assert!(!text.contains('\u{fffd}'), "{text:?}");
                    prop_assert!(is_gzip || kind.is_some() || line <= lines.max(1), "{line}");
                }
                Item::Fault(why) => prop_assert!(why.chars().count() < 300, "{why}"),
            }
        }
    }
}
