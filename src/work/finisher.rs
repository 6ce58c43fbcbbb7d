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

/// At most this much of a refusal is decoded to find its reason, in bytes.
const REASON_LIMIT: u64 = 1024 * 1024;

/// The CPU time of smaller bodies is taken from the wall clock: computing one fits into a
/// time slice, and a system call for its CPU time would cost a tenth of it.
const MEASURED: usize = 16 * 1024;

/// The part of a page's work that computes.
pub(super) struct Finisher {
    pub(super) sink: Arc<Sink>,
    /// The capabilities of `sink`.
    pub(super) capabilities: Capabilities,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) max_bytes: u64,
    /// Memory that a thread reuses for its next page, in bytes.
    pub(super) room_bytes: u64,
}

/// What a sink gets of a page besides the answer.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) key: &'a Key,
    /// The redirects that led to the answer, when the sink saves them.
    pub(super) redirects: &'a [RedirectExchange],
}

/// A page whose answer came and that is not saved yet: the answer, and the memory that
/// it occupies.
pub(super) struct PendingPage {
    pub(super) raw: RawPage,
    /// The codings of its body.
    pub(super) codings: Codings,
    /// The memory that decoding takes from `share`.
    pub(super) needed: DecodingMemory,
    pub(super) share: Share,
}

impl PendingPage {
    /// The most decoded bytes of a page that is decoded as a whole: as many as the memory
    /// budget grants without waiting.
    pub(super) fn whole_bytes(&self) -> u64 {
        let whole = self.needed.whole;
        if whole == 0 {
            return 0; // It has no coding, or it is decoded in pieces.
        }
        let more = page::WHOLE.saturating_sub(whole);
        if self.share.try_grow(more) { page::WHOLE } else { whole }
    }
}

/// The time that computing a page took.
#[derive(Default)]
pub(super) struct Computing {
    pub(super) elapsed: Duration,
    pub(super) cpu: Duration,
}

impl Finisher {
    /// Returns the sink, which must be a local one.
    ///
    /// # Panics
    ///
    /// When the sink is remote.
    pub(super) fn local(&self) -> &dyn LocalSink {
        match &*self.sink {
            Sink::Local(sink) => &**sink,
            Sink::Remote(_) => unreachable!("a remote sink is not given to the pool"),
        }
    }

