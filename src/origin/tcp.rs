//! A TCP connection that counts its flushes, and that can be reset instead of closed.
//!
//! This layer is below TLS, so that it works with and without TLS. [`server`](super::server) and
//! [`body`](super::body) decide when to abort a connection.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection; the layers above read and write as with any stream.
pub(super) struct TcpConnection {
    stream: TcpStream,
    handle: Arc<TcpHandle>,
}

impl TcpConnection {
    /// Wraps this stream; also returns a handle for the code that answers the requests on it.
    pub(super) fn new(stream: TcpStream) -> (TcpConnection, Arc<TcpHandle>) {
        let handle = Arc::new(TcpHandle::default());
        (TcpConnection { stream, handle: Arc::clone(&handle) }, handle)
    }
}

/// Controls a connection without owning it.
#[derive(Debug, Default)]
pub(super) struct TcpHandle {
    flushes: Mutex<Flushes>,
    reset: AtomicBool,
}

#[derive(Debug, Default)]
struct Flushes {
    count: u64,
    waiting: Vec<Waker>,
}

impl TcpHandle {
    /// Makes the connection send a reset instead of closing in order when it is dropped.
    pub(super) fn reset_when_dropped(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    /// The number of flushes so far: after each, the system has everything that was written.
    pub(super) fn flushes(&self) -> u64 {
        self.lock().count
    }

    /// Is ready after more flushes than `since`.
    pub(super) fn poll_flushed(&self, since: u64, context: &mut Context<'_>) -> Poll<()> {
        let mut flushes = self.lock();
        if flushes.count > since {
            return Poll::Ready(());
        }
        if !flushes.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            flushes.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Counts a flush and wakes the tasks that wait for one.
    pub(super) fn count_flush(&self) {
        let waiting = {
            let mut flushes = self.lock();
            flushes.count += 1;
            std::mem::take(&mut flushes.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Flushes> {
        self.flushes.lock().expect("nothing panics while it counts")
    }
}

impl Drop for TcpConnection {
    fn drop(&mut self) {
        if self.handle.reset.load(Ordering::Relaxed) {
            // With a lingering time of zero, closing discards unsent data and sends RST. If the
            // system refuses that, the connection is gone already.
            self.stream.set_zero_linger().ok();
        }
    }
}

impl AsyncRead for TcpConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// The layers above call this after they have written all that they had; that is why it is
    /// counted. The socket itself needs no flush.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.handle.count_flush();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream as BlockingStream;
    use std::time::Duration;

    use bytes::Bytes;
    use h2::Reason;
    use h2::client::SendRequest;
    use http::Request;
    use rustls::{ClientConfig, ClientConnection, StreamOwned};

    use super::*;
    use crate::origin::tests::faulty;
    use crate::origin::{DEFAULT_SEED, Origin, Site, certificate};

    const ARTICLE: &str = "/wiki/India";

    /// An origin with TLS where every article has this fault.
    fn origin(kind: &str) -> Origin {
        faulty(kind, true)
    }

    fn trusting(origin: &Origin, protocol: &str) -> Arc<ClientConfig> {
        certificate::trusting(origin.certificate_pem().unwrap(), protocol)
    }

    /// A request over TLS and HTTP/1.1, with a time limit in case the origin is broken.
    fn ask(origin: &Origin) -> StreamOwned<ClientConnection, BlockingStream> {
        let config = trusting(origin, "http/1.1");
        let tls = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        let stream = BlockingStream::connect(origin.addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut stream = StreamOwned::new(tls, stream);
        let request = format!("GET {ARTICLE} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    #[test]
    fn a_reset_goes_through_tls() {
        let mut stream = ask(&origin("reset"));
        let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }

    #[test]
    fn a_cut_body_arrives_as_far_as_it_goes_over_tls() {
        let origin = origin("cut");
        let mut received = Vec::new();
        let error = ask(&origin).read_to_end(&mut received).unwrap_err();
        // Without the notice that ends TLS in good order.
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        let page = origin.site().get(ARTICLE).unwrap().plain();
        assert!(received.ends_with(&page[page.len() / 2 - 1000..page.len() / 2]));
    }

    /// Sends two requests for this path on one HTTP/2 connection; returns how long each body was,
    /// and why it was aborted.
    fn over_http2(origin: &Origin, path: &str) -> Vec<(usize, Option<Reason>)> {
        let exchange = async {
            let connector = tokio_rustls::TlsConnector::from(trusting(origin, "h2"));
            let stream = TcpStream::connect(origin.addr()).await.unwrap();
            let name = "localhost".try_into().unwrap();
            let stream = connector.connect(name, stream).await.unwrap();
            let (mut sender, connection) = h2::client::Builder::new()
                .initial_window_size(1 << 24)
                .initial_connection_window_size(1 << 24)
                .handshake(stream)
                .await
                .unwrap();
            let connection = tokio::spawn(connection);
            let url = origin.url(path);
            let ended = vec![get(&mut sender, &url).await, get(&mut sender, &url).await];
            drop(sender);
            connection.await.unwrap().unwrap();
            ended
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(30), exchange).await.unwrap()
        })
    }

    async fn get(sender: &mut SendRequest<Bytes>, url: &str) -> (usize, Option<Reason>) {
        let request = Request::get(url).body(()).unwrap();
        let (response, _) = sender.send_request(request, true).unwrap();
        let mut body = match response.await {
            Ok(response) => response.into_body(),
            Err(error) => return (0, error.reason()),
        };
        let mut length = 0;
        while let Some(chunk) = body.data().await {
            match chunk {
                Ok(bytes) => length += bytes.len(),
                Err(error) => return (length, error.reason()),
            }
        }
        (length, None)
    }

    #[test]
    fn http2_streams_break_and_their_connection_lives_on() {
        let site = Site::new(DEFAULT_SEED, 1);
        let length = |path| site.get(path).unwrap().plain().len();
        let (robots, article) = (length("/robots.txt"), length(ARTICLE));
        let half = article / 2;
        // The library that asks does not hand out the frame that shows a length to be wrong.
        let last_frame = 1 << 14;
        for (kind, path, lengths, reason) in [
            ("reset", "/robots.txt", robots..=robots, None),
            ("reset", ARTICLE, 0..=0, Some(Reason::INTERNAL_ERROR)),
            ("cut", ARTICLE, half..=half, Some(Reason::INTERNAL_ERROR)),
            ("h2-reset-no-error", ARTICLE, half..=half, Some(Reason::NO_ERROR)),
            ("refused-stream", ARTICLE, 0..=0, Some(Reason::REFUSED_STREAM)),
            ("partial-206", ARTICLE, article.div_ceil(2)..=article.div_ceil(2), None),
            ("folded-header", ARTICLE, article..=article, None),
            ("wrong-length", ARTICLE, article - last_frame..=article, Some(Reason::PROTOCOL_ERROR)),
        ] {
            let origin = origin(kind);
            for (received, why) in over_http2(&origin, path) {
                assert!(lengths.contains(&received), "{kind} {path}: {received}");
                assert_eq!(why, reason, "{kind} {path}");
            }
            assert_eq!(origin.counters().connections, 1);
        }
    }
}
