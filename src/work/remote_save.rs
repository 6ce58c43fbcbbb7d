//! Saves a page in a remote sink: a worker or the CPU pool computes the page, and the event
//! loop puts it into the sink.
//!
//! The sink gets the page in one call, after it was computed. Until then nothing is stored,
//! so a cancelled page can be dropped at any moment.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::finisher::{Computing, Finisher, PendingPage, Saving, Unsaved};
use super::{CpuPool, pooled};
use crate::digest::Running;
use crate::in_flight::{InFlight, Phase};
use crate::model::{Attempt, Failure, Job, Outcome, Stages};
use crate::page::{self, Computed};
use crate::save::sink::{OwnedCapture, OwnedContent, RemoteSink};

/// A page whose answer was received.
#[derive(Clone, Copy)]
pub(super) struct PageInFlight<'a> {
    pub(super) job: &'a Job,
    /// When the turn began.
    pub(super) started: Instant,
    pub(super) in_flight: &'a InFlight,
    /// The stages that it has come through.
    pub(super) stages: Stages,
}

/// A computed page that is not stored yet.
struct Computation {
    /// The answer, with the memory of its encoded and its decoded body.
    pending: PendingPage,
    /// The decoded body and its digest; `None` when the memory budget was too small for it.
    page: Option<Result<(Bytes, [u8; 32]), Failure>>,
    computing: Computing,
    stages: Stages,
}

/// Computes a page, on the pool if there is one, and puts it into `sink`.
pub(super) async fn finish(
    finisher: &Arc<Finisher>,
    sink: &dyn RemoteSink,
    pool: Option<&dyn CpuPool>,
    page: PageInFlight<'_>,
    pending: PendingPage,
) -> Attempt {
    let PageInFlight { job, started, in_flight, stages } = page;
    let mut computed = if let Some(pool) = pool {
        let (finisher, shown) = (Arc::clone(finisher), in_flight.progress().clone());
        let task = move |thread| {
            shown.set(Phase::Working);
            let taken_up = finisher.clock.now() - started;
            let stages = Stages { taken_up, thread: Some(thread), ..stages };
            compute(&finisher, pending, stages, Room::AsGranted)
        };
        pooled::compute(pool, task).await
    } else {
        in_flight.progress().set(Phase::Working);
        let stages = Stages { taken_up: stages.received, ..stages };
        compute(finisher, pending, stages, Room::AsGranted)
    };
    if computed.page.is_none() {
        // The whole page takes more memory than it was granted. Here the task may wait for
        // more; a thread of the pool must not wait.
        in_flight.progress().set(Phase::HeldBack);
        computed.pending.share.grow(finisher.max_bytes).await;
        in_flight.progress().set(Phase::Working);
        computed = compute(finisher, computed.pending, computed.stages, Room::Enough);
    }
    put(finisher, sink, job, started, computed).await
}

/// How much memory there is for the decoded body of a large page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    /// As much as the memory budget has left.
    AsGranted,
    /// As much as the largest page needs.
    Enough,
}

/// Decodes and hashes a page into a body that owns its bytes.
fn compute(finisher: &Finisher, pending: PendingPage, stages: Stages, memory: Room) -> Computation {
    let mut computing = Computing::default();
    let page = page::with_buffer(finisher.room_bytes, |room| {
        match finisher.compute(room, &pending, &mut computing) {
            Err(failure) => Some(Err(failure)),
            Ok(Computed::Whole(page)) => {
                let encoded = &pending.raw.body;
                // A body without a coding is shared instead of copied.
                let is_same = std::ptr::eq(page.body, encoded.as_ref());
                let decoded =
                    if is_same { encoded.clone() } else { Bytes::copy_from_slice(page.body) };
                Some(Ok((decoded, page.sha256)))
            }
            Ok(Computed::InPieces(mut pieces)) => {
                let (mut decoded, mut digest) = (Vec::new(), Running::default());
                loop {
                    match finisher.next_piece(&mut pieces, &mut digest, &mut computing) {
                        Err(failure) => break Some(Err(failure)),
                        Ok(None) => break Some(Ok((decoded.into(), digest.finish()))),
                        Ok(Some(piece)) => {
                            let bytes = piece.len() as u64;
                            if memory == Room::AsGranted && !pending.share.try_grow(bytes) {
                                break None;
                            }
                            decoded.extend_from_slice(piece);
                        }
                    }
                }
            }
        }
    });
    Computation { pending, page, computing, stages }
}

/// Puts a computed page into `sink`, or its failure when the sink saves failures.
async fn put(
    finisher: &Finisher,
    sink: &dyn RemoteSink,
    job: &Job,
    started: Instant,
    computed: Computation,
) -> Attempt {
    let Computation { mut pending, page, computing, stages } = computed;
    let page = page.expect("there is enough memory for any page");
    let exchange = pending.raw.exchange.take();
    let capture = |content| OwnedCapture {
        key: job.key.clone(),
        exchange,
        redirects: finisher.redirects(job).to_vec(),
        encoded: pending.raw.body.clone(),
        content,
    };
    let saving = match page {
        Ok((decoded, sha256)) => {
            let bytes = decoded.len() as u64;
            let stored = sink.put(capture(OwnedContent::Whole { decoded, sha256 })).await;
            let saved = stored.map(|stored| Outcome::Saved { bytes, sha256, stored });
            Saving::of(saved.map_err(Unsaved::from), None)
        }
        Err(failure) => {
            let unsaved = Err(Unsaved::NoPage(failure));
            let lost = match finisher.failure_to_save(&unsaved) {
                Some(failure) => {
                    sink.put(capture(OwnedContent::Incomplete(failure.clone()))).await.err()
                }
                None => None,
            };
            Saving::of(unsaved, lost.as_ref())
        }
    };
    finisher.attempt(saving, pending, &computing, started, stages)
}
