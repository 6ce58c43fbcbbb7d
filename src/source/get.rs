//! Fetches pages that a source needs, such as an index. The thread that reads the source
//! fetches them by the same [step](crate::work::step) as the executors' pages, so that the queue
//! paces and retries them. This file adds only what a source does with the response: it takes
//! the decoded page, or makes an error of a refusal.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use tokio::runtime::Runtime;
use url::Url;

use super::{SourceError, charset, label, links};
use crate::budget::Share;
use crate::clock::Clock;
use crate::fetch::{BodyMemory, Client, Network, Reply};
use crate::foreign::clean;
use crate::in_flight::InFlight;
use crate::message;
use crate::model::{Attempt, Failure, FailureCode, Job, Key, Kind, Outcome, RawPage, Response};
use crate::page::{Codings, decode};
use crate::queue::Queue;
use crate::queue::frontier::Settlement;
use crate::queue::host::site_policy;
use crate::work::Work;
use crate::work::step::Step;
use crate::work::turn::run_turn;

/// A message quotes at most this many characters of a refusal's text.
const REASON_LIMIT: usize = 300;

/// What a getter needs of a run.
pub struct Access {
    /// The part that all clients of the run share.
    pub network: Arc<Network>,
    /// Decides when a request may go, and reports what happens to it.
    pub queue: Arc<Queue>,
    /// The clock of the run.
    pub clock: Arc<dyn Clock>,
}

/// Fetches single pages, and waits for each.
pub struct Getter {
    access: Access,
    client: Client,
    /// `None` only while the getter is dropped.
    runtime: Option<Runtime>,
}

impl Getter {
    /// Makes a getter with a client and an event loop of its own.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the system cannot give the client or the event loop.
    pub fn new(access: Access) -> Result<Self, SourceError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| SourceError::Read { what: "an event loop".into(), source })?;
        let client = {
            let _inside = runtime.enter();
            Client::new(&access.network)?
        };
        Ok(Self { access, client, runtime: Some(runtime) })
    }

    /// Fetches `url`, follows redirects, and decodes the body. The head of the page holds the
    /// address that it came from.
    ///
    /// # Errors
    ///
    /// [`SourceError::Fetch`] when no whole answer was received, [`SourceError::Refused`]
    /// for an error status, [`SourceError::Stopped`] when the run ends first.
    pub fn get(&mut self, url: &Url) -> Result<RawPage, SourceError> {
        let runtime = self.runtime.as_ref().expect("only dropping the getter takes the event loop");
        runtime.block_on(self.get_by_steps(url))
    }

    async fn get_by_steps(&self, url: &Url) -> Result<RawPage, SourceError> {
        let (queue, clock) = (&*self.access.queue, &*self.access.clock);
        let answer = RefCell::default();
        let work = SourceWork { getter: self, answer: &answer };
        let key = Key::new("source").expect("this is a file name");
        queue.submit_side(Job { kind: Kind::Source, ..Job::new(u64::MAX, url.clone(), key) });
        let mut aborted = pin!(queue.aborted());
        while let Some(next) = queue.next_side().await {
            let events = queue.observers();
            let step = Step { queue, work: &work, clock, events: events.as_ref(), worker: None };
            match step.run(next, aborted.as_mut()).await.settlement {
                Settlement::Nothing => return answer.take().page.ok_or_else(|| stopped(url)),
                Settlement::Done(job, attempt) => {
                    return Err(error(url, job.attempts, attempt, answer.take().reason));
                }
                Settlement::Again { .. } | Settlement::Onward(_) => (),
            }
        }
        Err(match queue.stop_reason() {
            Some(_) => stopped(url),
            None => SourceError::Away { url: label(url) },
        })
    }

    /// The largest body that is accepted, in decoded bytes.
    pub(super) fn max_bytes(&self) -> u64 {
        self.access.network.options().max_size
    }
}

/// What the source takes from the last turn.
#[derive(Default)]
struct Answer {
    page: Option<RawPage>,
    /// The text of a refusal.
    reason: Option<String>,
}

/// Runs the turns of a source's request: it fetches and decodes, and saves nothing.
struct SourceWork<'a> {
    getter: &'a Getter,
    answer: &'a RefCell<Answer>,
}

impl Work for SourceWork<'_> {
    fn turn<'a>(&'a self, job: &'a Job, in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let Access { network, clock, .. } = &self.getter.access;
            let memory = BodyMemory::new(Share::new(network.memory()), &**clock);
            match run_turn(&self.getter.client, job, clock.now(), in_flight, &memory).await {
                Ok(Reply::Page(raw)) => {
                    let (response, answer) = read(raw, self.getter.max_bytes());
                    self.answer.replace(answer);
                    response
                }
                Ok(Reply::Redirect(target)) => Response::Redirect(target),
                Err(failure) => {
                    self.answer.take();
                    Response::Done(failure.into())
                }
            }
        })
    }
}

/// Decodes a reply. The body of a refusal becomes its reason.
fn read(raw: RawPage, max_bytes: u64) -> (Response, Answer) {
    let body = decode::decode(&raw.body, &Codings::parse(raw.head.coding()), max_bytes);
    if !raw.head.has_page() {
        let kind = raw.head.media_type();
        let reason = body.ok().and_then(|body| reason(&body, kind));
        let failure = Failure::new(FailureCode::Http, message::status(raw.head.status));
        let attempt = Attempt { head: Some(raw.head), ..Attempt::failed(failure) };
        return (Response::Done(attempt), Answer { page: None, reason });
    }
    match body {
        Ok(body) => {
            let response = Response::Body(body.clone());
            (response, Answer { page: Some(RawPage { body, ..raw }), reason: None })
        }
        Err(failure) => (Response::Done(Attempt::failed(failure)), Answer::default()),
    }
}

impl Drop for Getter {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A name lookup cannot be stopped, and waiting for one would delay the end of the run.
            runtime.shutdown_background();
        }
    }
}

fn stopped(url: &Url) -> SourceError {
    SourceError::Stopped { url: label(url) }
}

fn error(url: &Url, attempts: u32, attempt: Attempt, reason: Option<String>) -> SourceError {
    let failure = match attempt.outcome {
        Outcome::Failed(failure) if failure.code != FailureCode::Deadline => failure,
        // The queue gives up when a refusal asks for too long a pause. It is still a refusal.
        _ if attempt.head.is_some() => Failure::new(FailureCode::Http, "refused"),
        _ => return stopped(url),
    };
    match attempt.head.filter(|_| failure.code == FailureCode::Http) {
        Some(head) => {
            let host = head.final_url.host_str().unwrap_or_default();
            let advice = site_policy::explain(host, reason.as_deref().unwrap_or_default());
            let status = head.status;
            SourceError::Refused { url: label(url), status, attempts, reason, advice }
        }
        None => SourceError::Fetch { url: label(url), attempts, failure },
    }
}

/// Returns the text of an error page, or its title when it is HTML.
fn reason(body: &[u8], content_type: Option<&str>) -> Option<String> {
    let encoding = charset::sniff(body, content_type).encoding;
    let text = charset::decode(body, encoding);
    let is_html = content_type.is_some_and(|kind| kind.contains("html"))
        || text.trim_start().starts_with('<');
    let text = if is_html { links::title(body, content_type)? } else { text.into_owned() };
    let words: Vec<_> = text.split_whitespace().collect();
    let line: String = clean(&words.join(" ")).chars().take(REASON_LIMIT).collect();
    (!line.is_empty()).then_some(line)
}
