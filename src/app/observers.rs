//! The observers of a download, in one.

use std::time::Instant;

use crate::event::{Event, Observer, ObserverError};
use crate::report::progress::Progress;
use crate::report::summary::Counter;
use crate::save::manifest::ManifestWriter;

/// Manifest, counts and progress. The manifest comes first: what it cannot
/// record is not told as done.
pub(super) struct Observers {
    pub(super) manifest: ManifestWriter,
    pub(super) counter: Counter,
    pub(super) progress: Progress,
}

impl Observer for Observers {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        self.manifest.on_event(event)?;
        self.counter.on_event(event)?;
        self.progress.on_event(event)
    }

    fn on_batch_end(&mut self, now: Instant) -> Result<(), ObserverError> {
        self.manifest.on_batch_end(now)?;
        self.counter.on_batch_end(now)?;
        self.progress.on_batch_end(now)
    }
}
