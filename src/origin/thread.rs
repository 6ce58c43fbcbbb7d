//! The thread that the server runs on: started, listened to until it is ready, and joined.
//!
//! What the server does there is left to [`server`](super::server).

use std::net::SocketAddr;
use std::panic;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::OriginError;
use super::server::{Server, listen};

/// A server on a thread of its own, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct ServerThread {
    addr: SocketAddr,
    /// Dropped to stop the server.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ServerThread {
    /// Runs the server; returns when it listens.
    pub(super) fn start(server: Server, wanted: SocketAddr) -> Result<ServerThread, OriginError> {
        let (stop, stopped) = oneshot::channel();
        let (report, reported) = mpsc::sync_channel(1);
        // The event loop is made on the thread: the caller may be inside another one, where none
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

    /// Where the server listens.
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

/// Waits for the end of the thread and passes its panic on, unless there is one on its way.
fn join(thread: JoinHandle<()>) {
    if let Err(reason) = thread.join()
        && !thread::panicking()
    {
        panic::resume_unwind(reason);
    }
}

/// The event loop and the socket, which tells where it really listens.
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
