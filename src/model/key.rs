//! Where a page is saved.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a page is saved, relative to the output directory: `India.html`, `a.org/b/c.html`.
///
/// A key never leaves the directory: its parts are separated by `/`, and no part is
/// empty, `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key(Box<str>);

impl Key {
    /// Wraps `path`; `None` when it is not a relative path that stays in its directory.
    pub fn new(path: impl Into<Box<str>>) -> Option<Self> {
        let path = path.into();
        let is_safe = |part: &str| {
            !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0'])
        };
        path.split('/').all(is_safe).then_some(Self(path))
    }

    /// The key as text, with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_leaves_its_directory() {
        for path in ["India.html", "a.org/b/c.html", "...html", "a/...", "%2E%2E"] {
            assert!(Key::new(path).is_some(), "{path}");
        }
        for path in ["", "/etc/passwd", "..", "a/../b", "a//b", "a/", "./a", "a\\b", "a\0b"] {
            assert!(Key::new(path).is_none(), "{path}");
        }
    }
}
