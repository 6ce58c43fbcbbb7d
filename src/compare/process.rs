//! Runs each contender as a separate process of this program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::Deserialize;

use super::measure::{Measured, RunError, RunId, Runner};
use super::results::{Sample, Timeline};
use super::same_work;
use crate::clock::Clock;
use crate::message::{excerpt, one_line};
use crate::secret::Secret;

/// Exit codes of runs whose figures count: all pages done, and done but some failed.
const COUNTED: [i32; 2] = [0, 3];

/// How each run is started.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// This program.
    pub program: PathBuf,
    /// A file with the URLs of the pages, one per line.
    pub list: PathBuf,
    /// An empty directory for the output of the runs.
    pub directory: PathBuf,
    /// Whether pages are saved.
    pub saves: bool,
    /// Further arguments.
    pub arguments: Secret<Vec<OsString>>,
}

/// Stops the current run, and every later one, from any thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopper(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    is_stopped: bool,
    /// Whether a run was started.
    has_begun: bool,
    /// The process group of the current run.
    group: Option<Pid>,
}

impl Stopper {
    /// Kills the current run and discards it. Returns whether the first run has begun.
    pub(crate) fn stop(&self) -> bool {
        let mut running = self.lock();
        running.is_stopped = true;
        if let Some(group) = running.group {
            // An error means that the process has just ended by itself.
            let _ = killpg(group, Signal::SIGKILL);
        }
        running.has_begun
    }

    fn is_stopped(&self) -> bool {
        self.lock().is_stopped
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Running> {
        // No code panics between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runner of real processes.
pub(crate) struct ProcessRunner<'a> {
    options: Options,
    stopper: Stopper,
    clock: &'a dyn Clock,
}

/// The part of a run's summary that becomes a sample.
#[derive(Deserialize)]
struct RunSummary {
    seconds: f64,
    cpu_seconds: f64,
    cpu_user_seconds: f64,
    cpu_system_seconds: f64,
    cpu_children_seconds: f64,
    fetch_cpu_seconds: f64,
    peak_rss_bytes: u64,
    context_switches_voluntary: u64,
    context_switches_involuntary: u64,
    connections: u64,
    saved: u64,
    failed: u64,
    failures: BTreeMap<String, u64>,
    bytes: u64,
    wire_bytes: u64,
}

impl<'a> ProcessRunner<'a> {
    /// A runner that `stopper` stops.
    pub(crate) const fn new(options: Options, stopper: Stopper, clock: &'a dyn Clock) -> Self {
        Self { options, stopper, clock }
    }

    /// The directory of a run. Each run has its own. They are removed only at the end of
    /// the comparison, because some file systems create files slowly after many were
    /// removed.
    fn directory(&self, id: &RunId) -> PathBuf {
        let RunId { round, contender } = id;
        let name = format!("{round}-{}-{}", contender.mode, contender.workers);
        self.options.directory.join(name)
    }

    fn command(&self, id: &RunId, errors: File) -> Command {
        let mut command = Command::new(&self.options.program);
        command.arg("--input-file").arg(&self.options.list);
        command.arg("--output").arg(self.directory(id));
        command.args(["--mode", &id.contender.mode]);
        command.args(["--workers", &id.contender.workers.to_string()]);
        command.args(["--json", "--progress", "none", "--compared"]);
        if !self.options.saves {
            command.arg("--no-save");
        }
        command.args(self.options.arguments.expose());
        // With a process group of its own, Ctrl-C reaches only this process. The run ends
        // when the pipe closes that is its input, so it ends with this process.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        command
    }

    fn run_process(&self, id: &RunId) -> Result<(RunSummary, f64), RunError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |error: std::io::Error| RunError::Failed(format!("{what}: {error}"))
        };
        let errors_path = self.directory(id).with_extension("stderr");
        let errors = File::options().create_new(true).write(true).open(&errors_path);
        let errors = errors.map_err(failed("its messages cannot be stored"))?;
        let started = self.clock.now();
        let mut child = {
            let mut running = self.stopper.lock();
            if running.is_stopped {
                return Err(RunError::Stopped);
            }
            running.has_begun = true;
            let child = self.command(id, errors).spawn().map_err(failed("cannot be started"))?;
            running.group = i32::try_from(child.id()).ok().map(Pid::from_raw);
            child
        };
        let input = child.stdin.take();
        let ended = child.wait_with_output();
        drop(input);
        let seconds = (self.clock.now() - started).as_secs_f64();
        self.stopper.lock().group = None;
        if self.stopper.is_stopped() {
            return Err(RunError::Stopped);
        }
        let ended = ended.map_err(failed("cannot be waited for"))?;
        if !ended.status.code().is_some_and(|code| COUNTED.contains(&code)) {
            let error = last_error(&errors_path);
            return Err(RunError::Failed(format!("{}{error}", ended.status)));
        }
        let summary = serde_json::from_slice(&ended.stdout)
            .map_err(|error| RunError::Failed(format!("its summary is not as expected: {error}")));
        Ok((summary?, seconds))
    }
}

