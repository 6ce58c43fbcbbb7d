//! The command line: what the user typed becomes a decided command.
//!
//! Only this module uses clap and reads the environment.

pub(crate) mod args;
mod compare;
mod convert;
mod credentials;
mod download;
mod environment;
#[cfg(test)]
mod foreign_bytes;
mod http;
mod packaging;
mod parser_output;
mod passed_on;
mod plan;
mod proxies;
mod recorded;
mod source;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn robots_rules_are_looked_up_by_the_agent_that_is_sent() {
        let index = "--index=http://a.org/";
        for (words, token) in [
            (&[][..], "fetchpages"),
            (&["--contact=me@b.org"], "fetchpages"),
            (&["-AFooBot/2.0"], "FooBot"),
            (&["--user-agent="], "fetchpages"),
            (&["-HUser-Agent: FooBot/2.0"], "FooBot"),
            (&["-Hx: y", "-Huser-agent:FooBot", "-HUser-Agent: BarBot", "-ABazBot"], "FooBot"),
            (&["-HUser-Agent:", "-AFooBot"], "fetchpages"),
        ] {
            let agent = |command: &[&str]| {
                let line = [&["fetchpages"], command, &[index], words].concat();
                match read(line.into_iter().map(OsString::from)).unwrap() {
                    Command::Download(download) => download.plan.queue.agent,
                    Command::Links { plan, .. } => plan.queue.agent,
                    Command::Compare(comparison) => comparison.plan.queue.agent,
                    other => panic!("{other:?}"),
                }
            };
            for command in [&[][..], &["links"], &["compare"]] {
                assert_eq!(agent(command).as_str(), token, "{command:?} {words:?}");
            }
        }
    }

    #[test]
    fn a_contact_is_asked_for_where_the_agent_names_none() {
        let page = "https://en.wikipedia.org/wiki/India";
        for (word, is_asked) in [
            ("--contact=", env!("CARGO_PKG_REPOSITORY").is_empty()),
            ("--contact=me@a.org", false),
            ("--user-agent=FooBot (me@a.org)", false),
            ("--header=User-Agent: FooBot (me@a.org)", false),
        ] {
            let line = ["fetchpages", page, word].map(OsString::from);
            let Ok(Command::Download(download)) = read(line) else { panic!("{word}") };
            let asks = |note: &String| note.contains("--contact");
            assert_eq!(download.notes.iter().any(asks), is_asked, "{word}");
        }
    }

    #[test]
    fn what_was_decided_shows_no_secret() {
        let typed = [
            "fetchpages",
            "http://a.org/",
            "--proxy=http://me:secret@gate:1",
            "--user=me:secret",
            "--cookie=session=secret",
            "--header=Authorization: secret",
        ];
        let command = read(typed.map(OsString::from)).unwrap();
        let shown = format!("{command:?}");
        assert!(shown.contains("Proxy(http://gate:1)"), "{shown}");
        assert!(!shown.contains("secret") && !shown.contains("bWU6c2VjcmV0"), "{shown}");
    }
}
