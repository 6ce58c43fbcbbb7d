//! The real work: fetch, compute, save.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;

use super::cost::Cost;
use super::turn::{RULES_LIMIT, run_turn};
use super::{Cpu, Work, WorkError, WorkFactory, pooled};
use crate::budget::{Budget, Share};
use crate::clock::{self, Clock};
use crate::digest::Running;
use crate::fetch::{BodyMemory, Client, Reply, Shared};
use crate::foreign::Foreign;
use crate::in_flight::{InFlight, Phase};
use crate::message;
use crate::model::{
    Attempt, Failure, FailureCode, Job, Key, Kind, Outcome, RawPage, Response, Stages,
};
use crate::page::decode::{self, decode, decode_start};
use crate::page::{self, Computed, DecodedPieces, Needed, codings};
use crate::queue::host::site_policy;
use crate::save::{SaveError, Sink};

/// Makes the real work for each runtime.
pub struct LocalWorkFactory {
    /// What the clients have in common.
    pub shared: Arc<Shared>,
    /// Where pages are kept.
    pub sink: Arc<dyn Sink>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Pages in flight at most.
    pub workers: NonZeroUsize,
}

/// Threads keep at most this part of the memory between two pages, all together and beside
/// it.
const KEPT_PART: u64 = 2;

impl WorkFactory for LocalWorkFactory {
    fn make(&self, cpu: Cpu) -> Result<Box<dyn Work>, WorkError> {
        let client = Client::new(&self.shared)?;
        let max_bytes = self.shared.options().max_size;
        let (sink, clock) = (Arc::clone(&self.sink), Arc::clone(&self.clock));
        let memory = Arc::clone(self.shared.memory());
        let kept_room = (memory.limit() / KEPT_PART / self.workers.get() as u64).min(page::WHOLE);
        let finisher = Arc::new(Finisher { sink, clock, max_bytes, kept_room });
        Ok(Box::new(LocalWork { client, finisher, cpu, memory, cost: Cost::new() }))
    }
}

/// "It is as you have it" (RFC 9110, 15.4.5).
const NOT_MODIFIED: u16 = 304;
/// So much of a refusal is decoded to find its reason.
const REASON_LIMIT: u64 = 1024 * 1024;

/// Text becomes a fifth to an eighth of its size in gzip.
const USUAL_RATIO: usize = 8;
/// The CPU time of smaller bodies is taken from the wall clock: they are done
/// within a time slice, and asking the system would cost a tenth of them.
const MEASURED: usize = 16 * 1024;

struct LocalWork {
    client: Client,
    finisher: Arc<Finisher>,
    cpu: Cpu,
    memory: Arc<Budget>,
    cost: Cost,
}

/// The part of a page's work that computes.
struct Finisher {
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    max_bytes: u64,
    /// What a thread keeps for its next page, in bytes.
    kept_room: u64,
}

impl Work for LocalWork {
    fn turn<'a>(&'a self, job: &'a Job, in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let started = self.finisher.clock.now();
            let memory = BodyMemory::new(Share::new(&self.memory), &*self.finisher.clock);
            let raw = match run_turn(&self.client, job, started, in_flight, &memory).await {
                Ok(Reply::Page(raw)) => raw,
                Ok(Reply::Redirect(target)) => return Response::Redirect(target),
                Err(missed) => {
                    let received = self.finisher.clock.now() - started;
                    let stages = Stages { received, ..Stages::NONE };
                    return Response::Done(Attempt { stages, ..missed.into() });
                }
            };
            match job.kind {
                Kind::Page => {
                    Response::Done(self.finish(job, raw, started, in_flight, memory).await)
                }
                Kind::Robots | Kind::Source => read(raw),
            }
        })
    }
}

