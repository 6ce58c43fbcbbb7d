//! The command line: what the user typed becomes a decided command.
//!
//! Only this module uses clap and reads the environment.

pub(crate) mod args;
mod compare;
mod convert;
mod credentials;
mod download;
mod environment;
mod http;
mod packaging;
mod parser_output;
mod passed_on;
mod plan;
mod proxies;
mod recorded;
mod source;
#[cfg(test)]
mod tests;
mod usage;
mod values;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};

use crate::config::{Comparison, Download, PlanOptions};
use crate::origin;
use crate::save::names::Layout;
use crate::save::sink::Target;
pub(crate) use usage::{NoCommand, UsageError};

/// A command line that was read: its command, or why it has none.
#[derive(Debug)]
pub struct CommandLine(pub(crate) Result<Command, NoCommand>);

/// A command with all its options decided.
#[derive(Debug)]
pub(crate) enum Command {
    /// Fetch pages.
    Download(Box<Download>),
    /// Print the plan.
    Links {
        /// The source, and how it is read.
        plan: Box<PlanOptions>,
        /// The layout of file names.
        layout: Layout,
        /// Whether each line is a JSON object.
        json: bool,
    },
    /// Run modes side by side.
    Compare(Box<Comparison>),
    /// Check a download.
    Verify {
        /// The output that holds the pages.
        target: Target,
        /// Whether to print only the URLs to fetch again.
        list: bool,
    },
    /// Serve the embedded site.
    Origin {
        /// The settings of the site.
        options: origin::Options,
        /// Whether to end when standard input ends.
        until_stdin_ends: bool,
    },
    /// Print these bytes to standard output.
    Print(Vec<u8>),
    /// Be a worker process.
    Child,
}

/// Reads the command line `arguments`. The first one is the name of the program.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> CommandLine {
    CommandLine(read(arguments))
}

/// Reads the command that `arguments` give.
///
/// # Errors
///
/// [`NoCommand`], also for `--help` and `--version`.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, NoCommand> {
    let parser = |error: clap::Error| NoCommand::Parser(error.into());
    let matches = description().try_get_matches_from(arguments).map_err(parser)?;
    let typed = args::Cli::from_arg_matches(&matches).map_err(parser)?;
    convert::command(typed, &matches)
}

/// Returns the parser's description of all options, for checks of the documentation.
pub fn description() -> clap::Command {
    args::Cli::command()
}
