//! Opens tunnels: connects to the proxy and asks it for a tunnel to a host.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http::{Extensions, HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower_service::Service;

use super::TunnelError;
use super::answer::AnswerReader;
use crate::fetch::error_chain::BoxError;
use crate::fetch::resolve::Resolver;

/// The default port of https URLs.
const HTTPS_PORT: u16 = 443;
/// The largest piece of an answer to read; most answers are much shorter.
const PIECE: usize = 1024;

/// A connector to hosts through a proxy, over `C`, which connects to the proxy.
#[derive(Clone)]
pub(super) struct Connector<C> {
    inner: C,
    proxy: Arc<ProxyEndpoint>,
}

/// The proxy, and the parts of a request that are the same for all hosts.
struct ProxyEndpoint {
    address: Uri,
    /// The header lines.
    fields: Vec<u8>,
    resolver: Arc<Resolver>,
}

impl<C> Connector<C> {
    /// Makes a connector that sends the user name and the password in the address of
    /// `proxy`.
    pub(super) fn new(
        inner: C,
        proxy: &Intercept,
        user_agent: &HeaderValue,
        resolver: &Arc<Resolver>,
    ) -> Self {
        let login = proxy.basic_auth().map(|login| ("Proxy-Authorization: ", login));
        let mut fields = Vec::new();
        for (start, value) in login.into_iter().chain([("User-Agent: ", user_agent)]) {
            fields.extend_from_slice(start.as_bytes());
            fields.extend_from_slice(value.as_bytes());
            fields.extend_from_slice(b"\r\n");
        }
        let (address, resolver) = (proxy.uri().clone(), Arc::clone(resolver));
        Self { inner, proxy: Arc::new(ProxyEndpoint { address, fields, resolver }) }
    }
}

impl ProxyEndpoint {
    /// Returns the request for a tunnel to the host of `destination` (RFC 9110, 9.3.6).
    fn request(&self, destination: &Uri) -> Vec<u8> {
        // An https URL has a host.
        let host = destination.host().unwrap_or_default();
        let port = destination.port_u16().unwrap_or(HTTPS_PORT);
        let mut request =
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
        request.extend_from_slice(&self.fields);
        request.extend_from_slice(b"\r\n");
        request
    }

    /// Records which of the proxy's addresses works.
    fn worked(&self, connection: &impl Connection) {
        let mut extras = Extensions::new();
        connection.connected().get_extras(&mut extras);
        if let (Some(host), Some(info)) = (self.address.host(), extras.get::<HttpInfo>()) {
            self.resolver.worked(host, info.remote_addr().ip());
        }
    }
}

impl<C> Service<Uri> for Connector<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Future: Send + 'static,
    C::Response: Read + Write + Connection + Unpin + Send + 'static,
{
    type Response = Tunneled<C::Response>;
    type Error = TunnelError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, TunnelError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TunnelError>> {
        self.inner.poll_ready(cx).map_err(TunnelError::Unreachable)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting = self.inner.call(self.proxy.address.clone());
        let proxy = Arc::clone(&self.proxy);
        Box::pin(async move {
            let connection = connecting.await.map_err(TunnelError::Unreachable)?;
            proxy.worked(&connection);
            open(connection, &proxy.request(&destination)).await
        })
    }
}

/// Sends `request` and reads the answer to it.
async fn open<C>(connection: C, request: &[u8]) -> Result<Tunneled<C>, TunnelError>
where
    C: Read + Write + Unpin,
{
    let mut connection = TokioIo::new(connection);
    connection.write_all(request).await?;
    connection.flush().await?;
    let mut answer = AnswerReader::default();
    let mut piece = BytesMut::new();
    loop {
        piece.clear();
        piece.reserve(PIECE);
        if connection.read_buf(&mut piece).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let Some((status, used)) = answer.take(&piece)? else { continue };
        if !status.is_open() {
            return Err(TunnelError::Refused(status));
        }
        piece.advance(used);
        return Ok(Tunneled { early: piece.freeze(), connection: connection.into_inner() });
    }
}

