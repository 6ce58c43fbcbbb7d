//! A word of a closed list in a record: a later version may know more words.

use serde::{Deserialize, Serialize};

/// A word in a record: one that this version knows, or another one.
///
/// The words that a run writes are a closed list, so that the compiler checks that each is
/// handled. The words in a record are not: an unknown word must not make the record of a later
/// version unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Recorded<T> {
    /// A word that this version knows.
    Known(T),
    /// A word of a later version, unchanged.
    Later(String),
}

impl<T: Copy> Recorded<T> {
    /// Returns the word if this version knows it.
    pub const fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Later(_) => None,
        }
    }

    /// Returns the text of the word in the record; `name` returns that of a known one.
    pub fn text(&self, name: fn(T) -> &'static str) -> &str {
        match self {
            Self::Known(word) => name(*word),
            Self::Later(word) => word,
        }
    }
}

impl<T> From<T> for Recorded<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: Default> Default for Recorded<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FailureCode, HttpVersion, State};
    use crate::save::names::Layout;

    fn read<T: for<'a> Deserialize<'a> + Copy>(word: &str) -> Option<T> {
        serde_json::from_str::<Recorded<T>>(&format!("\"{word}\"")).unwrap().known()
    }

    #[test]
    fn words_of_later_versions_are_kept_and_not_taken_for_others() {
        assert_eq!(read("saved"), Some(State::Saved));
        assert_eq!(read::<State>("gone"), None);
        assert_eq!(read("reset"), Some(FailureCode::Reset));
        assert_eq!(read::<FailureCode>("render-crash"), None);
        assert_eq!(read("2"), Some(HttpVersion::Http2));
        assert_eq!(read::<HttpVersion>("4"), None);
        assert_eq!(read("tree"), Some(Layout::Tree));
        assert_eq!(read::<Layout>("by-date"), None);
        let later: Recorded<State> = serde_json::from_str("\"gone\"").unwrap();
        assert_eq!(serde_json::to_string(&later).unwrap(), "\"gone\"");
    }
}
