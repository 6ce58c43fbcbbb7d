//! How pages are run: the concurrency model and the limits of a run.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::cli::values::{self, Rate, Size};
use crate::config::Workers;
use crate::exec;
use crate::queue::host::{Choice, HostLimits};
use crate::queue::retry::FailureLimit;

/// The concurrency model, and what limits the run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Concurrency and limits")]
pub(crate) struct RunningArgs {
    /// Concurrency model
    ///
    /// All modes fetch, decode and save a page with the same code; they differ in the threads,
    /// processes or event loops that run this code. `fetchpages compare` measures which mode is the
    /// fastest.
    ///
    /// Example: `fetchpages -i urls.txt --mode threads --workers 32`
    #[arg(long, default_value = exec::DEFAULT_MODE)]
    pub mode: ModeArg,
    /// Fetch at most N pages at a time [default: by mode]
    ///
    /// The defaults are: sequential 1, threads 16, rayon and processes one per CPU, async and
    /// hybrid 64. The maximum is 4096; sequential always has 1. `auto` changes the number of
    /// concurrent requests per host while the run is in progress: it starts with 12 and needs
    /// several hundred pages to settle. --per-host and --rate still apply.
    ///
    /// Example: `fetchpages -i urls.txt --workers auto`
    #[arg(short = 'j', long, value_name = "N|auto", value_parser = values::workers)]
    pub workers: Option<Workers>,
    /// At most N open requests per host [default: 16]
    ///
    /// With --workers N the default is N, with --workers auto it is 64. Hosts on this machine have
    /// no limit by default. Wikimedia's sites share a limit of 9; a number that you give here
    /// replaces it. The limit is the same for all hosts: for a different one, run one command per
    /// host.
    ///
    /// Example: `fetchpages -i urls.txt --per-host 4`
    #[arg(long, value_name = "N")]
    pub per_host: Option<NonZeroU32>,
    /// Requests per host, such as 20/s [default: no limit]
    ///
    /// Requests are spaced evenly, without bursts. The unit is s, m or h; `none` removes the limit.
    /// Wikimedia's sites have a limit of 19/s by default; a rate that you give here replaces it. A
    /// Crawl-delay in robots.txt still applies.
    ///
    /// Example: `fetchpages -i urls.txt --rate 100/m`
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    pub rate: Option<Rate>,
    /// Stop the run after this time [default: no limit]
    ///
    /// The remaining pages are recorded as interrupted and the exit code is 3. --resume continues
    /// from there. The unit is ms, s, m or h; a bare number means seconds.
    ///
    /// Example: `fetchpages -i urls.txt --deadline 2h`
    #[arg(long, value_name = "TIME", value_parser = values::limit)]
    pub deadline: Option<Duration>,
    /// Stop the run when more pages have failed [default: no limit]
    ///
    /// N is a number of pages. P% is a share of the finished pages; it applies from the hundredth
    /// finished page on. The remaining pages are recorded as interrupted and the exit code is 3.
    /// --resume continues from there.
    ///
    /// Example: `fetchpages -i urls.txt --max-failures 2%`
    #[arg(long, hide_short_help = true, value_name = "N|P%", value_parser = values::failure_limit)]
    pub max_failures: Option<FailureLimit>,
    /// Memory limit for the bodies of all pages in flight [default: half of what is free]
    ///
    /// Counts the bodies as received and as decoded, and what connections read ahead. Pages wait
    /// until there is room; a single page may always use --max-size. The free memory is what the
    /// machine has available, or less where a control group has a limit. The unit is B, kB, MB,
    /// GB, KiB, MiB or GiB; a bare number means bytes.
    ///
    /// Example: `fetchpages -i urls.txt --max-memory 512MiB`
    #[arg(long, hide_short_help = true, value_name = "SIZE", value_parser = values::size)]
    pub max_memory: Option<Size>,
    /// Be a run of `compare`: end when standard input ends, and follow no redirect to another host
    #[arg(long, hide = true)]
    pub compared: bool,
}

/// A mode of the table of executors, by its name
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModeArg(pub &'static exec::Mode);

impl ValueEnum for ModeArg {
    fn value_variants<'a>() -> &'a [Self] {
        static MODES: std::sync::LazyLock<Vec<ModeArg>> =
            std::sync::LazyLock::new(|| exec::TABLE.iter().map(ModeArg).collect());
        &MODES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name).help(self.0.about))
    }
}

/// Open requests per host, when the user names no number.
const DEFAULT_PER_HOST: u32 = 16;

/// The largest number of open requests per host with `--workers auto`: a server that does not
/// slow down may still belong to an owner who did not agree to more.
const AUTO_PER_HOST: u32 = 64;

impl RunningArgs {
    /// Decides on the limits per host. `auto` is the number of workers with `--workers auto`, which
    /// tunes the number of requests per host during the run.
    pub(in crate::cli) fn host_limits(&self, auto: Option<NonZeroUsize>) -> HostLimits {
        let number = |workers: NonZeroUsize| u32::try_from(workers.get()).unwrap_or(u32::MAX);
        let usual = match self.workers {
            Some(Workers::Exactly(workers)) => number(workers),
            Some(Workers::Auto) => AUTO_PER_HOST,
            None => DEFAULT_PER_HOST,
        };
        HostLimits {
            open: self.per_host.map_or(Choice::Usual, |open| Choice::Typed(Some(open.get()))),
            rate: self.rate.map_or(Choice::Usual, |rate| Choice::Typed(rate.0)),
            usual_open: Some(usual),
            adaptive: auto.map(number),
        }
    }
}
