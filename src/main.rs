//! The program: parse, run, exit code. Everything else is in the library.

use std::process::ExitCode;

use fetchpages::{app, cli};

fn main() -> ExitCode {
    let line = cli::parse(std::env::args_os());
    app::run(line).into()
}
