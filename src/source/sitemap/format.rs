//! The XML formats that name pages, and which elements of each hold an address.

use quick_xml::name::{Namespace, QName, ResolveResult};

use crate::message::excerpt;

/// A format, which the outermost element shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum XmlFormat {
    /// A sitemap (<https://www.sitemaps.org/protocol.html>).
    Sitemap,
    /// A sitemap index: its addresses are those of sitemaps.
    Index,
    /// RSS 2.0 (<https://www.rssboard.org/rss-specification>).
    Rss,
    /// Atom (RFC 4287).
    Atom,
}

impl XmlFormat {
    /// The format of a document whose outermost element is `name`.
    ///
    /// # Errors
    ///
    /// What is wrong, when the element belongs to none of these formats.
    pub(super) fn of_root(name: QName<'_>) -> Result<Self, String> {
        match name.local_name().as_ref() {
            "urlset" => Ok(Self::Sitemap),
            "sitemapindex" => Ok(Self::Index),
            "rss" => Ok(Self::Rss),
            "feed" => Ok(Self::Atom),
            _ => Err(format!("it begins with <{}>, not <urlset>", excerpt(name.as_ref()))),
        }
    }

    /// The element of one entry.
    pub(super) const fn entry(self) -> &'static str {
        match self {
            Self::Sitemap => "url",
            Self::Index => "sitemap",
            Self::Rss => "item",
            Self::Atom => "entry",
        }
    }

    /// The element that holds an address.
    pub(super) const fn address(self) -> &'static str {
        match self {
            Self::Sitemap | Self::Index => "loc",
            Self::Rss | Self::Atom => "link",
        }
    }

    /// Whether an address counts only within an entry. The channel of a feed has a link
    /// too, to the page that the feed is about.
    pub(super) const fn needs_entry(self) -> bool {
        matches!(self, Self::Rss | Self::Atom)
    }
}

/// The namespace of an element. An undeclared prefix is a namespace of its own, because
/// programs forget to declare `image:`, and the address of an image must not become a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Space {
    None,
    Named(String),
    Undeclared(String),
}

impl Space {
    /// Whether an element in this namespace belongs to a document whose outermost element is
    /// in `root`. Sitemaps use the namespaces of several versions, the namespace of their
    /// inventor, or no namespace.
    pub(super) fn belongs_to(&self, root: &Self) -> bool {
        self == root
            || match self {
                Self::None => true,
                Self::Named(name) => is_of_sitemaps(name),
                Self::Undeclared(_) => false,
            }
    }
}

impl From<ResolveResult<'_>> for Space {
    fn from(result: ResolveResult<'_>) -> Self {
        match result {
            ResolveResult::Unbound => Self::None,
            ResolveResult::Bound(Namespace(name)) => Self::Named(name.trim().to_owned()),
            ResolveResult::Unknown(prefix) => Self::Undeclared(prefix),
        }
    }
}

/// Whether a namespace is one of sitemaps.org, or of Google before it:
/// `http://www.google.com/schemas/sitemap/0.84`. The namespaces of images and videos differ, such
/// as `…/schemas/sitemap-image/1.1`.
fn is_of_sitemaps(namespace: &str) -> bool {
    let address = namespace.strip_prefix("http://").or_else(|| namespace.strip_prefix("https://"));
    let address = address.map(|address| address.strip_prefix("www.").unwrap_or(address));
    let path = address.and_then(|address| {
        address.strip_prefix("sitemaps.org/").or_else(|| address.strip_prefix("google.com/"))
    });
    path.is_some_and(|path| path.starts_with("schemas/sitemap/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_of_sitemaps_are_known() {
        for (namespace, is_one) in [
            ("http://www.sitemaps.org/schemas/sitemap/0.9", true),
            ("https://sitemaps.org/schemas/sitemap/0.9/", true),
            ("http://www.google.com/schemas/sitemap/0.84", true),
            ("http://www.google.com/schemas/sitemap-image/1.1", false),
            ("http://www.google.com/schemas/sitemap-news/0.9", false),
            ("http://www.w3.org/1999/xhtml", false),
        ] {
            assert_eq!(is_of_sitemaps(namespace), is_one, "{namespace}");
        }
    }
}
