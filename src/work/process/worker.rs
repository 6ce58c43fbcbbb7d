//! One worker process, from its parent's side: start, send, receive, end, reap.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use futures_util::FutureExt;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use serde::de::DeserializeOwned;

use super::connection::Connection;
use super::wire::{WireError, WorkerReply};

/// The program that a worker process runs.
#[derive(Debug, Clone)]
pub(in crate::work) struct Program {
    /// Its file.
    pub(in crate::work) path: PathBuf,
    /// Its command line, without its name.
    pub(in crate::work) arguments: Vec<OsString>,
}

impl Program {
    /// Returns this program, called with `arguments`.
    ///
    /// # Errors
    ///
    /// When the system does not know where the program's file is.
    pub(super) fn this(arguments: &[&str]) -> io::Result<Self> {
        // This path names the running program even after its file was replaced or removed
        // (proc(5)).
        let myself = Path::new("/proc/self/exe");
        let is_known = myself.symlink_metadata().is_ok();
        let path = if is_known { myself.to_owned() } else { std::env::current_exe()? };
        Ok(Self { path, arguments: arguments.iter().map(OsString::from).collect() })
    }
}

/// A worker process. Dropping this kills it.
pub(super) struct WorkerProcess {
    /// The number of its start, counted from 1.
    pub(super) number: usize,
    /// Whether it has finished its set-up.
    pub(super) is_ready: bool,
    connection: Connection,
    child: KillOnDrop,
}

impl WorkerProcess {
    /// Starts `program`, with the pipes to it as its standard input and output.
    pub(super) fn start(program: &Program, number: usize) -> io::Result<Self> {
        let (orders, order_sender) = io::pipe()?;
        let (reply_receiver, replies) = io::pipe()?;
        let child = Command::new(&program.path)
            .arg0(env!("CARGO_PKG_NAME"))
            .args(&program.arguments)
            .stdin(orders)
            .stdout(replies)
            // A signal from the terminal is for the parent to handle.
            .process_group(0)
            .spawn()
            .map(KillOnDrop)?;
        let connection = Connection::new(reply_receiver, order_sender)?;
        Ok(Self { number, is_ready: false, connection, child })
    }

    /// Returns its process identifier.
    pub(super) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Returns whether an idle process is useless: it has closed its output, or has sent a
    /// message without an order.
    pub(super) fn is_useless(&mut self) -> bool {
        self.connection.receive::<WorkerReply>().now_or_never().is_some()
    }

    /// Sends encoded messages to it.
    pub(super) async fn send(&mut self, frames: &[u8]) -> Result<(), WireError> {
        self.connection.send(frames).await
    }

    /// Receives a message from it; `None` when it has closed its output.
    pub(super) async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, WireError> {
        self.connection.receive().await
    }

    /// Kills it. Messages that it sent before can still be received.
    pub(super) fn kill(&mut self) {
        // Fails only when it was reaped before.
        let _ = self.child.0.kill();
    }

    /// Kills it, waits until it is gone, and returns how it ended. This blocks the thread for
    /// a moment.
    pub(super) fn reap(mut self) -> io::Result<ExitStatus> {
        // A process that has ended by itself keeps its exit status.
        self.kill();
        self.child.0.wait()
    }
}

/// Ends `processes`, which are all idle: closes their orders and waits until they have
/// ended. Those that have not ended after `patience` are killed.
pub(super) fn shut_down(processes: Vec<WorkerProcess>, patience: Duration) {
    let closed: Vec<_> =
        processes.into_iter().map(|process| (process.connection.close(), process.child)).collect();
    let mut patience = patience;
    for (replies, child) in closed {
        // There is no way to wait for a process whose pipe the runtime does not hand back.
        if !replies.is_ok_and(|replies| ends_within(&replies, patience)) {
            // The other processes have had the same time to end.
            patience = Duration::from_millis(1);
        }
        drop(child);
    }
}

/// Waits until the process at the other end of `replies` closes it, and returns whether it
/// does so within `patience`. A message counts as the end too, because an idle process has
/// nothing to report.
fn ends_within(replies: &OwnedFd, patience: Duration) -> bool {
    let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::MAX);
    poll(&mut [PollFd::new(replies.as_fd(), PollFlags::POLLIN)], timeout) != Ok(0)
}

/// A child process that ends when this value is dropped.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // Both fail only when it was reaped before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns how a process ended, as the text that follows "worker process 3 …".
pub(super) fn describe(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) => {
            let name = Signal::try_from(signal).map_or("unknown", Signal::as_str);
            format!("was killed by signal {signal} ({name})")
        }
        None => format!("ended with status {}", status.code().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_described() {
        assert_eq!(describe(ExitStatus::from_raw(9)), "was killed by signal 9 (SIGKILL)");
        assert_eq!(describe(ExitStatus::from_raw(0x80 | 6)), "was killed by signal 6 (SIGABRT)");
        assert_eq!(describe(ExitStatus::from_raw(3 << 8)), "ended with status 3");
    }
}
