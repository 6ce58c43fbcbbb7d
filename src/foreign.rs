//! Text from outside, which is cleaned before it is shown.
//!
//! Text of a server, a file, a manifest, a file's name, or an error that quotes one of them
//! may contain characters that a terminal obeys, that reorder the text beside
//! them, or that are invisible (Unicode Technical Report 36, 2.10 and 3.1, and
//! Unicode Standard Annex 9). A mark replaces each of them.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The character that replaces one that must not be shown.
pub(crate) const MARK: char = char::REPLACEMENT_CHARACTER;

/// A text from outside.
///
/// [`Display`](fmt::Display) and [`Debug`] replace each character that
/// [must not be shown](is_shown) by a [mark](MARK). Serialization leaves the text as it
/// is, because the format decides on escapes. Code that needs the text itself calls
/// [`raw`](Self::raw).
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Foreign(Box<str>);

impl Foreign {
    /// Returns the text as it came. It must not be printed.
    pub const fn raw(&self) -> &str {
        &self.0
    }
}

impl From<String> for Foreign {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Foreign {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<Cow<'_, str>> for Foreign {
    fn from(text: Cow<'_, str>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&clean(&self.0))
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*clean(&self.0), f)
    }
}

/// Returns `text` with a [mark](MARK) for each character that must not be shown.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_shown(c) { c } else { MARK }).collect())
}

/// Whether `c` may be shown as it is.
///
/// These are not shown: controls (general category Cc), formats (Cf, which include all
/// changes of the direction of writing), the separators of lines and paragraphs (Zl, Zp),
/// and characters that are displayed as nothing (`Default_Ignorable_Code_Point`): Unicode
/// Standard Annex 44, 5.7.1 and table 9. So an emoji that is joined from several falls
/// apart, which does less harm than a name that looks like another.
pub const fn is_shown(c: char) -> bool {
    !matches!(c,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_what_unicode_says() {
        let hidden = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]";
        let hidden = regex::Regex::new(hidden).unwrap();
        let mut text = [0; 4];
        for c in '\0'..=char::MAX {
            assert_eq!(is_shown(c), !hidden.is_match(c.encode_utf8(&mut text)), "{c:?}");
        }
    }

    #[test]
    fn foreign_text_is_shown_clean_and_stored_as_it_is() {
        for (text, shown) in [
            ("ordinary: äß 你好 \u{1f600} a\u{301} (\"x\")", None),
            ("a\u{1b}[2Jb\nc\td\r", Some("a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}")),
            ("\u{9b}31m \u{85}", Some("\u{fffd}31m \u{fffd}")),
            ("\u{61c}\u{200b}\u{202e}\u{2066}", Some("\u{fffd}\u{fffd}\u{fffd}\u{fffd}")),
            ("\u{2028}\u{2029}\u{3164}\u{e0041}", Some("\u{fffd}\u{fffd}\u{fffd}\u{fffd}")),
        ] {
            let foreign = Foreign::from(text);
            let shown = shown.unwrap_or(text);
            assert_eq!(foreign.to_string(), shown);
            assert_eq!(format!("{foreign:?}"), format!("{shown:?}"));
            assert_eq!(foreign.raw(), text);
            let json = serde_json::to_string(&foreign).unwrap();
            assert_eq!(json, serde_json::to_string(text).unwrap());
            assert_eq!(serde_json::from_str::<Foreign>(&json).unwrap(), foreign);
        }
        assert_eq!(
            format!("{:>5}|{:<4}|", Foreign::from("a\u{7}"), Foreign::from("b")),
            "   a\u{fffd}|b   |"
        );
    }
}
