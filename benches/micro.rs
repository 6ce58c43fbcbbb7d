//! What a page costs outside the network, stage by stage.
//!
//! `fetchpages compare` measures whole runs; this benchmark finds the stage that became slower.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fetchpages::clock::{Clock, SystemClock};
use fetchpages::model::{Attempt, Job, Key, Outcome, Response, Stored};
use fetchpages::origin::{INDEX_PATH, Site};
use fetchpages::page::{Codings, decode};
use fetchpages::queue::frontier::{Frontier, Moment, Next};
use fetchpages::queue::host::HostLimits;
use fetchpages::queue::{self};
use fetchpages::random::Rng;
use fetchpages::save::names::{Layout, NameAllocator, PreviousName};
use fetchpages::source::links::{self, DEFAULT_ATTRIBUTE, DEFAULT_SELECTOR, Pick};
use url::Url;

/// The size of Wikipedia's list of countries in 2025.
const INDEX_BYTES: usize = 370_000;
const URLS: u32 = 10_000;

fn index() -> String {
    // Each page adds at least a hundred bytes to the index.
    (300..)
        .step_by(100)
        .map(|pages| Site::new(1, pages))
        .find_map(|site| {
            let page = site.get(INDEX_PATH).expect("every site has an index").plain().clone();
            (page.len() >= INDEX_BYTES)
                .then(|| String::from_utf8(page.to_vec()).expect("the site is UTF-8"))
        })
        .expect("more pages make a longer index")
}

fn urls() -> Vec<Url> {
    let url = |i| Url::parse(&format!("https://example.org/wiki/Some_article_{i}?page={i}"));
    (0..URLS).map(|i| url(i).expect("these are URLs")).collect()
}

fn links_of_an_index(c: &mut Criterion) {
    let page = index();
    let pick = Pick::new(DEFAULT_SELECTOR, DEFAULT_ATTRIBUTE).expect("the default parses");
    let base = Url::parse("https://en.wikipedia.org/").expect("this is a URL");
    let mut group = c.benchmark_group("links");
    group.throughput(Throughput::Bytes(page.len() as u64));
    group.bench_function("index", |b| {
        b.iter(|| {
            links::find(black_box(page.as_bytes()), None, &pick, &base).map(|it| it.links.len())
        });
    });
}

fn names(c: &mut Criterion) {
    let urls = urls();
    let mut group = c.benchmark_group("names");
    group.throughput(Throughput::Elements(u64::from(URLS)));
    for (name, layout) in [("flat", Layout::Flat), ("tree", Layout::Tree), ("hash", Layout::Hash)] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || NameAllocator::new(layout),
                |mut allocator| {
                    let names = urls.iter().map(|url| allocator.name(url, PreviousName::default()));
                    names.map(|name| name.as_str().len()).sum::<usize>()
                },
                BatchSize::SmallInput,
            );
        });
    }
}

/// Pages on this number of hosts.
fn jobs(hosts: usize) -> Vec<Job> {
    let key = |i: usize| Key::new(format!("{i}.html")).expect("this is a file name");
    let url = |i: usize| Url::parse(&format!("https://host-{}.org/wiki/{i}", i % hosts));
    (0..URLS as usize)
        .map(|i| Job::new(i as u64, url(i).expect("these are URLs"), key(i)))
        .collect()
}

fn filled(hosts: usize, usual_open: Option<u32>, now: Instant) -> Frontier {
    let limits = HostLimits { usual_open, ..HostLimits::default() };
    let options = queue::Options { limits, ..queue::Options::default() };
    let mut frontier = Frontier::new(options, Rng::new(1));
    for job in jobs(hosts) {
        frontier.push(job, now);
    }
    frontier
}

fn settle_all(frontier: &mut Frontier, clock: &dyn Clock) -> u32 {
    let saved =
        Attempt::without_answer(Outcome::Saved { bytes: 1, sha256: [0; 32], stored: Stored::Key });
    let at = Moment { now: clock.now(), wall: clock.wall() };
    let mut settled = 0;
    while let Next::Job(job) = frontier.next(at.now) {
        black_box(frontier.settle(job, Response::Done(saved.clone()), at.now, at));
        settled += 1;
    }
    settled
}

/// Picks every page and settles none, so that only picking is measured.
fn pick_all(frontier: &mut Frontier, now: Instant) -> u32 {
    let mut picked = 0;
    while let Next::Job(job) = frontier.next(now) {
        // Dropping a job is not part of picking.
        std::mem::forget(black_box(job));
        picked += 1;
    }
    picked
}

/// Picking a page takes the same steps with any number of hosts; the processor's cache
/// makes the difference.
fn frontier(c: &mut Criterion) {
    let clock = SystemClock;
    let mut group = c.benchmark_group("frontier");
    group.throughput(Throughput::Elements(u64::from(URLS)));
    for hosts in [10, 100, 1_000, 10_000] {
        group.bench_function(format!("pick, {hosts} hosts"), |b| {
            b.iter_batched_ref(
                || filled(hosts, None, clock.now()),
                |frontier| pick_all(frontier, clock.now()),
                BatchSize::LargeInput,
            );
        });
        group.bench_function(format!("pick and settle, {hosts} hosts"), |b| {
            b.iter_batched_ref(
                || filled(hosts, Some(16), clock.now()),
                |frontier| settle_all(frontier, &clock),
                BatchSize::LargeInput,
            );
        });
    }
}

fn decoding(c: &mut Criterion) {
    let site = Site::new(1, 50);
    let path = site.paths().next().expect("the site has pages").to_owned();
    let page = site.get(&path).expect("its path is its own");
    let plain = page.plain().clone();
    let zstd = Bytes::from(zstd::encode_all(&plain[..], 3).expect("memory takes all"));
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Bytes(plain.len() as u64));
    for (coding, body) in [("gzip", page.gzip().clone()), ("zstd", zstd), ("identity", plain)] {
        let codings = Codings::parse(Some(coding));
        group.bench_function(coding, |b| {
            b.iter(|| {
                decode::decode(black_box(&body), &codings, u64::MAX).expect("it is whole").len()
            });
        });
    }
}

criterion_group!(benches, links_of_an_index, names, frontier, decoding);
criterion_main!(benches);
