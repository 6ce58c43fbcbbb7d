//! The rules of a robots.txt, as RFC 9309 and Google document them and as files break them.

use proptest::{prelude::*, test_runner::RngSeed};

use super::*;
use crate::queue::robots::BODY_LIMIT;

fn rules(body: &str) -> Rules {
    Rules::parse(body.as_bytes(), "fetchpages")
}

fn forbids(pattern: &str, path: &str) -> bool {
    !rules(&format!("User-agent: *\nDisallow: {pattern}\n")).allows(path)
}

fn check(rules: &Rules, allowed: &str, forbidden: &str) {
    for (paths, expected) in [(allowed, true), (forbidden, false)] {
        for path in paths.split_whitespace() {
            assert_eq!(rules.allows(path), expected, "{path} {rules:?}");
        }
    }
}

/// Checks lines of "rules: allowed paths; forbidden paths".
fn check_table(table: &str) {
    for row in table.lines() {
        let (words, paths) = row.trim().split_once(": ").unwrap();
        let (allowed, forbidden) = paths.split_once(';').unwrap();
        let lines = words.replace(' ', "\n").replace("low/", "low: /");
        check(&rules(&format!("User-agent: *\n{lines}")), allowed, forbidden);
    }
}

#[test]
fn only_whole_product_tokens_match_in_any_case() {
    let is_named = |name: &str| !rules(&format!("User-agent: {name}\nDisallow: /")).allows("/");
    let names = "fetchpages|FetchPages|fetchpages/1.0|fetchpages (x)|fetchpages;";
    assert!(names.split('|').all(is_named));
    let others = "Fetch|fetchpages2|fetchpages-x|fetchpages_x|xfetchpages||/|*x";
    assert!(!others.split('|').any(is_named));
    assert!(Rules::parse(b"User-agent:\nDisallow: /", "").allows("/"));
}

#[test]
fn groups_are_told_apart_merged_and_chosen() {
    for (body, is_forbidden) in [
        ("Disallow: /", false),
        ("User-agent: * x # all\nDisallow: /", true),
        ("User-agent: a\nDisallow: /", false),
        ("User-agent: fetchpages\n\nUser-agent: a\nDisallow: /", true),
        ("User-agent: fetchpages\nDisallow:\nUser-agent: a\nDisallow: /", false),
        ("User-agent: *\nDisallow: /\nUser-agent: fetchpages", false),
        ("User-agent: fetchpages\nDisallow: /y\nUser-agent: *\nDisallow: /", false),
        ("User-agent: fetchpages\nUser-agent: *\nDisallow: /", true),
        ("User-agent: *\nUser-agent: fetchpages\nDisallow: /", true),
        ("User-agent: fetchpages\nDisallow: /\nUser-agent: Fetchpages\nAllow: /y", true),
        ("User-agent: *\nDisallow: /\nUser-agent: a\nAllow: /\nUser-agent: *\nAllow: /y", true),
        ("User-agent: fetchpages\nSitemap: /s\nHost: h\nUser-agent: a\nDisallow: /", true),
        ("User-agent: fetchpages\nCrawl-delay: 1\nUser-agent: a\nDisallow: /", true),
        ("User-agent: fetchpages\nDisallow: /y\nSitemap: /s\nDisallow: /", true),
    ] {
        assert_eq!(!rules(body).allows("/x"), is_forbidden, "{body}");
    }
}

#[test]
fn lines_are_read_generously_and_only_what_forbids_is_kept() {
    for (body, kept) in [
        (b"\xEF\xBB\xBFUser-agent: *\nDisallow: /x\0\xff".as_slice(), "-/x%00%FF\n"),
        (b"User-agent: *\rDisallow: /x\r", "-/x\n"),
        (b" \tUSER-AGENT \t:\t * \r\n\r\n\tdisALLOW : /x \t# why", "-/x\n"),
        (b"user-agent:*#\ndisallow:/x#/y", "-/x\n"),
        (b"<p>\n\0\n\xff: \xfe\nwords\n: /\nUser-agent: *\nDisallow: /x\nAllow /x", "-/x\n"),
        (b"User-agent: *\nDisallow:\nAllow: /x-y\nUser-agent: a\nDisallow: /", ""),
        (b"User-agent: *\nDisallow: # all\nDisallow: x\nDisallow: $", ""),
        (b"<!DOCTYPE html>\n<p style=\"a: b\">Disallow: /</p>\nDisallow: /", ""),
    ] {
        let rules = Rules::parse(body, "fetchpages");
        assert_eq!((rules.lines.as_str(), rules.lines.capacity()), (kept, kept.len()));
    }
}

#[test]
fn wikipedia_forbids_fetch_but_not_fetchpages() {
    let rules = rules(
        "\u{feff}# Some bots.\nUser-agent: Fetch\nDisallow: /\n\nUser-agent: wget\nDisallow: /\n
        User-agent: *\nAllow: /w/load.php?\nDisallow: /w/\nDisallow: /trap/\n",
    );
    let allowed = "/ /wiki/India /w/load.php?x /robots.txt /wiki/A/w/ /trap";
    check(&rules, allowed, "/w/index.php?title=X /w/load.php /trap/ /%77/x");
}

