//! What both kinds of sinks have in common.

use super::{Address, Depth, Found, SavedPages, Stat};
use super::{Capabilities, Sink};
use crate::save::error::SaveError;
use std::io::Read;

impl Sink {
    /// What it can do and what it wants.
    pub fn capabilities(&self) -> Capabilities {
        match self {
            Self::Local(sink) => sink.capabilities(),
            Self::Remote(sink) => sink.capabilities(),
        }
    }

    /// Removes what the process of number `process`, which is dead, left half stored. A
    /// remote sink leaves nothing.
    ///
    /// # Errors
    ///
    /// [`SaveError`] when something of it is left. It harms no page.
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

    fn open(&self, address: Address<'_>) -> Result<Option<Box<dyn Read + '_>>, SaveError> {
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
