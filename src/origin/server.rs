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

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::thread;

    use rustls::ClientConnection;

    use super::super::counters::Counters;
    use super::super::{Options, Origin, certificate};
    use super::Arc;

    const ARTICLE: &str = "/wiki/India";

    fn small_origin() -> Origin {
        start(&Options::default())
    }

    fn start(options: &Options) -> Origin {
        let options = Options { pages: 1, ..options.clone() };
        Origin::start(&options).unwrap()
    }

    /// One connection that writes requests by hand.
    struct Client {
        stream: BufReader<TcpStream>,
    }

    /// A response as it came over the wire, its header lines in lower case.
    struct Received {
        head: String,
        body: Vec<u8>,
    }

    impl Client {
        fn new(origin: &Origin) -> Client {
            let stream = TcpStream::connect(origin.addr()).unwrap();
            Client { stream: BufReader::new(stream) }
        }

        fn get(&mut self, path: &str, headers: &str) -> Received {
            self.ask("GET", path, headers);
            let head = self.head();
            let length = head
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap());
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).unwrap();
            Received { head, body }
        }

        fn ask(&mut self, method: &str, path: &str, headers: &str) {
            let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
            self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        }

        fn head(&mut self) -> String {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                let read = self.stream.read_line(&mut head).unwrap();
                assert_ne!(read, 0, "connection closed in a head: {head}");
            }
            head.to_lowercase()
        }
    }

    #[test]
    fn pages_are_served_plain_and_compressed_on_one_connection() {
        let origin = small_origin();
        let document = origin.site().get(ARTICLE).unwrap();
        let mut client = Client::new(&origin);
        let plain = client.get(ARTICLE, "");
        assert!(plain.head.starts_with("http/1.1 200 "));
        assert!(plain.head.contains("content-type: text/html; charset=utf-8\r\n"));
        assert!(!plain.head.contains("content-encoding"));
        assert_eq!(&plain.body[..], document.plain());
        let packed = client.get(ARTICLE, "Accept-Encoding: gzip\r\n");
        assert!(packed.head.contains("content-encoding: gzip\r\n"));
        assert_eq!(&packed.body[..], document.gzip());
        let Counters { requests, open, open_peak, connections, .. } = origin.counters();
        assert_eq!((requests, open, open_peak, connections), (2, 0, 1, 1));
    }

    #[test]
    fn responses_without_a_body_leave_the_connection_usable() {
        let origin = small_origin();
        let mut client = Client::new(&origin);
        let etag = origin.site().get(ARTICLE).unwrap().etag();
        let unchanged = client.get(ARTICLE, &format!("If-None-Match: {etag}\r\n"));
        assert!(unchanged.head.starts_with("http/1.1 304 "));
        client.ask("HEAD", ARTICLE, "");
        let length = origin.site().get(ARTICLE).unwrap().plain().len();
        let head = client.head();
        assert!(head.contains(&format!("content-length: {length}\r\n")));
        let missing = client.get("/nowhere", "");
        assert!(missing.head.starts_with("http/1.1 404 "));
        assert!(missing.body.starts_with(b"<!DOCTYPE html>"));
        let moved = client.get("/", "");
        assert!(moved.head.starts_with("http/1.1 302 "));
        assert_eq!(origin.counters().connections, 1);
    }

    #[test]
    fn stats_are_json_and_do_not_count_themselves() {
        let origin = small_origin();
        let mut client = Client::new(&origin);
        client.get("/robots.txt", "");
        let stats = String::from_utf8(client.get("/_stats", "").body).unwrap();
        assert!(stats.starts_with("{\"requests\":1,\"open\":0,\"open_peak\":1,"), "{stats}");
        assert!(stats.ends_with(",\"connections\":1,\"faults\":0}\n"), "{stats}");
    }

    #[test]
    fn answers_beyond_the_capacity_wait_for_those_before_them() {
        let latency = std::time::Duration::from_millis(20);
        let capacity = std::num::NonZeroU32::new(1);
        let origin = start(&Options { latency, capacity, ..Options::default() });
        let clients: Vec<Client> = (0..4)
            .map(|_| {
                let mut client = Client::new(&origin);
                client.ask("GET", "/robots.txt", "");
                client
            })
            .collect();
        for mut client in clients {
            client.head();
        }
        // One after the other, each of the four answers took its time.
        let counters = origin.counters();
        assert!(counters.busy >= 4 * latency, "{counters:?}");
    }

    #[test]
    fn a_request_is_open_until_its_body_is_sent_or_broken_off() {
        let origin = start(&Options { bandwidth: Some(1), ..Options::default() });
        let clients: Vec<Client> = (0..3)
            .map(|_| {
                let mut client = Client::new(&origin);
                client.ask("GET", ARTICLE, "");
                client.head();
                client
            })
            .collect();
        assert_eq!((origin.counters().open, origin.counters().open_peak), (3, 3));
        drop(clients);
        while origin.counters().open > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn a_port_that_is_taken_is_an_error() {
        let origin = small_origin();
        let options = Options { port: origin.addr().port(), pages: 0, ..Options::default() };
        let error = Origin::start(&options).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("failed to listen on {} for the origin", origin.addr())
        );
    }

    #[test]
    fn the_authority_vouches_for_the_server_and_http2_is_offered() {
        let origin = start(&Options { tls: true, ..Options::default() });
        assert!(origin.index_url().starts_with("https://127.0.0.1:"));
        let pem = origin.certificate_pem().unwrap();
        let config = certificate::trusting(pem, "h2");
        for name in ["localhost", "127.0.0.1"] {
            let name = name.try_into().unwrap();
            let mut tls = ClientConnection::new(Arc::clone(&config), name).unwrap();
            let mut stream = TcpStream::connect(origin.addr()).unwrap();
            while tls.is_handshaking() {
                tls.complete_io(&mut stream).unwrap();
            }
            assert_eq!(tls.alpn_protocol(), Some(&b"h2"[..]));
        }
    }
}
