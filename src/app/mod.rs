//! One function for each subcommand: everything is wired here and computed elsewhere.

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
mod verify;

use std::io::{self, Write};

use crate::cli::{Command, NoCommand};
use exit::{Exit, Status};

/// Runs a command, or prints why there is none, and gives the exit status.
///
/// Results go to standard output, all else to standard error.
pub fn run(command: Result<Command, NoCommand>) -> Status {
    let result = match command {
        Ok(Command::Download(config)) => download::run(&config),
        Ok(Command::Links { plan, layout, json }) => links::run(&plan, layout, json),
        Ok(Command::Compare(config)) => compare::run(&config),
        Ok(Command::Verify { directory, list }) => verify::run(&directory, list),
        Ok(Command::Origin { options, until_stdin_ends }) => {
            origin::run(&options, until_stdin_ends)
        }
        Ok(Command::Print(text)) => print_bytes(&text).map(|()| Status::Done),
        Ok(Command::Child) => child::run(),
        Err(NoCommand::Parser(error)) => {
            // A closed pipe is no error.
            let _ = error.print();
            return if error.use_stderr() { Status::Usage } else { Status::Done };
        }
        Err(NoCommand::Usage(error)) => Err(error.into()),
        Err(NoCommand::Output(error)) => Err(error.into()),
    };
    result.unwrap_or_else(|error| {
        let exit = Exit::of(&error);
        tell(&exit.message);
        exit.status
    })
}

/// Writes to standard error. When that is closed, there is nobody to tell.
fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes to standard output. A closed pipe is no error: the reader has what it wanted.
fn print(text: &str) -> anyhow::Result<()> {
    print_bytes(text.as_bytes())
}

fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    quiet_pipe(out.write_all(bytes).and_then(|()| out.flush()))
}

/// The result of writing to standard output, where a closed pipe is no error.
fn quiet_pipe(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| {
            anyhow::Error::new(error).context("failed to write to standard output")
        }),
    }
}
