//! The links of a page: HTML, a selector and a base become URLs. Pure.

mod attributes;
mod bounds;
mod counted;
mod document;
mod element;
mod noscript;
mod select;

use std::borrow::Cow;

use encoding_rs::Encoding;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use attributes::ATTRIBUTES_LIMIT;
use bounds::{Limits, MAX_DEPTH};
use document::{Document, attribute};
use select::Selector;

use super::text::trimmed;
use super::{check_length, checked_page_url};
use crate::message::excerpt;
use crate::model::ADDRESS_LIMIT;

/// `--select`: the country links of Wikipedia's lists.
pub const DEFAULT_SELECTOR: &str = "td .flagicon + a";
/// `--attr`
pub const DEFAULT_ATTRIBUTE: &str = "href";

/// Which elements of an index are links, and where they keep their address.
///
/// Two are equal when their texts are. A selector that was serialized is read up to a length:
/// its parser goes as deep as it is nested, and a record may come from others.
#[derive(Debug, Clone)]
pub struct Pick {
    selector: Selector,
    /// The selector as it was typed.
    pub text: String,
    /// The attribute that holds the address.
    pub attribute: String,
}

/// A selector does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the selector {text:?} does not parse at character {place}: {rest:?}")]
pub struct BadSelector {
    text: String,
    /// Where the trouble begins, counted from 1.
    place: usize,
    rest: String,
}

impl Pick {
    /// Picks the elements that `selector` selects.
    ///
    /// # Errors
    ///
    /// [`BadSelector`], with the place, when `selector` is not CSS.
    pub fn new(selector: &str, attribute: &str) -> Result<Self, BadSelector> {
        let parsed = Selector::parse(selector).ok_or_else(|| bad_selector(selector))?;
        Ok(Self { selector: parsed, text: selector.into(), attribute: attribute.into() })
    }
}

impl Default for Pick {
    fn default() -> Self {
        Self::new(DEFAULT_SELECTOR, DEFAULT_ATTRIBUTE).expect("the default is a selector")
    }
}

impl PartialEq for Pick {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.attribute) == (&other.text, &other.attribute)
    }
}

impl Eq for Pick {}

/// The longest selector and attribute that are deserialized, in bytes.
pub const SERIALIZED_LIMIT: usize = 2_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PickTexts {
    select: String,
    attr: String,
}

impl Serialize for Pick {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        PickTexts { select: self.text.clone(), attr: self.attribute.clone() }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Pick {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let PickTexts { select, attr } = PickTexts::deserialize(from)?;
        if select.len() + attr.len() > SERIALIZED_LIMIT {
            return Err(de::Error::custom("the selector is too long"));
        }
        Self::new(&select, &attr).map_err(de::Error::custom)
    }
}

/// The library tells no place, so it is found: behind the longest beginning that parses.
fn bad_selector(text: &str) -> BadSelector {
    let good = text
        .char_indices()
        .map(|(end, _)| end)
        .rev()
        .find(|end| Selector::parse(&text[..*end]).is_some())
        .unwrap_or(0);
    let rest = text[good..].trim_start();
    let place = text[..text.len() - rest.len()].chars().count() + 1;
    BadSelector { text: text.into(), place, rest: excerpt(rest) }
}

/// What was found on a page.
#[derive(Debug)]
pub struct Found {
    /// The links, in document order.
    pub links: Links,
    /// What of the page was not read as it stands, for people.
    pub warning: Option<String>,
    /// Elements that the selector selected.
    pub selected: usize,
    /// Selected elements without the attribute.
    pub without_attribute: usize,
    /// Links with another scheme than http(s): `mailto:` and the like.
    pub other_schemes: usize,
    /// All `a` elements of the page.
    pub anchors: usize,
    /// The page's title.
    pub title: Option<String>,
}

/// Links as the page has them. Each is resolved when its turn comes: together they may
/// take many times the memory of the page, as each has all that its base has.
#[derive(Debug)]
pub struct Links {
    texts: std::vec::IntoIter<String>,
    base: Url,
    encoding: &'static Encoding,
}

impl Links {
    /// How many are left.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.texts.as_slice().is_empty()
    }
}

/// The links, resolved, without fragments; what cannot be resolved is there as its text
/// and what is wrong with it.
impl Iterator for Links {
    type Item = Result<Url, (String, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.texts.next()?;
        let url = resolve(&text, &self.base, self.encoding);
        Some(url.and_then(checked_page_url).map_err(|why| (text, why)))
    }
}

/// The selector takes too much work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "--select {0:?} takes too much work on this page, because of ~, :has() or the like; name a simpler one"
)]
pub struct CostlySelector(String);

