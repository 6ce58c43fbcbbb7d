//! How pages are run: the concurrency model and the limits of a run.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::cli::values::{self, Rate, Size};
use crate::config::Workers;
use crate::exec;
use crate::queue::limit::FailureLimit;

/// How pages are run
#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub struct RunningArgs {
    /// The concurrency model
    #[arg(long, default_value = exec::DEFAULT_MODE)]
    pub mode: ModeArg,
    /// Pages in flight at most; auto finds while running how many each host is best asked for at a time [default: sequential 1, threads 16, rayon and processes one a CPU, async and hybrid 64]
    #[arg(short = 'j', long, value_name = "N|auto", value_parser = values::workers)]
    pub workers: Option<Workers>,
    /// Open requests at a time for each host [default: as --workers, with auto at most 64, else 16; no limit on loopback; known sites' own limits]
    #[arg(long, value_name = "N")]
    pub per_host: Option<NonZeroU32>,
    /// Requests for each host, such as 20/s or 100/m, or none [default: none; known sites' own limits]
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    pub rate: Option<Rate>,
    /// Stop when the run has taken this long; --resume goes on from there
    #[arg(long, value_name = "TIME", value_parser = values::limit)]
    pub deadline: Option<Duration>,
    /// Stop when more than N pages have failed, or more than P percent of those that are done, from the hundredth on; --resume goes on from there
    #[arg(long, value_name = "N|P%", value_parser = values::failure_limit)]
    pub max_failures: Option<FailureLimit>,
    /// Memory for the bodies of all pages in flight, encoded and decoded; pages wait for it, and one alone always gets --max-size [default: half of what is free]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub max_memory: Option<Size>,
    /// Be a run of `compare`: end when standard input does, and follow no redirect to another host
    #[arg(long, hide = true)]
    pub compared: bool,
}

/// A mode of the table of executors, by its name
#[derive(Debug, Clone, Copy)]
pub struct ModeArg(pub &'static exec::Mode);

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