    /// Returns the redirects of an attempt at `job` for the sink: none unless it saves them.
    pub(super) fn redirects<'a>(&self, job: &'a Job) -> &'a [RedirectExchange] {
        let hop = job.hop.as_deref().filter(|_| self.capabilities.saves_redirects);
        hop.map_or(&[], |hop| &hop.exchanges)
    }

    /// Computes a page and puts it into `sink`, which blocks. The turn began at `started` and
    /// has come through `stages` so far.
    pub(super) fn finish(
        &self,
        sink: &dyn LocalSink,
        context: Context<'_>,
        pending: PendingPage,
        started: Instant,
        stages: Stages,
    ) -> Attempt {
        let mut computing = Computing::default();
        let saving = page::with_buffer(self.room_bytes, |room| {
            self.save(sink, room, context, &pending, &mut computing)
        });
        self.attempt(saving, pending, &computing, started, stages)
    }

    fn save(
        &self,
        sink: &dyn LocalSink,
        room: &mut Vec<u8>,
        context: Context<'_>,
        pending: &PendingPage,
        computing: &mut Computing,
    ) -> Saving {
        let raw = &pending.raw;
        let capture = |content| Capture {
            key: context.key,
            exchange: raw.exchange.as_deref(),
            redirects: context.redirects,
            encoded: &raw.body,
            content,
        };
        let saved = match self.compute(room, pending, computing) {
            Ok(Computed::Whole(page)) => {
                let whole = Content::Whole { decoded: page.body, sha256: page.sha256 };
                let (bytes, sha256) = (page.body.len() as u64, page.sha256);
                let stored = sink.put(&capture(whole)).map_err(Unsaved::from);
                stored.map(|stored| Outcome::Saved { bytes, sha256, stored })
            }
            Ok(Computed::InPieces(pieces)) => {
                self.save_pieces(sink, &capture(Content::InPieces), pieces, computing)
            }
            Err(failure) => Err(failure.into()),
        };
        let failure = self.failure_to_save(&saved);
        let lost = failure.and_then(|it| sink.put(&capture(Content::Incomplete(it))).err());
        Saving::of(saved, lost.as_ref())
    }

    /// The failure that the sink is given in place of a page, when it saves failures.
    pub(super) fn failure_to_save<'a>(
        &self,
        saved: &'a Result<Outcome, Unsaved>,
    ) -> Option<&'a Failure> {
        match saved {
            Err(Unsaved::NoPage(failure)) if self.capabilities.saves_failures => Some(failure),
            _ => None,
        }
    }

    /// The attempt at a page that ended in `saving` after an answer. The turn began at
    /// `started`, and had come through `stages` when the answer was taken up.
    pub(super) fn attempt(
        &self,
        saving: Saving,
        pending: PendingPage,
        computing: &Computing,
        started: Instant,
        stages: Stages,
    ) -> Attempt {
        let PendingPage { raw, codings, .. } = pending;
        let saved = self.clock.now() - started;
        let computed = (stages.taken_up + computing.elapsed).min(saved);
        let stages = Stages { computed, saved, ..stages };
        let Saving { outcome, note, breaks_run } = saving;
        let is_saved = matches!(outcome, Outcome::Saved { .. });
        let note = if is_saved { unknown_coding(&codings) } else { note };
        Attempt { cpu: computing.cpu, stages, note, breaks_run, ..attempt(outcome, raw) }
    }

    /// Decodes and hashes an answer.
    ///
    /// # Errors
    ///
    /// The page's failure, when the answer is not a page.
    pub(super) fn compute<'a>(
        &self,
        room: &'a mut Vec<u8>,
        pending: &'a PendingPage,
        computing: &mut Computing,
    ) -> Result<Computed<'a>, Failure> {
        let raw = &pending.raw;
        let is_measured = raw.body.len() >= MEASURED;
        self.measured(is_measured, computing, || {
            if raw.head.has_page() {
                page::compute(room, raw, &pending.codings, self.max_bytes, pending.whole_bytes())
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
    ) -> Result<Outcome, Unsaved> {
        let mut draft = sink.begin(capture)?;
        let (mut bytes, mut digest) = (0, Running::default());
        while let Some(piece) = self.next_piece(&mut pieces, &mut digest, computing)? {
            bytes += piece.len() as u64;
            draft.add(piece)?;
        }
        let sha256 = digest.finish();
        let stored = draft.finish(sha256)?;
        Ok(Outcome::Saved { bytes, sha256, stored })
    }

    /// Decodes and hashes the next piece; returns `None` at the end.
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

    /// Does `work` and adds its cost to `computing`. Without `is_measured` the CPU time is
    /// that of the wall clock.
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

/// Why a page is not saved.
#[derive(Debug)]
pub(super) enum Unsaved {
    /// The answer is not a page.
    NoPage(Failure),
    /// The sink could not store the page.
    NotStored(SaveError),
}

impl From<Failure> for Unsaved {
    fn from(failure: Failure) -> Self {
        Self::NoPage(failure)
    }
}

impl From<SaveError> for Unsaved {
    fn from(error: SaveError) -> Self {
        Self::NotStored(error)
    }
}

/// What saving a page, or its failure, came to.
#[derive(Debug)]
pub(super) struct Saving {
    pub(super) outcome: Outcome,
    /// For the record: that the sink could not store the failure.
    pub(super) note: Option<Foreign>,
    /// Why the run stops, when every further page would meet the sink's error too.
    pub(super) breaks_run: Option<Vec<String>>,
}

impl Saving {
    /// The end of a page that was `saved` or not. `lost` is the sink's error when it could
    /// not store the failure that it was given in place of a page.
    pub(super) fn of(saved: Result<Outcome, Unsaved>, lost: Option<&SaveError>) -> Self {
        let note = lost
            .map(|error| format!("the answer was not stored: {}", message::one_line(error)).into());
        let breaks_run = |error: &SaveError| error.breaks_run().then(|| message::chain(error));
        let lost_breaks_run = lost.and_then(breaks_run);
        match saved {
            Ok(outcome) => Self { outcome, note, breaks_run: lost_breaks_run },
            Err(Unsaved::NoPage(failure)) => {
                Self { outcome: Outcome::Failed(failure), note, breaks_run: lost_breaks_run }
            }
            Err(Unsaved::NotStored(error)) => {
                let failure = Failure::new(FailureCode::Save, message::one_line(&error));
                Self { outcome: Outcome::Failed(failure), note, breaks_run: breaks_run(&error) }
            }
        }
    }
}

/// A note on a saved answer whose `Content-Encoding` names no coding.
fn unknown_coding(codings: &Codings) -> Option<Foreign> {
    let labels = message::excerpt(&codings.ignored()?);
    Some(format!("Content-Encoding names no coding: {labels:?}").into())
}

/// Returns the failure of an answer whose status is not saved, with the reason when the
/// site's policy explains it.
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

/// The attempt of an answer that ended in `outcome` before it was computed.
pub(super) fn attempt(outcome: Outcome, raw: RawPage) -> Attempt {
    Attempt {
        wire_bytes: raw.body.len() as u64,
        wait: raw.wait,
        head: Some(raw.head),
        ..Attempt::without_answer(outcome)
    }
}
