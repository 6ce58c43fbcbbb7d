//! A worker process: does the local work for its parent.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::connection::Connection;
use super::serve::{Lent, Served, serve};
use super::set_up::SetUp;
use super::wire::WireError;
use crate::budget::Budget;
use crate::clock::{Clock, SystemClock};
use crate::fetch::Network;
use crate::message;
use crate::work::local::LocalWorkFactory;
use crate::work::{Cpu, WorkFactory};

/// A worker process cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    /// A user started it, not a parent process.
    #[error("standard input and output are not pipes to a parent process")]
    NoParent(#[source] io::Error),
    /// The event loop did not start.
    #[error("failed to start an event loop")]
    Runtime(#[source] io::Error),
    /// The process does not understand its parent, or the parent is gone.
    #[error("failed to work for the parent process")]
    Wire(#[from] WireError),
}

/// Works for the parent that sends orders to `stdin` and receives replies from `stdout`,
/// until it closes `stdin`.
///
/// # Errors
///
/// [`ChildError`] when the two are not pipes, or the process does not understand its parent.
pub(crate) fn run(stdin: OwnedFd, stdout: OwnedFd) -> Result<(), ChildError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Only name lookups use these threads, and one lookup serves a whole host.
        .max_blocking_threads(4)
        .build()
        .map_err(ChildError::Runtime)?;
    let result = runtime.block_on(async {
        let parent = Connection::new(stdin, stdout).map_err(ChildError::NoParent)?;
        bind_to_parent();
        leave_signals_to_parent().map_err(ChildError::Runtime)?;
        Ok(serve(parent, &SystemClock, make).await?)
    });
    // A name lookup cannot be stopped, and no page needs its result any more.
    runtime.shutdown_background();
    result
}

/// Makes the local work of a process that is set up with `set_up`. The error is why it
/// cannot, outermost cause first.
fn make(set_up: SetUp) -> Result<Served, Vec<String>> {
    let SetUp { fetch, location, own_memory } = set_up;
    let (lender, needs) = mpsc::unbounded_channel();
    let memory = Arc::new(Budget::lent(own_memory, lender));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let network =
        Network::new(fetch, Arc::clone(&clock)).map_err(|error| message::chain(&error))?;
    let network = Arc::new(network.within(Arc::clone(&memory)));
    let unknown = || vec![format!("unknown location of pages: {location:?}")];
    let sink =
        Arc::new(location.open().ok_or_else(unknown)?.map_err(|error| message::chain(&error))?);
    let factory =
        LocalWorkFactory { network: Arc::clone(&network), sink, clock, workers: NonZeroUsize::MIN };
    let work = factory.make(Cpu::Inline).map_err(|error| message::chain(&error))?;
    let lent = Lent { memory, own: own_memory, needs };
    Ok(Served { work, counts: Box::new(move || network.counts()), lent })
}

/// Ignores the signals that end a run. Ctrl-C reaches all processes of a terminal's
/// group, but the parent decides what happens to pages in flight; a process that died
/// by itself could not report its page.
fn leave_signals_to_parent() -> io::Result<()> {
    // A signal that was handled once never kills again, even when its listener is gone.
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        drop(signal(kind)?);
    }
    Ok(())
}

/// Makes the system kill this process as soon as its parent dies. On other systems the
/// process ends when it next reads its orders, at the latest after the current page.
fn bind_to_parent() {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::{prctl, signal::Signal};
        // The system sends the signal when the thread that started this process ends. That
        // thread runs the parent's event loop and lives as long as its work. The call does
        // not fail for a valid signal (prctl(2)). If it did, the end of the orders would
        // still end this process.
        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
        // The name that ps shows; the default is the name of the file, /proc/self/exe: "exe".
        let _ = prctl::set_name(c"fetchpages");
    }
}
