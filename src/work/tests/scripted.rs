//! Work with prescribed outcomes instead of real pages, for tests of executors.
//!
//! Worker processes are real: they are this test program, called to run one test that
//! serves them. The script and its counts stay with the parent, which puts the behaviour
//! of each attempt into the address of its job.

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

/// How one page behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Behaviour {
    /// Saved at the first attempt.
    Save,
    /// This many connections are reset, then the page is saved.
    FailThenSave(u32),
    /// Not found.
    Fail,
    /// A panic.
    Panic,
    /// The turn never ends by itself.
    Hang,
    /// A failure that every other page would meet as well.
    Break,
    /// The process that runs the first attempt is killed. Without a process of its own, the
    /// attempt fails as if it had one.
    Kill,
}

/// Makes works that follow one script and count together.
pub struct Script {
    behaviour_of: Box<dyn Fn(u64) -> Behaviour + Send + Sync>,
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
    /// Creates a script that returns each page's behaviour by its place in the input.
    pub fn new(behaviour_of: impl Fn(u64) -> Behaviour + Send + Sync + 'static) -> Self {
        Self { behaviour_of: Box::new(behaviour_of), state: Arc::default() }
    }

    /// Returns the most pages that were in flight at a time.
    pub fn peak(&self) -> usize {
        self.state.peak.load(Ordering::SeqCst)
    }

    /// Returns the number of attempts that have begun.
    pub fn begun(&self) -> u64 {
        self.state.begun.load(Ordering::SeqCst)
    }

    /// Returns the number of attempts at the page at place `seq`.
    pub fn attempts(&self, seq: u64) -> u32 {
        let attempts = self.state.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.get(&seq).copied().unwrap_or(0)
    }
}

/// Follows the script in this process. The works that a factory makes borrow nothing, so
/// they share the script.
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

/// The program of worker processes that take the behaviour from the jobs' addresses.
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

/// Returns `job` with its behaviour at attempt `number` in its address.
pub(in crate::work) fn with_behaviour(job: &Job, behaviour: Behaviour, number: u32) -> Job {
    let mut url = job.url.clone();
    url.set_query(Some(
        &serde_json::to_string(&(behaviour, number)).expect("a behaviour is plain data"),
    ));
    Job { url, ..job.clone() }
}

struct ScriptedWork {
    script: Arc<Script>,
    place: Place,
}

/// Where pages behave as the script says.
enum Place {
    Here(Cpu),
    Processes(ProcessWork),
}

/// Counts an attempt as in flight until it ends or is dropped.
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
            // Lets the other pages of this thread run, as real I/O would.
            tokio::task::yield_now().await;
            let (behaviour, seq) = ((self.script.behaviour_of)(job.seq), job.seq);
            let cpu = match &self.place {
                Place::Here(cpu) => cpu,
                Place::Processes(work) => {
                    return work.turn(&with_behaviour(job, behaviour, number), in_flight).await;
                }
            };
            if behaviour == Behaviour::Hang {
                std::future::pending::<()>().await;
            }
            let attempt = match cpu {
                Cpu::Inline => attempt(behaviour, seq, number),
                Cpu::Pool(pool) => {
                    pooled::run(&**pool, in_flight, move |_| attempt(behaviour, seq, number)).await
                }
            };
            Response::Done(attempt)
        })
    }
}

/// Returns the result of attempt `number` at page `seq`. A page that hangs has none.
fn attempt(behaviour: Behaviour, seq: u64, number: u32) -> Attempt {
    let saved = Outcome::Saved { bytes: seq, sha256: [0; 32], stored: Stored::Key };
    match behaviour {
        Behaviour::FailThenSave(failures) if number <= failures => failed(FailureCode::Reset),
        Behaviour::Kill if number == 1 => failed(FailureCode::WorkerLost),
        Behaviour::Save | Behaviour::FailThenSave(_) | Behaviour::Hang | Behaviour::Kill => {
            Attempt::without_answer(saved)
        }
        Behaviour::Fail => failed(FailureCode::Http),
        Behaviour::Panic => panic!("page {seq} panics, as the script says"),
        Behaviour::Break => Attempt {
            breaks_run: Some(vec!["the script says so".into()]),
            ..failed(FailureCode::Save)
        },
    }
}

fn failed(code: FailureCode) -> Attempt {
    Attempt::failed(Failure::new(code, "as the script says"))
}

/// Work in a worker process, which behaves as the job's address says.
struct Instructed;

impl Work for Instructed {
    fn turn<'a>(&'a self, job: &'a Job, _in_flight: &'a InFlight) -> LocalBoxFuture<'a, Response> {
        Box::pin(async move {
            let (behaviour, number) = behaviour_in(&job.url);
            match behaviour {
                Behaviour::Hang => std::future::pending().await,
                Behaviour::Kill if number == 1 => {
                    kill(Pid::this(), Signal::SIGKILL).expect("a process may kill itself");
                    std::future::pending().await
                }
                behaviour => Response::Done(attempt(behaviour, job.seq, number)),
            }
        })
    }
}

fn behaviour_in(url: &Url) -> (Behaviour, u32) {
    let query = url.query().unwrap_or_default().replace("%22", "\"");
    serde_json::from_str(&query).expect("the parent names a behaviour")
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
