//! A word of a closed list, as a record has it: a later version may know more words.

use serde::{Deserialize, Serialize};

/// A word in a record: one of those that this version knows, or another.
///
/// Words that a run raises are a closed list, so that each is dealt with. Those that
/// a record holds are not: a record of a later version must not be lost for a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Recorded<T> {
    /// One that this version knows.
    Known(T),
    /// One of a later version, as it stands there.
    Later(String),
}

impl<T: Copy> Recorded<T> {
    /// The word, when this version knows it.
    pub const fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Later(_) => None,
        }
    }

    /// The word as it stands in the record; `name` gives those that are known.
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
