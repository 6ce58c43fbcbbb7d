//! Rules that hold for any input: names, and manifests that were cut or damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use fetchpages::clock::{Clock, SystemClock};
use fetchpages::digest;
use fetchpages::event::{Event, Observer};
use fetchpages::foreign::{Foreign, is_shown};
use fetchpages::model::{Attempt, Job, Key, Outcome, Settled, Stored, Summary, shown_url};
use fetchpages::save::history::verify::verify;
use fetchpages::save::manifest::Reader;
use fetchpages::save::manifest::{Record, RunRecord, VERSION};
use fetchpages::save::names::PageUrl;
use fetchpages::save::names::{Layout, NameAllocator, PreviousName};
use fetchpages::save::sink::{Capture, Content, Sink, Target};
use fetchpages::save::{self, Options, Output, Refetch, SaveError};
use fetchpages::source::plan::{Filter, Plan, Planned};
use fetchpages::source::{UrlSource, page_url};
use proptest::prelude::*;
use url::Url;

fn layouts() -> impl Strategy<Value = Layout> {
    prop_oneof![Just(Layout::Flat), Just(Layout::Tree), Just(Layout::Hash)]
}

/// Addresses that meet each other often: few hosts, short segments of few letters,
/// folders that are files elsewhere, dots, escapes, and now and then a long one.
fn urls(most: usize) -> impl Strategy<Value = Vec<Url>> {
    let segment = prop_oneof![
        8 => "[aAbB]{1,2}",
        3 => "[aA](\\.html|\\.css|\\.HTML|%2F|%00|%C3%A9|:|~|\\.)?",
        1 => Just("..".to_owned()),
        1 => Just("manifest.jsonl".to_owned()),
        1 => Just(".fetchpages-1-1.part".to_owned()),
        1 => Just(String::new()),
        1 => "[xX%é.]{180,260}",
    ];
    let url = (
        "(a\\.org|A\\.org:81|\\[::1\\])",
        prop::collection::vec(segment, 0..4),
        "(\\?[a/?*]{0,3})?",
    )
        .prop_filter_map("no URL", |(host, path, query)| {
            Url::parse(&format!("http://{host}/{}{query}", path.join("/"))).ok()
        });
    prop::collection::btree_set(url, 1..most)
        .prop_map(|urls| urls.into_iter().collect())
        .prop_shuffle()
}

/// What a user may type as an address, from characters that have a meaning in URLs.
fn typed() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        4 => "[a-zA-Z0-9.]{1,3}",
        4 => "[/?#:@%\\\\\\[\\]^|'\"`{}<>&=;,~$!*()+ -]",
        1 => "%[0-9a-fA-F]{2}",
        1 => "xn--[a-z0-9]{1,5}",
        2 => any::<char>().prop_map(String::from),
    ];
    let rest = prop::collection::vec(sign, 0..12).prop_map(|signs| signs.concat());
    ("https?:/{0,3}", rest).prop_map(|(scheme, rest)| scheme + &rest)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_address_is_read_from_the_manifest_as_it_was_recorded(typed in typed()) {
        if let Ok(url) = page_url(&typed) {
            let recorded = shown_url(&url);
            let read = PageUrl::parse(&recorded);
            prop_assert_eq!(read.as_ref().map(PageUrl::as_str), Some(&*recorded));
            prop_assert!(recorded.chars().all(is_shown), "{}", recorded);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn names_follow_from_the_input_and_never_meet_or_leave(layout in layouts(), urls in urls(40)) {
        let name_all = || {
            let mut allocator = NameAllocator::new(layout);
            urls.iter().map(|url| allocator.name(url, PreviousName::default()).to_string()).collect::<Vec<_>>()
        };
        let names = name_all();
        prop_assert_eq!(&names, &name_all());
        let lower: BTreeSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
        prop_assert_eq!(lower.len(), names.len(), "{:?}", names);
        for name in &names {
            prop_assert!(!name.starts_with('/') && name.to_lowercase() != "manifest.jsonl");
            prop_assert!(!fetchpages::save::names::reserved::is_staged(name), "{name}");
            for part in name.split('/') {
                let is_safe = !part.is_empty() && part != "." && part != ".." && part.len() <= 200;
                prop_assert!(is_safe && !part.contains(['\0', '\\', '?']), "{:?}", name);
                // An IPv6 address has colons, within its brackets.
                let (_, behind) = part.rsplit_once(']').unwrap_or(("", part));
                let is_address = part.starts_with('[');
                prop_assert!(!if is_address { behind } else { part }.contains(':'), "{:?}", name);
            }
            let folders = name.match_indices('/').map(|(slash, _)| name[..slash].to_lowercase());
            prop_assert!(folders.into_iter().all(|folder| !lower.contains(&folder)), "{:?}", names);
        }
    }
}

/// A run over a list, without a network: each page is its own address.
struct Simulated<'a> {
    directory: &'a Path,
    layout: Layout,
    urls: &'a [Url],
}

/// Saves a page that holds `text`.
fn put(sink: &Sink, key: &Key, text: &str) -> Result<(), SaveError> {
    let Sink::Local(sink) = sink else { panic!("a directory's sink blocks") };
    let encoded = Bytes::from(text.to_owned());
    let content = Content::Whole { decoded: &encoded, sha256: digest::sha256(&encoded) };
    let redirects = &[];
    sink.put(&Capture { key, exchange: None, redirects, encoded: &encoded, content }).map(drop)
}

