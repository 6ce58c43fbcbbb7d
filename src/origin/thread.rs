//! The server's thread: starting it, waiting until it listens, and joining it.
//!
//! [`server`](super::server) does the work there.

use std::net::SocketAddr;
use std::panic;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::error::OriginError;
use super::server::{Server, listen};

/// A server on a thread of its own; dropping it stops the server.
#[derive(Debug)]
pub(super) struct ServerThread {
    addr: SocketAddr,
    /// Dropped to stop the server.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ServerThread {
    /// Starts the thread and the server; returns when the server listens.
    pub(super) fn start(server: Server, wanted: SocketAddr) -> Result<ServerThread, OriginError> {
        let (stop, stopped) = oneshot::channel();
        let (report, reported) = mpsc::sync_channel(1);
        // The thread makes its own event loop: the caller may be inside another one, where no loop
        // may be run or dropped.
        let serve = move || {
            let (outcome, ready) = match prepare(wanted) {
                Ok((runtime, listener, addr)) => (Ok(addr), Some((runtime, listener))),
                Err(error) => (Err(error), None),
            };
            report.send(outcome).expect("the starter waits for the report");
            if let Some((runtime, listener)) = ready {
                runtime.block_on(server.run(listener, stopped));
            }
        };
        let thread = thread::Builder::new()
            .name("origin".to_owned())
            .spawn(serve)
            .map_err(OriginError::Thread)?;
        let addr = match reported.recv().expect("the thread reports before it ends") {
            Ok(addr) => addr,
            Err(error) => {
                join(thread);
                return Err(error);
            }
        };
        Ok(ServerThread { addr, stop: Some(stop), thread: Some(thread) })
    }

    /// The address that the server listens on.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for ServerThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            join(thread);
        }
    }
}

/// Joins the thread and passes its panic on, unless this thread panics already.
fn join(thread: JoinHandle<()>) {
    if let Err(reason) = thread.join()
        && !thread::panicking()
    {
        panic::resume_unwind(reason);
    }
}

/// Makes the event loop and the socket, with the address on which it really listens.
fn prepare(wanted: SocketAddr) -> Result<(Runtime, TcpListener, SocketAddr), OriginError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(OriginError::Thread)?;
    let listening = {
        let _inside = runtime.enter();
        listen(wanted).and_then(|listener| {
            let addr = listener.local_addr()?;
            Ok((listener, addr))
        })
    };
    let (listener, addr) =
        listening.map_err(|source| OriginError::Listen { addr: wanted, source })?;
    Ok((runtime, listener, addr))
}
