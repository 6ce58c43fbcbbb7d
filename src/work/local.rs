//! The real work: fetches, computes and saves a page in this process.
//!
//! The turn waits for the reply on the event loop. Then [`Finisher`] decodes, hashes and puts
//! the page into the sink, on the loop or on the pool; `remote_save.rs` does so for a sink
//! that waits.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

use super::cost::Cost;
use super::finisher::{Context, Finisher, PendingPage, Saving, Unsaved, attempt, refused};
use super::remote_save::{self, PageInFlight};
use super::turn::{RULES_LIMIT, run_turn};
use super::{Cpu, CpuPool, Work, WorkError, WorkFactory, pooled};
use crate::budget::{Budget, Share};
use crate::clock::Clock;
use crate::fetch::{BodyMemory, Client, FetchFailure, Network, Reply};
use crate::in_flight::{InFlight, Phase};
use crate::model::{Attempt, Job, Kind, Outcome, RawPage, Response, Stages};
use crate::page::{self, Codings, decode_start};
use crate::save::sink::{LocalSink, OwnedCapture, OwnedContent};
use crate::save::{SaveError, Sink};

/// Makes the local work of each runtime.
pub(crate) struct LocalWorkFactory {
    /// The parts that all HTTP clients of the run have in common.
    pub network: Arc<Network>,
    /// Where pages are saved.
    pub sink: Arc<Sink>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The most pages in flight at a time.
    pub workers: NonZeroUsize,
}

/// Between two pages, the buffers of all threads together take at most this part of the
/// memory, in addition to it.
const SCRATCH_PART: u64 = 2;

impl WorkFactory for LocalWorkFactory {
    fn make(&self, cpu: Cpu) -> Result<Box<dyn Work>, WorkError> {
        let client = Client::new(&self.network)?;
        let max_bytes = self.network.options().max_size;
        let (sink, clock) = (Arc::clone(&self.sink), Arc::clone(&self.clock));
        let memory = Arc::clone(self.network.memory());
        let room_bytes =
            (memory.limit() / SCRATCH_PART / self.workers.get() as u64).min(page::WHOLE);
        let finisher = Arc::new(Finisher {
            capabilities: sink.capabilities(),
            sink,
            clock,
            max_bytes,
            room_bytes,
        });
        Ok(Box::new(LocalWork { client, finisher, cpu, memory, cost: Cost::new() }))
    }
}

/// The page has not changed since the copy that the request names (RFC 9110, 15.4.5).
const NOT_MODIFIED: u16 = 304;

struct LocalWork {
    client: Client,
    finisher: Arc<Finisher>,
    cpu: Cpu,
    memory: Arc<Budget>,
    cost: Cost,
}

impl Work for LocalWork {
    fn turn<'a>(&'a self, job: &'a Job, in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let started = self.finisher.clock.now();
            let memory = BodyMemory::new(Share::new(&self.memory), &*self.finisher.clock);
            let raw = match run_turn(&self.client, job, started, in_flight, &memory).await {
                Ok(Reply::Page(raw)) => raw,
                Ok(Reply::Redirect(target)) => return Response::Redirect(target),
                Err(mut failed) => {
                    let received = self.finisher.clock.now() - started;
                    let stages = Stages { received, ..Stages::NONE };
                    let lost = self.save_failure(job, &mut failed, in_flight).await;
                    let unsaved = Err(Unsaved::NoPage(failed.failure.clone()));
                    let Saving { note, breaks_run, .. } = Saving::of(unsaved, lost.as_ref());
                    return Response::Done(Attempt { stages, note, breaks_run, ..failed.into() });
                }
            };
            match job.kind {
                Kind::Page => {
                    Response::Done(self.finish(job, raw, started, in_flight, memory).await)
                }
                Kind::Robots | Kind::Source => robots_rules(raw),
            }
        })
    }
}

