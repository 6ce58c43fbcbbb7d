//! The methods that local and remote sinks have in common.

use super::{Address, Depth, Found, OpenPage, SavedPages, Stat};
use super::{Capabilities, Sink};
use crate::save::error::SaveError;

impl Sink {
    /// Returns what the sink can do and what it wants.
    pub fn capabilities(&self) -> Capabilities {
        match self {
            Self::Local(sink) => sink.capabilities(),
            Self::Remote(sink) => sink.capabilities(),
        }
    }

    /// Removes the pages that the process `process`, which is dead, left half stored. A remote
    /// sink never has any.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when one of them could not be removed. It harms no page.
    pub fn clear_after(&self, process: u32) -> Result<(), SaveError> {
        match self {
            Self::Local(sink) => sink.clear_after(process),
            Self::Remote(_) => Ok(()),
        }
    }

    fn saved_pages(&self) -> &dyn SavedPages {
        match self {
            Self::Local(sink) => &**sink,
            Self::Remote(sink) => &**sink,
        }
    }
}

impl SavedPages for Sink {
    fn stat(&self, address: Address<'_>) -> Result<Stat, SaveError> {
        self.saved_pages().stat(address)
    }

    fn open(&self, address: Address<'_>) -> Result<Option<OpenPage<'_>>, SaveError> {
        self.saved_pages().open(address)
    }

    fn list(
        &self,
        depth: Depth,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), SaveError>,
    ) -> Result<(), SaveError> {
        self.saved_pages().list(depth, visit)
    }

    fn remove_staged(&self, name: &str) -> Result<(), SaveError> {
        self.saved_pages().remove_staged(name)
    }
}
