//! Whole runs against the embedded site that save through the sinks in memory, which are
//! of both kinds: what a new archive or store may rely on.
//!
//! All executors run except that of worker processes: another process does not share the
//! memory of this one. It opens a sink by its location, as it opens a directory.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use url::Url;

use crate::app::download;
use crate::app::exit::{Exit, Status};
use crate::cli::{self, Command};
use crate::digest;
use crate::exec::{self, Mode};
use crate::foreign::Foreign;
use crate::model::{FailureCode, Key, State, WorkerKind};
use crate::origin::{FaultKind, Faults, Options, Origin};
use crate::save::SinkLocation;
use crate::save::history::Difference;
use crate::save::history::verify::verify;
use crate::save::manifest::{PageRecord, Reader, Record};
use crate::save::names::{Layout, NameAllocator, PreviousName};
use crate::save::sink::tests::memory::Memory;
use crate::save::sink::{Address, OwnedCapture, OwnedContent, SavedPages, Target};

/// The executors that run in this process.
fn modes() -> impl Iterator<Item = &'static Mode> {
    exec::TABLE.iter().filter(|mode| mode.executor.workers_are() != WorkerKind::Process)
}

/// A target in memory, with its manifest in a directory.
struct Place {
    _directory: tempfile::TempDir,
    target: Target,
    memory: Arc<Memory>,
}

impl Place {
    /// An archive and a store.
    fn both() -> [Self; 2] {
        ["archive", "objects"].map(Self::new)
    }

    fn new(scheme: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap().to_owned();
        let target = Target::Store { scheme: scheme.to_owned(), path };
        let memory = Memory::of(&target);
        Self { _directory: directory, target, memory }
    }

    /// Whether the sink is the archive, which saves failures and redirects.
    fn is_archive(&self) -> bool {
        SinkLocation::of(&self.target).open().unwrap().unwrap().capabilities().saves_failures
    }

    /// Downloads `urls` to the end of the run.
    fn run(&self, mode: &Mode, options: &[&str], urls: &[String]) -> anyhow::Result<Status> {
        let fixed =
            ["fetchpages", "--quiet", "--workers", "4", "--retry", "0", "--mode", mode.name];
        let words = fixed.iter().chain(options).copied().chain(urls.iter().map(String::as_str));
        let line = cli::parse(words.map(Into::into));
        let Ok(Command::Download(mut config)) = line.0 else { panic!("{line:?}") };
        config.save.target = self.target.clone();
        download::run(&config)
    }

    /// The records of the pages of the last run, which has one for each URL.
    fn last_run(&self) -> BTreeMap<String, PageRecord> {
        let mut reader = Reader::at(&self.target.manifest()).unwrap();
        let mut pages = BTreeMap::new();
        while let Some(record) = reader.next_record().unwrap() {
            match record {
                Record::Run(_) => pages.clear(),
                Record::Page(page) => {
                    let before = pages.insert(page.url.as_str().to_owned(), *page);
                    assert!(before.is_none(), "{before:?} is not the only record of its URL");
                }
                _ => (),
            }
        }
        assert_eq!(reader.unreadable, 0);
        pages
    }

    /// What the sink returns for the page of a record.
    fn body(&self, page: &PageRecord) -> Vec<u8> {
        let sink = SinkLocation::of(&self.target).open().unwrap().unwrap();
        let key = Key::new(page.file.as_deref().unwrap_or("in an archive")).unwrap();
        let (stored, mut body) = (page.stored(), Vec::new());
        let mut opened = sink.open(Address::of(&key, &stored).unwrap()).unwrap().unwrap();
        opened.body.read_to_end(&mut body).unwrap();
        body
    }

    /// The pages that are stored, without failures.
    fn pages(&self) -> Vec<OwnedCapture> {
        let is_page =
            |capture: &OwnedCapture| matches!(capture.content, OwnedContent::Whole { .. });
        self.memory.captures().into_iter().filter(is_page).collect()
    }

