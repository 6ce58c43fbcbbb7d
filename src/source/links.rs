//! Finds the links of a page: HTML, a selector and a base give URLs. Pure.

mod attributes;
mod bounds;
mod counted;
mod document;
mod element;
mod noscript;
mod pick;
mod select;
mod tags;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use encoding_rs::Encoding;
use url::Url;

use attributes::ATTRIBUTES_LIMIT;
use bounds::{Limits, MAX_DEPTH};
use document::{Document, attribute};
pub(crate) use pick::SERIALIZED_LIMIT;
pub use pick::{DEFAULT_ATTRIBUTE, DEFAULT_SELECTOR, Pick};

use super::text::trimmed;
use super::{check_length, checked_page_url};
use crate::model::ADDRESS_LIMIT;

/// The links of a page, and counts for a page without links.
#[derive(Debug)]
pub struct FoundLinks {
    /// The links, in document order.
    pub links: Links,
    /// What was not read as the page has it, in words for the user.
    pub warning: Option<String>,
    /// The number of selected elements.
    pub selected: usize,
    /// The number of selected elements without the attribute.
    pub without_attribute: usize,
    /// The number of links with another scheme than http(s), such as `mailto:`.
    pub other_schemes: usize,
    /// The number of all `a` elements of the page.
    pub anchors: usize,
    /// The title of the page.
    pub title: Option<String>,
}

/// Links as the page has them. Each link is resolved when it is returned: resolved links may
/// together take many times the memory of the page, because each repeats its base.
#[derive(Debug)]
pub struct Links {
    texts: std::vec::IntoIter<String>,
    base: Url,
    encoding: &'static Encoding,
}

impl Links {
    /// The number of links that are left.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether no link is left.
    pub fn is_empty(&self) -> bool {
        self.texts.as_slice().is_empty()
    }
}

/// Returns the links, resolved and without fragments. A link that cannot be resolved is returned
/// as its text and what is wrong with it.
impl Iterator for Links {
    type Item = Result<Url, (String, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.texts.next()?;
        let url = resolve(&text, &self.base, self.encoding);
        Some(url.and_then(checked_page_url).map_err(|why| (text, why)))
    }
}

/// The selector takes too much work on a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "--select {0:?} takes too much work on this page, because of ~, :has() or the like; use a simpler one"
)]
pub struct CostlySelector(String);

/// Finds the links of the page `body`, which came from `base` as `content_type`.
///
/// # Errors
///
/// [`CostlySelector`] when that would take much more time than a page of this length should.
pub fn find(
    body: &[u8],
    content_type: Option<&str>,
    pick: &Pick,
    base: &Url,
) -> Result<FoundLinks, CostlySelector> {
    let document = Document::parse(body, content_type);
    let base = base_of(&document, base);
    let mut texts = Vec::new();
    let (mut selected, mut without_attribute, mut other_schemes) = (0, 0, 0);
    let elements = document.select(pick.selector());
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
    Ok(FoundLinks {
        warning: warning(document.limits()),
        selected,
        without_attribute,
        other_schemes,
        anchors: document.elements().filter(|element| element.value().name() == "a").count(),
        title: document.title(),
        links: Links { texts: texts.into_iter(), base, encoding: document.encoding() },
    })
}

/// Returns the warning about a page that was not read as it is.
fn warning(limits: Limits) -> Option<String> {
    let mut parts = Vec::new();
    if limits.is_too_costly {
        parts.push("it takes too much work to find which element is in which, so from some place on all elements are side by side".to_owned());
    } else if limits.is_too_deep {
        parts.push(format!(
            "elements are more than {MAX_DEPTH} deep, and deeper ones are read side by side"
        ));
    }
    if limits.has_wide_tag {
        parts.push(format!(
            "a tag has more than {ATTRIBUTES_LIMIT} attributes, and the rest of them is left out"
        ));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "{}; all links are read, but a --select that names their surroundings may miss some: \
             check the result with fetchpages links",
            parts.join(", and ")
        )
    })
}

/// Returns the title of the page `body`, when it has one.
pub fn title(body: &[u8], content_type: Option<&str>) -> Option<String> {
    Document::parse(body, content_type).title()
}

/// Returns the base that the page itself names, or else the address that it came from (HTML
/// Living Standard, 4.2.3).
fn base_of(document: &Document, fallback: &Url) -> Url {
    let mut bases = document.elements().filter(|element| document::is_html(*element, "base"));
    let href = bases.find_map(|base| base.value().attr("href"));
    href.and_then(|href| resolve(href, fallback, document.encoding()).ok())
        .filter(|base| matches!(base.scheme(), "http" | "https"))
        .filter(|base| base.as_str().len() <= ADDRESS_LIMIT)
        .unwrap_or_else(|| fallback.clone())
}

/// Whether `text` is an address with another scheme than a page has.
fn is_of_other_scheme(text: &str, base: &Url, encoding: &'static Encoding) -> bool {
    let is_pages =
        |scheme: &str| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if trimmed(text).len() <= ADDRESS_LIMIT {
        return resolve(text, base, encoding).is_ok_and(|url| !is_pages(url.scheme()));
    }
    // A long text is not parsed: a page may hold images as `data:` of any length.
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let scheme = trimmed(text).split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        !scheme.is_empty() && scheme.chars().all(is_of_scheme) && !is_pages(scheme)
    })
}

/// Resolves `text` relative to `base`. Queries are encoded in the page's own charset (URL
/// Standard, 5.1), paths always in UTF-8.
fn resolve(text: &str, base: &Url, encoding: &'static Encoding) -> Result<Url, String> {
    let text = trimmed(text);
    check_length(text)?;
    let encode: &dyn Fn(&str) -> Cow<'_, [u8]> =
        &|query| encoding.output_encoding().encode(query).0;
    let options = Url::options().base_url(Some(base)).encoding_override(Some(encode));
    options.parse(text).map_err(|error| error.to_string())
}
