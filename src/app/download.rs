//! The main job: connects source, queue, executor, sink and observers, and runs them.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::exit::{Exit, OutputFailed, Status};
use super::observers::Observers;
use super::terminal::{self, print, report, report_line};
use super::{limits, memory, signals, source};
use crate::budget::Budget;
use crate::clock::{Clock, SystemClock, rfc3339};
use crate::config::{self, Download, SummaryFormat};
use crate::event::Events;
use crate::exec::{ExecError, Run};
use crate::fetch::{self, FetchError, Network};
use crate::model::{FailureCode, Intake, Outcome, State, Summary, WorkerKind};
use crate::printable::Printable;
use crate::queue::notice::unasked;
use crate::queue::{Queue, StopReason};
use crate::random::Rng;
use crate::report::progress::{Detail, Progress};
use crate::report::summary::Counter;
use crate::report::trace::{About, Trace, TraceError};
use crate::report::usage::FetchPhase;
use crate::report::{Finished, human, json, usage};
use crate::save::manifest::{self, ManifestWriter, RunRecord};
use crate::save::{self, SaveError, Sink, SinkLocation};
use crate::source::Access;
use crate::source::feed::Feed;
use crate::source::plan::Plan;
use crate::work::WorkFactory;
use crate::work::local::LocalWorkFactory;
use crate::work::process::factory::ProcessWorkFactory;

/// The opened parts of a run.
struct Prepared {
    plan: Plan,
    manifest: ManifestWriter,
    factory: Box<dyn WorkFactory>,
    workers: NonZeroUsize,
    trace: Option<Trace>,
}

/// The result of a run.
struct Ended {
    summary: Summary,
    manifest: ManifestWriter,
    /// The CPU time of the fetch phase.
    fetch_cpu: Duration,
    /// The error that broke the run, if any.
    broken: Option<anyhow::Error>,
}

pub(super) fn run(config: &Download) -> anyhow::Result<Status> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let started = clock.now();
    let rng = Rng::from_entropy();
    let queue = Arc::new(Queue::new(config.plan.queue.clone(), rng, Arc::clone(&clock)));
    let is_running = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&is_running);
    signals::watch(Arc::clone(&queue), config.deadline, move || on_first_signal(&watched))
        .context("failed to watch for signals")?;
    if config.ends_with_input {
        signals::end_with_input().context("failed to watch standard input")?;
    }
    let is_quiet = config.report.detail == Detail::Quiet;
    let note = move |text: &str| {
        if !is_quiet {
            report_line(format_args!("note: {text}"));
        }
    };

    let room = limits::room_for(config.workers, config.mode.executor.workers_are());
    let workers = room.workers;
    let fewer = fewer_workers(config, workers);
    config.notes.iter().chain(&fewer).for_each(|text| note(text));
    let network = open_network(config, room.kept_hosts, &clock)?;
    queue.note_with(Arc::new(move |notice| note(&notice.text())));
    let opened = source::open(&config.plan, || Access {
        network: Arc::clone(&network),
        queue: Arc::clone(&queue),
        clock: Arc::clone(&clock),
    })?;
    let index_time = opened.index_time;
    let earlier = usage::Children::so_far();
    let traced = open_trace(config)?;
    let mut output = save::open(&config.save)?;
    let trace = traced.map(|file| begin_trace(config, file, workers, clock.now())).transpose()?;
    output.notes.iter().for_each(|text| note(text));
    let record = run_record(config, workers, &*clock);
    output.manifest.begin(record, clock.now(), output.sink.capabilities().saves_pages)?;
    let left_out = output.catalogue.left_out();
    let plan = Plan::new(opened.source, config.plan.filter.clone(), output.catalogue);
    let location = (output.sink, output.location);
    let kind = config.mode.executor.workers_are();
    let factory = work_factory(kind, Arc::clone(&network), location, Arc::clone(&clock), workers);
    is_running.store(true, Ordering::SeqCst);
    let prepared = Prepared { plan, manifest: output.manifest, factory, workers, trace };
    let ended = fetch_all(config, &queue, &clock, prepared)?;
    let left_out = left_out.load(Ordering::Relaxed);
    if left_out > 0 {
        note(&format!("{left_out} pages are neither saved nor failed: fetch them with --resume"));
    }
    let finished = Finished {
        summary: ended.summary.clone(),
        mode: config.mode.name,
        workers: workers.get(),
        auto: queue.auto_workers(),
        output: config.save.target.to_string().into(),
        index_time,
        total_time: clock.now() - started,
        // The process of the embedded site has not ended yet, so it does not count.
        usage: usage::since(earlier),
        fetch_cpu: ended.fetch_cpu,
        connections: network.connections(),
        proxies: network.proxy_use(),
    };
    conclude(config, ended, &finished, queue.stop_reason().as_ref())
}