    /// Why the one failure under `key` is stored; `None` when no failure is.
    fn failure(&self, key: &Key) -> Option<(FailureCode, OwnedCapture)> {
        let mut failures = self.memory.captures().into_iter().filter_map(|capture| {
            let OwnedContent::Incomplete(failure) = &capture.content else { return None };
            (capture.key == *key).then(|| (failure.code, capture.clone()))
        });
        let failure = failures.next();
        assert!(failures.next().is_none(), "{key} has more than one failure");
        failure
    }
}

/// The names of `urls`, which is what a run gives them.
fn keys(urls: &[String]) -> Vec<Key> {
    let mut names = NameAllocator::new(Layout::Flat);
    let name = |url: &String| names.name(&Url::parse(url).unwrap(), PreviousName::default());
    urls.iter().map(name).collect()
}

fn urls(origin: &Origin) -> Vec<String> {
    origin.site().paths().map(|path| origin.url(path)).collect()
}

fn count(pages: &BTreeMap<String, PageRecord>, state: State) -> usize {
    pages.values().filter(|page| page.state.known() == Some(state)).count()
}

fn code(page: &PageRecord) -> FailureCode {
    page.error.as_ref().unwrap().code.known().unwrap()
}

/// Checks the records of a run over `urls` of `origin` beside what is stored, and returns the
/// number of pages that are saved.
fn check(place: &Place, origin: &Origin, urls: &[String]) -> usize {
    let (pages, mut saved) = (place.last_run(), 0);
    assert_eq!(pages.len(), urls.len());
    for (url, key) in urls.iter().zip(keys(urls)) {
        let (page, path) = (&pages[url], Url::parse(url).unwrap().path().to_owned());
        let failed = match origin.permanent_fault(&path) {
            _ if path == "/wiki/Missing" => Some(FailureCode::Http),
            Some(FaultKind::RedirectLoop) => Some(FailureCode::Redirects),
            Some(FaultKind::BadGzip) => Some(FailureCode::Decode),
            Some(FaultKind::WrongLength) => Some(FailureCode::Truncated),
            Some(fault) => panic!("{fault} is not expected"),
            None => None,
        };
        let stored = place.failure(&key);
        if let Some(expected) = failed {
            assert_eq!((page.state.known(), code(page)), (Some(State::Failed), expected), "{url}");
            assert_eq!(
                stored.as_ref().map(|(code, _)| *code),
                place.is_archive().then_some(expected)
            );
            if let Some((_, capture)) = stored {
                assert_eq!(capture.exchange.unwrap().response.status, page.status.unwrap());
                let hops = if expected == FailureCode::Redirects { 2 } else { 0 };
                assert_eq!(capture.redirects.len(), hops, "{url}");
            }
            continue;
        }
        assert!(stored.is_none() && page.error.is_none(), "{url}");
        let path = if path == "/" {
            Url::parse(&origin.index_url()).unwrap().path().to_owned()
        } else {
            path
        };
        let expected = origin.site().get(&path).unwrap().plain();
        assert!(place.body(page) == expected, "{url} reads otherwise than the site has it");
        assert_eq!(page.bytes, Some(expected.len() as u64), "{url}");
        assert_eq!(page.sha256, Some(digest::hex(&digest::sha256(&expected))), "{url}");
        saved += 1;
    }
    saved
}

/// Checks that each page was stored once, with its exchange, and with the redirect where the
/// sink saves those.
fn check_captures(place: &Place, saved: usize) {
    let pages = place.pages();
    assert_eq!(pages.len(), saved);
    let mut redirected = 0;
    for capture in &pages {
        let exchange = capture.exchange.as_ref().unwrap();
        assert_eq!((exchange.response.status, exchange.truncated), (200, None));
        assert!(!capture.encoded.is_empty());
        for redirect in &capture.redirects {
            assert_eq!((redirect.url.path(), redirect.exchange.response.status), ("/", 302));
            redirected += 1;
        }
    }
    assert_eq!(redirected, usize::from(place.is_archive()));
}

