//! Pages that a source needs to read, such as an index: fetched where the source
//! is read, on a runtime of its own, each in its turn by the queue, with the same
//! pace and retries as any page.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use url::Url;

use super::{SourceError, charset, links, told};
use crate::budget::Share;
use crate::clock::Clock;
use crate::event::{Event, Events};
use crate::fetch::{BodyLimit, BodyMemory, Client, FetchFailure, Reply, Request, Shared};
use crate::foreign::clean;
use crate::in_flight::InFlight;
use crate::message;
use crate::model::{Attempt, Failure, FailureCode, Job, Key, Kind, Outcome, RawPage, Response};
use crate::page::decode;
use crate::queue::Queue;
use crate::queue::frontier::Settlement;
use crate::queue::host::site_policy;
use crate::queue::notice::Notice;

/// So much of a refusal's text is told.
const REASON_LIMIT: usize = 300;

/// What a getter needs.
pub struct Access {
    /// What the run's clients have in common.
    pub shared: Arc<Shared>,
    /// Says when a request may go.
    pub queue: Arc<Queue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Called with what users should know.
    pub tell: Box<dyn Fn(&Notice) + Send>,
    /// Where requests are reported, once there are observers.
    pub events: Arc<OnceLock<Events>>,
}

/// Fetches single pages and waits for them.
pub struct Getter {
    access: Access,
    client: Client,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Getter {
    /// A getter with the run's options.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when there can be no client or no event loop.
    pub fn new(access: Access) -> Result<Self, SourceError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| SourceError::Read { what: "an event loop".into(), source })?;
        let client = {
            let _inside = runtime.enter();
            Client::new(&access.shared)?
        };
        Ok(Self { access, client, runtime: Some(runtime) })
    }

    /// Fetches `url`, following redirects, and decodes its body; the answer's
    /// head says where it came from.
    ///
    /// # Errors
    ///
    /// [`SourceError::Fetch`] when no whole answer came, [`SourceError::Refused`]
    /// for an error status, [`SourceError::Stopped`] when the run ends first.
    pub fn get(&mut self, url: &Url) -> Result<RawPage, SourceError> {
        let runtime = self.runtime.as_ref().expect("it is there until the getter is dropped");
        runtime.block_on(self.get_in_turn(url))
    }

    async fn get_in_turn(&self, url: &Url) -> Result<RawPage, SourceError> {
        let queue = &self.access.queue;
        let key = Key::new("source").expect("this is a file name");
        let job = Job { kind: Kind::Source, ..Job::new(u64::MAX, url.clone(), key) };
        let mut turn = queue.invite(job).await;
        while let Some(job) = turn {
            let started = self.access.clock.now();
            let in_flight = InFlight::default();
            self.report(|| {
                let (url, progress) = (job.target().clone(), in_flight.progress().clone());
                Event::SideRequestStarted { asked: job.url.clone(), url, at: started, progress }
            });
            let asked = tokio::select! {
                asked = self.ask(&job, started, &in_flight) => asked,
                () = queue.aborted() => Asked::failed(queue.aborted_outcome()),
            };
            let (settlement, effects) =
                queue.settle(job, asked.turn, started, self.access.clock.now());
            self.report(|| Event::SideRequestEnded { asked: url.clone() });
            if let Some(mut effects) = effects {
                for notice in effects.notices.drain(..).filter(Notice::is_noteworthy) {
                    (self.access.tell)(&notice);
                }
                queue.leave(effects);
            }
            match settlement {
                Settlement::Nothing => return asked.page.ok_or_else(|| stopped(url)),
                Settlement::Done(job, attempt) => {
                    return Err(error(url, job.attempts, attempt, asked.reason));
                }
                Settlement::Again { .. } | Settlement::Onward(_) => {
                    turn = queue.next_guest().await;
                }
            }
        }
        Err(match queue.stop_reason() {
            Some(_) => stopped(url),
            None => SourceError::Away { url: told(url) },
        })
    }

    fn report(&self, event: impl FnOnce() -> Event) {
        if let Some(events) = self.access.events.get() {
            events.send(event());
        }
    }

    /// One request and its answer.
    async fn ask(&self, job: &Job, started: Instant, in_flight: &InFlight) -> Asked {
        let hop = job.hop.as_deref();
        let memory = BodyMemory::new(Share::new(self.access.shared.memory()), &*self.access.clock);
        let request = Request {
            url: job.target(),
            start_url: &job.url,
            validators: None,
            body_limit: BodyLimit::Whole,
            started,
            hops: hop.map_or(0, |hop| hop.count),
            spent: hop.map_or(Duration::ZERO, |hop| hop.spent),
            cookies: hop.map_or(&[], |hop| &hop.cookies),
            has_left_home: hop.is_some_and(|hop| hop.has_left_home),
            progress: in_flight.progress(),
            memory: &memory,
        };
        match self.client.send(&request).await {
            Ok(Reply::Page(raw)) => self.answered(raw),
            Ok(Reply::Redirect(to)) => {
                Asked { turn: Response::Redirect(to), page: None, reason: None }
            }
            Err(failure) => Asked::failed_fetch(failure),
        }
    }

    fn answered(&self, raw: RawPage) -> Asked {
        let coding = raw.head.coding();
        let body = decode::decode(&raw.body, coding, self.max_bytes());
        let failure = if raw.head.has_page() {
            match body {
                Ok(body) => {
                    let (turn, page) =
                        (Response::Body(body.clone()), Some(RawPage { body, ..raw }));
                    return Asked { turn, page, reason: None };
                }
                Err(failure) => failure,
            }
        } else {
            let kind = raw.head.media_type();
            let reason = body.ok().and_then(|body| reason(&body, kind));
            let failure = Failure::new(FailureCode::Http, message::status(raw.head.status));
            let attempt = Attempt { head: Some(raw.head), ..Attempt::failed(failure) };
            return Asked { turn: Response::Done(attempt), page: None, reason };
        };
        Asked::failed(Outcome::Failed(failure))
    }

    /// The largest body that is taken, in decoded bytes.
    pub(super) fn max_bytes(&self) -> u64 {
        self.access.shared.options().max_size
    }
}

/// How a request ended, for the queue and for the one who asked.
struct Asked {
    turn: Response,
    page: Option<RawPage>,
    /// What a refusal said.
    reason: Option<String>,
}

impl Asked {
    fn failed(outcome: Outcome) -> Self {
        let turn = Response::Done(Attempt::without_answer(outcome));
        Self { turn, page: None, reason: None }
    }

    fn failed_fetch(failure: FetchFailure) -> Self {
        Self { turn: Response::Done(failure.into()), page: None, reason: None }
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

fn stopped(url: &Url) -> SourceError {
    SourceError::Stopped { url: told(url) }
}

fn error(url: &Url, attempts: u32, attempt: Attempt, reason: Option<String>) -> SourceError {
    let failure = match attempt.outcome {
        Outcome::Failed(failure) if failure.code != FailureCode::Deadline => failure,
        // A refusal that asks for more patience than a run has is one all the same.
        _ if attempt.head.is_some() => Failure::new(FailureCode::Http, "refused"),
        _ => return stopped(url),
    };
    match attempt.head.filter(|_| failure.code == FailureCode::Http) {
        Some(head) => {
            let host = head.final_url.host_str().unwrap_or_default();
            let said = reason.as_deref().unwrap_or_default();
            let advice = site_policy::explain(host, said);
            let status = head.status;
            SourceError::Refused { url: told(url), status, attempts, reason, advice }
        }
        None => SourceError::Fetch { url: told(url), attempts, failure },
    }
}

/// What an error page says: its text, or its title when it is HTML.
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
