//! What hosts say of how they want to be asked, nearly well written: robots.txt and
//! `Retry-After`; and the names that agents give themselves.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use crate::foreign_bytes::{Format, Input, config, within};
use crate::queue::retry::retry_after;
use crate::queue::robots::BODY_LIMIT;
use crate::queue::robots::agent::ProductToken;
use crate::queue::robots::rules::Rules;

fn robots() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 4] = [
        b"User-agent: *\nDisallow: /a*b$\nAllow: /a/%2A?x=1\nCrawl-delay: 1.5\n",
        b"\xef\xbb\xbfuser-agent: fetchpages/1.0 # us\r\ndisallow: /\xc3\xa9\r\nallow: *.html$\r\n",
        b"User-agent: a\rUser-agent: *\rDisallow:\rSitemap: http://a.org/s.xml\rDisallow: /x\r",
        b"<!DOCTYPE html><title>User-agent: *</title>",
    ];
    let tokens: &[&[u8]] = &[
        b"User-agent: *\n",
        b"User-agent: fetchpages\n",
        b"Disallow: /",
        b"Disallow: /a\n",
        b"Allow: ",
        b"Crawl-delay: ",
        b"*",
        b"$",
        b"/",
        b"#",
        b":",
        b"%2",
        b"%41",
        b"%ff",
        b"*a*a",
        b"\n",
    ];
    Format::new(documents, tokens).up_to(BODY_LIMIT + 4096).inputs()
}

fn pauses() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 5] = [
        b"120",
        b"1.5s",
        b"Sat, 21 Nov 2026 20:11:00 GMT",
        b"Saturday, 21-Nov-26 20:11:00 GMT, 7, Sat Nov 21 20:11:00 2026",
        b" 0 , 99999999999999999999 sec",
    ];
    let tokens: &[&[u8]] =
        &[b", ", b"GMT", b".", b"Sat, ", b"31 Feb 2026", b"9999", b"24:60:60", b"seconds", b"-"];
    Format::new(documents, tokens).up_to(8192).inputs()
}

fn agents() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 3] = [
        b"FooBot/2.0 (+http://a.org/)",
        b"Mozilla/5.0 (compatible; FooBot/2.0; x)",
        b" mozilla (X11) Gecko",
    ];
    let tokens: &[&[u8]] = &[b"Mozilla/", b"compatible;", b"(", b";", b" ", b"_-"];
    Format::new(documents, tokens).up_to(4096).inputs()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rules_of_hosts(input in robots(), path in "(/[a-z*$%?é]{0,9}){0,3}") {
        let read = input.len().min(BODY_LIMIT);
        // Rules may take 4.5 bytes of one, where it is UTF-16 and has to be encoded, in a
        // block that grows; UTF-16 is decoded before, twice over.
        let rules = within(1024 + 18 * read, || Rules::parse(&input, "fetchpages"));
        // The path is encoded, and compared in place.
        within(64 + 9 * path.len(), || rules.allows(&path));
        prop_assert!(rules.allows("/robots.txt"));
        prop_assert!(rules.crawl_delay() <= Some(Duration::from_hours(1)));
        if let Ok(text) = std::str::from_utf8(&input)
            && text.len() < BODY_LIMIT / 2
            && !text.starts_with('\u{feff}')
        {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            let other: Vec<_> = units.flat_map(u16::to_be_bytes).collect();
            prop_assert_eq!(Rules::parse(&other, "fetchpages"), rules);
        }
    }

    #[test]
    fn pauses_that_hosts_ask_for(input in pauses(), date in pauses()) {
        let (value, date) = (input.text(), date.text());
        // Each comma makes a part of 16 bytes, in a list that grows.
        let most = 1024 + 64 * value.len();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_291_801);
        let pause = within(most, || retry_after::parse(&value, Some(&date), now));
        prop_assert!(pause.is_none_or(|pause| now.checked_add(pause).is_some()));
    }

    #[test]
    fn names_of_agents(input in agents()) {
        let token = within(64 + 2 * input.len(), || ProductToken::of_agent(&input));
        let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        prop_assert!(!token.as_str().is_empty() && token.as_str().bytes().all(is_of_token));
    }
}