/// A connection to a host, within one to a proxy.
pub(super) struct Tunneled<C> {
    /// Bytes that came together with the head of the proxy's answer.
    early: Bytes,
    connection: C,
}

impl<C: Connection> Connection for Tunneled<C> {
    fn connected(&self) -> Connected {
        self.connection.connected()
    }
}

impl<C: Read + Unpin> Read for Tunneled<C> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut room: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.early.is_empty() {
            return Pin::new(&mut this.connection).poll_read(cx, room);
        }
        let taken = this.early.len().min(room.remaining());
        room.put_slice(&this.early.split_to(taken));
        Poll::Ready(Ok(()))
    }
}

impl<C: Write + Unpin> Write for Tunneled<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(cx, data)
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::client::proxy::matcher::Matcher;
    use tokio::io::{DuplexStream, duplex};

    use super::*;
    use crate::fetch::resolve::Guard;

    /// Opens a tunnel over a pipe, through which the proxy sends these bytes.
    async fn opened(sent: &[u8]) -> Result<Tunneled<TokioIo<DuplexStream>>, TunnelError> {
        let (ours, mut theirs) = duplex(64);
        let sent = sent.to_vec();
        let proxy = tokio::spawn(async move {
            theirs.read_exact(&mut [0; 4]).await.unwrap();
            // The client does not read a refusal to its end.
            let _ = theirs.write_all(&sent).await;
        });
        let opened = open(TokioIo::new(ours), b"GO\r\n").await;
        if opened.is_err() {
            proxy.await.unwrap();
        }
        opened
    }

    #[tokio::test]
    async fn what_comes_with_the_answer_belongs_to_the_tunnel() {
        let filler = "X: y\r\n".repeat(300);
        for filler in ["", "X: y\r\n", &filler] {
            let sent = format!("HTTP/1.1 201 Created\r\n{filler}\r\n220 hello\r\n\r\nand more");
            let mut tunnel = TokioIo::new(opened(sent.as_bytes()).await.unwrap());
            let mut text = String::new();
            // A small piece first.
            let mut start = [0; 5];
            tunnel.read_exact(&mut start).await.unwrap();
            tunnel.read_to_string(&mut text).await.unwrap();
            assert_eq!((&start, &*text), (b"220 h", "ello\r\n\r\nand more"));
        }
        assert!(matches!(opened(b"HTTP/1.1 200 OK\r\n").await, Err(TunnelError::Broken(_))));
        assert!(matches!(opened(b"SSH-2.0").await, Err(TunnelError::Unreadable(_))));
        assert!(matches!(opened(b"HTTP/1.1 403 No\r\n\r\n").await, Err(TunnelError::Refused(_))));
    }

    #[test]
    fn a_proxy_is_asked_by_name_and_with_its_login() {
        let resolver = Arc::new(Resolver::new(std::time::Duration::ZERO, Guard::Open));
        let agent = HeaderValue::from_static("test/1");
        for (proxy, destination, request) in [
            (
                "http://me:se%3Acret%40@p:1",
                "https://a.org/x",
                "CONNECT a.org:443 HTTP/1.1\r\nHost: a.org:443\r\n\
                 Proxy-Authorization: Basic bWU6c2U6Y3JldEA=\r\nUser-Agent: test/1\r\n\r\n",
            ),
            (
                "https://p",
                "https://[::1]:8443/",
                "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\nUser-Agent: test/1\r\n\r\n",
            ),
        ] {
            let destination: Uri = destination.parse().unwrap();
            let proxy = Matcher::builder().all(proxy).build().intercept(&destination).unwrap();
            let connector = Connector::new((), &proxy, &agent, &resolver);
            let written = connector.proxy.request(&destination);
            assert_eq!(String::from_utf8(written).unwrap(), request);
        }
    }
}
