//! Tests of parsed pages, and what they read of a tree.

mod bounds;
mod pages;

use scraper::{ElementRef, Html};

/// The elements in document order: name, what they are in, attributes, text.
pub(super) fn elements(html: &Html) -> Vec<String> {
    let elements = html.tree.root().descendants().filter_map(ElementRef::wrap);
    let counts = elements.map(|element| {
        let parent = element.parent().and_then(ElementRef::wrap);
        let parent = parent.map_or("", |parent| parent.value().name());
        let attributes: Vec<_> =
            element.value().attrs().map(|(name, value)| format!("{name}={value}")).collect();
        let text: String = element.text().collect();
        format!("{} in {parent} {} {text:?}", element.value().name(), attributes.join(" "))
    });
    counts.collect()
}

/// The `href`s of all elements, or of those whose parent has the name `parent`.
pub(super) fn hrefs(html: &Html, parent: Option<&str>) -> Vec<String> {
    let elements = html.tree.root().descendants().filter_map(ElementRef::wrap);
    let in_parent = |element: &ElementRef<'_>| {
        let found = element.parent().and_then(ElementRef::wrap);
        parent.is_none_or(|name| found.is_some_and(|found| found.value().name() == name))
    };
    let hrefs = elements.filter(in_parent).filter_map(|element| element.value().attr("href"));
    hrefs.map(str::to_owned).collect()
}
