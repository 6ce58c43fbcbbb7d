//! The options of all modules together, as `cli` decided on them.

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

/// The default of `--latency` with `compare`. With it, one page after the other takes seconds and
/// not minutes, and the latency is still the largest part of the time.
pub(crate) const DEFAULT_COMPARE_LATENCY: Duration = Duration::from_millis(10);

/// Which pages to fetch, and how.
#[derive(Debug, Clone)]
pub(crate) struct PlanOptions {
    /// The source of the pages.
    pub source: SourceSpec,
    /// Which of its pages are fetched.
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

/// What a download prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportOptions {
    /// The format of the summary at the end.
    pub format: SummaryFormat,
    /// The style of the progress.
    pub style: Style,
    /// How much is printed beside the progress.
    pub detail: Detail,
}

/// A download with all its options decided.
#[derive(Debug)]
pub(crate) struct Download {
    /// What is fetched, and how.
    pub plan: PlanOptions,
    /// The executor.
    pub mode: &'static exec::Mode,
    /// The largest number of pages in flight.
    pub workers: NonZeroUsize,
    /// Memory in bytes for the bodies of all pages in flight; `None` for half of what is free.
    pub max_memory: Option<u64>,
    /// The time after which the run stops.
    pub deadline: Option<Duration>,
    /// Whether the run ends at once when standard input ends.
    pub ends_with_input: bool,
    /// Where pages are saved.
    pub save: save::Options,
    /// What is printed.
    pub report: ReportOptions,
    /// The file that the trace of the run is written to.
    pub trace: Option<PathBuf>,
    /// Notes for the user, printed before the run starts.
    pub notes: Vec<String>,
}

/// A comparison with all its options decided.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// What each run fetches, and how.
    pub plan: PlanOptions,
    /// The contenders, the rounds, and the seed of their order.
    pub design: Design,
    /// Whether runs save their pages.
    pub saves: bool,
    /// The directory below which runs save their pages during the comparison; `None` for the
    /// system's directory for temporary files.
    pub directory: Option<PathBuf>,
    /// Whether it is the tutorial's experiment, with its figures beside it.
    pub is_tutorial: bool,
    /// The files to which the result is written.
    pub exports: Vec<(PathBuf, export::Format)>,
    /// The conditions that its result must meet.
    pub gates: Vec<Gate>,
    /// The file of an earlier result, with which this one is compared.
    pub baseline: Option<PathBuf>,
    /// What is printed.
    pub print: PrintOptions,
    /// Whether the user agreed to send requests to a site that is not on this machine.
    pub is_agreed: bool,
    /// The options that each run gets too.
    pub passed_on: PassedOn,
}

/// What a comparison prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PrintOptions {
    /// Whether the result is printed as JSON, and not as a table.
    pub is_json: bool,
    /// Whether no progress is printed.
    pub is_quiet: bool,
    /// The width of a table, in columns.
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
    /// Adds an argument. `instead` is shown in its place, when the argument holds a secret.
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

/// Chooses the number of workers: what the user asked for, or else the mode's default. The text
/// is a note for the user when the number has no effect in this mode.
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
