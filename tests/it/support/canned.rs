//! A server that sends exactly the bytes that a test gives it, valid or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A test waits at most this time for a request.
const PATIENCE: Duration = Duration::from_mins(1);

/// How the server answers a request.
pub enum Reply {
    /// Sends these bytes, head and body, and closes.
    Raw(Vec<u8>),
    /// Sends these bytes and then nothing more, without closing.
    Stall(Vec<u8>),
    /// Breaks the connection.
    Reset,
}

/// A request as the server received it.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    /// Header lines in lower case, `name: value`.
    pub headers: Vec<String>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.headers.iter().find_map(|line| line.strip_prefix(&start))
    }
}

type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

/// A running server. Its threads end with the process.
pub struct Canned {
    addr: SocketAddr,
    seen: Arc<Seen>,
}

/// The requests that the server received, with a signal for each.
#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Request>>,
    came: Condvar,
}

impl Canned {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::<Seen>::default();
        let (answer, noted): (Arc<Answer>, _) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                std::thread::spawn(move || serve(stream.unwrap(), &*answer, &noted));
            }
        });
        Self { addr, seen }
    }

    /// A server with one answer for everything.
    pub fn always(raw: impl Into<Vec<u8>>) -> Self {
        let raw = raw.into();
        Self::start(move |_| Reply::Raw(raw.clone()))
    }

    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Waits for a request for `path`.
    pub fn wait_for(&self, path: &str) {
        let requests = self.seen.requests.lock().unwrap();
        let is_missing = |requests: &mut Vec<Request>| !requests.iter().any(|it| it.path == path);
        let (_requests, waited) =
            self.seen.came.wait_timeout_while(requests, PATIENCE, is_missing).unwrap();
        assert!(!waited.timed_out(), "no request for {path} came");
    }

    /// Returns the number of requests for `path`.
    pub fn count(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path == path).count()
    }
}

fn serve(stream: TcpStream, answer: &Answer, seen: &Seen) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let path = lines[0].split(' ').nth(1).unwrap().to_owned();
    let headers = lines[1..].iter().map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        format!("{}: {}", name.to_ascii_lowercase(), value.trim())
    });
    let request = Request { path, headers: headers.collect() };
    seen.requests.lock().unwrap().push(request.clone());
    seen.came.notify_all();
    let mut stream = stream;
    // The client may have closed the connection already.
    match answer(&request) {
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Reply::Stall(bytes) => {
            let _ = stream.write_all(&bytes);
            let _ = stream.read(&mut [0]);
        }
        // The connection ends before an answer, so the client takes it for broken.
        Reply::Reset => (),
    }
}

/// A complete answer with `Content-Length`.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut raw = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    raw.extend_from_slice(body);
    raw
}

/// A complete answer with an HTML page.
pub fn html(body: &str) -> Vec<u8> {
    answer("200 OK", "Content-Type: text/html; charset=utf-8\r\n", body)
}
