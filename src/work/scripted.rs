//! Prescribed outcomes instead of real pages: for testing executors.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::LocalBoxFuture;

use super::{Cpu, Work, WorkError, WorkFactory, pooled};
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
    fn make(&self, cpu: Cpu) -> Result<Box<dyn Work>, WorkError> {
        Ok(Box::new(ScriptedWork { script: Arc::clone(self), cpu }))
    }
}

struct ScriptedWork {
    script: Arc<Script>,
    cpu: Cpu,
}

/// Counts an attempt as in flight until it ends, in whatever way.
struct InFlight<'a>(&'a State);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Work for ScriptedWork {
    fn turn<'a>(&'a self, job: &'a Job, phase: &'a Arc<PhaseCell>) -> LocalBoxFuture<'a, Turn> {
        Box::pin(async move {
            let state = &*self.script.state;
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
            let (step, seq) = ((self.script.step_of)(job.seq), job.seq);
            if step == Step::Hang {
                std::future::pending::<()>().await;
            }
            let attempt = match &self.cpu {
                Cpu::Inline => attempt(step, seq, number),
                Cpu::Pool(pool) => {
                    pooled::run(&**pool, phase, move |_| attempt(step, seq, number)).await
                }
            };
            Turn::Ended(attempt)
        })
    }
}

/// What comes of attempt `number` at page `seq`; a step that hangs never comes to this.
fn attempt(step: Step, seq: u64, number: u32) -> Attempt {
    let saved = Outcome::Saved { bytes: seq, sha256: [0; 32] };
    match step {
        Step::FailThenSave(failures) if number <= failures => failed(FailureCode::Reset),
        Step::Save | Step::FailThenSave(_) | Step::Hang => Attempt::without_answer(saved),
        Step::Fail => failed(FailureCode::Http),
        Step::Panic => panic!("page {seq} panics, as the script says"),
        Step::Break => Attempt {
            breaks_run: Some(vec!["the script says so".into()]),
            ..failed(FailureCode::Save)
        },
    }
}

fn failed(code: FailureCode) -> Attempt {
    Attempt::failed(Failure::new(code, "as the script says"))
}
