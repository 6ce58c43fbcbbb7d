//! A worker process of `--mode processes`; not for people to run.

use std::io::stdin;
use std::os::fd::AsFd;

use anyhow::Context;

use super::exit::Status;
use crate::work::process::child;

pub(super) fn run() -> anyhow::Result<Status> {
    let connection = stdin().as_fd().try_clone_to_owned();
    let connection = connection.context("failed to take over standard input")?;
    child::run(connection).context("this is a part of --mode processes, not for people to run")?;
    Ok(Status::Done)
}
