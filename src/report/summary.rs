//! Counts events into a [`Summary`].

use std::time::Instant;

use crate::event::{Event, Observer, ObserverError};
use crate::model::{FailureClass, Outcome, Settled, Summary, short_url};

/// The observer that counts. Entries of the input are counted elsewhere, where the input
/// is read, so that the two counts can be checked against each other.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    summary: Summary,
    first_start: Option<Instant>,
    last_end: Option<Instant>,
}

impl Counter {
    /// The counts, with the time from the first request to the last page.
    pub(crate) fn into_summary(self) -> Summary {
        let mut summary = self.summary;
        if let (Some(first), Some(last)) = (self.first_start, self.last_end) {
            summary.fetch_time = last.saturating_duration_since(first);
        }
        summary
    }

    fn settle(&mut self, settled: &Settled) {
        let Settled { job, attempt, started, total, .. } = settled;
        let summary = &mut self.summary;
        *summary.states.entry(attempt.outcome.state()).or_default() += 1;
        summary.wire_bytes += attempt.wire_bytes;
        if let Some(started) = started {
            self.last_end = self.last_end.max(Some(*started + *total));
        }
        match &attempt.outcome {
            Outcome::Saved { bytes, .. } => {
                summary.bytes += bytes;
                if summary.slowest.as_ref().is_none_or(|(_, slowest)| slowest < total) {
                    summary.slowest = Some((short_url(&job.url).into_owned(), *total));
                }
            }
            Outcome::Failed(failure) => {
                let class = summary.failures.entry(failure.code).or_insert_with(|| FailureClass {
                    count: 0,
                    example_url: short_url(&job.url).into_owned(),
                    example_message: failure.message.clone(),
                });
                class.count += 1;
            }
            Outcome::Unchanged | Outcome::Robots | Outcome::Interrupted => (),
        }
    }
}

impl Observer for Counter {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        match event {
            Event::Started { at, .. } => {
                self.first_start = Some(self.first_start.map_or(*at, |first| first.min(*at)));
            }
            Event::Retrying { attempt, .. } => {
                self.summary.retries += 1;
                self.summary.wire_bytes += attempt.wire_bytes;
            }
            Event::Settled(settled) => self.settle(settled),
            Event::Onward { .. }
            | Event::Parked { .. }
            | Event::Invalid { .. }
            | Event::SideRequestStarted { .. }
            | Event::SideRequestEnded { .. }
            | Event::Warning(_)
            | Event::Note(_)
            | Event::InputEnded { .. } => (),
        }
        Ok(())
    }
}
