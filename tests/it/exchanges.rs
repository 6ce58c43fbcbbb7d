//! Recorded exchanges equal what the server received and sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fetchpages::budget::{Budget, Share};
use fetchpages::clock::{Clock, SystemClock};
use fetchpages::fetch::HttpChoice;
use fetchpages::fetch::credentials::Credentials;
use fetchpages::fetch::proxy::{Proxies, Proxy as ProxyAddress};
use fetchpages::fetch::tls::Trust;
use fetchpages::fetch::{
    BodyLimit, BodyMemory, Client, FetchFailure, Network, Options, Reply, Request,
};
use fetchpages::in_flight::ProgressView;
use fetchpages::model::{
    Exchange, Field, HttpVersion, RawPage, RedirectExchange, TlsVersion, Truncation,
};
use fetchpages::origin::{self, Origin};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::runtime::Runtime;
use url::Url;

use crate::support::canned::{self, Canned};
use crate::support::proxy::{Kind, Proxy};

/// A client on a runtime of its own.
struct Fetcher {
    runtime: Runtime,
    client: Client,
}

impl Fetcher {
    fn new(options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let network = Arc::new(Network::new(options, Arc::new(SystemClock)).unwrap());
        let client = runtime.block_on(async { Client::new(&network) }).unwrap();
        Self { runtime, client }
    }

    fn send(&self, url: &Url, hops: u32) -> Result<Reply, FetchFailure> {
        let progress = ProgressView::default();
        let budget = Arc::new(Budget::unlimited());
        let memory = BodyMemory::new(Share::new(&budget), &SystemClock);
        let request = Request {
            url,
            start_url: url,
            validators: None,
            hops,
            cookies: &[],
            has_left_home: false,
            spent: Duration::ZERO,
            started: SystemClock.now(),
            body_limit: BodyLimit::Whole,
            progress: &progress,
            memory: &memory,
        };
        self.runtime.block_on(self.client.send(&request))
    }

    /// Returns the page at `url`, behind its redirects, and the exchanges of the redirects.
    fn page(&self, url: &str) -> (RawPage, Vec<RedirectExchange>) {
        let (mut url, mut exchanges) = (Url::parse(url).unwrap(), Vec::new());
        for hops in 0.. {
            match self.send(&url, hops).unwrap() {
                Reply::Page(page) => return (page, exchanges),
                Reply::Redirect(redirect) => {
                    exchanges.push(*redirect.exchange.unwrap());
                    url = redirect.to;
                }
            }
        }
        unreachable!("a chain of redirects ends");
    }

    fn exchange(&self, url: &str) -> Exchange {
        *self.page(url).0.exchange.unwrap()
    }
}

/// Options that record exchanges, with fields of many kinds.
fn options() -> Options {
    let fields = [
        ("x-first", "1"),
        ("accept-language", "de"),
        ("x-first", "2"),
        ("te", "gzip"),
        ("keep-alive", "timeout=5"),
        ("connection", "x-hop"),
        ("x-hop", "only here"),
        ("x-last", "z"),
    ];
    let headers = fields
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    Options {
        headers: headers.into_iter().collect(),
        trust: Trust::Anyone,
        records_exchange: true,
        ..Options::default()
    }
}

fn lines(fields: &[Field]) -> Vec<String> {
    let line = |field: &Field| format!("{}: {}", field.name, String::from_utf8_lossy(&field.value));
    fields.iter().map(line).collect()
}

#[test]
fn a_request_over_http_1_is_recorded_as_it_was_sent() {
    let server = Canned::start(|request| {
        canned::Reply::Raw(if request.path.starts_with("/page") {
            b"HTTP/1.1 200 Fine by me\r\nX-B: \xe9 1 \r\nx-a: 2\r\nX-b: 3\r\n\
              Content-Length: 4\r\nConnection: close\r\n\r\npage"
                .to_vec()
        } else {
            canned::answer("302 Found", "Location: /page?x=%20&y\r\nSet-Cookie: s=1\r\n", "moved")
        })
    });
    let mut cookie = HeaderValue::from_static("id=7");
    cookie.set_sensitive(true);
    let login: HeaderMap = [(header::COOKIE, cookie)].into_iter().collect();
    let mut credentials = Credentials::new(login, HeaderMap::new());
    credentials.add_home(&Url::parse(&server.url("/")).unwrap());
    let fetcher = Fetcher::new(Options { credentials, ..options() });
    let before = SystemClock.wall();
    let (page, redirects) = fetcher.page(&server.url("/start#part"));
    let exchange = *page.exchange.unwrap();
    let received = server.requests();
    for (received, recorded) in received.iter().zip([&redirects[0].exchange, &exchange]) {
        assert_eq!(received.headers, lines(&recorded.request.fields));
        assert_eq!(received.path, recorded.request.target);
        assert_eq!(recorded.request.method, "GET");
        assert_eq!(recorded.request.version, HttpVersion::Http11);
        assert_eq!((recorded.peer, recorded.tls), (Some(server.addr()), None));
        assert!(recorded.started_at >= before);
        let secrets = recorded.request.fields.iter().filter(|field| field.is_secret);
        assert_eq!(secrets.map(|field| &*field.name).collect::<Vec<_>>(), ["cookie"]);
    }
    assert_eq!(exchange.response.reason, b"Fine by me");
    assert_eq!(exchange.response.fields[0].value, b"\xe9 1");
    assert_eq!(
        lines(&exchange.response.fields)[1..],
        ["x-b: 3", "x-a: 2", "content-length: 4", "connection: close"],
        "those of one name stand together"
    );
    assert_eq!(redirects.len(), 1);
    assert_eq!(redirects[0].url.as_str(), server.url("/start#part"));
    assert_eq!(redirects[0].body, "moved");
    assert_eq!(redirects[0].exchange.response.status, 302);
    assert_eq!(redirects[0].exchange.response.reason, b"Found");
}

