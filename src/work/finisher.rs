//! The part of a page's work that computes: decode, hash, and put into a sink that blocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::budget::Share;
use crate::clock::{self, Clock};
use crate::digest::Running;
use crate::foreign::Foreign;
use crate::message;
use crate::model::{
    Attempt, Failure, FailureCode, Job, Key, Outcome, RawPage, RedirectExchange, Stages,
};
use crate::page::decode::decode;
use crate::page::{self, Codings, Computed, DecodedPieces, DecodingMemory};
use crate::queue::host::site_policy;
use crate::save::sink::{Capabilities, Capture, Content, LocalSink};
use crate::save::{SaveError, Sink};

/// So much of a refusal is decoded to find its reason.
const REASON_LIMIT: u64 = 1024 * 1024;

/// The CPU time of smaller bodies is taken from the wall clock: they are done
/// within a time slice, and asking the system would cost a tenth of them.
const MEASURED: usize = 16 * 1024;

/// The part of a page's work that computes.
pub(super) struct Finisher {
    pub(super) sink: Arc<Sink>,
    /// Those of the sink.
    pub(super) capabilities: Capabilities,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) max_bytes: u64,
    /// What a thread keeps for its next page, in bytes.
    pub(super) kept_room: u64,
}

/// What a sink is given of a page beside the answer.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) key: &'a Key,
    /// The redirects that led to the answer, when the sink wants them.
    pub(super) redirects: &'a [RedirectExchange],
}

/// An answer, with the memory that it takes.
pub(super) struct Received {
    pub(super) raw: RawPage,
    /// The codings of its body.
    pub(super) codings: Codings,
    /// The part of the share for decoding it.
    pub(super) needed: DecodingMemory,
    pub(super) share: Share,
}

impl Received {
    /// How large a page may be that is decoded as a whole: as large as there is memory
    /// for without waiting.
    pub(super) fn whole_bytes(&self) -> u64 {
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
pub(super) struct Computing {
    pub(super) elapsed: Duration,
    pub(super) cpu: Duration,
}

impl Finisher {
    /// The sink, which blocks.
    ///
    /// # Panics
    ///
    /// When it is a remote one.
    pub(super) fn local(&self) -> &dyn LocalSink {
        match &*self.sink {
            Sink::Local(sink) => &**sink,
            Sink::Remote(_) => unreachable!("a remote sink is not given to the pool"),
        }
    }

    /// The redirects of an attempt at `job`, when the sink wants them.
    pub(super) fn redirects<'a>(&self, job: &'a Job) -> &'a [RedirectExchange] {
        let hop = job.hop.as_deref().filter(|_| self.capabilities.keeps_redirects);
        hop.map_or(&[], |hop| &hop.exchanges)
    }

    /// Computes a page and puts it into `sink`, which blocks. The turn began at `started` and
    /// has come through `stages` so far.
    pub(super) fn finish(
        &self,
        sink: &dyn LocalSink,
        context: Context<'_>,
        received: Received,
        started: Instant,
        stages: Stages,
    ) -> Attempt {
        let (outcome, computing, breaks_run) =
            page::with_buffer(self.kept_room, |room| self.save(sink, room, context, &received));
        let saved = self.clock.now() - started;
        let computed = (stages.taken_up + computing.elapsed).min(saved);
        let stages = Stages { computed, saved, ..stages };
        ended(outcome, received, &computing, stages, breaks_run)
    }

    fn save(
        &self,
        sink: &dyn LocalSink,
        room: &mut Vec<u8>,
        context: Context<'_>,
        received: &Received,
    ) -> (Outcome, Computing, Option<Vec<String>>) {
        let mut computing = Computing::default();
        let page = self.compute(room, received, &mut computing);
        let raw = &received.raw;
        let capture = |content| Capture {
            key: context.key,
            exchange: raw.exchange.as_deref(),
            redirects: context.redirects,
            encoded: &raw.body,
            content,
        };
        let mut breaks_run = None;
        let outcome = match page {
            Ok(Computed::Whole(page)) => {
                let whole = Content::Whole { decoded: page.body, sha256: page.sha256 };
                let stored = sink.put(&capture(whole));
                let stored = stored.map_err(|error| unsaved(&error, &mut breaks_run));
                let (bytes, sha256) = (page.body.len() as u64, page.sha256);
                stored.map(|stored| Outcome::Saved { bytes, sha256, stored })
            }
            Ok(Computed::InPieces(pieces)) => {
                let capture = capture(Content::InPieces);
                self.save_pieces(sink, &capture, pieces, &mut computing, &mut breaks_run)
            }
            Err(failure) => {
                if self.capabilities.keeps_failures {
                    let kept = sink.put(&capture(Content::Incomplete(&failure)));
                    breaks_run = kept.err().and_then(|error| breaking(&error));
                }
                Err(failure)
            }
        };
        (outcome.unwrap_or_else(Outcome::Failed), computing, breaks_run)
    }

