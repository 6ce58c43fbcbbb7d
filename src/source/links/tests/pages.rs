//! The links of pages with and without faults.

use url::Url;

use crate::model::ADDRESS_LIMIT;
use crate::source::links::{DEFAULT_SELECTOR, Pick, find};

fn links(html: &str, selector: &str) -> Vec<String> {
    let pick = Pick::new(selector, "href").unwrap();
    let base = Url::parse("https://a.org/dir/index.html").unwrap();
    let found = find(html.as_bytes(), None, &pick, &base).unwrap();
    let text = |link: Result<Url, (String, String)>| match link {
        Ok(url) => url.to_string(),
        Err((text, why)) => format!("{text}: {why}"),
    };
    found.links.map(text).collect()
}

#[test]
fn links_are_resolved_and_cut() {
    let html = r##"<a href="x">1</a><a href="&nbsp;/y#part&#12288;">2</a><a href="//b.org/z?q=1&amp;r=2">3</a>
        <a href="https://c.org/é">4</a><a href="?p=2">5</a><a href="">6</a><a href="#top">7</a>"##;
    assert_eq!(
        links(html, "a"),
        [
            "https://a.org/dir/x",
            "https://a.org/y",
            "https://b.org/z?q=1&r=2",
            "https://c.org/%C3%A9",
            "https://a.org/dir/index.html?p=2",
            "https://a.org/dir/index.html",
            "https://a.org/dir/index.html",
        ]
    );
}

#[test]
fn what_is_no_page_is_left_out_and_what_is_broken_is_told() {
    let html = r#"<a>none</a><a href="mailto:a@b.org">m</a><a href="javascript:void(0)">j</a>
        <a href="data:text/html,x">d</a><a href="http://[bad/">b</a><a href="ok">k</a>"#;
    let pick = Pick::new("a", "href").unwrap();
    let found = find(html.as_bytes(), None, &pick, &Url::parse("http://a.org/").unwrap()).unwrap();
    assert_eq!((found.selected, found.without_attribute, found.other_schemes), (6, 1, 3));
    let links: Vec<_> = found.links.collect();
    assert_eq!(links.len(), 2);
    assert_eq!(links[0].as_ref().unwrap_err().0, "http://[bad/");
    assert_eq!(links[1].as_ref().unwrap().as_str(), "http://a.org/ok");
}

#[test]
fn a_link_that_is_too_long_is_invalid_and_another_scheme_may_be_long() {
    let long = "x".repeat(ADDRESS_LIMIT);
    for (start, is_link) in [
        ("", true),
        ("/", true),
        ("?q=data:", true),
        (":", true),
        ("HTTP://b.org/", true),
        ("data:image/png;base64,", false),
        (" JavaScript:", false),
    ] {
        let html = format!("<a href='{start}{long}'>1</a><a href=ok>2</a>");
        let links = links(&html, "a");
        assert_eq!(links.len(), 1 + usize::from(is_link), "{start}");
        assert_eq!(links[usize::from(is_link)], "https://a.org/dir/ok");
        assert!(!is_link || links[0].ends_with(": it is longer than 65536 bytes"), "{start}");
    }
    let html = format!("<base href='http://b.org/{long}/'><a href=ok>");
    assert_eq!(links(&html, "a"), ["https://a.org/dir/ok"]);
}

#[test]
fn links_take_the_memory_of_their_text() {
    let html = format!("<base href='/{}/'>{}", "x".repeat(60_000), "<a href=y>".repeat(10_000));
    let pick = Pick::new("a", "href").unwrap();
    let base = Url::parse("http://a.org/").unwrap();
    let found = find(html.as_bytes(), None, &pick, &base).unwrap();
    assert_eq!(found.links.len(), 10_000);
    let texts = found.links.texts.as_slice();
    assert!(texts.iter().all(|text| text.capacity() < 16));
    assert!(found.links.last().unwrap().unwrap().as_str().len() > 60_000);
}

