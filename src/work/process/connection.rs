//! The connection between a worker process and its parent: two pipes, one for each direction.
//!
//! The process has its ends as standard input and standard output. Each end notices
//! that the other process died: a read finds the end of the pipe, and a write fails.

use std::io;
use std::os::fd::OwnedFd;

use bytes::BytesMut;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::{Receiver, Sender};

use super::wire::{self, WireError};

/// Room for one read, in bytes: most messages arrive whole in one.
const ROOM: usize = 8 * 1024;

/// One side of the connection.
///
/// The event loop watches both pipes. Linux reports room in a pipe only after the pipe
/// was full (`pipe_read` in fs/pipe.c), so the reader does not wake the writer for each
/// message. A Unix socket would.
pub(in crate::work) struct Connection {
    incoming: Receiver,
    outgoing: Sender,
    /// Bytes that were read and are not decoded yet.
    frames: BytesMut,
}

impl Connection {
    /// Creates a connection that reads from `incoming` and writes to `outgoing`. Call it inside
    /// a runtime.
    ///
    /// # Errors
    ///
    /// When one of them is not this end of a pipe, or the event loop cannot watch it.
    pub(in crate::work) fn new(
        incoming: impl Into<OwnedFd>,
        outgoing: impl Into<OwnedFd>,
    ) -> io::Result<Self> {
        let incoming = Receiver::from_owned_fd(incoming.into())?;
        let outgoing = Sender::from_owned_fd(outgoing.into())?;
        Ok(Self { incoming, outgoing, frames: BytesMut::new() })
    }

    /// Closes the outgoing pipe, which the other side reads as the end, and returns the
    /// incoming one.
    ///
    /// # Errors
    ///
    /// When the runtime cannot hand the incoming pipe back.
    pub(super) fn close(self) -> io::Result<OwnedFd> {
        let Self { incoming, outgoing, .. } = self;
        drop(outgoing);
        incoming.into_nonblocking_fd()
    }

    /// Sends encoded messages.
    pub(super) async fn send(&mut self, frames: &[u8]) -> Result<(), WireError> {
        Ok(self.outgoing.write_all(frames).await?)
    }

    /// Receives a message; `None` at the end of the pipe. Dropping the future loses nothing.
    pub(super) async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, WireError> {
        loop {
            if let Some(message) = wire::decode(&mut self.frames)? {
                return Ok(Some(message));
            }
            self.frames.reserve(ROOM);
            if self.incoming.read_buf(&mut self.frames).await? == 0 {
                return if self.frames.is_empty() { Ok(None) } else { Err(WireError::Cut) };
            }
        }
    }
}
