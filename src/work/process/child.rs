//! A worker process: the real work, done for a parent.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::serve::{Lent, Served, serve};
use super::set_up::SetUp;
use super::wire::WireError;
use crate::budget::Budget;
use crate::clock::{Clock, SystemClock};
use crate::fetch::Shared;
use crate::message;
use crate::work::local::LocalWorkFactory;
use crate::work::{Cpu, WorkFactory};

/// A worker process cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// Nobody is there to work for.
    #[error("standard input is no connection to a parent")]
    NoParent(#[source] io::Error),
    /// No event loop.
    #[error("failed to start an event loop")]
    Runtime(#[source] io::Error),
    /// The parent cannot be understood or answered.
    #[error("failed to work for the parent")]
    Wire(#[from] WireError),
}

/// Works for the parent at the other end of `stdin` until it hangs up.
///
/// # Errors
///
/// [`ChildError`] when nobody is there, or what is said cannot be understood.
pub fn run(stdin: OwnedFd) -> Result<(), ChildError> {
    let stream = UnixStream::from(stdin);
    // Fails where it is something else than a socket.
    stream.local_addr().map_err(ChildError::NoParent)?;
    bind_to_parent();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Name lookups alone use these threads, and one lookup serves a host.
        .max_blocking_threads(4)
        .build()
        .map_err(ChildError::Runtime)?;
    let result = runtime.block_on(async {
        leave_signals_to_parent().map_err(ChildError::Runtime)?;
        Ok(serve(stream, &SystemClock, make).await?)
    });
    // A name lookup cannot be stopped, and nobody waits for it any more.
    runtime.shutdown_background();
    result
}

fn make(set_up: SetUp) -> Result<Served, Vec<String>> {
    let SetUp { fetch, location, own_memory } = set_up;
    let (lender, asked) = mpsc::unbounded_channel();
    let memory = Arc::new(Budget::lent(own_memory, lender));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let shared = Shared::new(fetch, Arc::clone(&clock)).map_err(|error| message::chain(&error))?;
    let shared = Arc::new(shared.within(Arc::clone(&memory)));
    let unknown = || vec![format!("no way of keeping pages is known as {location:?}")];
    let sink =
        Arc::new(location.open().ok_or_else(unknown)?.map_err(|error| message::chain(&error))?);
    let factory =
        LocalWorkFactory { shared: Arc::clone(&shared), sink, clock, workers: NonZeroUsize::MIN };
    let work = factory.make(Cpu::Inline).map_err(|error| message::chain(&error))?;
    let lent = Lent { memory, own: own_memory, asked };
    Ok(Served { work, tally: Box::new(move || shared.tally()), lent })
}

/// Ctrl-C reaches all processes of a terminal's group. The parent decides what
/// becomes of pages in flight; and it may be gone before it can say so.
fn leave_signals_to_parent() -> io::Result<()> {
    // Once handled, they stay so, whether anybody listens or not.
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        drop(signal(kind)?);
    }
    Ok(())
}

/// Has this process die with its parent at once, whatever it is doing. Elsewhere
/// it ends when it next looks at the connection, after a page at most.
fn bind_to_parent() {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::{prctl, signal::Signal};
        // Meant for the thread that started this process, which is the parent's
        // event loop and lives as long as its work. Refused nowhere (prctl(2));
        // if it were, the end of the connection still tells.
        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
        // What ps shows: the file's name in /proc says nothing.
        let _ = prctl::set_name(c"fetchpages");
    }
}