/// `value` with six decimals, so that it reads back from the file unchanged.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// At most this many bytes of a run's messages are read, from the end.
const ERRORS_READ: u64 = 64 * 1024;

/// The last error message of a run and its cause, to follow its exit status.
fn last_error(path: &Path) -> String {
    // A run may print many messages before its last one.
    let end = |mut file: File| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(ERRORS_READ)))?;
        let mut text = Vec::new();
        file.take(ERRORS_READ).read_to_end(&mut text).map(|_| text)
    };
    let text = File::open(path).and_then(end).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines = || text.lines().rev().filter(|line| !line.trim().is_empty());
    let error = lines().find(|line| line.starts_with("error: ")).or_else(|| lines().next());
    // The last cause is the deepest one, which says most.
    let cause = lines().find(|line| line.starts_with("caused by: "));
    let messages = error.into_iter().chain(cause).map(excerpt);
    std::iter::once(String::new()).chain(messages).collect::<Vec<_>>().join(", ")
}

impl Runner for ProcessRunner<'_> {
    fn run(&mut self, id: &RunId) -> Result<Measured, RunError> {
        let (summary, process_seconds) = self.run_process(id)?;
        if summary.saved == 0 {
            let codes: Vec<_> =
                summary.failures.iter().map(|(code, n)| format!("{code} {n}")).collect();
            let codes =
                if codes.is_empty() { "the source named none".into() } else { codes.join(", ") };
            return Err(RunError::Failed(format!("no page was fetched: {codes}")));
        }
        let work = same_work::read(&self.directory(id))
            .map_err(|error| RunError::Failed(one_line(&error)))?;
        let sample = Sample {
            round: id.round,
            contender: id.contender.clone(),
            seconds: summary.seconds,
            process_seconds: rounded(process_seconds),
            cpu_seconds: summary.cpu_seconds,
            cpu_user_seconds: summary.cpu_user_seconds,
            cpu_system_seconds: summary.cpu_system_seconds,
            cpu_children_seconds: summary.cpu_children_seconds,
            fetch_cpu_seconds: Some(summary.fetch_cpu_seconds),
            peak_rss_bytes: summary.peak_rss_bytes,
            context_switches_voluntary: summary.context_switches_voluntary,
            context_switches_involuntary: summary.context_switches_involuntary,
            connections: summary.connections,
            saved: summary.saved,
            failed: summary.failed,
            failures: summary.failures,
            bytes: summary.bytes,
            wire_bytes: summary.wire_bytes,
            median_wait_ms: rounded(work.median_wait_ms),
        };
        Ok(Measured { sample, work: work.digest })
    }

    fn differences(&mut self, one: &RunId, other: &RunId) -> Vec<String> {
        same_work::differences(&self.directory(one), &self.directory(other))
            .unwrap_or_else(|error| vec![one_line(&error)])
    }

    fn timeline(&mut self, id: &RunId, seconds: f64) -> Option<Timeline> {
        let directory = self.directory(id);
        // A missing picture is no reason to lose the figures.
        same_work::timeline(&directory, id.contender.clone(), id.round, seconds).ok()
    }
}