#[test]
fn what_is_not_read_as_it_stands_is_told() {
    let pick = Pick::new("a", "href").unwrap();
    let base = Url::parse("http://a.org/").unwrap();
    for (html, message) in [
        ("<div>".repeat(300), None),
        ("<div>".repeat(600), Some("elements are more than 512 deep, and deeper")),
        (format!("<p {}>", "a ".repeat(300)), Some("a tag has more than 256 attributes, and")),
    ] {
        let html = format!("{html}<a href=x>");
        let found = find(html.as_bytes(), None, &pick, &base).unwrap();
        assert_eq!(found.links.len(), 1);
        assert_eq!(found.warning.is_some(), message.is_some(), "{:?}", found.warning);
        let warning = found.warning.unwrap_or_default();
        assert!(warning.starts_with(message.unwrap_or_default()), "{warning}");
    }
    let pick = Pick::new("b ~ p", "href").unwrap();
    let error = find("<p>".repeat(4_000).as_bytes(), None, &pick, &base).unwrap_err();
    assert!(error.to_string().starts_with("--select \"b ~ p\" takes too much work"), "{error}");
}

#[test]
fn the_page_may_name_its_base() {
    let html = r#"<head><base href="/other/"></head><a href="x">1</a>"#;
    assert_eq!(links(html, "a"), ["https://a.org/other/x"]);
    let html = r#"<head><base href="ftp://a.org/"></head><a href="x">1</a>"#;
    assert_eq!(links(html, "a"), ["https://a.org/dir/x"]);
}

#[test]
fn only_an_html_element_of_the_document_moves_the_base() {
    for (html, wanted) in [
        ("<base target=x><base href=/1/><base href=/2/>", "https://a.org/1/x"),
        ("<body><p><base href=' /1/ '>", "https://a.org/1/x"),
        ("<template><base href=/1/></template>", "https://a.org/dir/x"),
        ("<svg><base href=/1/></svg>", "https://a.org/dir/x"),
        ("<svg><base href=/1/></svg><base href=/2/>", "https://a.org/2/x"),
        ("<svg><foreignObject><base href=/1/></foreignObject></svg>", "https://a.org/1/x"),
        ("<head><noscript><base href=/1/></noscript>", "https://a.org/1/x"),
        ("<!-- <base href=/1/> --><script><base href=/1/></script>", "https://a.org/dir/x"),
    ] {
        assert_eq!(links(&format!("{html}<a href=x>"), "a"), [wanted], "{html}");
    }
}

#[test]
fn classes_and_ids_match_in_any_case_in_quirks_mode() {
    let link = "<a class='Nav' id=One href=1>";
    for (doctype, selector, count) in [
        ("", "a.nav", 1),
        ("", "#ONE", 1),
        ("", "a:not(.NAV)", 0),
        ("", "[class=nav]", 0),
        ("<!doctype html>", "a.nav", 0),
        ("<!doctype html>", "a.Nav", 1),
        ("<!doctype html>", "#one", 0),
        ("<!doctype html PUBLIC '-//W3C//DTD HTML 3.2 Final//EN'>", "a.nav", 1),
        // Almost quirks: the doctype of much XHTML.
        ("<!doctype html PUBLIC '-//W3C//DTD XHTML 1.0 Transitional//EN'>", "a.nav", 0),
    ] {
        assert_eq!(
            links(&format!("{doctype}{link}"), selector).len(),
            count,
            "{doctype}{selector}"
        );
    }
}

#[test]
fn a_query_is_encoded_in_the_page_s_charset() {
    let pick = Pick::new("a", "href").unwrap();
    let base = Url::parse("http://a.org/").unwrap();
    let mut found = find(b"<a href='/\xe9?q=\xe9'>x</a>", None, &pick, &base).unwrap();
    let link = found.links.next().unwrap().unwrap();
    assert_eq!(link.as_str(), "http://a.org/%C3%A9?q=%E9");
}

#[test]
fn the_default_selector_takes_the_link_behind_a_flag() {
    let html = r#"<table><tr><td><span class="flagicon"><img></span> <a href="/wiki/India">India</a>
        <a href="/wiki/Other">no</a></td></tr></table><span class="flagicon"></span><a href="/no">no</a>"#;
    assert_eq!(links(html, DEFAULT_SELECTOR), ["https://a.org/wiki/India"]);
}
