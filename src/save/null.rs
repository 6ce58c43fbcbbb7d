//! Pages that are fetched, decoded and hashed, and not kept.

use super::{SaveError, Sink};
use crate::model::Key;

/// Keeps nothing.
pub(super) struct NullSink;

impl Sink for NullSink {
    fn put(&self, _key: &Key, _body: &[u8]) -> Result<(), SaveError> {
        Ok(())
    }

    fn keeps(&self) -> bool {
        false
    }
}
