//! Which elements of an index are links: a CSS selector and an attribute, as they were typed.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::select::Selector;
use crate::message::excerpt;

/// The default of `--select`: the country links of Wikipedia's lists.
pub const DEFAULT_SELECTOR: &str = "td .flagicon + a";
/// The default of `--attr`.
pub const DEFAULT_ATTRIBUTE: &str = "href";

/// Which elements of an index are links, and which attribute holds their address.
///
/// Two values are equal when their texts are. A serialized selector has a length limit: its parser
/// recurses as deep as the selector is nested, and others may have written a record.
#[derive(Debug, Clone)]
pub struct Pick {
    selector: Selector,
    /// The selector, as it was typed.
    pub text: String,
    /// The attribute that holds the address.
    pub attribute: String,
}

/// A selector that does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the selector {text:?} does not parse at character {place}: {rest:?}")]
pub struct BadSelector {
    text: String,
    /// The first character that does not parse, counted from 1.
    place: usize,
    rest: String,
}

impl Pick {
    /// Picks the elements that `selector` selects.
    ///
    /// # Errors
    ///
    /// [`BadSelector`], with the place of the error, when `selector` is not a CSS selector.
    pub fn new(selector: &str, attribute: &str) -> Result<Self, BadSelector> {
        let parsed = Selector::parse(selector).ok_or_else(|| bad_selector(selector))?;
        Ok(Self { selector: parsed, text: selector.into(), attribute: attribute.into() })
    }

    /// The parsed selector.
    pub(super) const fn selector(&self) -> &Selector {
        &self.selector
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

/// Selector and attribute may together have this many bytes when they are deserialized.
pub(crate) const SERIALIZED_LIMIT: usize = 2_000;

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

/// Finds the place of the error, because the library does not return it: it is after the longest
/// beginning that parses.
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

#[cfg(test)]
mod tests {
    use super::*;

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