impl LocalWork {
    /// Computes and saves, here or on the pool.
    async fn finish(
        &self,
        job: &Job,
        raw: RawPage,
        started: Instant,
        in_flight: &InFlight,
        memory: BodyMemory<'_>,
    ) -> Attempt {
        let size = weight(&raw);
        let received = self.finisher.clock.now() - started;
        let stages = Stages { received, ..Stages::NONE };
        if raw.head.status == NOT_MODIFIED && job.validators_of_target().is_some() {
            return Attempt { stages, ..attempt(Outcome::Unchanged, raw) };
        }
        // Here and not where it computes: tasks of a pool may not wait for one another.
        let needed = page::needed(&raw.body, raw.head.coding());
        memory
            .have(raw.body.len() as u64 + needed.whole + needed.beside, in_flight.progress())
            .await;
        let raw = Received { raw, needed, share: memory.into_share() };
        let ended = match &self.cpu {
            Cpu::Pool(pool) if self.cost.is_worth_handing_over(size) => {
                let (finisher, key) = (Arc::clone(&self.finisher), job.key.clone());
                let progress = in_flight.progress().clone();
                let task = move |thread| {
                    progress.set(Phase::Working);
                    let taken_up = finisher.clock.now() - started;
                    let stages = Stages { taken_up, thread: Some(thread), ..stages };
                    finisher.finish(&key, raw, started, stages)
                };
                pooled::run(&**pool, in_flight, task).await
            }
            Cpu::Pool(_) | Cpu::Inline => {
                in_flight.progress().set(Phase::Working);
                let stages = Stages { taken_up: received, ..stages };
                self.finisher.finish(&job.key, raw, started, stages)
            }
        };
        self.cost.learn(size, ended.stages.kept.saturating_sub(ended.stages.taken_up));
        ended
    }
}

/// An answer, with the memory that it takes.
struct Received {
    raw: RawPage,
    /// What decoding it takes of the share.
    needed: Needed,
    share: Share,
}

impl Received {
    /// How large a page may be that is decoded as a whole: as large as there is memory
    /// for without waiting.
    fn whole_bytes(&self) -> u64 {
        let whole = self.needed.whole;
        if whole == 0 {
            return 0; // It is not decoded, or in pieces.
        }
        let more = page::WHOLE.saturating_sub(whole);
        if self.share.try_grow(more) { page::WHOLE } else { whole }
    }
}

/// What computing a page took.
#[derive(Default)]
struct Computing {
    elapsed: Duration,
    cpu: Duration,
}

impl Finisher {
    /// Computes and saves, from now on; the turn began at `started` and has come
    /// through `stages` so far.
    fn finish(&self, key: &Key, received: Received, started: Instant, stages: Stages) -> Attempt {
        page::with_room(self.kept_room, |room| self.finish_in(room, key, received, started, stages))
    }

    fn finish_in(
        &self,
        room: &mut Vec<u8>,
        key: &Key,
        received: Received,
        started: Instant,
        stages: Stages,
    ) -> Attempt {
        let raw = &received.raw;
        let is_measured = raw.body.len() >= MEASURED;
        let mut computing = Computing::default();
        let page = self.measured(is_measured, &mut computing, || {
            if raw.head.has_page() {
                page::compute(room, raw, self.max_bytes, received.whole_bytes())
            } else {
                Err(refused(raw))
            }
        });
        let mut breaks_run = None;
        let outcome = page.and_then(|page| match page {
            Computed::Whole(page) => {
                let kept = self.sink.put(key, page.body);
                kept.map_err(|error| unsaved(&error, &mut breaks_run))?;
                Ok(Outcome::Saved { bytes: page.body.len() as u64, sha256: page.sha256 })
            }
            Computed::InPieces(pieces) => {
                self.save_pieces(key, pieces, &mut computing, &mut breaks_run)
            }
        });
        let outcome = outcome.unwrap_or_else(Outcome::Failed);
        let kept = self.clock.now() - started;
        let computed = (stages.taken_up + computing.elapsed).min(kept);
        let stages = Stages { computed, kept, ..stages };
        let note = note(raw).filter(|_| matches!(outcome, Outcome::Saved { .. }));
        Attempt { cpu: computing.cpu, stages, note, breaks_run, ..attempt(outcome, received.raw) }
    }

