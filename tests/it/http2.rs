//! HTTP/2 servers that admit few streams, go away or fall silent.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::{Request, Response};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::support::Place;

/// How a server treats its connections.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// It admits this many streams. It answers the first request of a connection at once, and the
    /// others when that number of connections is open.
    Admits { streams: u32, connections: usize },
    /// Its first connection answers this many requests, and none after them.
    FallsSilent(usize),
    /// It answers every request, with this many bytes.
    IsLarge(usize),
}

/// A server with cleartext HTTP/2, until the test ends.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(manner: Manner) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let opened = Arc::<tokio::sync::Notify>::default();
                while let Ok((socket, _)) = listener.accept().await {
                    let number = count.fetch_add(1, Ordering::SeqCst);
                    opened.notify_waiters();
                    let (count, opened) = (Arc::clone(&count), Arc::clone(&opened));
                    tokio::spawn(talk(socket, number, manner, (count, opened)));
                }
            });
        });
        Self { address, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn list(&self, pages: usize) -> String {
        let urls = (0..pages).map(|page| format!("http://{}/{page}\n", self.address));
        urls.collect::<Vec<_>>().concat()
    }
}

type Opened = (Arc<AtomicUsize>, Arc<tokio::sync::Notify>);

/// Serves connection number `number`, from 0.
async fn talk(socket: TcpStream, number: usize, manner: Manner, (count, opened): Opened) {
    let mut builder = Builder::new();
    if let Manner::Admits { streams, .. } = manner {
        builder.max_concurrent_streams(streams);
    }
    // A client may close the connection at any time.
    let Ok(mut connection) = builder.handshake::<_, Bytes>(socket).await else { return };
    let mut requests = 0;
    while let Some(Ok((request, answer))) = connection.accept().await {
        requests += 1;
        match manner {
            Manner::Admits { .. } if requests == 1 => send_page(&request, answer),
            Manner::Admits { connections, .. } => {
                let (count, opened) = (Arc::clone(&count), Arc::clone(&opened));
                tokio::spawn(async move {
                    loop {
                        let mut changed = std::pin::pin!(opened.notified());
                        changed.as_mut().enable();
                        if count.load(Ordering::SeqCst) >= connections {
                            return send_page(&request, answer);
                        }
                        changed.await;
                    }
                });
            }
            Manner::FallsSilent(most) if number == 0 && requests > most => {
                // From here on the server reads, sends and closes nothing.
                let _open = (connection, answer);
                return std::future::pending().await;
            }
            Manner::FallsSilent(_) => send_page(&request, answer),
            Manner::IsLarge(bytes) => send(vec![0; bytes].into(), answer),
        }
    }
}

fn send_page(request: &Request<RecvStream>, answer: SendResponse<Bytes>) {
    send(Bytes::from(request.uri().path().to_owned()), answer);
}

fn send(body: Bytes, mut answer: SendResponse<Bytes>) {
    // A client may close the connection at any time.
    if let Ok(mut stream) = answer.send_response(Response::new(()), false) {
        let _ = stream.send_data(body, true);
    }
}

/// Frames (RFC 9113, 6), and their contents in these tests.
mod frame {
    pub const PREFACE: usize = 24;
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const SETTINGS: u8 = 4;
    pub const GOAWAY: u8 = 7;
    pub const END_STREAM: u8 = 1;
    pub const ACK: u8 = 1;
    pub const END_HEADERS: u8 = 4;
    /// `:status: 200` (RFC 7541, appendix A).
    pub const OK: &[u8] = &[0x88];

    pub fn write(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [length[1], length[2], length[3], kind, flags];
        [&head, &stream.to_be_bytes()[..], payload].concat()
    }

    pub fn read(stream: &mut impl std::io::Read) -> std::io::Result<(u8, u8, u32)> {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [l1, l2, l3, kind, flags, s0, s1, s2, s3] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, l1, l2, l3]) as usize];
        stream.read_exact(&mut payload)?;
        Ok((kind, flags, u32::from_be_bytes([s0, s1, s2, s3])))
    }
}

/// How a connection ends, at the request after the last that it answers.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It reports that it does not work on that request or a later one, and goes away.
    GoAway,
    /// It closes without a message.
    Silent,
}

/// Answers `most` requests on a connection.
fn answer(most: u32, end: End, mut stream: std::net::TcpStream) -> std::io::Result<()> {
    stream.read_exact(&mut [0; frame::PREFACE])?;
    stream.write_all(&frame::write(frame::SETTINGS, 0, 0, &[]))?;
    let mut requests = 0;
    loop {
        let (kind, flags, id) = frame::read(&mut stream)?;
        if kind == frame::SETTINGS && flags & frame::ACK == 0 {
            stream.write_all(&frame::write(frame::SETTINGS, frame::ACK, 0, &[]))?;
        }
        if kind != frame::HEADERS {
            continue;
        }
        requests += 1;
        if requests <= most {
            let head = frame::write(frame::HEADERS, frame::END_HEADERS, id, frame::OK);
            let body = frame::write(frame::DATA, frame::END_STREAM, id, b"page");
            stream.write_all(&[head, body].concat())?;
            continue;
        }
        match end {
            End::Silent => return Ok(()),
            End::GoAway if requests == most + 1 => {
                let last = (id - 2).to_be_bytes();
                stream.write_all(&frame::write(frame::GOAWAY, 0, 0, &[last, [0; 4]].concat()))?;
            }
            End::GoAway => (),
        }
    }
}

