//! An address as the user typed it, with and without its user name and password.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use super::SpecError;
use crate::message::{excerpt_url, without_credentials};
use crate::model::{short_url, shown_url};
use crate::source::page_url;

/// The address of a page.
///
/// Messages and records get the text as it was typed, without user name and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    url: Url,
    text: String,
    is_redacted: bool,
}

impl Address {
    /// Reads the value `text` of `argument`.
    pub(super) fn parse(argument: &str, text: &str) -> Result<Self, SpecError> {
        Self::read(text).map_err(|why| SpecError {
            message: format!("{argument} {:?} is not an http(s) URL: {why}", excerpt_url(text)),
            hint: page_url(&format!("https://{text}"))
                .ok()
                .filter(|_| !text.contains(':') && text.contains('.'))
                .map(|guess| format!("did you mean {}?", shown_url(&guess))),
            value: without_credentials(text).into_owned(),
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let url = page_url(text)?;
        // The URL parser decides, because it knows more spellings than `http://`.
        let bare = match Url::parse(text) {
            Ok(url) if url.username().is_empty() && url.password().is_none() => text.to_owned(),
            Ok(url) => shown_url(&url).into_owned(),
            Err(_) => without_credentials(text).into_owned(),
        };
        Ok(Self { url, is_redacted: bare != text, text: bare })
    }

    /// The address, with user name and password where it has them.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// The text as it was typed, without a user name and a password.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a user name or a password was left out of the text.
    pub(super) const fn is_redacted(&self) -> bool {
        self.is_redacted
    }

    /// The address in messages: without user name and password, and shortened.
    pub(super) fn label(&self) -> String {
        short_url(&self.url).into_owned()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

/// Whether `text` begins like an address on the web, and not like a path.
pub(crate) fn is_web_address(text: &str) -> bool {
    let start = text.split_once(':').map_or("", |(scheme, _)| scheme.trim());
    start.eq_ignore_ascii_case("http") || start.eq_ignore_ascii_case("https")
}