#[test]
fn example_of_rfc_9309_section_5_1_holds() {
    let file = b"User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n
        User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n
        User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n
        User-Agent: quxbot";
    let rules = |agent| Rules::parse(file, agent);
    check(&rules("other"), "/a.gif?x /publications/a.gif", "/a.gif /example/page.html");
    check(&rules("foobot"), "/robots.txt /example/page.html /example/allowed.gif", "/ /a.gif");
    check(&rules("bazbot"), "/a.gif /example/", "/example/page.html");
    check(&rules("quxbot"), "/example/page.html", "");
}

#[test]
fn the_longest_pattern_wins_and_allow_wins_a_tie() {
    check_table(
        "Allow/example/page/ Disallow/example/page/x.gif: /example/page/; /example/page/x.gif
        Allow/p Disallow/: /page; /
        Disallow/ Allow/p: /page; /
        Allow/folder Disallow/folder: /folder/page;
        Disallow/folder Allow/folder: /folder/page;
        Allow/page Disallow/*.htm: /page; /page.htm
        Allow/page Disallow/*.ph: /page.php5; /a.php5
        Allow/$ Disallow/: /; /page.htm
        Allow/*b* Disallow/é: /b; /éb",
    );
}

#[test]
fn patterns_match_as_google_documents() {
    check_table(
        "Disallow/: /robots.txt; / /a ?x
        Disallow/*: /robots.txt; / /a
        Disallow/$: /a /?x; /
        Disallow/fish: /Fish /catfish /?id=fish; /fish /fish.html /fish/a /fishes /fish.php?id=1
        Disallow/fish*: /Fish /catfish /d/fish; /fish /fish.html /fishes/a.html /fish.php?id=1
        Disallow/fish/: /fish /fish.html /animals/fish/ /Fish/; /fish/ /fish/?id=1 /fish/a.htm
        Disallow/*.php: / /windows.PHP; /a.php /f/a.php?x /f/any.php.html /a.php/
        Disallow/*.php$: /a.php?x /a.php/ /a.php5 /windows.PHP; /a.php /f/a.php
        Disallow/fish*.php: /Fish.PHP /f.php; /fish.php /fishheads/a.php?x",
    );
}

#[test]
fn escapes_are_compared_in_one_spelling() {
    check_table(
        "Disallow/b?u=http://a.b: /b?u=http%3A%2F%2Fa.b; /b?u=http://a.b
        Disallow/b?u=http%3a%2F%2fa.b: /b?u=http://a.b; /b?u=http%3A%2f%2Fa.b
        Disallow/ツ%e3%83%84: /ツ /%E3%83%84; /ツツ /%E3%83%84ツ /%e3%83%84%e3%83%84
        Disallow/%62%61%7A: /BAZ; /baz /%62az
        Disallow/a%2Fb: /a/b; /a%2fb
        Disallow/file-%2A.html: /file-x.html; /file-*.html /file-%2a.html
        Disallow/foo-%24: /foo-; /foo-$ /foo-$x /foo-%24
        Disallow/a$b$$: /a /a$b$x; /a$b$
        Disallow/a|{b: /ab; /a%7C%7bb /a|{b
        Disallow/100%: /100; /100% /100%x",
    );
}

#[test]
fn the_largest_sound_crawl_delay_of_the_group_counts() {
    for (body, millis) in [
        ("User-agent: *\nCrawl-delay: 0\nDisallow: /\nCrawl-delay: .5 # s", Some(500)),
        ("User-agent: *\nCrawl-delay: 10\nUser-agent: *\nCrawl-delay: 0.4", Some(10_000)),
        ("User-agent: *\nCrawl-delay: 99999999999999999999999999999", Some(3_600_000)),
        ("User-agent: a\nCrawl-delay: 9\nUser-agent: *\nDisallow: /", None),
        ("User-agent: *\nCrawl-delay: 9\nUser-agent: fetchpages\nDisallow: /", None),
    ] {
        assert_eq!(rules(body).crawl_delay(), millis.map(Duration::from_millis), "{body}");
    }
    let garbage = ["*", "-1", "+1", "NaN", "inf", "1e3", "", ".", "1.2.3", "1,5", "10s", "٣"];
    let body = "Crawl-delay: 9\nUser-agent: ".to_owned() + &garbage.join("\nCrawl-delay: ");
    assert_eq!(rules(&body).crawl_delay(), None);
}

#[test]
fn a_line_that_the_limit_tears_is_dropped() {
    let head = "User-agent: *\nDisallow: /y\n";
    for (rule_end, after, kept) in [
        (BODY_LIMIT - 1, "", "-/y\n-/x\n"),
        (BODY_LIMIT, "\nDisallow: /z", "-/y\n-/x\n"),
        (BODY_LIMIT, "", "-/y\n"),
        (BODY_LIMIT, "y/\n", "-/y\n"),
        (BODY_LIMIT + 1, "\n", "-/y\n"),
    ] {
        let padding = "#".repeat(rule_end - head.len() - "\nDisallow: /x".len());
        let body = [head, &padding, "\nDisallow: /x", after].concat();
        assert_eq!(rules(&body).lines, kept, "{rule_end} {after}");
    }
    assert_eq!(rules(&"x".repeat(BODY_LIMIT + 1)), Rules::ALLOW_ALL);
}

#[test]
fn a_mark_of_utf_16_says_how_a_file_is_read() {
    type Units = fn(u16) -> [u8; 2];
    let text = "User-agent: *\r\nDisallow: /é\r\nDisallow: /x";
    let read = |text: &str, units: Units| {
        let body: Vec<u8> = text.encode_utf16().flat_map(units).collect();
        Rules::parse(&body, "fetchpages").lines
    };
    for units in [u16::to_le_bytes as Units, u16::to_be_bytes] {
        assert_eq!(read(&format!("\u{feff}{text}"), units), "-/%C3%A9\n-/x\n");
        assert_eq!(read(text, units), "", "without a mark it is no text");
        // The limit is one for what was received: two octets for each unit.
        let padding = "#".repeat(BODY_LIMIT / 2 - text.encode_utf16().count() - 2);
        let long = format!("\u{feff}{padding}\n{text}");
        assert_eq!(read(&long, units), "-/%C3%A9\n", "the last line may be torn");
        assert_eq!(read(&format!("{long}y"), units), "-/%C3%A9\n");
        assert_eq!(read(&long.replacen('#', "", 1), units), "-/%C3%A9\n-/x\n");
    }
    assert_eq!(Rules::parse(b"\xff\xfeU", "fetchpages"), Rules::ALLOW_ALL);
}

#[test]
fn too_much_searching_is_a_no() {
    let hostile = format!("User-agent: *\n{}", "Disallow:*a*a*a*b\n".repeat(28_000));
    let (short, long) = (format!("/{:a<100}", ""), format!("/{:a<8000}", ""));
    check(&rules(&hostile), &short, &long);
    assert!(!forbids("*a*a*a*b", &long));
    assert!(rules(&hostile.replace(":*", ":/x*")).allows(&long));
}

/// The meaning of a pattern, by trying every length for every wildcard.
fn naive(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => true,
        [b'$'] => path.is_empty(),
        [b'*', after @ ..] => (0..=path.len()).any(|length| naive(after, &path[length..])),
        [octet, after @ ..] => path.first() == Some(octet) && naive(after, &path[1..]),
    }
}

/// Normalises a text of `/ab*$%`, in which all escapes are of octets above 127.
fn encoded(text: &str) -> String {
    let upper = |text: String, hex: &str| text.replace(hex, &hex.to_uppercase());
    ["%aa", "%ab", "%ba", "%bb"].into_iter().fold(text.replace('$', "%24"), upper)
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(9309), failure_persistence: None,
        cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_read(head in "(user-agent:\\*\ndisallow:/)?", body: Vec<u8>, path: String) {
        let body = [head.as_bytes(), &body].concat();
        let _unknown: bool = Rules::parse(&body, "fetchpages").allows(&path);
    }

    #[test]
    fn line_ends_key_case_and_truncation_do_not_matter(
        lines in prop::collection::vec(("user-agent|disallow|allow|crawl-delay|x",
            "fetchpages|\\*|[/*$%a-c]{1,5}|[0-9]"), 0..12), cut: prop::sample::Index,
    ) {
        let file = |end: &str, key: fn(&str) -> String| -> String {
            lines.iter().map(|(name, value)| [&key(name), ": ", value, end].concat()).collect()
        };
        let plain = file("\n", str::to_owned);
        for end in ["\r\n", "\r", " # x\n\n"] {
            prop_assert_eq!(rules(&plain), rules(&file(end, str::to_uppercase)));
        }
        let _unknown: bool = rules(&plain[..cut.index(plain.len() + 1)]).allows("/a");
    }

    #[test]
    fn matching_agrees_with_trying_all(rule in "[/*][ab/*$%]{0,8}", path in "/[ab/*$%]{0,10}") {
        let (body, end) = rule.strip_suffix('$').map_or((&*rule, ""), |body| (body, "$"));
        let spelled = encoded(&path).replace('*', "%2A");
        let expected = naive((encoded(body) + end).as_bytes(), spelled.as_bytes());
        prop_assert_eq!(forbids(&rule, &path), expected);
    }

    #[test]
    fn a_prefix_forbids_all_behind_it(prefix in "/[a-zé0-9/?&=._~-]{0,8}", rest: String) {
        let path = prefix.clone() + &rest;
        prop_assert_eq!(forbids(&prefix, &path), path != "/robots.txt");
    }
}
