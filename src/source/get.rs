//! Pages that a source needs to read, such as an index: fetched before the run,
//! on a runtime of their own, with the same retries as any page.

use std::sync::Arc;

use tokio::runtime::Runtime;
use url::Url;

use super::{SourceError, told};
use crate::fetch::{Client, Shared};
use crate::message;
use crate::model::{Attempt, Failure, FailureCode, Outcome, RawPage};
use crate::page::decode;
use crate::queue::retry::{Dice, RetryPolicy, Verdict};

/// So much of a refusal's text is told.
const REASON_LIMIT: usize = 300;

/// Fetches single pages and waits for them.
pub struct Getter {
    client: Client,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    max_bytes: u64,
    policy: RetryPolicy,
    dice: Dice,
}

impl Getter {
    /// A getter with the run's options.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when there can be no client or no event loop.
    pub fn new(shared: &Arc<Shared>, policy: RetryPolicy, dice: Dice) -> Result<Self, SourceError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| SourceError::Read { what: "an event loop".into(), source })?;
        let client = {
            let _inside = runtime.enter();
            Client::new(shared)?
        };
        let max_bytes = shared.options().max_size;
        Ok(Self { client, runtime: Some(runtime), max_bytes, policy, dice })
    }

    /// Fetches `url` and decodes its body; the answer's head says where it came from.
    ///
    /// # Errors
    ///
    /// [`SourceError::Fetch`] when no whole answer came, [`SourceError::Refused`] for an error status.
    pub fn get(&mut self, url: &Url) -> Result<RawPage, SourceError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (attempt, error) = match self.runtime().block_on(self.client.get(url)) {
                Ok(raw) if (200..300).contains(&raw.head.status) => {
                    return self.decoded(url, raw, attempts);
                }
                Ok(raw) => self.refused(url, raw, attempts),
                Err(missed) => {
                    let failure = missed.failure;
                    let attempt = Attempt::failed(failure.clone());
                    (attempt, SourceError::Fetch { url: told(url), attempts, failure })
                }
            };
            match self.policy.judge(attempts, &attempt, &mut self.dice) {
                Verdict::Done => return Err(error),
                Verdict::Again(after) => {
                    // Made inside, because a timer belongs to its runtime.
                    self.runtime().block_on(async { tokio::time::sleep(after).await });
                }
            }
        }
    }

    /// The largest body that is taken, in decoded bytes.
    pub(super) const fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is there until the getter is dropped")
    }

    fn decoded(&self, url: &Url, raw: RawPage, attempts: u32) -> Result<RawPage, SourceError> {
        let coding = raw.head.content_encoding.as_deref();
        let body = decode::decode(&raw.body, coding, self.max_bytes)
            .map_err(|failure| SourceError::Fetch { url: told(url), attempts, failure })?;
        Ok(RawPage { body, ..raw })
    }

    fn refused(&self, url: &Url, raw: RawPage, attempts: u32) -> (Attempt, SourceError) {
        let code = raw.head.status;
        let coding = raw.head.content_encoding.as_deref();
        let reason = decode::decode(&raw.body, coding, self.max_bytes)
            .ok()
            .and_then(|body| reason(&body, raw.head.content_type.as_deref()));
        let failure = Failure::new(FailureCode::Http, message::status(code));
        let attempt =
            Attempt { head: Some(raw.head), ..Attempt::without_answer(Outcome::Failed(failure)) };
        (attempt, SourceError::Refused { url: told(url), status: code, attempts, reason })
    }
}

impl Drop for Getter {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A name lookup cannot be stopped; waiting for one would hold up the end.
            runtime.shutdown_background();
        }
    }
}

/// What an error page says: its text, or its title when it is HTML.
fn reason(body: &[u8], content_type: Option<&str>) -> Option<String> {
    let text = super::charset::decode(body, content_type).text;
    let is_html = content_type.is_some_and(|kind| kind.contains("html"))
        || text.trim_start().starts_with('<');
    let text = if is_html { super::links::title(&text)? } else { text.into_owned() };
    let words: Vec<_> = text.split_whitespace().collect();
    let line: String = message::printable(&words.join(" ")).chars().take(REASON_LIMIT).collect();
    (!line.is_empty()).then_some(line)
}
