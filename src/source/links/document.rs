//! A page as a browser without scripts sees it: its bytes become a tree of elements.
//!
//! The tree has the elements that `querySelectorAll` finds: the contents of a `template` belong
//! to a fragment of their own (HTML Living Standard, 4.12.3) and are left out.

use encoding_rs::Encoding;
use html5ever::tokenizer::{Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{QuirksMode, TreeBuilder, TreeBuilderOpts};
use html5ever::{QualName, ns};
use scraper::{ElementRef, Html};

use super::attributes::{self, ATTRIBUTES_LIMIT};
use super::bounds::{Bounded, Limits, WorkBudget};
use super::counted::Counted;
use super::element::Steps;
use super::noscript::BodyFirst;
use super::select::{Matcher, Selector};
use crate::source::charset::{self, Confidence};

/// A parsed page.
pub(super) struct Document {
    html: Html,
    encoding: &'static Encoding,
    limits: Limits,
    bytes: usize,
}

impl Document {
    /// Parses `body`, which came as `content_type`. It parses a second time when a
    /// `meta` element shows that the first encoding was wrong
    /// (HTML Living Standard, 13.2.3.5).
    pub(super) fn parse(body: &[u8], content_type: Option<&str>) -> Self {
        let sniffed = charset::sniff(body, content_type);
        let document = Self::decoded(body, sniffed.encoding);
        let named = match sniffed.confidence {
            Confidence::Tentative => document.named_encoding(),
            Confidence::Certain => None,
        };
        let Some(encoding) = named.and_then(|named| charset::changed(sniffed.encoding, named))
        else {
            return document;
        };
        // A tree takes many times the size of its text.
        drop(document);
        Self::decoded(body, encoding)
    }

    fn decoded(body: &[u8], encoding: &'static Encoding) -> Self {
        let text = charset::decode(body, encoding);
        let (html, limits) = parsed(&text, ATTRIBUTES_LIMIT).finish();
        Self { html, encoding, limits, bytes: text.len() }
    }

    /// The limits that the page met.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns the encoding that the first `meta` element names whose encoding is known. The order
    /// is that of the text, and templates count (HTML Living Standard, 13.2.6.4.4).
    fn named_encoding(&self) -> Option<&'static Encoding> {
        let metas = self.html.tree.nodes().filter_map(ElementRef::wrap);
        metas.filter(|element| is_html(*element, "meta")).find_map(|meta| {
            let attribute = |name| meta.value().attr(name);
            let by_charset = attribute("charset").map(str::as_bytes).and_then(Encoding::for_label);
            by_charset.or_else(|| {
                attribute("http-equiv").filter(|it| it.eq_ignore_ascii_case("content-type"))?;
                charset::named_in_content(attribute("content")?.as_bytes())
            })
        })
    }

    /// The encoding in which the page was read.
    pub(super) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// All elements in document order, without those in templates.
    pub(super) fn elements(&self) -> impl Iterator<Item = ElementRef<'_>> {
        let root = self.html.tree.root();
        let nodes = std::iter::successors(Some(root), move |node| {
            let child = node.first_child().filter(|_| !node.value().is_fragment());
            child.or_else(|| {
                let mut ends = Some(*node);
                while let Some(node) = ends {
                    if let Some(next) = node.next_sibling() {
                        return Some(next);
                    }
                    ends = node.parent();
                }
                None
            })
        });
        nodes.filter_map(ElementRef::wrap)
    }

    /// Returns the elements that `selector` selects, in document order; `None` when that takes more
    /// work than a page of this length may.
    pub(super) fn select(&self, selector: &Selector) -> Option<Vec<ElementRef<'_>>> {
        let has_quirks = self.html.quirks_mode == QuirksMode::Quirks;
        let mut matcher = Matcher::new(selector, has_quirks, Steps::of(self.bytes));
        let mut selected = Vec::new();
        for element in self.elements() {
            if matcher.matches(element) {
                selected.push(element);
            }
            if !matcher.has_steps() {
                return None;
            }
        }
        Some(selected)
    }

    /// Returns the title, when the page has one (HTML Living Standard, 3.1.5).
    pub(super) fn title(&self) -> Option<String> {
        let title = self.elements().find(|element| is_html(*element, "title"))?;
        let title = title.text().collect::<String>();
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        (!title.is_empty()).then_some(title)
    }
}

