//! The observers of a download, in one.

use std::time::Instant;

use crate::event::{Event, Observer, ObserverError};
use crate::report::progress::Progress;
use crate::report::summary::Counter;
use crate::save::manifest::ManifestWriter;

/// Manifest, counts and progress. When the manifest cannot be written, the
/// others go on, so that the summary is whole.
pub(super) struct Observers {
    pub(super) manifest: ManifestWriter,
    pub(super) counter: Counter,
    pub(super) progress: Progress,
}

impl Observer for Observers {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        let recorded = self.manifest.on_event(event);
        let counted = self.counter.on_event(event);
        let told = self.progress.on_event(event);
        recorded.and(counted).and(told)
    }

    fn on_batch_end(&mut self, now: Instant) -> Result<(), ObserverError> {
        let recorded = self.manifest.on_batch_end(now);
        let counted = self.counter.on_batch_end(now);
        let told = self.progress.on_batch_end(now);
        recorded.and(counted).and(told)
    }
}
