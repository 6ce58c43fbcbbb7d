//! Pages that are fetched, decoded and hashed, and not kept.

use super::{Pieces, Sink};
use crate::model::Key;
use crate::save::error::SaveError;

/// Keeps nothing.
pub(super) struct NullSink;

impl Sink for NullSink {
    fn put(&self, _key: &Key, _body: &[u8]) -> Result<(), SaveError> {
        Ok(())
    }

    fn begin(&self, _key: &Key) -> Result<Box<dyn Pieces + '_>, SaveError> {
        Ok(Box::new(NullPieces))
    }

    fn keeps(&self) -> bool {
        false
    }
}

/// A page on its way to nowhere.
struct NullPieces;

impl Pieces for NullPieces {
    fn add(&mut self, _piece: &[u8]) -> Result<(), SaveError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SaveError> {
        Ok(())
    }
}
