//! Bytes that the HTTP library never sends by itself, inserted among the bytes that it sends.
//!
//! This layer is above TLS, so that it works with and without TLS. [`server`](super::server) and
//! [`connection`](super::connection) decide when to insert.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::{HeaderName, HeaderValue};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The header that is sent folded over two lines.
pub(super) const FOLDED_NAME: HeaderName = HeaderName::from_static("x-folded");

/// The header's value before it is folded.
pub(super) const FOLDED_VALUE: HeaderValue = HeaderValue::from_static("one; two");

/// The folded line up to where its second line begins, with the space that makes it one.
const FIRST_LINE: &[u8] = b"x-folded: one;";

/// A GOAWAY frame with `NO_ERROR` that names stream 1, the first of a client, as the last one that
/// is processed (RFC 9113, section 6.8).
const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

/// What is inserted among the bytes of a connection.
pub(super) enum Addition {
    /// Nothing.
    Nothing,
    /// A line break in each header [`FOLDED_NAME`] of HTTP/1.1 (RFC 9112, section 5.2).
    Folds,
    /// A GOAWAY frame of HTTP/2, once it is requested.
    GoAway(Arc<GoAway>),
}

/// A request to send GOAWAY, which makes a client leave its connection.
#[derive(Debug, Default)]
pub(super) struct GoAway {
    is_due: AtomicBool,
}

impl GoAway {
    /// Requests the frame, which is sent with the next flush; the connection's task flushes each
    /// time it runs. Returns whether the frame was requested before.
    pub(super) fn request(&self) -> bool {
        self.is_due.swap(true, Ordering::Relaxed)
    }

    fn is_due(&self) -> bool {
        self.is_due.load(Ordering::Relaxed)
    }
}

/// A connection with additions among the bytes that are written.
pub(super) struct Wire<S> {
    stream: S,
    addition: Addition,
    /// Bytes that are sent before anything else.
    rest: Bytes,
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, addition: Addition) -> Wire<S> {
        Wire { stream, addition, rest: Bytes::new() }
    }

    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

/// Folds the header's line in these bytes; `None` if they do not begin with a head that has it.
fn folded(bytes: &[u8]) -> Option<Bytes> {
    let is_head = bytes.starts_with(b"HTTP/1.1 ");
    let head = &bytes[..memmem::find(bytes, b"\r\n\r\n").filter(|_| is_head)?];
    let fold = memmem::find(head, FIRST_LINE)? + FIRST_LINE.len();
    Some([&bytes[..fold], b"\r\n", &bytes[fold..]].concat().into())
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = &mut *self;
        ready!(wire.poll_rest(context))?;
        if matches!(wire.addition, Addition::Folds)
            && let Some(folded) = folded(bytes)
        {
            // Reports all bytes as written: a part of the folded head has no matching number of
            // the caller's bytes.
            wire.rest = folded;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut wire.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_rest(context))?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    /// Returns false if heads are searched, so that a head comes in one piece.
    fn is_write_vectored(&self) -> bool {
        !matches!(self.addition, Addition::Folds) && self.stream.is_write_vectored()
    }

    /// The HTTP library calls this after it has written whole frames.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        ready!(wire.poll_rest(context))?;
        if matches!(&wire.addition, Addition::GoAway(go_away) if go_away.is_due()) {
            wire.addition = Addition::Nothing;
            wire.rest = Bytes::from_static(GOAWAY);
            ready!(wire.poll_rest(context))?;
        }
        Pin::new(&mut wire.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_rest(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn only_a_head_with_the_header_is_folded() {
        let head = b"HTTP/1.1 200 OK\r\nx-folded: one; two\r\n\r\nx";
        let two_lines = b"HTTP/1.1 200 OK\r\nx-folded: one;\r\n two\r\n\r\nx";
        assert_eq!(folded(head).as_deref(), Some(&two_lines[..]));
        for text in [
            "HTTP/1.1 200 OK\r\n\r\nx-folded: one; two",
            "x-folded: one; two\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx-folded: one; two\r\n",
            "",
        ] {
            assert_eq!(folded(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_header_is_the_one_that_is_looked_for() {
        let line = format!("{FOLDED_NAME}: {}", FOLDED_VALUE.to_str().unwrap());
        assert!(line.as_bytes().starts_with(FIRST_LINE));
        assert_eq!(line.as_bytes()[FIRST_LINE.len()], b' ');
    }

    /// What arrives of `bytes`, written through a pipe that takes five bytes at a time.
    async fn through(addition: Addition, bytes: &[u8]) -> Vec<u8> {
        let (near, mut far) = tokio::io::duplex(5);
        let mut wire = Wire::new(near, addition);
        let write = async {
            wire.write_all(bytes).await.unwrap();
            wire.flush().await.unwrap();
            wire.flush().await.unwrap();
            wire.shutdown().await.unwrap();
        };
        let mut arrived = Vec::new();
        let ((), read) = tokio::join!(write, far.read_to_end(&mut arrived));
        read.unwrap();
        arrived
    }

    #[tokio::test]
    async fn additions_arrive_whole_and_once_over_a_narrow_line() {
        let head = b"HTTP/1.1 200 OK\r\nx-folded: one; two\r\n\r\nbody";
        assert_eq!(through(Addition::Nothing, head).await, head);
        assert_eq!(through(Addition::Folds, head).await, folded(head).unwrap());
        let go_away = Arc::<GoAway>::default();
        let addition = || Addition::GoAway(Arc::clone(&go_away));
        assert_eq!(through(addition(), b"frames").await, b"frames");
        assert!(!go_away.request());
        assert_eq!(through(addition(), b"frames").await, [b"frames", GOAWAY].concat());
        assert!(go_away.request());
    }
}