impl Simulated<'_> {
    fn open(&self) -> Result<Output, SaveError> {
        let options = Options {
            target: Target::Directory(self.directory.to_owned()),
            layout: self.layout,
            saves_pages: true,
            source: Vec::new(),
            refetch: Refetch::Unsaved,
        };
        loop {
            match save::open(&options) {
                // A process that another test starts inherits the lock, until it
                // becomes the program that it is started as.
                Err(SaveError::Locked { .. }) => std::thread::yield_now(),
                opened => return opened,
            }
        }
    }

    /// Runs to the end, and returns the number of pages that were fetched.
    fn run(&self) -> Result<u64, SaveError> {
        let Output { sink, mut manifest, catalogue, .. } = self.open()?;
        let now = SystemClock.now();
        manifest.begin(run_record(self.layout), now, true)?;
        let source = Box::new(UrlSource::new(self.urls.to_vec()));
        let mut plan = Plan::new(source, Filter::default(), catalogue);
        let mut states = BTreeMap::new();
        while let Some(entry) = plan.read().unwrap() {
            if let Planned::Job(job) = plan.admit(entry).unwrap() {
                put(&sink, &job.key, job.url.as_str())?;
                let event = saved(*job);
                manifest.on_event(&event).unwrap();
                manifest.on_batch_end(now).unwrap();
                *states.entry(fetchpages::model::State::Saved).or_default() += 1;
            }
        }
        let summary = Summary { intake: plan.intake(), states, ..Summary::default() };
        assert_eq!(summary.check_accounts(), Ok(()));
        manifest.end(&summary)?;
        Ok(summary.settled())
    }

    /// Returns the files and their contents, without the manifest.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.directory.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.directory).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if name != save::names::reserved::MANIFEST_NAME {
                    files.insert(name, std::fs::read_to_string(path).unwrap());
                }
            }
        }
        files
    }

    fn manifest(&self) -> std::path::PathBuf {
        self.directory.join(save::names::reserved::MANIFEST_NAME)
    }
}

fn run_record(layout: Layout) -> RunRecord {
    RunRecord {
        v: VERSION,
        started: String::new(),
        version: Foreign::default(),
        mode: Foreign::default(),
        workers: 1,
        source: Foreign::default(),
        args: Vec::new(),
        spec: None,
        is_redacted: false,
        layout: layout.into(),
        unowned: 0,
    }
}

fn saved(job: Job) -> Event {
    let body = job.url.as_str().as_bytes();
    let outcome = Outcome::Saved {
        bytes: body.len() as u64,
        sha256: digest::sha256(body),
        stored: Stored::Key,
    };
    let attempt = Attempt::without_answer(outcome);
    let total = std::time::Duration::ZERO;
    Event::Settled(Box::new(Settled { job, attempt, worker: None, started: None, total }))
}

/// The page records of a manifest that can be read.
fn pages(directory: &Path) -> Vec<String> {
    let mut reader = Reader::open(directory).unwrap();
    let mut urls = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        if let Record::Page(page) = record {
            urls.push(page.url.as_str().to_owned());
        }
    }
    urls
}

/// The contents of the complete lines of a manifest of two runs.
struct Recorded {
    pages: usize,
    /// Whether the second run began and did not end.
    is_cut: bool,
}

impl Recorded {
    fn of(manifest: &[u8]) -> Self {
        let text = String::from_utf8_lossy(manifest);
        let (whole, _torn) = text.rsplit_once('\n').unwrap_or_default();
        let of_kind = |kind: &str| {
            let start = format!("{{\"kind\":\"{kind}\"");
            whole.lines().filter(|line| line.starts_with(&start)).count()
        };
        Self { pages: of_kind("page"), is_cut: of_kind("run") == 2 && of_kind("end") == 1 }
    }
}

fn rubbish() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => Just(Vec::new()),
        2 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (1_usize..5_000).prop_map(|length| vec![0; length]),
        1 => prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'{'), Just(0)], 0..50),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_resume_after_any_cut_has_every_page_once(
        layout in layouts(),
        urls in urls(12),
        done in 0_usize..12,
        cut in 0.0..=1.0_f64,
        rubbish in rubbish(),
        lost in 0_usize..12,
    ) {
        let place = tempfile::tempdir().unwrap();
        let all = Simulated { directory: place.path(), layout, urls: &urls };
        // A first run that was not asked for everything, and the one that is cut off.
        Simulated { urls: &urls[..done.min(urls.len())], ..all }.run().unwrap();
        all.run().unwrap();
        let whole = std::fs::read(all.manifest()).unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of it")]
        let cut = (whole.len() as f64 * cut) as usize;
        let mut file =
            std::fs::OpenOptions::new().write(true).truncate(true).open(all.manifest()).unwrap();
        file.write_all(&[&whole[..cut], &rubbish].concat()).unwrap();
        drop(file);
        let recorded = Recorded::of(&whole[..cut]);
        if let Some(path) = all.files().keys().nth(lost) {
            std::fs::remove_file(place.path().join(path)).unwrap();
        }
        match all.open() {
            Ok(_) => (),
            Err(SaveError::NotAManifest { .. }) => {
                prop_assert!(cut < 9, "only a destroyed start is no manifest");
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
        // Rubbish may complete a line that lacks only its end.
        let read = pages(place.path()).len();
        prop_assert!((recorded.pages..=recorded.pages + 1).contains(&read), "{read} pages read");
        all.run().unwrap();
        prop_assert_eq!(all.run().unwrap(), 0, "all is skipped now");
        let files = all.files();
        for url in &urls {
            prop_assert!(files.values().any(|body| body == url.as_str()), "{} is lost", url);
        }
        // If no run is known to have been cut off, unknown files count as unowned.
        if recorded.is_cut {
            prop_assert_eq!(files.len(), urls.len(), "{:?}", files);
            let report = verify(&Target::Directory(place.path().to_owned())).unwrap();
            prop_assert!(report.differences.is_empty(), "{:?}", report);
            prop_assert_eq!((report.whole, report.unsaved), (urls.len() as u64, 0));
        }
    }
}
