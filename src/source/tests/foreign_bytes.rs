//! Pages that are nearly correct: their characters and their links.

use encoding_rs::Encoding;
use proptest::prelude::*;
use url::Url;

use super::super::links::{self, Pick};
use super::super::{charset, page_url, text};
use crate::foreign_bytes::{Format, Input, config, within};

const PAGES: &[&[u8]] = &[
    b"<!DOCTYPE html><html><head><meta charset=utf-8><base href='/x/'><title>a &amp; b</title></head><body>\
      <table><tr><td><span class=flagicon><img></span> <a href=\"y?q=\xc3\xa9&amp;r=1\">1</a></td></tr></table></body></html>",
    b"<meta http-equiv=content-type content='text/html; charset=windows-1252'><p><a href=/\xe9?q=\xe9>1<a href=//b.org>2",
    b"<svg><a href=1></a><foreignObject><p><base href=/2/></foreignObject></svg><template><a href=3></template><noscript><a href=4>",
    b"<?xml version=\"1.0\" encoding=\"shift_jis\"?><!-- <meta charset=x> --><script>document.write('<a href=5>')</script><b><p></b>",
    b"\xff\xfe<\0a\0 \0h\0r\0e\0f\0=\x001\0>\0",
];
const OF_PAGES: &[&[u8]] = &[
    b"<a href=",
    b"<a href=x>",
    b"<base href=",
    b"<template>",
    b"</template>",
    b"<svg>",
    b"<math><mi>",
    b"<table>",
    b"<tr><td>",
    b"<select>",
    b"<option>",
    b"<p>",
    b"<b>",
    b"</b>",
    b"<div>",
    b"<i class=1>",
    b"<form>",
    b"<script>",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"<noscript>",
    b"<plaintext>",
    b"<frameset>",
    b"<meta charset=utf-16>",
    b"<meta charset=",
    b"charset",
    b"<meta http-equiv=content-type content=\"",
    b"&nbsp",
    b"&#x110000;",
    b"&#0;",
    b"='",
    b"\"",
    b"<",
    b"</",
    b"/>",
];

fn kinds() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 3] =
        [b"text/html; charset=iso-8859-1", b"text/html;x=y; CHARSET = \"utf-8\"", b"text/html"];
    Format::new(documents, &[b"charset=", b";", b"\"", b"utf-16", b"x-user-defined", b"gbk"])
        .up_to(1024)
        .inputs()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn characters_of_pages(input in Format::new(PAGES, OF_PAGES).inputs(), kind in kinds()) {
        let kind = kind.text();
        let kind = Some(&*kind).filter(|kind| !kind.is_empty());
        // Only 1,024 bytes are looked into for names of encodings, whatever the page is.
        // Of each name of an attribute in them a copy is held.
        let sniffed = within(64 * 1024, || {
            charset::sniff_xml(&input, kind);
            charset::sniff(&input, kind)
        });
        let other = within(2 * input.len() + 16, || charset::named_in_content(&input));
        for encoding in [Some(sniffed.encoding), other].into_iter().flatten() {
            // A byte makes at most three, in a block of twice the size beside half of that.
            within(64 + 9 * input.len(), || charset::decode(&input, encoding).len());
            // What the parser finds later changes it at most once.
            if let Some(changed) = charset::changed(sniffed.encoding, encoding) {
                prop_assert_eq!(charset::changed(changed, encoding), None::<&'static Encoding>);
            }
        }
    }

    #[test]
    fn links_of_pages(input in Format::new(PAGES, OF_PAGES).inputs(), selector in 0..3_usize) {
        let selector = ["a", links::DEFAULT_SELECTOR, "[href]:not(p > *) ~ a.x, i + a"][selector];
        let pick = Pick::new(selector, links::DEFAULT_ATTRIBUTE).unwrap();
        let base = Url::parse("http://a.org/").unwrap();
        // The least element is `<a>`, with some 300 bytes of a tree that grows; what was
        // misnested is made again and again (HTML Living Standard, 13.2.4.3).
        let most = 256 * 1024 + 1024 * input.len();
        let found = within(most, || links::find(&input, None, &pick, &base));
        // A page that takes too much work for its selector has no links.
        let Ok(found) = found else { return Ok(()) };
        let links: Vec<_> = found.links.collect();
        prop_assert_eq!(found.selected, found.without_attribute + found.other_schemes + links.len());
        for link in links.into_iter().flatten() {
            prop_assert!(matches!(link.scheme(), "http" | "https") && link.has_host());
            prop_assert_eq!(link.fragment(), None);
        }
    }

    #[test]
    fn selectors(input in Format::new(
        [&b"td .flagicon + a"[..], b"a[href^='x' i]:not(.b):nth-child(2n+1) > p ~ q, *|c"],
        &[b":not(", b":is(", b":has(", b"[", b"(", b")", b"::", b" > ", b",", b"\\", b"/*", b"*", b"|"]
    ).up_to(512).inputs()) {
        let text = input.text();
        // Each beginning of it is tried, to find the place that does not parse.
        match within(64 * 1024 + 1024 * text.len(), || Pick::new(&text, "href")) {
            Ok(pick) => drop(links::find(PAGES[0], None, &pick, &Url::parse("http://a.org/").unwrap())),
            Err(error) => prop_assert!(error.to_string().contains("character")),
        }
    }

    #[test]
    fn addresses(input in Format::new(
        [&b"http://me:pw@a.org:81/x/../y?q=1#z"[..], b" \xef\xbb\xbfhttps://[::1]/\xe3\x80\x80"],
        &[b"http://", b"@", b"//", b"\\", b"[", b"xn--", b"..", b"%2e", b"data:", b"\t", b"#", b":0"]
    ).up_to(2048).inputs()) {
        let whole = input.text();
        let text = text::trimmed(&whole);
        // The parts of a host are normalised one character of four bytes at a time.
        let url = within(16 * 1024 + 64 * text.len(), || page_url(text));
        if let Ok(url) = url {
            prop_assert!(matches!(url.scheme(), "http" | "https") && url.has_host());
            prop_assert_eq!(page_url(url.as_str()), Ok(url));
        }
    }
}
