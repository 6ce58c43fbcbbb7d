//! One connection of a client, and the fault that makes the server process its first request only.
//!
//! [`faults`](super::faults) draws which connections have that fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Version;

use super::tcp::TcpHandle;
use super::wire::GoAway;

/// The state that the requests of one connection share.
pub(super) struct Connection {
    pub(super) tcp: Arc<TcpHandle>,
    pub(super) go_away: Arc<GoAway>,
    /// Whether only its first request is processed.
    is_stale: bool,
    requests: AtomicU64,
}

impl Connection {
    pub(super) fn new(tcp: Arc<TcpHandle>, is_stale: bool) -> Connection {
        Connection { tcp, go_away: Arc::default(), is_stale, requests: AtomicU64::new(0) }
    }

    /// Counts a request; returns whether the connection has to end instead of processing it.
    pub(super) fn ends_before_next(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) > 0 && self.is_stale
    }

    /// Ends the connection after what was written so far; returns whether this is the first call.
    pub(super) fn end(&self, version: Version) -> bool {
        if version == Version::HTTP_2 {
            return !self.go_away.request();
        }
        self.tcp.reset_when_dropped();
        true
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;

    use h2::Reason;

    use crate::origin::tests::faulty;
    use crate::origin::{Origin, certificate};

    const ARTICLE: &str = "/wiki/India";

    /// An origin where all connections are stale.
    fn origin(tls: bool) -> Origin {
        faulty("stale-connection", tls)
    }

    #[test]
    fn over_http1_a_second_request_for_a_page_resets_the_connection() {
        let origin = origin(false);
        for (paths, is_reset) in [
            (&[ARTICLE, "/robots.txt", "/nowhere", "/_stats"][..], false),
            (&[ARTICLE, ARTICLE], true),
            (&["/robots.txt", ARTICLE], true),
        ] {
            let mut stream = TcpStream::connect(origin.addr()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let (last, before) = paths.split_last().unwrap();
            for path in before {
                write!(stream, "HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                assert!(head.starts_with(b"HTTP/1.1 "));
            }
            write!(stream, "HEAD {last} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            let read = stream.read(&mut [0]).map_err(|error| error.kind());
            assert_eq!(read, if is_reset { Err(ErrorKind::ConnectionReset) } else { Ok(1) });
        }
        let counters = origin.counters();
        assert_eq!((counters.faults, counters.open), (2, 0));
        // Requests for /_stats are not counted; requests that are reset are.
        assert_eq!(counters.requests, 7);
    }

    #[tokio::test]
    async fn over_http2_the_first_request_is_answered_and_the_others_are_told_that_they_are_not() {
        let origin = origin(true);
        let config = certificate::trusting(origin.certificate_pem().unwrap(), "h2");
        let stream = tokio::net::TcpStream::connect(origin.addr()).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await.unwrap();
        let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut ask = || {
            let request = http::Request::get(origin.url(ARTICLE)).body(()).unwrap();
            sender.send_request(request, true).unwrap().0
        };
        let requests = [ask(), ask(), ask()];
        let [first, second, third] = requests;
        let mut body = first.await.unwrap().into_body();
        for request in [second, third] {
            let error = request.await.unwrap_err();
            assert!(error.is_go_away() && error.is_remote(), "{error:?}");
            assert_eq!(error.reason(), Some(Reason::NO_ERROR));
        }
        let mut received = 0;
        while let Some(chunk) = body.data().await {
            let chunk = chunk.unwrap();
            received += chunk.len();
            body.flow_control().release_capacity(chunk.len()).unwrap();
        }
        assert_eq!(received, origin.site().get(ARTICLE).unwrap().plain().len());
        drop((body, sender));
        connection.await.unwrap().unwrap();
        let counters = origin.counters();
        assert_eq!((counters.requests, counters.faults, counters.connections), (3, 1, 1));
    }
}
