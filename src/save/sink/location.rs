//! The location of a sink, by which another process opens the same one.

use serde::{Deserialize, Serialize};

use super::{Capabilities, Sink, SinkKind, TABLE, Target};
use crate::save::error::SaveError;

/// A kind of sink and its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkLocation {
    /// The name of the kind.
    kind: String,
    target: Target,
}

impl SinkLocation {
    /// Returns the location of the sink that writes to `target`.
    ///
    /// # Panics
    ///
    /// When no kind of sink does. [`Target::parse`] returns no such target.
    pub fn of(target: &Target) -> Self {
        let kind = TABLE.iter().find(|kind| (kind.accepts)(target));
        let kind = kind.expect("a parsed target has a kind of sink");
        Self { kind: kind.name.to_owned(), target: target.clone() }
    }

    /// Opens the sink; a directory must exist. Returns `None` when this program does not know
    /// the kind.
    ///
    /// # Errors
    ///
    /// [`SaveError::Io`] when the target cannot be opened.
    pub fn open(&self) -> Option<Result<Sink, SaveError>> {
        self.kind().map(|kind| (kind.open)(&self.target))
    }

    /// Returns what the sink can do and what it wants.
    ///
    /// # Panics
    ///
    /// When this program does not know the kind.
    pub(in crate::save) fn capabilities(&self) -> Capabilities {
        self.kind().expect("this program chose the kind").capabilities
    }

    fn kind(&self) -> Option<&'static SinkKind> {
        TABLE.iter().find(|kind| kind.name == self.kind)
    }
}