/// Checks that all pages are saved with their own content, and returns their attempts.
fn attempts(place: &Place) -> u64 {
    let pages = place.pages();
    for page in &pages {
        assert_eq!(page["state"], "saved", "{page:#}");
        let name = format!("pages/{}", page["file"].as_str().unwrap());
        let path = format!("/{}", page["seq"]);
        assert_eq!(place.text(&name), path);
    }
    pages.iter().map(|page| page["attempts"].as_u64().unwrap()).sum()
}

fn run(place: &Place, server: &Server, mode: &str, arguments: &[&str]) -> Value {
    let list = place.file("list", server.list(PAGES));
    let fixed = ["-i", &list, "--http", "2", "--mode", mode, "-j", "8", "--json"];
    place.run(&[&fixed, arguments].concat()).code(0).json()
}

const PAGES: usize = 40;
/// Modes in which one connection serves many pages at a time.
const LOOPS: [&str; 2] = ["async", "hybrid"];

#[test]
fn where_few_streams_are_admitted_further_connections_are_opened() {
    for mode in LOOPS {
        // If it admits more, the library may send a whole burst of requests at once.
        let (streams, connections) = (1, 3);
        let server = Server::start(Manner::Admits { streams, connections });
        let place = Place::new();
        run(&place, &server, mode, &["--retry", "0"]);
        assert_eq!(attempts(&place), PAGES as u64, "{mode}");
        assert!(server.connections() >= connections, "{mode}");
    }
}

#[test]
fn a_connection_that_falls_silent_costs_one_time_out_and_no_page() {
    for mode in LOOPS {
        let server = Server::start(Manner::FallsSilent(3));
        let place = Place::new();
        run(&place, &server, mode, &["--read-timeout", "500ms", "--retry", "1"]);
        // The requests that were in flight, and none after them.
        assert!(attempts(&place) <= PAGES as u64 + 8, "{mode}");
        assert_eq!(server.connections(), 2, "{mode}");
    }
}

#[test]
fn pages_that_are_held_back_do_not_hold_back_others_of_their_connection() {
    for mode in LOOPS {
        let server = Server::start(Manner::IsLarge(3 << 20));
        let place = Place::new();
        // Each page is larger than the budget, so the pages arrive one after the other.
        let limits = ["--retry", "0", "--read-timeout", "5s", "--max-memory", "1MiB", "--no-save"];
        let summary = run(&place, &server, mode, &limits);
        assert_eq!((&summary["saved"], &summary["connections"]), (&40.into(), &1.into()), "{mode}");
    }
}

#[test]
fn requests_on_a_connection_that_had_answered_and_ends_are_no_attempts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::<AtomicUsize>::default();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // The first connection answers once and ends, the others answer all.
            let most = if count.fetch_add(1, Ordering::SeqCst) == 0 { 1 } else { u32::MAX };
            std::thread::spawn(move || answer(most, End::Silent, stream.unwrap()));
        }
    });
    let place = Place::new();
    let urls = (0..8).map(|page| format!("http://{address}/{page}\n"));
    let list = place.file("list", urls.collect::<Vec<_>>().concat());
    let arguments = ["-i", &list, "--http", "2", "--mode", "async", "--retry", "0", "--json"];
    assert_eq!(place.run(&arguments).code(0).json()["saved"], 8);
    assert!(place.pages().iter().all(|page| page["attempts"] == 1));
}

#[test]
fn requests_that_a_server_leaves_when_it_goes_away_are_no_attempts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // It ends when the client hangs up.
            std::thread::spawn(move || answer(5, End::GoAway, stream.unwrap()));
        }
    });
    for mode in ["threads", "async", "hybrid", "processes"] {
        let place = Place::new();
        let urls = (0..PAGES).map(|page| format!("http://{address}/{page}\n"));
        let list = place.file("list", urls.collect::<String>());
        let ended =
            place.run(&["-i", &list, "--http", "2", "--mode", mode, "--retry", "0", "--json"]);
        let summary = ended.code(0).json();
        assert_eq!(summary["saved"], PAGES, "{mode}");
        assert!(place.pages().iter().all(|page| page["attempts"] == 1), "{mode}");
        assert!(summary["connections"].as_u64().unwrap() >= PAGES as u64 / 5, "{mode}");
    }
}