#[test]
fn every_page_is_recorded_where_it_is_stored_and_a_resume_asks_the_sink() {
    let shares = ["redirect-loop:10", "bad-gzip:10", "wrong-length:10"];
    let faults = Faults::new(shares.map(|share| share.parse().unwrap())).unwrap();
    let options = Options { pages: 24, seed: 7, faults, ..Options::default() };
    let origin = Origin::start(&options).unwrap();
    let mut urls = urls(&origin);
    urls.extend(["/", "/wiki/Missing"].map(|path| origin.url(path)));
    for mode in modes() {
        for place in Place::both() {
            let status = place.run(mode, &["--max-redirs", "2"], &urls).unwrap();
            assert_eq!(status, Status::Incomplete, "{mode:?}");
            let saved = check(&place, &origin, &urls);
            assert!((10..24).contains(&saved), "{saved} pages have no fault");
            check_captures(&place, saved);
            let report = verify(&place.target).unwrap();
            assert_eq!((report.whole, report.differences.len()), (saved as u64, 0), "{mode:?}");
            assert!(report.is_finished);

            // The page is gone from the sink, and only the sink knows that.
            let lost = place.pages().swap_remove(saved / 2).key;
            place.memory.lose(&lost);
            let report = verify(&place.target).unwrap();
            assert_eq!(report.whole, saved as u64 - 1, "{mode:?}");
            assert!(report.differences.values().eq([&Difference::Missing]), "{report:?}");
            assert_eq!(report.to_fetch.len(), urls.len() - saved + 1);
            let saved_urls: Vec<_> =
                urls.iter().filter(|url| place.last_run()[*url].error.is_none()).cloned().collect();
            let status = place.run(mode, &["--resume"], &saved_urls).unwrap();
            assert_eq!(status, Status::Done, "{mode:?}");
            let again = place.last_run();
            assert_eq!((again.len(), count(&again, State::Saved)), (1, 1), "{mode:?}");
            assert_eq!(keys(&[again.keys().next().unwrap().clone()]), [lost], "{mode:?}");
            assert_eq!(place.pages().len(), saved, "{mode:?}");
            assert_eq!(verify(&place.target).unwrap().whole, saved as u64, "{mode:?}");
        }
    }
}

#[test]
fn a_store_that_is_full_stops_the_run_and_the_next_run_fetches_the_rest() {
    const ROOM: usize = 7;
    let origin = Origin::start(&Options { pages: 20, ..Options::default() }).unwrap();
    let urls = urls(&origin);
    for mode in modes() {
        for place in Place::both() {
            place.memory.set_room(Some(ROOM));
            let exit = Exit::of(&place.run(mode, &[], &urls).unwrap_err());
            let message = exit.message.as_str();
            assert_eq!(exit.status, Status::Broken, "{mode:?}");
            assert!(message.starts_with("error: the run stopped\ncaused by: failed to write "));
            assert!(message.contains("\ncaused by: no storage space\nhint: "), "{message}");
            let pages = place.last_run();
            assert_eq!(
                (count(&pages, State::Saved), place.pages().len()),
                (ROOM, ROOM),
                "{mode:?}"
            );
            let failed: Vec<_> = pages.values().filter(|page| page.error.is_some()).collect();
            assert!((1..=4).contains(&failed.len()), "{mode:?}: {failed:?}");
            assert!(failed.iter().all(|page| code(page) == FailureCode::Save), "{failed:?}");
            let rest = count(&pages, State::Interrupted);
            assert_eq!(ROOM + failed.len() + rest, pages.len(), "{mode:?}");

            place.memory.set_room(None);
            let status = place.run(mode, &["--resume"], &urls).unwrap();
            assert_eq!(status, Status::Done, "{mode:?}");
            // No page is stored twice.
            assert_eq!(place.pages().len(), urls.len(), "{mode:?}");
            let report = verify(&place.target).unwrap();
            let found = (report.whole, report.differences.len(), report.unsaved);
            assert_eq!(found, (urls.len() as u64, 0, 0), "{mode:?}");
        }
    }
}

