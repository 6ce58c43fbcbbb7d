//! Combines the observers of a download into one.

use std::time::Instant;

use crate::event::{Event, Observer, ObserverError};
use crate::message;
use crate::report::progress::Progress;
use crate::report::summary::Counter;
use crate::report::trace::Trace;
use crate::save::manifest::ManifestWriter;

/// Manifest, counts, progress and trace. When the manifest cannot be written, the
/// others go on, so that the summary is whole.
pub(super) struct Observers {
    pub(super) manifest: ManifestWriter,
    pub(super) counter: Counter,
    pub(super) progress: Progress,
    /// The trace, if the user asked for it, until it cannot be written.
    pub(super) trace: Option<Trace>,
}

impl Observers {
    /// Ends the trace when it cannot be written, and lets the run go on: the pages matter more.
    fn check_trace(&mut self, drawn: Option<Result<(), ObserverError>>) {
        if let Some(Err(error)) = drawn {
            self.trace = None;
            let text = format!("{}; the run continues without a trace", message::one_line(&error));
            // The progress never fails on a warning.
            let _ = self.progress.on_event(&Event::Warning(text.into()));
        }
    }

    /// Ends the trace and the progress.
    pub(super) fn finish(&mut self) {
        let ended = self.trace.take().map(Trace::finish);
        self.check_trace(ended);
        self.progress.finish();
    }
}

impl Observer for Observers {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        let recorded = self.manifest.on_event(event);
        let counted = self.counter.on_event(event);
        let shown = self.progress.on_event(event);
        let drawn = self.trace.as_mut().map(|trace| trace.on_event(event));
        self.check_trace(drawn);
        recorded.and(counted).and(shown)
    }

    fn on_batch_end(&mut self, now: Instant) -> Result<(), ObserverError> {
        let recorded = self.manifest.on_batch_end(now);
        let counted = self.counter.on_batch_end(now);
        let shown = self.progress.on_batch_end(now);
        let drawn = self.trace.as_mut().map(|trace| trace.on_batch_end(now));
        self.check_trace(drawn);
        recorded.and(counted).and(shown)
    }
}
