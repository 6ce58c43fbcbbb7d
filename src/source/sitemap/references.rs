//! Resolves entity and character references in an address.

use std::fmt;

use html5ever::data::NAMED_ENTITIES;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::BytesRef;

/// Text with its references resolved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The text.
    pub(super) text: String,
    /// Whether it has an `&` that begins no reference and is read as `&`.
    pub(super) has_bare: bool,
}

/// Why the address of a text is not clear.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// This reference is not defined.
    Undefined(String),
    /// This may be a reference without its semicolon, or a part of the address.
    NoSemicolon(String),
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined(name) => write!(f, "&{name}; is not defined"),
            Self::NoSemicolon(name) => write!(f, "&{name} has no semicolon"),
        }
    }
}

/// Resolves the references of `raw`: those of XML (XML 1.0, 4.1), and the names of HTML,
/// which programs write into sitemaps although XML does not define them. An `&` that begins no
/// reference is read as `&`, as in an attribute of HTML (HTML Living Standard, 13.2.5.73).
pub(super) fn resolve(raw: &str) -> Result<Resolved, Unresolved> {
    let mut resolved = Resolved { text: String::with_capacity(raw.len()), has_bare: false };
    let mut parts = raw.split('&');
    resolved.text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '#';
        let name_end = part.find(|c| !is_of_name(c)).unwrap_or(part.len());
        let (name, rest) = part.split_at(name_end);
        if let Some(rest) = rest.strip_prefix(';').filter(|_| !name.is_empty()) {
            resolved.text.push_str(&resolve_one(name)?);
            resolved.text.push_str(rest);
            continue;
        }
        // HTML accepts some names without a semicolon, for old pages.
        let is_known = resolve_xml_entity(name).is_some() || entity_of_html(name).is_some();
        if name.starts_with('#') || (is_known && !rest.starts_with('=')) {
            return Err(Unresolved::NoSemicolon(name.into()));
        }
        resolved.has_bare = true;
        resolved.text.push('&');
        resolved.text.push_str(part);
    }
    Ok(resolved)
}

fn resolve_one(name: &str) -> Result<String, Unresolved> {
    let undefined = || Unresolved::Undefined(name.into());
    if let Some(character) = BytesRef::new(name).resolve_char_ref().map_err(|_| undefined())? {
        return Ok(character.into());
    }
    resolve_xml_entity(name)
        .map(str::to_owned)
        .or_else(|| entity_of_html(&format!("{name};")))
        .ok_or_else(undefined)
}

/// Returns the text that `name` means in HTML. `name` includes its semicolon, if it has one.
fn entity_of_html(name: &str) -> Option<String> {
    let (first, second) = *NAMED_ENTITIES.get(name)?;
    // A first zero is the beginning of a name; a second zero is no second character.
    let characters = [first, second].into_iter().filter(|code| *code != 0);
    let text: String = characters.filter_map(char::from_u32).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_those_of_xml_and_html() {
        for (raw, text, has_bare) in [
            ("a", "a", false),
            ("?a=1&amp;b=2", "?a=1&b=2", false),
            ("&#233;&#xe9;&eacute;&lt;", "ééé<", false),
            ("&amp;amp;", "&amp;", false),
            ("&NotEqualTilde;", "\u{2242}\u{338}", false),
            ("?a=1&b=2", "?a=1&b=2", true),
            ("?a&b&c", "?a&b&c", true),
            ("?a=1&b=2;c", "?a=1&b=2;c", true),
            ("?a=1&copy=2", "?a=1&copy=2", true),
            ("terms&policies", "terms&policies", true),
            ("a&", "a&", true),
            ("a&;", "a&;", true),
            ("a && b", "a && b", true),
        ] {
            assert_eq!(resolve(raw), Ok(Resolved { text: text.into(), has_bare }), "{raw}");
        }
    }

    #[test]
    fn what_may_be_two_things_is_neither() {
        for (raw, message) in [
            ("a&nothing;", "&nothing; is not defined"),
            ("a&#0;", "&#0; is not defined"),
            ("a&#xd800;", "&#xd800; is not defined"),
            ("a&#99999999999;", "&#99999999999; is not defined"),
            ("a&#;", "&#; is not defined"),
            ("a&#233b", "&#233b has no semicolon"),
            ("?a=1&amp b=2", "&amp has no semicolon"),
            ("?a=1&copy", "&copy has no semicolon"),
        ] {
            assert_eq!(resolve(raw).map_err(|it| it.to_string()), Err(message.into()), "{raw}");
        }
    }
}