    /// Decodes and hashes; an answer that is no page is a failure.
    pub(super) fn compute<'a>(
        &self,
        room: &'a mut Vec<u8>,
        received: &'a Received,
        computing: &mut Computing,
    ) -> Result<Computed<'a>, Failure> {
        let raw = &received.raw;
        let is_measured = raw.body.len() >= MEASURED;
        self.measured(is_measured, computing, || {
            if raw.head.has_page() {
                page::compute(room, raw, &received.codings, self.max_bytes, received.whole_bytes())
            } else {
                Err(refused(raw))
            }
        })
    }

    /// Decodes, hashes and saves a large page piece by piece.
    fn save_pieces(
        &self,
        sink: &dyn LocalSink,
        capture: &Capture<'_>,
        mut pieces: DecodedPieces<'_>,
        computing: &mut Computing,
        breaks_run: &mut Option<Vec<String>>,
    ) -> Result<Outcome, Failure> {
        let mut draft = sink.begin(capture).map_err(|error| unsaved(&error, breaks_run))?;
        let (mut bytes, mut digest) = (0, Running::default());
        while let Some(piece) = self.next_piece(&mut pieces, &mut digest, computing)? {
            bytes += piece.len() as u64;
            draft.add(piece).map_err(|error| unsaved(&error, breaks_run))?;
        }
        let sha256 = digest.finish();
        let stored = draft.finish(sha256).map_err(|error| unsaved(&error, breaks_run))?;
        Ok(Outcome::Saved { bytes, sha256, stored })
    }

    /// Decodes and hashes the next piece; `None` at the end.
    pub(super) fn next_piece<'a>(
        &self,
        pieces: &'a mut DecodedPieces<'_>,
        digest: &mut Running,
        computing: &mut Computing,
    ) -> Result<Option<&'a [u8]>, Failure> {
        self.measured(true, computing, || {
            let piece = pieces.next_piece()?;
            if let Some(piece) = piece {
                digest.add(piece);
            }
            Ok(piece)
        })
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

/// The attempt at a page that ended in `outcome` after an answer.
pub(super) fn ended(
    outcome: Outcome,
    received: Received,
    computing: &Computing,
    stages: Stages,
    breaks_run: Option<Vec<String>>,
) -> Attempt {
    let Received { raw, codings, .. } = received;
    let is_saved = matches!(outcome, Outcome::Saved { .. });
    let note = if is_saved { note(&codings) } else { None };
    Attempt { cpu: computing.cpu, stages, note, breaks_run, ..attempt(outcome, raw) }
}

/// The failure of a page that could not be saved.
pub(super) fn unsaved(error: &SaveError, breaks_run: &mut Option<Vec<String>>) -> Failure {
    *breaks_run = breaking(error);
    Failure::new(FailureCode::Save, message::one_line(error))
}

/// Why the run stops, when every further page would meet this error too.
pub(super) fn breaking(error: &SaveError) -> Option<Vec<String>> {
    error.breaks_run().then(|| message::chain(error))
}

/// What was unusual about an answer that is saved all the same.
fn note(codings: &Codings) -> Option<Foreign> {
    let labels = message::excerpt(&codings.ignored()?);
    Some(format!("Content-Encoding names no coding: {labels:?}").into())
}

/// The failure of an answer whose status is not one that is saved, with what
/// is known of why this site refuses.
pub(super) fn refused(raw: &RawPage) -> Failure {
    let mut message = message::status(raw.head.status);
    if matches!(raw.head.status, 403 | 429)
        && let Some(host) = raw.head.final_url.host_str().filter(|host| is_known(host))
        && let Ok(body) = decode(&raw.body, &Codings::parse(raw.head.coding()), REASON_LIMIT)
        && let Some(advice) = site_policy::explain(host, &String::from_utf8_lossy(&body))
    {
        message += &format!(" ({advice})");
    }
    Failure::new(FailureCode::Http, message)
}

fn is_known(host: &str) -> bool {
    site_policy::of_host(host).is_some()
}

pub(super) fn attempt(outcome: Outcome, raw: RawPage) -> Attempt {
    Attempt {
        wire_bytes: raw.body.len() as u64,
        wait: raw.wait,
        head: Some(raw.head),
        ..Attempt::without_answer(outcome)
    }
}