/// Finds the links of the page `body`, which came from `base` as `content_type`.
///
/// # Errors
///
/// [`CostlySelector`] when that would take much more time than there is page.
pub fn find(
    body: &[u8],
    content_type: Option<&str>,
    pick: &Pick,
    base: &Url,
) -> Result<Found, CostlySelector> {
    let document = Document::parse(body, content_type);
    let base = base_of(&document, base);
    let mut texts = Vec::new();
    let (mut selected, mut without_attribute, mut other_schemes) = (0, 0, 0);
    let elements = document.select(&pick.selector);
    for element in elements.ok_or_else(|| CostlySelector(pick.text.clone()))? {
        selected += 1;
        let Some(text) = attribute(element, &pick.attribute) else {
            without_attribute += 1;
            continue;
        };
        if is_of_other_scheme(text, &base, document.encoding()) {
            other_schemes += 1;
        } else {
            texts.push(text.to_owned());
        }
    }
    Ok(Found {
        warning: warning(document.limits()),
        selected,
        without_attribute,
        other_schemes,
        anchors: document.elements().filter(|element| element.value().name() == "a").count(),
        title: document.title(),
        links: Links { texts: texts.into_iter(), base, encoding: document.encoding() },
    })
}

/// What people should know of a page that was not read as it stands.
fn warning(limits: Limits) -> Option<String> {
    let mut parts = Vec::new();
    if limits.is_too_costly {
        parts.push("it takes too much work to tell what is in what, so that from some place on all elements stand side by side".to_owned());
    } else if limits.is_too_deep {
        parts.push(format!(
            "elements are more than {MAX_DEPTH} deep, and deeper ones stand beside each other"
        ));
    }
    if limits.has_wide_tag {
        parts.push(format!(
            "a tag has more than {ATTRIBUTES_LIMIT} attributes, and the others are left out"
        ));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "{}; its links are found, but a --select that names what they are in may miss some: \
             check them with fetchpages links",
            parts.join(", and ")
        )
    })
}

/// The title of the page `body`, when it has one.
pub fn title(body: &[u8], content_type: Option<&str>) -> Option<String> {
    Document::parse(body, content_type).title()
}

/// The base that the page itself names, else where it came from (HTML Living Standard, 4.2.3).
fn base_of(document: &Document, fallback: &Url) -> Url {
    let mut bases = document.elements().filter(|element| document::is_html(*element, "base"));
    let href = bases.find_map(|base| base.value().attr("href"));
    href.and_then(|href| resolve(href, fallback, document.encoding()).ok())
        .filter(|base| matches!(base.scheme(), "http" | "https"))
        .filter(|base| base.as_str().len() <= ADDRESS_LIMIT)
        .unwrap_or_else(|| fallback.clone())
}

/// Whether `text` is an address that is not of a page.
fn is_of_other_scheme(text: &str, base: &Url, encoding: &'static Encoding) -> bool {
    let is_pages =
        |scheme: &str| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if trimmed(text).len() <= ADDRESS_LIMIT {
        return resolve(text, base, encoding).is_ok_and(|url| !is_pages(url.scheme()));
    }
    // It is not read whole: a page may hold images as `data:` of any length.
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let scheme = trimmed(text).split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        !scheme.is_empty() && scheme.chars().all(is_of_scheme) && !is_pages(scheme)
    })
}

/// Queries are encoded in the page's own charset (URL Standard, 5.1), paths always in UTF-8.
fn resolve(text: &str, base: &Url, encoding: &'static Encoding) -> Result<Url, String> {
    let text = trimmed(text);
    check_length(text)?;
    let encode: &dyn Fn(&str) -> Cow<'_, [u8]> =
        &|query| encoding.output_encoding().encode(query).0;
    let options = Url::options().base_url(Some(base)).encoding_override(Some(encode));
    options.parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let found =
            find(html.as_bytes(), None, &pick, &Url::parse("http://a.org/").unwrap()).unwrap();
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
        assert_eq!(super::tests::links(&html, "a"), ["https://a.org/dir/ok"]);
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

    #[test]
    fn a_selector_that_does_not_parse_is_told_with_its_place() {
        for (selector, place) in [("td >> a", 4), ("a:nope", 2), ("[", 1), ("td .flag + a, +", 13)]
        {
            let error = Pick::new(selector, "href").unwrap_err();
            assert_eq!(error.place, place, "{error}");
        }
        assert_eq!(
            Pick::new("a:nope(x)", "href").unwrap_err().to_string(),
            r#"the selector "a:nope(x)" does not parse at character 2: ":nope(x)""#
        );
    }
}