#[test]
fn an_archive_without_room_for_failures_stops_the_run_too() {
    let origin = Origin::start(&Options { pages: 1, ..Options::default() }).unwrap();
    let missing: Vec<_> = (0..6).map(|number| origin.url(&format!("/{number}"))).collect();
    for mode in modes() {
        for place in Place::both() {
            place.memory.set_room(Some(2));
            let ended = place.run(mode, &[], &missing);
            let pages = place.last_run();
            let failed = pages.values().filter(|page| page.error.is_some());
            assert!(failed.clone().all(|page| code(page) == FailureCode::Http));
            if place.is_archive() {
                let exit = Exit::of(&ended.unwrap_err());
                assert_eq!(exit.status, Status::Broken, "{mode:?}");
                let unstored = failed.clone().filter(|page| page.note.is_some()).count();
                assert_eq!(failed.count() - unstored, 2, "{mode:?}");
            } else {
                // The store is given no failures.
                assert_eq!(ended.unwrap(), Status::Incomplete, "{mode:?}");
                assert!(failed.clone().all(|page| page.note.is_none()));
                assert_eq!(failed.count(), missing.len(), "{mode:?}");
            }
        }
    }
}

#[test]
fn a_page_that_the_sink_refuses_fails_alone() {
    let origin = Origin::start(&Options { pages: 8, ..Options::default() }).unwrap();
    let mut urls = urls(&origin);
    urls.push(origin.url("/wiki/Missing"));
    let keys = keys(&urls);
    for mode in modes() {
        for place in Place::both() {
            place.memory.refuse(&[keys[3].clone(), keys[8].clone()]);
            let status = place.run(mode, &[], &urls).unwrap();
            assert_eq!(status, Status::Incomplete, "{mode:?}");
            let pages = place.last_run();
            assert_eq!(count(&pages, State::Saved), 7, "{mode:?}");
            let refused = &pages[&urls[3]];
            assert_eq!(
                (refused.state.known(), code(refused)),
                (Some(State::Failed), FailureCode::Save)
            );
            // That its answer is not in the archive is no secret of this run.
            let missing = &pages[&urls[8]];
            assert_eq!(code(missing), FailureCode::Http, "{mode:?}");
            let note = missing.note.as_ref().map(Foreign::raw);
            let is_noted = note.is_some_and(|note| note.starts_with("the answer was not stored: "));
            assert_eq!(is_noted, place.is_archive(), "{mode:?}: {note:?}");

            place.memory.refuse(&[]);
            let status = place.run(mode, &["--retry-failed=save"], &urls).unwrap();
            assert_eq!(status, Status::Done, "{mode:?}");
            assert_eq!(count(&place.last_run(), State::Saved), 1, "{mode:?}");
            assert_eq!(place.pages().len(), 8, "{mode:?}");
        }
    }
}

#[test]
fn pages_that_are_larger_than_the_memory_are_stored_whole() {
    // Articles of some 6 MB, which are decoded in pieces.
    let cpu_per_page = std::time::Duration::from_millis(28);
    let options = Options { pages: 2, cpu_per_page, ..Options::default() };
    let origin = Origin::start(&options).unwrap();
    let urls = urls(&origin);
    for mode in modes() {
        for place in Place::both() {
            for memory in ["1MB", "1GB"] {
                let status = place.run(mode, &["--max-memory", memory], &urls).unwrap();
                assert_eq!(status, Status::Done, "{mode:?}");
                assert_eq!(check(&place, &origin, &urls), 2, "{mode:?}");
                let report = verify(&place.target).unwrap();
                assert_eq!((report.whole, report.differences.len()), (2, 0), "{mode:?}");
            }
            assert!(place.pages().iter().all(|page| match &page.content {
                OwnedContent::Whole { decoded, .. } => decoded.len() > 4 << 20,
                OwnedContent::Incomplete(_) => false,
            }));
        }
    }
}
