//! The HTTP server: it accepts connections, waits as the options say, and sends what
//! [`response`](super::response) and [`inject`](super::inject) decide.
//!
//! It does I/O only, and chooses neither status nor body.

use std::future::pending;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;
use std::{io, panic};

use h2::Reason;
use http::{HeaderMap, Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::body::{Aborted, ResponseBody};
use super::connection::Connection;
use super::counters::LiveCounters;
use super::fault_kind::FaultKind;
use super::faults::Faults;
use super::inject::{Injected, inject};
use super::response::{respond, typed};
use super::site::{Site, decoded};
use super::tcp::{TcpConnection, TcpHandle};
use super::wire::{Addition, Wire};

/// The path of the counters.
const STATS_PATH: &str = "/_stats";

/// The number of connections that may wait to be accepted: more than any test opens at once, so
/// that no test meets the kernel's retry of a refused handshake, which takes a second.
const BACKLOG: u32 = 4096;

/// The pause after an error of accept, such as too many open files, which would otherwise occur
/// again at once.
const ACCEPT_REST: Duration = Duration::from_millis(10);

/// The additional delay of a connection that is accepted slowly.
const SLOW_ACCEPT: Duration = Duration::from_secs(1);

/// The state that all connections share.
pub(super) struct Server {
    pub(super) site: Arc<Site>,
    pub(super) counters: Arc<LiveCounters>,
    pub(super) latency: Duration,
    /// The slots for answers in the making, taken in the order of the requests; `None` sets no
    /// limit.
    pub(super) slots: Option<Semaphore>,
    pub(super) bytes_per_second: Option<NonZeroU64>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) seed: u64,
    pub(super) faults: Faults,
}

/// Opens a listening socket; must be called within a runtime.
pub(super) fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // On Windows the option would let two servers share a port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

impl Server {
    /// Serves until `stop` is sent or dropped; then all connections end, in any state.
    pub(super) async fn run(self, listener: TcpListener, mut stop: oneshot::Receiver<()>) {
        let server = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                _ = &mut stop => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _peer)) => {
                        let number = server.counters.count_connection();
                        connections.spawn(Arc::clone(&server).connection(stream, number));
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_REST).await,
                },
                Some(ended) = connections.join_next() => report_panic(ended),
            }
        }
        connections.shutdown().await;
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, number: u64) {
        // A failure only costs a delay, and a lost connection is noticed soon enough.
        stream.set_nodelay(true).ok();
        let fault = self.faults.at_connection(self.seed, number);
        if fault == Some(FaultKind::SlowAccept) {
            self.counters.count_fault();
            tokio::time::sleep(SLOW_ACCEPT).await;
        }
        self.wait().await;
        let (stream, tcp) = TcpConnection::new(stream);
        let connection = Connection::new(tcp, fault == Some(FaultKind::StaleConnection));
        let Some(acceptor) = &self.tls else {
            return self.serve_http1(stream, connection).await;
        };
        // The client reports a failed handshake.
        let Ok(stream) = acceptor.accept(stream).await else {
            return;
        };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.serve_http2(stream, connection).await;
        } else {
            self.serve_http1(stream, connection).await;
        }
    }

    async fn serve_http1(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        connection: Connection,
    ) {
        let has_folds = self.faults.include(FaultKind::FoldedHeader);
        let addition = if has_folds { Addition::Folds } else { Addition::Nothing };
        let io = TokioIo::new(Wire::new(stream, addition));
        let answer = move |request| Arc::clone(&self).handle(request, &connection);
        let served = http1::Builder::new().serve_connection(io, service_fn(answer));
        // An error means that the client aborted the exchange, which is its right, or a fault did.
        served.await.ok();
    }

    async fn serve_http2(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        connection: Connection,
    ) {
        let addition = Addition::GoAway(Arc::clone(&connection.go_away));
        let io = TokioIo::new(Wire::new(stream, addition));
        let answer = move |request| Arc::clone(&self).handle(request, &connection);
        let service = service_fn(answer);
        let served = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service);
        // As with HTTP/1.1.
        served.await.ok();
    }

    /// Handles the next request of a connection: answers it or ends the connection.
    ///
    /// The end is decided before the future runs: at this point requests come in their order, and
    /// a flush follows.
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        connection: &Connection,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Aborted>> + use<> {
        let is_processed = !connection.ends_before_next() || self.is_exempt(request.uri().path());
        if !is_processed && connection.end(request.version()) {
            self.counters.count_fault();
        }
        let tcp = Arc::clone(&connection.tcp);
        async move {
            if is_processed {
                return self.answer(request, tcp).await;
            }
            drop(self.counters.open_request());
            if request.version() == Version::HTTP_2 {
                // The client closes the connection after its first answer.
                pending::<()>().await;
            }
            Err(Aborted::default())
        }
    }

    /// Answers one request after the latency. Other requests of an HTTP/2 connection run meanwhile.
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        tcp: Arc<TcpHandle>,
    ) -> Result<Response<ResponseBody>, Aborted> {
        let path = request.uri().path();
        if path == STATS_PATH {
            let stats = self.counters.snapshot().to_json();
            let response = typed("application/json", stats.into());
            return Ok(response.map(|json| ResponseBody::new(json, None, None)));
        }
        let open = self.counters.open_request();
        let fault = self.fault(path);
        // Partial answers are parts of the plain page, whatever the client accepts or has.
        let plain = fault.filter(|kind| kind.sends_a_part()).map(|_| HeaderMap::new());
        let headers = plain.as_ref().unwrap_or(request.headers());
        let response = respond(&self.site, request.method(), path, headers);
        self.wait_for_turn().await;
        let injected = fault.and_then(|kind| inject(kind, &request, &response));
        if injected.is_some() {
            self.counters.count_fault();
        }
        let speed = self.bytes_per_second;
        match injected {
            None => Ok(response.map(|bytes| ResponseBody::new(bytes, speed, Some(open)))),
            Some(Injected::Sent(response, ending)) => {
                Ok(response.map(|bytes| ResponseBody::ending(bytes, speed, open, ending, tcp)))
            }
            Some(Injected::Reset) => {
                // On HTTP/2 the error resets the stream, and the other streams live on.
                if request.version() != Version::HTTP_2 {
                    tcp.reset_when_dropped();
                }
                Err(Aborted::default())
            }
            Some(Injected::Refused) => Err(Aborted::with_reason(Reason::REFUSED_STREAM)),
        }
    }

    /// Whether this path never has a fault: it leads into the site, or there is no page.
    fn is_exempt(&self, path: &str) -> bool {
        self.site.get(path).is_none() || Faults::exempts(&decoded(path))
    }

    /// Returns the fault of this request, which counts as an attempt at its page. A path without a
    /// page has no fault.
    fn fault(&self, path: &str) -> Option<FaultKind> {
        self.site.get(path)?;
        let path = decoded(path);
        let attempt =
            if self.faults.depend_on_attempts() { self.counters.count_attempt(&path) } else { 1 };
        self.faults.decide(self.seed, &path, attempt)
    }

    /// Waits for a slot, and then as long as an answer takes to make.
    async fn wait_for_turn(&self) {
        // This kind of semaphore is fair, and it is never closed.
        let _slot = match &self.slots {
            Some(slots) => slots.acquire().await.ok(),
            None => None,
        };
        self.wait().await;
    }

    async fn wait(&self) {
        // A timer of zero still costs up to a millisecond.
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
    }
}

/// Passes a connection's panic on to the server's thread.
fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        panic::resume_unwind(error.into_panic());
    }
}