impl LocalWork {
    /// Computes and saves the answer `raw`, on this thread or on the pool.
    async fn finish(
        &self,
        job: &Job,
        raw: RawPage,
        started: Instant,
        in_flight: &InFlight,
        memory: BodyMemory<'_>,
    ) -> Attempt {
        let codings = Codings::parse(raw.head.coding());
        let size = page::weight(&raw.body, &codings);
        let received = self.finisher.clock.now() - started;
        let stages = Stages { received, ..Stages::NONE };
        if raw.head.status == NOT_MODIFIED && job.validators_of_target().is_some() {
            return Attempt { stages, ..attempt(Outcome::Unchanged, raw) };
        }
        // It waits for memory here and not on the pool, where tasks must not wait for one
        // another.
        let needed = page::decoding_memory(&raw.body, &codings);
        memory
            .reserve(raw.body.len() as u64 + needed.whole + needed.decoders, in_flight.progress())
            .await;
        let pending = PendingPage { raw, codings, needed, share: memory.into_share() };
        let pool = match &self.cpu {
            Cpu::Pool(pool) if self.cost.is_worth_handing_over(size) => Some(&**pool),
            Cpu::Pool(_) | Cpu::Inline => None,
        };
        let page = PageInFlight { job, started, in_flight, stages };
        let ended = match &*self.finisher.sink {
            Sink::Local(sink) => self.finish_locally(&**sink, pool, page, pending).await,
            Sink::Remote(sink) => {
                remote_save::finish(&self.finisher, &**sink, pool, page, pending).await
            }
        };
        self.cost.learn(size, ended.stages.saved.saturating_sub(ended.stages.taken_up));
        ended
    }

    /// Computes the page and puts it into `sink`, which blocks; does both on the pool if
    /// there is one.
    async fn finish_locally(
        &self,
        sink: &dyn LocalSink,
        pool: Option<&dyn CpuPool>,
        page: PageInFlight<'_>,
        pending: PendingPage,
    ) -> Attempt {
        let PageInFlight { job, started, in_flight, stages } = page;
        let redirects = self.finisher.redirects(job);
        let Some(pool) = pool else {
            in_flight.progress().set(Phase::Working);
            let stages = Stages { taken_up: stages.received, ..stages };
            let context = Context { key: &job.key, redirects };
            return self.finisher.finish(sink, context, pending, started, stages);
        };
        let (finisher, key) = (Arc::clone(&self.finisher), job.key.clone());
        let (redirects, shown) = (redirects.to_vec(), in_flight.progress().clone());
        let task = move |thread| {
            shown.set(Phase::Working);
            let taken_up = finisher.clock.now() - started;
            let stages = Stages { taken_up, thread: Some(thread), ..stages };
            let context = Context { key: &key, redirects: &redirects };
            finisher.finish(finisher.local(), context, pending, started, stages)
        };
        pooled::run(pool, in_flight, task).await
    }

    /// Gives the sink an answer that broke off, when it saves failures. Returns the sink's
    /// error when it could not store it.
    async fn save_failure(
        &self,
        job: &Job,
        failed: &mut FetchFailure,
        in_flight: &InFlight,
    ) -> Option<SaveError> {
        if job.kind != Kind::Page || !self.finisher.capabilities.saves_failures {
            return None;
        }
        let exchange = failed.exchange.take()?;
        let capture = OwnedCapture {
            key: job.key.clone(),
            exchange: Some(exchange),
            redirects: self.finisher.redirects(job).to_vec(),
            encoded: Bytes::new(),
            content: OwnedContent::Incomplete(failed.failure.clone()),
        };
        let stored = match (&*self.finisher.sink, &self.cpu) {
            (Sink::Remote(sink), _) => sink.put(capture).await,
            (Sink::Local(sink), Cpu::Inline) => sink.put(&capture.borrowed()),
            (Sink::Local(_), Cpu::Pool(pool)) => {
                let finisher = Arc::clone(&self.finisher);
                let task = move |_| finisher.local().put(&capture.borrowed());
                pooled::run(&**pool, in_flight, task).await
            }
        };
        stored.err()
    }
}

/// Decodes the start of a robots.txt, for the queue. Sources read their pages with a work of
/// their own.
fn robots_rules(raw: RawPage) -> Response {
    let codings = Codings::parse(raw.head.coding());
    let rules = if raw.head.has_page() {
        decode_start(&raw.body, &codings, RULES_LIMIT)
    } else {
        Err(refused(&raw))
    };
    match rules {
        Ok(rules) => Response::Body(rules),
        Err(failure) => Response::Done(attempt(Outcome::Failed(failure), raw)),
    }
}