/// Makes the factory of a run's work. A mode whose workers are processes fetches and
/// saves in them; all other modes do so in this process.
fn work_factory(
    kind: WorkerKind,
    network: Arc<Network>,
    (sink, location): (Arc<Sink>, SinkLocation),
    clock: Arc<dyn Clock>,
    workers: NonZeroUsize,
) -> Box<dyn WorkFactory> {
    match kind {
        WorkerKind::Process => Box::new(ProcessWorkFactory { network, sink, location, workers }),
        WorkerKind::Thread | WorkerKind::Task => {
            Box::new(LocalWorkFactory { network, sink, clock, workers })
        }
    }
}

/// Opens the part that all clients of the run share.
fn open_network(
    config: &Download,
    kept_hosts: usize,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Network>, FetchError> {
    let memory = Budget::new(config.max_memory.unwrap_or_else(memory::default_limit));
    let records_exchange = config.save.capabilities().wants_exchange;
    let options = fetch::Options { kept_hosts, records_exchange, ..config.plan.fetch.clone() };
    let network = Network::new(options, Arc::clone(clock))?;
    Ok(Arc::new(network.within(Arc::new(memory))))
}

/// Returns the note when the limit on open files allows fewer workers than the user asked for.
fn fewer_workers(config: &Download, workers: NonZeroUsize) -> Option<String> {
    let is_typed = config.plan.queue.limits.adaptive.is_none();
    (workers < config.workers && is_typed)
        .then(|| format!("{workers} workers, not {}, because of the limit on open files: raise it with ulimit -n", config.workers))
}

/// Opens the file of the trace, if the user asked for one. It may be in the output directory. It
/// is made before the output is opened, so that the output treats it as another program's file.
fn open_trace(config: &Download) -> Result<Option<(File, &Path)>, TraceError> {
    let Some(path) = &config.trace else {
        return Ok(None);
    };
    let directory = config.save.manifest().directory;
    if path.starts_with(&directory) {
        // An error with the directory is reported when the output is opened.
        let _ = std::fs::create_dir_all(&directory);
    }
    Ok(Some((Trace::open(path)?, path)))
}

fn begin_trace(
    config: &Download,
    (file, path): (File, &Path),
    workers: NonZeroUsize,
    now: Instant,
) -> Result<Trace, TraceError> {
    let (mode, workers) = (config.mode.name, workers.get());
    let about = About { mode, workers, kind: config.mode.executor.workers_are() };
    Trace::create(file, path, &about, now)
}

/// Reports the first signal. Before the first page is requested the process ends at once, because
/// nothing needs to end cleanly.
fn on_first_signal(is_running: &AtomicBool) {
    if is_running.load(Ordering::SeqCst) {
        report_line("interrupted: pages in flight get 2 s; press Ctrl-C again to end at once");
    } else {
        signals::end_at_once();
    }
}

fn run_record(config: &Download, workers: NonZeroUsize, clock: &dyn Clock) -> RunRecord {
    RunRecord {
        v: manifest::VERSION,
        started: rfc3339(clock.wall()),
        version: env!("CARGO_PKG_VERSION").into(),
        mode: config.mode.name.into(),
        workers: workers.get(),
        source: config.plan.recorded.text.as_str().into(),
        args: config.plan.recorded.args.clone(),
        spec: config.plan.recorded.spec.clone(),
        is_redacted: config.plan.recorded.is_redacted,
        layout: config.save.layout.into(),
        unowned: 0,
    }
}

/// Feeds the queue, runs the executor, and records every page of the input.
fn fetch_all(
    config: &Download,
    queue: &Arc<Queue>,
    clock: &Arc<dyn Clock>,
    prepared: Prepared,
) -> anyhow::Result<Ended> {
    let Prepared { plan, manifest, factory, workers, trace } = prepared;
    let err = terminal::errors();
    let observers = Observers {
        manifest,
        counter: Counter::default(),
        progress: Progress::new(config.report.style, config.report.detail, err, clock.now()),
        trace,
    };
    let closing = Arc::clone(queue);
    let (events, observing) = Events::start(observers, Arc::clone(clock), move || {
        closing.close(StopReason::Broken(vec!["the run could not be recorded".into()]));
    })
    .context("failed to start the observing thread")?;
    queue.observe_with(events.clone());
    let feed = Feed::start(plan, Arc::clone(queue), events.clone());
    let feed = feed.context("failed to start the feeding thread")?;
    let cpus = config::cpus();
    let (clock, fetch_phase) = (&**clock, FetchPhase::default());
    let run = Run {
        queue,
        events: &events,
        factory: &*factory,
        workers,
        cpus,
        clock,
        before_page: &|| fetch_phase.begin(),
    };
    let executed: Result<(), ExecError> = config.mode.executor.run(&run);
    let fetch_cpu = fetch_phase.cpu();
    let (intake, source_error) = feed.stop();
    queue.take_rest().into_iter().for_each(|job| {
        events.send(unasked(job, Outcome::Interrupted));
    });
    let (mut observers, observed) = observing.finish();
    observers.finish();

    let mut broken = source_error.map(anyhow::Error::new);
    broken = executed.err().map(anyhow::Error::new).or(broken);
    broken = observed.err().map(anyhow::Error::new).or(broken);
    let summary = Summary { intake, ..observers.counter.into_summary() };
    Ok(Ended { summary, manifest: observers.manifest, fetch_cpu, broken })
}

/// Records the end, prints the summary, and decides on the exit status.
fn conclude(
    config: &Download,
    mut ended: Ended,
    finished: &Finished,
    closing: Option<&StopReason>,
) -> anyhow::Result<Status> {
    let recorded = ended.manifest.end(&ended.summary);
    let printed = match config.report.format {
        SummaryFormat::Human => print(&human::render(finished)),
        SummaryFormat::Json => print(&json::render(finished)),
        SummaryFormat::None => Ok(()),
    };
    let broken = ended
        .broken
        .or_else(|| match closing {
            Some(StopReason::Broken(words)) => Some(stopped(words)),
            _ => None,
        })
        .or_else(|| recorded.err().map(|error: SaveError| error.into()));
    if let Err(sum) = ended.summary.check_accounts() {
        if let Some(error) = &broken {
            report(&Exit::of(error).message);
        }
        report_line(format_args!("error: the accounts do not add up: {sum}"));
        report_line("hint: this is a bug in fetchpages: please report it");
        return Ok(Status::Accounts);
    }
    if let Some(error) = broken {
        return Err(error);
    }
    printed?;
    Ok(status(&config.plan.source.label(), &ended.summary, closing))
}

/// Makes the error of a run that stopped for the reasons `words`, the outermost first.
fn stopped(words: &[String]) -> anyhow::Error {
    let mut words = words.iter().rev().cloned();
    let innermost = anyhow::Error::msg(words.next().unwrap_or_default());
    words.fold(innermost, anyhow::Error::context).context(OutputFailed)
}

/// Decides on the exit status of a run, and reports why it is not complete. `what` is the name of
/// the source.
fn status(what: &str, summary: &Summary, closing: Option<&StopReason>) -> Status {
    let intake = &summary.intake;
    // A stop after the last page changed nothing.
    let is_cut_short = summary.count(State::Interrupted) > 0
        || !intake.complete
        || summary.failures.contains_key(&FailureCode::Deadline);
    match closing.filter(|_| is_cut_short) {
        Some(StopReason::Deadline) => {
            report_line("stopped by --deadline; continue with the same command and --resume");
        }
        Some(StopReason::TooManyFailures(_)) => report_line(format_args!(
            "stopped by --max-failures, with {} failed; continue with the same command and --resume",
            summary.count(State::Failed)
        )),
        _ => (),
    }
    let is_empty_by_robots =
        intake.pages > 0 && intake.skipped == 0 && summary.count(State::Robots) == intake.pages;
    let is_incomplete = summary.count(State::Failed) + summary.count(State::Interrupted) > 0
        || intake.invalid + intake.missing_parts > 0
        || (closing.is_some() && is_cut_short)
        || is_empty_by_robots;
    if is_cut_short && closing == Some(&StopReason::Interrupted) {
        Status::Interrupted
    } else if intake.pages + intake.skipped == 0 && closing.is_none() {
        report(&no_pages(what, intake));
        Status::NoPages
    } else if is_incomplete {
        Status::Incomplete
    } else {
        Status::Done
    }
}

/// Makes the message about a source that named no page. `what` is the name of the source.
pub(super) fn no_pages(what: &str, intake: &Intake) -> Printable {
    let Intake { found, invalid, filtered, skipped_lines, .. } = *intake;
    let (why, advice) = match (found, skipped_lines) {
        (0, _) if intake.missing_parts > 0 => {
            (format!("the parts of {what} are missing or were passed over"), None)
        }
        (0, 0) => (format!("{what} is empty"), None),
        (0, 1) => (format!("the one line of {what} is blank or a comment"), None),
        (0, lines) => (format!("all {lines} lines of {what} are blank or comments"), None),
        _ if found == invalid => {
            (format!("none of the entries of {what} is an http(s) URL"), intake.advice)
        }
        _ => (format!("of {found} entries of {what}, {filtered} were filtered out"), None),
    };
    let mut lines = Printable::line(format_args!("error: the source named no page: {why}"));
    if let Some(advice) = advice {
        lines.add(format_args!("hint: {advice}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_pages_says_why() {
        let intake = |found, invalid, filtered, skipped_lines| Intake {
            found,
            invalid,
            filtered,
            skipped_lines,
            advice: Some("try this"),
            ..Intake::default()
        };
        for (intake, why) in [
            (intake(0, 0, 0, 0), "x.txt is empty"),
            (
                Intake { missing_parts: 1, ..intake(0, 0, 0, 0) },
                "the parts of x.txt are missing or were passed over",
            ),
            (intake(0, 0, 0, 1), "the one line of x.txt is blank or a comment"),
            (intake(0, 0, 0, 7), "all 7 lines of x.txt are blank or comments"),
            (intake(3, 3, 0, 7), "none of the entries of x.txt is an http(s) URL\nhint: try this"),
            (intake(5, 1, 4, 0), "of 5 entries of x.txt, 4 were filtered out"),
        ] {
            let lines = no_pages("x.txt", &intake);
            assert_eq!(lines.as_str(), format!("error: the source named no page: {why}\n"));
        }
    }
}
