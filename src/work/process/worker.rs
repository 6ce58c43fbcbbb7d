//! A worker process, as its parent sees it: started, spoken to, ended and reaped.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use futures_util::FutureExt;
use nix::sys::signal::Signal;
use serde::de::DeserializeOwned;

use super::wire::{Pipe, Reply, WireError};

/// So long processes that were told to end are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a worker process runs.
#[derive(Debug, Clone)]
pub(in crate::work) struct Program {
    /// The file.
    pub(super) path: PathBuf,
    /// What it is called with.
    pub(super) arguments: Vec<OsString>,
}

impl Program {
    /// This program, called with `arguments`.
    ///
    /// # Errors
    ///
    /// When the system does not say where its file is.
    pub(in crate::work) fn this(arguments: &[&str]) -> io::Result<Self> {
        // Still this very program after its file was replaced or removed (proc(5)).
        let myself = Path::new("/proc/self/exe");
        let is_known = myself.symlink_metadata().is_ok();
        let path = if is_known { myself.to_owned() } else { std::env::current_exe()? };
        Ok(Self { path, arguments: arguments.iter().map(OsString::from).collect() })
    }
}

/// A worker process. It is killed when this is dropped.
pub(super) struct WorkerProcess {
    /// Which one, counted from 1 over all that were started.
    pub(super) number: usize,
    /// Whether it is through with its set-up.
    pub(super) is_ready: bool,
    pipe: Pipe,
    child: KillOnDrop,
}

impl WorkerProcess {
    /// Starts `program`, whose standard input is the connection to it.
    pub(super) fn start(program: &Program, number: usize) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(&program.path)
            .arg0(env!("CARGO_PKG_NAME"))
            .args(&program.arguments)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            // Results are the parent's to tell.
            .stdout(Stdio::null())
            // A signal from the terminal is the parent's to heed.
            .process_group(0)
            .spawn()
            .map(KillOnDrop)?;
        let pipe = Pipe::new(ours)?;
        Ok(Self { number, is_ready: false, pipe, child })
    }

    /// Its number in the system.
    pub(super) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Whether it is of no use any more, as far as is known, when it has no page:
    /// its connection has ended, or it says something unasked.
    pub(super) fn is_useless(&mut self) -> bool {
        self.pipe.receive::<Reply>().now_or_never().is_some()
    }

    pub(super) async fn send(&mut self, frames: &[u8]) -> Result<(), WireError> {
        self.pipe.send(frames).await
    }

    pub(super) async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, WireError> {
        self.pipe.receive().await
    }

    /// Kills it. What it has said before can still be received.
    pub(super) fn kill(&mut self) {
        // One that is dead already is as it should be.
        let _ = self.child.0.kill();
    }

    /// Kills it, waits until it is gone and says how it ended. Blocks for that moment.
    pub(super) fn reap(mut self) -> io::Result<ExitStatus> {
        // One that has ended by itself keeps the status that it ended with.
        self.kill();
        self.child.0.wait()
    }
}

/// Tells `processes`, none of which has a turn going on, to end, and waits for
/// that: for some seconds, then they are killed.
pub(super) fn shut_down(processes: Vec<WorkerProcess>) {
    let told: Vec<_> = processes.into_iter().map(close).collect();
    let mut patience = PATIENCE;
    for (connection, child) in told {
        if !ends_within(connection, patience) {
            // The others have had the same time.
            patience = Duration::from_millis(1);
        }
        drop(child);
    }
}

/// Ends what is said to a process; it ends itself then, and with it the connection.
fn close(process: WorkerProcess) -> (UnixStream, KillOnDrop) {
    let WorkerProcess { pipe, child, .. } = process;
    let connection = pipe.into_stream();
    // Fails when it has ended already.
    let _ = connection.shutdown(Shutdown::Write);
    (connection, child)
}

fn ends_within(mut connection: UnixStream, patience: Duration) -> bool {
    let is_set = connection
        .set_nonblocking(false)
        .and_then(|()| connection.set_read_timeout(Some(patience)));
    // One that broke has ended too; a read that takes too long would block.
    is_set.is_ok()
        && connection.read(&mut [0]).map_err(|error| error.kind()) != Err(ErrorKind::WouldBlock)
}

/// A child that does not outlive this value.
struct KillOnDrop(Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        // Both fail only when it was waited for before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a process ended, after "worker process 3 …".
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
