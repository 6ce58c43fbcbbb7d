//! Prescribed outcomes instead of real pages: for testing executors.
//!
//! Worker processes are real: they are this test program, called to run one test
//! that serves them. The script and its counts stay with the parent, which tells
//! them step by step what to do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::LocalBoxFuture;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::budget::Budget;
use crate::in_flight::InFlight;
use crate::model::{Attempt, Failure, FailureCode, Job, Outcome, Response, Stored};
use crate::save;
use crate::work::process::pool::WorkerPool;
use crate::work::process::work::ProcessWork;
use crate::work::process::worker::Program;
use crate::work::{Cpu, Work, WorkError, WorkFactory, pooled};

/// What happens at one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The process that runs it is killed, once. Where no process is its own, the
    /// attempt fails as if it were.
    Kill,
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

/// Follows the script in this process. A factory has to be `'static` inside the works
/// that it makes, so the script is shared.
impl WorkFactory for Arc<Script> {
    fn make(&self, cpu: Cpu) -> Result<Box<dyn Work>, WorkError> {
        Ok(Box::new(ScriptedWork { script: Arc::clone(self), place: Place::Here(cpu) }))
    }
}

/// Follows the script in worker processes.
pub(crate) struct InProcesses(pub(crate) Arc<Script>);

impl WorkFactory for InProcesses {
    fn make(&self, _cpu: Cpu) -> Result<Box<dyn Work>, WorkError> {
        let place = Place::Processes(processes(program()?, ())?);
        Ok(Box::new(ScriptedWork { script: Arc::clone(&self.0), place }))
    }
}

/// The test that serves as a worker process, when `--exact` names it alone.
const CHILD: &str = "work::tests::scripted::tests::child";

/// Where that process has its pipe to the parent: the test harness prints on standard output.
const REPLIES: &str = "/dev/fd/3";

/// The program of worker processes that take their steps from the jobs' addresses.
pub(in crate::work) fn program() -> Result<Program, WorkError> {
    let myself = std::env::current_exe().map_err(WorkError::Program)?;
    let script = r#"exec "$0" "$1" --exact --nocapture --test-threads=1 3>&1 >/dev/null"#;
    let arguments = ["-c".into(), script.into(), myself.into(), CHILD.into()].into();
    Ok(Program { path: "/bin/sh".into(), arguments })
}

/// Work for processes that run `program`, save nothing and set themselves up with `set_up`.
pub(in crate::work) fn processes(
    program: Program,
    set_up: impl Serialize,
) -> Result<ProcessWork, WorkError> {
    let sink =
        save::SinkLocation::of(&save::sink::Target::Nothing).open().expect("the place is known");
    let sink = sink.expect("nothing is opened there");
    let pool = WorkerPool::new(program, Arc::new(sink));
    ProcessWork::new(pool, set_up, Arc::new(Budget::unlimited()), |_| ())
}

/// `job`, with its step at attempt `number` in its address.
pub(in crate::work) fn with_step(job: &Job, step: Step, number: u32) -> Job {
    let mut url = job.url.clone();
    url.set_query(Some(&serde_json::to_string(&(step, number)).expect("a step is plain data")));
    Job { url, ..job.clone() }
}

struct ScriptedWork {
    script: Arc<Script>,
    place: Place,
}

/// Where the steps happen.
enum Place {
    Here(Cpu),
    Processes(ProcessWork),
}

/// Counts an attempt as in flight until it ends, in whatever way.
struct Counted<'a>(&'a State);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Work for ScriptedWork {
    fn turn<'a>(&'a self, job: &'a Job, in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let state = &*self.script.state;
            state.begun.fetch_add(1, Ordering::SeqCst);
            let count = state.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            state.peak.fetch_max(count, Ordering::SeqCst);
            let _counted = Counted(state);
            let number = {
                let mut attempts = state.attempts.lock().unwrap_or_else(PoisonError::into_inner);
                let number = attempts.entry(job.seq).or_default();
                *number += 1;
                *number
            };
            // Gives the other pages of this thread their turn, as real I/O would.
            tokio::task::yield_now().await;
            let (step, seq) = ((self.script.step_of)(job.seq), job.seq);
            let cpu = match &self.place {
                Place::Here(cpu) => cpu,
                Place::Processes(work) => {
                    return work.turn(&with_step(job, step, number), in_flight).await;
                }
            };
            if step == Step::Hang {
                std::future::pending::<()>().await;
            }
            let attempt = match cpu {
                Cpu::Inline => attempt(step, seq, number),
                Cpu::Pool(pool) => {
                    pooled::run(&**pool, in_flight, move |_| attempt(step, seq, number)).await
                }
            };
            Response::Done(attempt)
        })
    }
}

/// What comes of attempt `number` at page `seq`; a step that hangs never comes to this.
fn attempt(step: Step, seq: u64, number: u32) -> Attempt {
    let saved = Outcome::Saved { bytes: seq, sha256: [0; 32], stored: Stored::Key };
    match step {
        Step::FailThenSave(failures) if number <= failures => failed(FailureCode::Reset),
        Step::Kill if number == 1 => failed(FailureCode::WorkerLost),
        Step::Save | Step::FailThenSave(_) | Step::Hang | Step::Kill => {
            Attempt::without_answer(saved)
        }
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

/// Work in a worker process: does as the address says.
struct Instructed;

impl Work for Instructed {
    fn turn<'a>(&'a self, job: &'a Job, _in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let (step, number) = step_in(&job.url);
            match step {
                Step::Hang => std::future::pending().await,
                Step::Kill if number == 1 => {
                    kill(Pid::this(), Signal::SIGKILL).expect("a process may kill itself");
                    std::future::pending().await
                }
                step => Response::Done(attempt(step, job.seq, number)),
            }
        })
    }
}

fn step_in(url: &Url) -> (Step, u32) {
    let query = url.query().unwrap_or_default().replace("%22", "\"");
    serde_json::from_str(&query).expect("the parent names a step")
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{self, stdin};
    use std::os::fd::AsFd;

    use tokio::sync::mpsc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::fetch::NetworkCounts;
    use crate::work::process::child::{self, ChildError};
    use crate::work::process::connection::Connection;
    use crate::work::process::serve::{Lent, Served, serve};

    /// The connection to the parent, in a worker process.
    fn parent() -> io::Result<Connection> {
        let orders = stdin().as_fd().try_clone_to_owned()?;
        Connection::new(orders, File::options().write(true).open(REPLIES)?)
    }

    /// With the other tests, it checks that a process without a parent returns an error.
    /// By itself, it is a worker process that other tests start.
    #[test]
    fn child() {
        if !std::env::args().any(|argument| argument == "--exact") {
            let null = || File::options().read(true).write(true).open("/dev/null").unwrap().into();
            let error = child::run(null(), null()).unwrap_err();
            assert!(matches!(error, ChildError::NoParent(_)), "{error:?}");
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let Ok(parent) = parent() else {
                return; // A developer runs it, and no parent does.
            };
            let (lender, needs) = mpsc::unbounded_channel();
            let lent = Lent { memory: Arc::new(Budget::lent(0, lender)), own: 0, needs };
            let (work, counts) = (Box::new(Instructed), Box::new(NetworkCounts::default));
            let make = |()| Ok(Served { work, counts, lent });
            // A parent that dies is no failure.
            let _ = serve(parent, &SystemClock, make).await;
        });
    }
}
