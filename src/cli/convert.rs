//! Turns what the user typed into a decided command.

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::args::{Cli, LinksArgs, Subcommands};
use super::compare::comparison;
use super::download::{download, target};
use super::plan::{Running, plan};
use super::usage::{NoCommand, Result, usage};
use super::{Command, packaging, source};
use crate::origin;

/// Decides on the command. `matches` show whether an option was typed, or has its default.
pub(super) fn command(typed: Cli, matches: &ArgMatches) -> std::result::Result<Command, NoCommand> {
    let is_typed = |option: &str| matches.value_source(option) == Some(ValueSource::CommandLine);
    Ok(match typed.command {
        None => Command::Download(Box::new(download(typed.download, &is_typed)?)),
        Some(Subcommands::Compare(typed)) => {
            let (_, typed_there) = matches.subcommand().expect("`compare` is a subcommand");
            Command::Compare(Box::new(comparison(*typed, typed_there)?))
        }
        Some(Subcommands::Links(typed)) => links(&typed)?,
        Some(Subcommands::Verify(typed)) => {
            Command::Verify { target: target("the target ", &typed.target)?, list: typed.list }
        }
        Some(Subcommands::Child) => Command::Child,
        Some(Subcommands::Completions { shell }) => Command::Print(packaging::completions(shell)),
        Some(Subcommands::Man { command }) => {
            Command::Print(packaging::manual(command.as_deref())?)
        }
        Some(Subcommands::Origin(typed)) => Command::Origin {
            options: origin::Options {
                port: typed.port,
                latency: typed.latency,
                capacity: typed.capacity,
                bandwidth: typed.bandwidth.map(|size| size.0),
                pages: typed.pages,
                cpu_per_page: typed.cpu_per_page,
                seed: typed.seed,
                tls: typed.tls,
                faults: faults(typed.fault)?,
            },
            until_stdin_ends: typed.until_stdin_ends,
        },
    })
}

fn faults(typed: Vec<origin::FaultShare>) -> Result<origin::Faults> {
    origin::Faults::new(typed)
        .or_else(|error| usage(format!("--fault: {error}"), "lower one of the percentages"))
}

fn links(typed: &LinksArgs) -> Result<Command> {
    Ok(Command::Links {
        plan: Box::new(plan(source::chosen(&typed.source)?, &typed.http, Running::default())?),
        layout: typed.layout.layout.into(),
        json: typed.json,
    })
}
