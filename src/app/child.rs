//! A worker process of `--mode processes`; users do not start it.

use std::io::{stdin, stdout};
use std::os::fd::AsFd;

use anyhow::Context;

use super::exit::Status;
use crate::work::process::child;

pub(super) fn run() -> anyhow::Result<Status> {
    let orders = stdin().as_fd().try_clone_to_owned();
    let orders = orders.context("failed to take over standard input")?;
    let replies = stdout().as_fd().try_clone_to_owned();
    let replies = replies.context("failed to take over standard output")?;
    child::run(orders, replies)
        .context("this command is a part of --mode processes; users do not run it")?;
    Ok(Status::Done)
}
