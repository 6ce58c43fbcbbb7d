//! Prescribed outcomes instead of real pages: for testing executors.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::LocalBoxFuture;

use super::{Work, WorkError, WorkFactory};
use crate::model::{Attempt, Failure, FailureCode, Job, Outcome, Turn};
use crate::phase::PhaseCell;

/// What happens at one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Saved at the first attempt.
    Save,
    /// So many resets, then saved.
    FailThenSave(u32),
    /// Not found.
    Fail,
    /// A panic.
    Panic,
    /// Never ends by itself.
    Hang,
    /// A failure that every further page would meet.
    Break,
}

/// Makes works that follow one script and count together.
pub struct Script {
    step_of: Box<dyn Fn(u64) -> Step + Send + Sync>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    attempts: Mutex<HashMap<u64, u32>>,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
    begun: AtomicU64,
}

impl Script {
    /// A script that looks up each page's step by its place in the input.
    pub fn new(step_of: impl Fn(u64) -> Step + Send + Sync + 'static) -> Self {
        Self { step_of: Box::new(step_of), state: Arc::default() }
    }

    /// The most pages that were in flight at a time.
    pub fn peak(&self) -> usize {
        self.state.peak.load(Ordering::SeqCst)
    }

    /// Attempts begun so far.
    pub fn begun(&self) -> u64 {
        self.state.begun.load(Ordering::SeqCst)
    }

    /// Attempts made at the page at place `seq`.
    pub fn attempts(&self, seq: u64) -> u32 {
        let attempts = self.state.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.get(&seq).copied().unwrap_or(0)
    }
}

/// A factory has to be `'static` inside the works it makes, so the script is shared.
impl WorkFactory for Arc<Script> {
    fn make(&self) -> Result<Box<dyn Work>, WorkError> {
        Ok(Box::new(ScriptedWork(Arc::clone(self))))
    }
}

struct ScriptedWork(Arc<Script>);

/// Counts an attempt as in flight until it ends, in whatever way.
struct InFlight<'a>(&'a State);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Work for ScriptedWork {
    fn turn<'a>(&'a self, job: &'a Job, _phase: &'a Arc<PhaseCell>) -> LocalBoxFuture<'a, Turn> {
        Box::pin(async move {
            let state = &*self.0.state;
            state.begun.fetch_add(1, Ordering::SeqCst);
            let in_flight = state.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            state.peak.fetch_max(in_flight, Ordering::SeqCst);
            let _in_flight = InFlight(state);
            let number = {
                let mut attempts = state.attempts.lock().unwrap_or_else(PoisonError::into_inner);
                let number = attempts.entry(job.seq).or_default();
                *number += 1;
                *number
            };
            // Gives the other pages of this thread their turn, as real I/O would.
            tokio::task::yield_now().await;
            let saved = Outcome::Saved { bytes: job.seq, sha256: [0; 32] };
            let attempt = match (self.0.step_of)(job.seq) {
                Step::Save => Attempt::without_answer(saved),
                Step::FailThenSave(failures) if number > failures => Attempt::without_answer(saved),
                Step::FailThenSave(_) => failed(FailureCode::Reset),
                Step::Fail => failed(FailureCode::Http),
                Step::Panic => panic!("page {} panics, as the script says", job.seq),
                Step::Hang => std::future::pending().await,
                Step::Break => Attempt {
                    breaks_run: Some(vec!["the script says so".into()]),
                    ..failed(FailureCode::Save)
                },
            };
            Turn::Ended(attempt)
        })
    }
}

fn failed(code: FailureCode) -> Attempt {
    Attempt::failed(Failure::new(code, "as the script says"))
}
