//! The real work: fetch, compute, save.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::{Work, WorkError, WorkFactory};
use crate::clock;
use crate::fetch::{Client, Shared};
use crate::message;
use crate::model::{Attempt, Failure, FailureCode, Job, Outcome, RawPage};
use crate::page;
use crate::save::Sink;

/// Makes the real work for each runtime.
pub struct PageWorkFactory {
    /// What the clients have in common.
    pub shared: Arc<Shared>,
    /// Where pages are kept.
    pub sink: Arc<dyn Sink>,
}

impl WorkFactory for PageWorkFactory {
    fn make(&self) -> Result<Box<dyn Work>, WorkError> {
        let client = Client::new(&self.shared)?;
        let max_bytes = self.shared.options().max_size;
        Ok(Box::new(PageWork { client, sink: Arc::clone(&self.sink), max_bytes }))
    }
}

struct PageWork {
    client: Client,
    sink: Arc<dyn Sink>,
    max_bytes: u64,
}

impl Work for PageWork {
    fn attempt<'a>(&'a self, job: &'a Job) -> LocalBoxFuture<'a, Attempt> {
        Box::pin(async move {
            match self.client.get(&job.url).await {
                Ok(raw) => self.finish(job, raw),
                Err(missed) => Attempt {
                    outcome: Outcome::Failed(missed.failure),
                    head: missed.head,
                    wire_bytes: missed.wire_bytes,
                    wait: missed.wait,
                    cpu: Duration::ZERO,
                    breaks_run: None,
                },
            }
        })
    }
}

impl PageWork {
    fn finish(&self, job: &Job, raw: RawPage) -> Attempt {
        let cpu_before = clock::thread_cpu_time();
        let page = if is_saved_status(raw.head.status) {
            page::compute(&raw, self.max_bytes)
        } else {
            Err(Failure::new(FailureCode::Http, message::status(raw.head.status)))
        };
        let cpu = clock::thread_cpu_time().saturating_sub(cpu_before);
        let mut breaks_run = None;
        let outcome = page.and_then(|page| {
            self.sink.put(&job.key, &page.body).map_err(|error| {
                breaks_run = error.breaks_run().then(|| message::chain(&error));
                Failure::new(FailureCode::Save, message::one_line(&error))
            })?;
            Ok(Outcome::Saved { bytes: page.body.len() as u64, sha256: page.sha256 })
        });
        Attempt {
            outcome: outcome.unwrap_or_else(Outcome::Failed),
            wire_bytes: raw.body.len() as u64,
            wait: raw.wait,
            head: Some(raw.head),
            cpu,
            breaks_run,
        }
    }
}

/// Saved means 200 to 299, except the two that announce no content (RFC 9110, 15.3.5 and 15.3.6).
const fn is_saved_status(status: u16) -> bool {
    matches!(status, 200..=299) && !matches!(status, 204 | 205)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_with_content_are_saved() {
        assert!([200, 201, 203, 206, 226, 299].into_iter().all(is_saved_status));
        assert!(![100, 204, 205, 301, 304, 404, 500].into_iter().any(is_saved_status));
    }
}