#[test]
fn a_body_that_is_not_complete_says_so() {
    let long = canned::answer("404 Not Found", "", "x".repeat(100_000));
    let cut = b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nwhy".to_vec();
    for (answer, truncated) in [
        (canned::answer("404 Not Found", "", "why"), None),
        (long, Some(Truncation::Length)),
        (cut, Some(Truncation::Disconnect)),
    ] {
        let exchange = Fetcher::new(options()).exchange(&Canned::always(answer).url("/x"));
        assert_eq!(exchange.truncated, truncated);
    }
    let server = Canned::always("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    let url = Url::parse(&server.url("/x")).unwrap();
    let failed = Fetcher::new(options()).send(&url, 0).unwrap_err();
    assert_eq!(failed.exchange.unwrap().response.status, 200);
    let failed = Fetcher::new(Options { records_exchange: false, ..options() }).send(&url, 0);
    assert_eq!(failed.unwrap_err().exchange, None);
}

#[test]
fn the_embedded_site_is_recorded_over_both_versions_of_http() {
    for (tls, http, protocol) in [
        (false, HttpChoice::Http1, HttpVersion::Http11),
        (true, HttpChoice::Http1, HttpVersion::Http11),
        (true, HttpChoice::Auto, HttpVersion::Http2),
    ] {
        let options_of_site = origin::Options { port: 0, pages: 3, tls, ..Default::default() };
        let site = Origin::start(&options_of_site).unwrap();
        let fetcher = Fetcher::new(Options { http, ..options() });
        let path = site.site().paths().next().unwrap().to_owned();
        // The second one goes over the connection of the first.
        for _ in 0..2 {
            let exchange = fetcher.exchange(&site.url(&path));
            assert_eq!((exchange.protocol, exchange.response.version), (protocol, protocol));
            assert_eq!(exchange.tls, tls.then_some(TlsVersion::Tls13));
            assert_eq!(exchange.peer, Some(site.addr()));
            assert_eq!((exchange.request.target, exchange.response.status), (path.clone(), 200));
            let fields = lines(&exchange.response.fields);
            assert!(fields.contains(&"content-encoding: gzip".to_owned()), "{fields:?}");
            let is_http2 = protocol == HttpVersion::Http2;
            assert_eq!(exchange.response.reason, if is_http2 { &b""[..] } else { b"OK" });
            assert_eq!(fields[0] == ":status: 200", is_http2);
        }
    }
}

/// Starts a server with cleartext HTTP/2 that answers every request. Returns the fields that it
/// received as well.
fn http2_server() -> (String, Arc<Mutex<Vec<Vec<String>>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::<Mutex<Vec<Vec<String>>>>::default();
    let received = Arc::clone(&seen);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let (socket, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(socket).await.unwrap();
            while let Some(Ok((request, mut answer))) = connection.accept().await {
                let uri = request.uri();
                let mut fields = vec![
                    format!(":method: {}", request.method()),
                    format!(":scheme: {}", uri.scheme_str().unwrap()),
                    format!(":authority: {}", uri.authority().unwrap()),
                    format!(":path: {}", uri.path_and_query().unwrap()),
                ];
                let headers = request.headers().iter();
                fields.extend(
                    headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())),
                );
                received.lock().unwrap().push(fields);
                let head = http::Response::builder().header("x-a", "1").body(()).unwrap();
                let mut body = answer.send_response(head, false).unwrap();
                body.send_data(Bytes::from_static(b"page"), true).unwrap();
            }
        });
    });
    (url, seen)
}

#[test]
fn a_request_over_http_2_is_recorded_as_it_was_sent() {
    let (url, received) = http2_server();
    let fetcher = Fetcher::new(Options { http: HttpChoice::Http2, ..options() });
    let exchange = fetcher.exchange(&format!("{url}/x?y"));
    assert_eq!(*received.lock().unwrap(), [lines(&exchange.request.fields)]);
    assert_eq!(lines(&exchange.response.fields), [":status: 200", "x-a: 1"]);
    assert_eq!(exchange.request.target, "/x?y");
}

#[test]
fn behind_a_proxy_the_servers_address_is_not_known() {
    let through = |proxy: &Proxy| {
        let address = ProxyAddress::parse(&format!("http://me:pw@{}", proxy.addr())).unwrap();
        Fetcher::new(Options { proxies: Proxies::in_turn(vec![address]), ..options() })
    };
    let server = Canned::always(canned::html("page"));
    let proxy = Proxy::http(Kind::Open);
    let exchange = through(&proxy).exchange(&server.url("/x"));
    assert_eq!((exchange.peer, exchange.tls), (None, None));
    assert_eq!(exchange.request.target, server.url("/x"));
    assert!(proxy.seen()[0].starts_with(&format!("GET {} HTTP/1.1", server.url("/x"))));
    let names: Vec<_> = exchange.request.fields.iter().map(|field| &*field.name).collect();
    assert!(names.contains(&"host") && !names.contains(&"proxy-authorization"), "{names:?}");

    let options_of_site = origin::Options { port: 0, pages: 3, tls: true, ..Default::default() };
    let site = Origin::start(&options_of_site).unwrap();
    let path = site.site().paths().next().unwrap().to_owned();
    let exchange = through(&Proxy::http(Kind::Open)).exchange(&site.url(&path));
    assert_eq!((exchange.peer, exchange.tls), (None, Some(TlsVersion::Tls13)));
    assert_eq!((exchange.request.target, exchange.protocol), (path, HttpVersion::Http2));
}
