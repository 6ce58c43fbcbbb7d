//! One page in each stage: requested over a loopback connection, decoded, hashed, named,
//! saved, recorded. A regression shows in its stage.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fetchpages::budget::{Budget, Share};
use fetchpages::clock::{Clock, SystemClock};
use fetchpages::digest;
use fetchpages::event::{Event, Observer};
use fetchpages::fetch::HttpChoice;
use fetchpages::fetch::tls::Trust;
use fetchpages::fetch::{BodyLimit, BodyMemory, Client, Network, Options, Reply, Request};
use fetchpages::in_flight::ProgressView;
use fetchpages::model::{Attempt, Job, Key, Outcome, RawPage, Settled, Stored};
use fetchpages::origin::{self, Origin, Site};
use fetchpages::page::{Codings, decode};
use fetchpages::save::names::{Layout, NameAllocator, PreviousName};
use fetchpages::save::sink::{Capture, Content, Target};
use fetchpages::save::{self, Output, Sink};
use http::HeaderValue;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use url::Url;

const PAGES: usize = 50;

/// A site on loopback, and a client with one connection to it.
struct Connection {
    url: Url,
    client: Client,
    runtime: Runtime,
    _origin: Origin,
}

impl Connection {
    fn open() -> Self {
        let options = origin::Options { port: 0, pages: PAGES, ..origin::Options::default() };
        let origin = Origin::start(&options).expect("a port is free");
        let path = origin.site().paths().next().expect("the site has pages").to_owned();
        let url = Url::parse(&origin.url(&path)).expect("the site's addresses are URLs");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("the system has room for a loop");
        let network = Network::new(options_of_client(), Arc::new(SystemClock));
        let network = Arc::new(network.expect("the options are sound"));
        let client = runtime.block_on(async { Client::new(&network) });
        let client = client.expect("the options are sound");
        Self { url, client, runtime, _origin: origin }
    }

    fn request(&self) -> RawPage {
        let progress = ProgressView::default();
        let budget = Arc::new(Budget::unlimited());
        let memory = BodyMemory::new(Share::new(&budget), &SystemClock);
        let request = Request {
            url: &self.url,
            start_url: &self.url,
            validators: None,
            hops: 0,
            cookies: &[],
            has_left_home: false,
            spent: Duration::ZERO,
            started: SystemClock.now(),
            body_limit: BodyLimit::Whole,
            progress: &progress,
            memory: &memory,
        };
        match self.runtime.block_on(self.client.send(&request)) {
            Ok(Reply::Page(raw)) => raw,
            other => panic!("the site answers with a page, not with {other:?}"),
        }
    }
}

fn options_of_client() -> Options {
    Options {
        user_agent: HeaderValue::from_static("fetchpages-bench"),
        http: HttpChoice::Http1,
        trust: Trust::Anyone,
        ..Options::default()
    }
}

fn request(c: &mut Criterion) {
    let connection = Connection::open();
    let mut group = c.benchmark_group("page");
    group.throughput(Throughput::Bytes(connection.request().body.len() as u64));
    group.bench_function("request", |b| b.iter(|| black_box(connection.request()).body.len()));
}

fn compute(c: &mut Criterion) {
    let site = Site::new(1, PAGES);
    let path = site.paths().next().expect("the site has pages").to_owned();
    let page = site.get(&path).expect("its path is its own");
    let (plain, body) = (page.plain().clone(), page.gzip().clone());
    let codings = Codings::parse(Some("gzip"));
    let mut buffer = Vec::new();
    let mut group = c.benchmark_group("page");
    group.throughput(Throughput::Bytes(plain.len() as u64));
    group.bench_function("decode", |b| {
        b.iter(|| {
            let body = black_box(&body);
            decode::decode_into(&mut buffer, body, &codings, u64::MAX).expect("whole").len()
        });
    });
    group.bench_function("digest", |b| b.iter(|| digest::sha256(black_box(&plain))));
}

fn name(c: &mut Criterion) {
    let mut allocator = NameAllocator::new(Layout::Flat);
    let mut number = 0;
    c.benchmark_group("page").bench_function("name", |b| {
        b.iter(|| {
            number += 1;
            let url = format!("https://example.org/wiki/Some_article_{number}");
            let url = Url::parse(&url).expect("this is a URL");
            allocator.name(&url, PreviousName::default()).as_str().len()
        });
    });
}

fn output(directory: &TempDir) -> Output {
    let target = Target::Directory(directory.path().to_owned());
    let options = save::Options { target, ..save::Options::default() };
    save::open(&options).expect("the directory is ours")
}

fn save(c: &mut Criterion) {
    let directory = TempDir::new().expect("there is room for a directory");
    let output = output(&directory);
    let Sink::Local(sink) = &*output.sink else { panic!("a directory's sink blocks") };
    let body = Bytes::from(vec![b'x'; 7000]);
    let mut number = 0;
    let mut group = c.benchmark_group("page");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("save", |b| {
        b.iter(|| {
            number += 1;
            let key = Key::new(format!("{number}.html")).expect("this is a file name");
            let content = Content::Whole { decoded: black_box(&body), sha256: [0; 32] };
            let (encoded, redirects) = (&body, &[][..]);
            let capture = Capture { key: &key, exchange: None, redirects, encoded, content };
            sink.put(&capture).expect("there is room for files");
        });
    });
}

fn record(c: &mut Criterion) {
    let directory = TempDir::new().expect("there is room for a directory");
    let mut manifest = output(&directory).manifest;
    let raw = Connection::open().request();
    let url = raw.head.final_url.clone();
    let job = Job::new(1, url, Key::new("Some_article.html").expect("this is a file name"));
    let saved = Outcome::Saved { bytes: 7000, sha256: [7; 32], stored: Stored::Key };
    let event = Event::Settled(Box::new(Settled {
        job,
        attempt: Attempt { head: Some(raw.head), ..Attempt::without_answer(saved) },
        worker: Some(3),
        started: None,
        total: Duration::from_millis(120),
    }));
    c.benchmark_group("page").bench_function("record", |b| {
        b.iter(|| manifest.on_event(black_box(&event)).expect("memory takes all"));
        manifest.on_batch_end(SystemClock.now()).expect("there is room for a file");
    });
}

criterion_group!(benches, request, compute, name, save, record);
criterion_main!(benches);
