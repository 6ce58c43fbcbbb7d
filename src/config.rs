//! What was decided: the modules' options, put together and checked against each other.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::compare::design::Design;
use crate::compare::export;
use crate::compare::gate::Gate;
use crate::report::progress::{Detail, Style};
use crate::secret::Secret;
use crate::source::plan::Filter;
use crate::source::spec::{RecordedSource, SourceSpec};
use crate::{exec, fetch, queue, save};

/// `--latency` of `compare`: near enough that one page after the other takes seconds,
/// not minutes, and far enough to be what counts.
pub(crate) const DEFAULT_COMPARE_LATENCY: Duration = Duration::from_millis(10);

/// Which pages to fetch, and how.
#[derive(Debug, Clone)]
pub(crate) struct PlanOptions {
    /// Where pages come from.
    pub source: SourceSpec,
    /// Which of them.
    pub filter: Filter,
    /// How requests are sent.
    pub fetch: fetch::Options,
    /// When each page may be requested.
    pub queue: queue::Options,
    /// The source, for the record of the run.
    pub recorded: RecordedSource,
}

/// The format of the summary on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SummaryFormat {
    /// For people.
    Human,
    /// One JSON object.
    Json,
    /// No summary.
    None,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportOptions {
    /// The end of the run.
    pub format: SummaryFormat,
    /// How progress looks.
    pub style: Style,
    /// What is told beside it.
    pub detail: Detail,
}

/// A download, decided.
#[derive(Debug)]
pub(crate) struct Download {
    /// What to fetch, and how.
    pub plan: PlanOptions,
    /// The executor.
    pub mode: &'static exec::Mode,
    /// Pages in flight at most.
    pub workers: NonZeroUsize,
    /// Memory in bytes for the bodies of all pages in flight; `None` for half of what is free.
    pub max_memory: Option<u64>,
    /// The time after which the run stops.
    pub deadline: Option<Duration>,
    /// Whether the run ends at once when standard input ends.
    pub ends_with_input: bool,
    /// Where pages are saved.
    pub save: save::Options,
    /// What is told.
    pub report: ReportOptions,
    /// The file that the trace of the run is written to.
    pub trace: Option<PathBuf>,
    /// Notes for the user, printed before the run starts.
    pub notes: Vec<String>,
}

/// A comparison, decided.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// What each run fetches, and how.
    pub plan: PlanOptions,
    /// Who runs, how often, in which order.
    pub design: Design,
    /// Whether runs save their pages.
    pub saves: bool,
    /// The directory below which runs save their pages during the comparison; `None` for the
    /// system's directory for temporary files.
    pub directory: Option<PathBuf>,
    /// Whether it is the tutorial's experiment, with its figures beside it.
    pub is_tutorial: bool,
    /// The files that it is written to.
    pub exports: Vec<(PathBuf, export::Format)>,
    /// The conditions that its result must meet.
    pub gates: Vec<Gate>,
    /// The earlier comparison that it is set beside.
    pub baseline: Option<PathBuf>,
    /// What is told.
    pub print: PrintOptions,
    /// Whether the user agreed to send requests to a site that is not on this machine.
    pub is_agreed: bool,
    /// The options that each run gets as well.
    pub passed_on: PassedOn,
}

/// What a comparison tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PrintOptions {
    /// Whether all is printed as JSON, and not for people.
    pub is_json: bool,
    /// Whether progress is not told.
    pub is_quiet: bool,
    /// The columns that a table may take.
    pub width: usize,
    /// Whether colours may be used.
    pub is_coloured: bool,
}

/// Options that are passed on to each run.
#[derive(Debug, Clone, Default)]
pub(crate) struct PassedOn {
    /// As arguments; they may hold secrets.
    pub arguments: Secret<Vec<OsString>>,
    /// What may be shown of those that were typed.
    pub shown: Vec<String>,
}

impl PassedOn {
    /// Adds an argument. `instead` is shown in its place, where there is something to hide.
    pub(crate) fn add(&mut self, argument: impl Into<OsString>, instead: Option<String>) {
        let argument = argument.into();
        let shown = instead.unwrap_or_else(|| argument.to_string_lossy().into_owned());
        self.shown.push(shown);
        self.arguments.expose_mut().push(argument);
    }
}

/// The CPUs that this process may use.
pub(crate) fn cpus() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// The number of workers that the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workers {
    /// The number is tuned while the run is in progress.
    Auto,
    /// This number.
    Exactly(NonZeroUsize),
}

impl std::fmt::Display for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Exactly(workers) => workers.fmt(f),
        }
    }
}

/// Chooses the number of workers: what was asked for, else the mode's default.
/// The text says when a wish has no meaning in this mode.
pub(crate) fn choose_workers(
    mode: &exec::Mode,
    asked: Option<Workers>,
) -> (NonZeroUsize, Option<String>) {
    let default = (mode.default_workers)(cpus());
    match asked {
        Some(asked) if !mode.is_scalable && asked != Workers::Exactly(default) => {
            let name = mode.name;
            let note =
                format!("{name} is always one page at a time: --workers {asked} has no effect");
            (default, Some(note))
        }
        Some(Workers::Exactly(asked)) => (asked, None),
        Some(Workers::Auto) => ((mode.auto_workers)(cpus()), None),
        None => (default, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequential_takes_a_wish_for_workers_as_a_note() {
        let exactly = |workers| NonZeroUsize::new(workers).map(Workers::Exactly);
        let many = exactly(32);
        let sequential = exec::find("sequential").unwrap();
        let (workers, note) = choose_workers(sequential, many);
        assert_eq!(workers.get(), 1);
        assert!(note.unwrap().contains("--workers 32 has no effect"));
        assert_eq!(choose_workers(sequential, exactly(1)).1, None);
        let (workers, note) = choose_workers(sequential, Some(Workers::Auto));
        assert_eq!(workers.get(), 1);
        assert!(note.unwrap().contains("--workers auto has no effect"));
        let threads = exec::find("threads").unwrap();
        assert_eq!(choose_workers(threads, many).0.get(), 32);
        assert!(choose_workers(threads, Some(Workers::Auto)).0.get() >= 64);
        assert_eq!(choose_workers(threads, None).0.get(), 16);
    }
}