/// Parses `text`, with at most `attributes_limit` attributes of each tag.
pub(super) fn parsed(text: &str, attributes_limit: usize) -> Bounded {
    let tokenizer = tokenizer(text);
    attributes::feed(&tokenizer, text, attributes_limit);
    tokenizer.end();
    tokenizer.sink.builder
}

/// Makes the tokenizer, with the tree builder behind it, for a page like `text`.
pub(super) fn tokenizer(text: &str) -> Tokenizer<BodyFirst<Bounded>> {
    // With scripts the contents of `noscript` would be text (HTML Living Standard, 4.12.2).
    let options = TreeBuilderOpts { scripting_enabled: false, ..Default::default() };
    let builder = TreeBuilder::new(Counted::new(), options);
    let bounded = Bounded::new(builder, WorkBudget::of(text.len()));
    Tokenizer::new(BodyFirst::new(bounded), TokenizerOpts::default())
}

/// Whether `element` is the HTML element `name`, and not an element of that name in, say, SVG.
pub(super) fn is_html(element: ElementRef<'_>, name: &str) -> bool {
    element.value().name() == name && element.value().name.ns == ns!(html)
}

/// Returns the attribute `name` of `element`, with its prefix (`xlink:href`), as
/// `getAttribute` finds it. Case makes no difference, in SVG either.
pub(super) fn attribute<'a>(element: ElementRef<'a>, name: &str) -> Option<&'a str> {
    let has_name = |qualified: &QualName| match qualified.prefix.as_deref() {
        None | Some("") => str::eq_ignore_ascii_case(&qualified.local, name),
        Some(prefix) => name.split_once(':').is_some_and(|(before, behind)| {
            prefix.eq_ignore_ascii_case(before)
                && str::eq_ignore_ascii_case(&qualified.local, behind)
        }),
    };
    let mut attributes = element.value().attrs.iter();
    attributes.find(|(qualified, _)| has_name(qualified)).map(|(_, value)| &**value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(html: &str, selector: &str) -> Vec<String> {
        let document = Document::parse(html.as_bytes(), None);
        let selector = Selector::parse(selector).unwrap();
        let elements = document.select(&selector).unwrap().into_iter();
        let hrefs = elements.map(|element| attribute(element, "href"));
        hrefs.map(|href| href.unwrap_or("none").to_owned()).collect()
    }

    #[test]
    fn a_meta_element_behind_the_first_bytes_changes_the_encoding() {
        let pad = format!("<!-- {} -->", "x".repeat(1100));
        let koi = "text/html; charset=koi8-r";
        for (head, content_type, wanted) in [
            ("<meta charset=koi8-r>".to_owned(), None, "а"),
            (format!("{pad}<meta charset=koi8-r>"), None, "а"),
            (format!("{pad}<p><noscript><meta charset=koi8-r></noscript>"), None, "а"),
            (format!("{pad}<meta http-equiv=Content-Type content='{koi}'>"), None, "а"),
            (format!("{pad}<meta charset=x http-equiv=content-type content='{koi}'>"), None, "а"),
            (format!("{pad}<meta charset=x><meta charset=koi8-r>"), None, "а"),
            (format!("{pad}<meta charset=koi8-r><meta charset=latin1>"), None, "а"),
            (format!("{pad}<template><meta charset=koi8-r></template>"), None, "а"),
            // The first bytes named one already, and the parser finds it first.
            (format!("<meta charset=latin2>{pad}<meta charset=koi8-r>"), None, "Á"),
            // The first bytes have one in the text of a script, which the parser knows better.
            (
                format!("<script>'<meta charset=x-mac-roman>'</script>{pad}<meta charset=koi8-r>"),
                None,
                "а",
            ),
            (format!("{pad}<meta charset=koi8-r>"), Some("text/html; charset=latin1"), "Á"),
            (format!("{pad}<!-- <meta charset=koi8-r> -->"), None, "Á"),
            (format!("{pad}<script>'<meta charset=koi8-r>'</script>"), None, "Á"),
            (format!("{pad}<script charset=koi8-r></script>"), None, "Á"),
            (format!("{pad}<meta name=x content='{koi}'>"), None, "Á"),
            (format!("{pad}<meta charset=utf-16>"), None, "\u{fffd}"),
            (format!("{pad}<meta charset=x-user-defined>"), None, "Á"),
            ("<?xml version='1.0' encoding='koi8-r'?>".to_owned(), None, "а"),
        ] {
            let body = [head.as_bytes(), b"<title>\xc1</title>"].concat();
            let document = Document::parse(&body, content_type);
            assert_eq!(document.title().as_deref(), Some(wanted), "{head}");
        }
    }

    #[test]
    fn a_browser_without_scripts_sees_these_elements() {
        for (html, selector, wanted) in [
            ("<a href=1></a><noscript><a href=2></a></noscript>", "a", &["1", "2"][..]),
            ("<head><noscript><a href=1></a></noscript>", "a", &["1"]),
            ("<noscript><ul><li><a href=1></a></ul></noscript>", "noscript li > a", &["1"]),
            ("<title>x</title><noscript><a href=1></a></noscript>", "noscript > a", &["1"]),
            ("<head><noscript><a href=1></a></noscript>", "noscript a", &[]),
            ("<head><noscript><link href=1></noscript>", "head > noscript > link", &["1"]),
            ("<svg><noscript><a href=1></a></noscript></svg>", "svg > noscript > a", &["1"]),
            ("<template><a href=1></a></template><a href=2></a>", "a", &["2"]),
            ("<template><p><template><a href=1></a></template></p></template>", "a", &[]),
            ("<table><tr><td><a href=2></a></td></tr><a href=1></a></table>", "a", &["1", "2"]),
            ("<iframe><a href=1></a></iframe><textarea><a href=2></a></textarea>", "a", &[]),
        ] {
            assert_eq!(selected(html, selector), wanted, "{html}");
        }
    }

    #[test]
    fn names_of_attributes_are_those_of_the_page_in_any_case() {
        let html =
            "<p HREF=1 xlink:href=2></p><svg><a xlink:href=3 /><a href=4 xlink:href=5 /></svg>";
        let document = Document::parse(html.as_bytes(), None);
        for (name, wanted) in [
            ("href", [Some("1"), None, Some("4")]),
            ("HREF", [Some("1"), None, Some("4")]),
            ("xlink:href", [Some("2"), Some("3"), Some("5")]),
            ("XLink:Href", [Some("2"), Some("3"), Some("5")]),
            ("src", [None; 3]),
        ] {
            let selector = Selector::parse("p, a").unwrap();
            let elements = document.select(&selector).unwrap().into_iter();
            let found = elements.map(|element| attribute(element, name));
            assert_eq!(found.collect::<Vec<_>>(), wanted, "{name}");
        }
    }

    #[test]
    fn the_title_is_html_s() {
        for (html, wanted) in [
            ("<svg><title>drawing</title></svg>", None),
            ("<template><title>other</title></template>", None),
            ("<body><svg><title>drawing</title></svg><title> a\n b </title>", Some("a b")),
        ] {
            assert_eq!(Document::parse(html.as_bytes(), None).title().as_deref(), wanted, "{html}");
        }
    }

    #[test]
    fn a_deep_page_takes_no_stack() {
        let html = format!("{}<a href=1>", "<b>".repeat(3000));
        assert_eq!(selected(&html, "a"), ["1"]);
    }

    #[test]
    fn a_selector_has_a_limit_on_wide_pages() {
        let wide = "<p>".repeat(4_000);
        let document = Document::parse(wide.as_bytes(), None);
        for (selector, count) in [
            ("b ~ p", None),
            ("p:has(~ b)", None),
            ("p ~ p", Some(3_999)),
            ("p + p", Some(3_999)),
            ("body > p:first-child", Some(1)),
            ("b p, td .flagicon + p", Some(0)),
        ] {
            let selector_read = Selector::parse(selector).unwrap();
            let selected = document.select(&selector_read);
            assert_eq!(selected.map(|it| it.len()), count, "{selector}");
        }
        // Each link looks through all classes of what it is in.
        let classes: String = (0..3_000).map(|it| "c@ ".replace('@', &it.to_string())).collect();
        let wide = format!("<div class='{classes}'>{}", "<p>".repeat(8_000));
        let document = Document::parse(wide.as_bytes(), None);
        assert!(document.select(&Selector::parse(".x p").unwrap()).is_none());
    }
}
