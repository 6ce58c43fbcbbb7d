//! Small proxies: HTTP with CONNECT, in the clear or over TLS, and SOCKS5.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;

/// A running proxy. Its threads end with the process.
pub struct Proxy {
    addr: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

/// How an HTTP proxy answers.
#[derive(Clone, Copy)]
pub enum Kind {
    /// It works for every client.
    Open,
    /// It works for clients with this `name:password`.
    For(&'static str),
    /// It refuses CONNECT with this answer.
    Refusing(&'static str),
    /// It works for every client, and answers CONNECT with these bytes.
    Saying(&'static str),
    /// It sends these bytes and closes.
    Ending(&'static str),
}

impl Proxy {
    /// An HTTP proxy.
    pub fn http(kind: Kind) -> Self {
        Self::start(move |mut client, seen| {
            let head = read_head(&mut BufReader::new(client.try_clone().unwrap()));
            seen.lock().unwrap().push(head.clone());
            match judged(&head, kind) {
                Ok(target) if head.starts_with("CONNECT ") => {
                    let server = TcpStream::connect(target).unwrap();
                    let said = match kind {
                        Kind::Saying(said) => said,
                        _ => "HTTP/1.1 200 OK\r\n\r\n",
                    };
                    client.write_all(said.as_bytes()).unwrap();
                    relay(&client, &server);
                }
                Ok(target) => {
                    // The client may have closed the connection already.
                    let _ = client.write_all(&forwarded(&head, &target));
                }
                Err(refusal) => {
                    // The client may stop reading in the middle of it.
                    let _ = client.write_all(&refusal);
                }
            }
        })
    }

    /// An HTTP proxy behind TLS, with its certificate as PEM.
    pub fn https(kind: Kind) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let Self { addr: behind, seen } = Self::http(kind);
        let front = Self::start(move |client, _| {
            let passing = async {
                client.set_nonblocking(true).unwrap();
                let client = tokio::net::TcpStream::from_std(client).unwrap();
                // Who does not trust the certificate sends nothing.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut proxy = tokio::net::TcpStream::connect(behind).await.unwrap();
                // Either side may break off.
                let _ = tokio::io::copy_bidirectional(&mut client, &mut proxy).await;
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(passing);
        });
        (Self { addr: front.addr, seen }, made.cert.pem())
    }

    /// A SOCKS5 proxy (RFC 1928) that connects to `target` whatever it is asked
    /// for, or answers with this code; with `login` (RFC 1929) for who has it.
    pub fn socks(login: Option<&'static str>, target: Result<SocketAddr, u8>) -> Self {
        Self::start(move |mut client, seen| {
            let [_, methods] = take(&mut client);
            let _ = take_some(&mut client, methods);
            client.write_all(&[5, if login.is_some() { 2 } else { 0 }]).unwrap();
            if let Some(login) = login {
                let [_, name] = take(&mut client);
                let name = text(take_some(&mut client, name));
                let [word] = take(&mut client);
                let word = text(take_some(&mut client, word));
                let is_right = format!("{name}:{word}") == login;
                client.write_all(&[1, u8::from(!is_right)]).unwrap();
                if !is_right {
                    return;
                }
            }
            let [_, _, _, kind] = take(&mut client);
            let host = match kind {
                1 => std::net::Ipv4Addr::from(take::<4>(&mut client)).to_string(),
                4 => std::net::Ipv6Addr::from(take::<16>(&mut client)).to_string(),
                _ => {
                    let [length] = take(&mut client);
                    text(take_some(&mut client, length))
                }
            };
            let port = u16::from_be_bytes(take(&mut client));
            seen.lock().unwrap().push(format!("{host} {port}"));
            let code = target.err().unwrap_or(0);
            client.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            if let Ok(target) = target {
                relay(&client, &TcpStream::connect(target).unwrap());
            }
        })
    }

    fn start(serve: impl Fn(TcpStream, &Mutex<Vec<String>>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let (noted, serve) = (Arc::clone(&seen), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (noted, serve) = (Arc::clone(&noted), Arc::clone(&serve));
                std::thread::spawn(move || serve(stream.unwrap(), &noted));
            }
        });
        Self { addr, seen }
    }

    /// `127.0.0.1:8888`
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it was asked: the heads of HTTP requests in lower case but for the
    /// first line, `host port` of SOCKS requests.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn read_head(reader: &mut impl BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
    head
}

/// Where a request leads, or why not.
fn judged(head: &str, kind: Kind) -> Result<String, Vec<u8>> {
    let asked = head.split(' ').nth(1).unwrap_or_default();
    let rest = asked.strip_prefix("http://").unwrap_or(asked);
    let target = rest.split('/').next().unwrap_or_default();
    match kind {
        Kind::Open | Kind::Saying(_) => Ok(target.to_owned()),
        Kind::Ending(said) => Err(said.as_bytes().to_vec()),
        Kind::Refusing(status) => Err(super::canned::answer(status, "", "")),
        Kind::For(login) => {
            let coded = base64::engine::general_purpose::STANDARD.encode(login);
            let line = format!("proxy-authorization: Basic {coded}\r\n").to_lowercase();
            let refusal = "407 Proxy Authentication Required";
            let is_right = head.to_lowercase().contains(&line);
            if is_right {
                Ok(target.to_owned())
            } else {
                Err(super::canned::answer(refusal, "", ""))
            }
        }
    }
}

/// The whole answer to a plain request, passed on as a proxy does: without what is its own.
fn forwarded(head: &str, target: &str) -> Vec<u8> {
    let own = |line: &&str| !line.to_lowercase().starts_with("proxy-");
    let head = head.replacen(&format!("http://{target}"), "", 1);
    let lines: Vec<_> = head.trim_end().lines().filter(own).collect();
    let mut server = TcpStream::connect(target).unwrap();
    let request = format!("{}\r\nconnection: close\r\n\r\n", lines.join("\r\n"));
    server.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    answer
}

/// Passes bytes both ways until both sides have ended.
fn relay(client: &TcpStream, server: &TcpStream) {
    let pass = |from: &TcpStream, to: &TcpStream| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        std::thread::spawn(move || {
            // Either side may break off.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        })
    };
    let there = pass(client, server);
    pass(server, client).join().unwrap();
    there.join().unwrap();
}

fn take<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn take_some(stream: &mut TcpStream, count: u8) -> Vec<u8> {
    let mut bytes = vec![0; usize::from(count)];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