    /// Decodes, hashes and saves a large page piece by piece.
    fn save_pieces(
        &self,
        key: &Key,
        mut pieces: DecodedPieces<'_>,
        computing: &mut Computing,
        breaks_run: &mut Option<Vec<String>>,
    ) -> Result<Outcome, Failure> {
        let mut kept = self.sink.begin(key).map_err(|error| unsaved(&error, breaks_run))?;
        let (mut bytes, mut digest) = (0, Running::default());
        while let Some(piece) = self.measured(true, computing, || {
            let piece = pieces.next_piece()?;
            if let Some(piece) = piece {
                digest.add(piece);
            }
            Ok(piece)
        })? {
            bytes += piece.len() as u64;
            kept.add(piece).map_err(|error| unsaved(&error, breaks_run))?;
        }
        kept.finish().map_err(|error| unsaved(&error, breaks_run))?;
        Ok(Outcome::Saved { bytes, sha256: digest.finish() })
    }

    /// Does `work`, and adds what it took. Its CPU time is asked for only when it
    /// `is_measured`.
    fn measured<T>(
        &self,
        is_measured: bool,
        computing: &mut Computing,
        work: impl FnOnce() -> T,
    ) -> T {
        let cpu = || if is_measured { clock::thread_cpu_time() } else { Duration::ZERO };
        let (begun, cpu_before) = (self.clock.now(), cpu());
        let done = work();
        let elapsed = self.clock.now() - begun;
        computing.elapsed += elapsed;
        computing.cpu += if is_measured { cpu().saturating_sub(cpu_before) } else { elapsed };
        done
    }
}

/// The failure of a page that could not be saved.
fn unsaved(error: &SaveError, breaks_run: &mut Option<Vec<String>>) -> Failure {
    *breaks_run = error.breaks_run().then(|| message::chain(error));
    Failure::new(FailureCode::Save, message::one_line(error))
}

/// What was unusual about an answer that is saved all the same.
fn note(raw: &RawPage) -> Option<Foreign> {
    let labels = codings::ignored(raw.head.coding())?;
    let labels = message::excerpt(&labels);
    Some(format!("Content-Encoding names no coding: {labels:?}").into())
}

/// What a body weighs in the forecast of its cost: its size on the wire, or that of a
/// usual one that unfolds to as much.
fn weight(raw: &RawPage) -> usize {
    let told = decode::told_size(&raw.body, raw.head.coding());
    raw.body.len().max(told.unwrap_or(0) as usize / USUAL_RATIO)
}

/// The body of a robots.txt, for the queue.
fn read(raw: RawPage) -> Response {
    let coding = raw.head.coding();
    let rules = if raw.head.has_page() {
        decode_start(&raw.body, coding, RULES_LIMIT)
    } else {
        Err(refused(&raw))
    };
    match rules {
        Ok(rules) => Response::Body(rules),
        Err(failure) => Response::Done(attempt(Outcome::Failed(failure), raw)),
    }
}

/// The failure of an answer whose status is not one that is saved, with what
/// is known of why this site refuses.
fn refused(raw: &RawPage) -> Failure {
    let mut message = message::status(raw.head.status);
    if matches!(raw.head.status, 403 | 429)
        && let Some(host) = raw.head.final_url.host_str().filter(|host| is_known(host))
        && let Ok(body) = decode(&raw.body, raw.head.coding(), REASON_LIMIT)
        && let Some(advice) = site_policy::explain(host, &String::from_utf8_lossy(&body))
    {
        message += &format!(" ({advice})");
    }
    Failure::new(FailureCode::Http, message)
}

fn is_known(host: &str) -> bool {
    site_policy::of_host(host).is_some()
}

fn attempt(outcome: Outcome, raw: RawPage) -> Attempt {
    Attempt {
        wire_bytes: raw.body.len() as u64,
        wait: raw.wait,
        head: Some(raw.head),
        ..Attempt::without_answer(outcome)
    }
}
