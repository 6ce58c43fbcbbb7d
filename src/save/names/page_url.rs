//! The address of a page in a record. It is parsed again, because another program may have
//! changed the manifest.

use std::borrow::Cow;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

/// The http(s) address of a page in its parsed spelling, without fragment and credentials.
///
/// No run writes a record with another address, so such a record is unreadable. Pages are
/// looked up by the spelling of their addresses, and an address may be requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageUrl(Url);

impl PageUrl {
    /// Parses `text`; returns `None` when a run would record it in another spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|url| url.as_str() == text)?;
        let is_bare =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        (is_bare && matches!(url.scheme(), "http" | "https")).then_some(Self(url))
    }

    /// Returns its spelling.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the address.
    pub const fn as_url(&self) -> &Url {
        &self.0
    }
}

impl Serialize for PageUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PageUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &"a page's address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::clean;

    #[test]
    fn an_address_reads_as_it_was_recorded_or_not_at_all() {
        for text in [
            "http://a.org/",
            "https://a.org:8080/caf%C3%A9?q=%22x%22&r=a|b'c",
            "http://[::1]/x",
            "http://xn--bcher-kva.ch/a%0Ab//../",
        ] {
            let typed = Url::parse(text).unwrap();
            let url = PageUrl::parse(typed.as_str()).unwrap();
            let json = serde_json::to_string(&url).unwrap();
            assert_eq!(serde_json::from_str::<PageUrl>(&json).unwrap(), url);
            assert_eq!(clean(url.as_str()), url.as_str());
        }
        for text in [
            "",
            "a.org",
            "http://a.org",
            "HTTP://a.org/",
            "http://a.org/x\ny",
            "http://a.org/\u{1b}]52;c;QUJD\u{7}",
            "http://a.org/caf\u{e9}",
            "http://a.org/\u{202e}x",
            " http://a.org/",
            "http://a.org/#x",
            "http://me@a.org/",
            "http://a.org/a/../b",
            "ftp://a.org/",
            "javascript:x()",
            "data:text/html,x",
            "file:///etc/passwd",
        ] {
            assert!(PageUrl::parse(text).is_none(), "{text:?}");
        }
    }
}
