//! One function per subcommand: it connects the modules, which do the work.

mod child;
mod compare;
mod demo;
mod download;
pub mod exit;
mod limits;
mod links;
mod memory;
mod observers;
mod origin;
mod signals;
mod source;
mod terminal;
#[cfg(test)]
mod tests;
mod verify;

use crate::cli::{Command, CommandLine, NoCommand};
use exit::{Exit, Status};
use terminal::{print, print_own, report};

/// Runs the command of a command line, or prints why there is none, and returns the exit status.
///
/// Results go to standard output, all else to standard error.
pub fn run(line: CommandLine) -> Status {
    terminal::clean_panics();
    let result = match line.0 {
        Ok(Command::Download(config)) => download::run(&config),
        Ok(Command::Links { plan, layout, json }) => links::run(&plan, layout, json),
        Ok(Command::Compare(config)) => compare::run(&config),
        Ok(Command::Verify { target, list }) => verify::run(&target, list),
        Ok(Command::Origin { options, until_stdin_ends }) => {
            origin::run(&options, until_stdin_ends)
        }
        Ok(Command::Print(text)) => print_own(&text).map(|()| Status::Done),
        Ok(Command::Child) => child::run(),
        Err(NoCommand::Parser(output)) if output.is_error => {
            report(&output.text);
            return Status::Usage;
        }
        Err(NoCommand::Parser(output)) => print(&output.text).map(|()| Status::Done),
        Err(NoCommand::Usage(error)) => Err(error.into()),
        Err(NoCommand::Output(error)) => Err(error.into()),
    };
    result.unwrap_or_else(|error| {
        let exit = Exit::of(&error);
        report(&exit.message);
        exit.status
    })
}
