//! What every sink must do, whatever it is: run over the table.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::FutureExt;

use crate::digest;
use crate::model::{Key, Stored};
use crate::save::error::SaveError;
use crate::save::names::reserved::MANIFEST_NAME;
use crate::save::sink::{
    Address, Capture, Content, Depth, FailingPut, Found, OwnedCapture, OwnedContent, SavedPages,
    Sink, SinkKind, TABLE, Target,
};

/// A sink of the table with a target of its own.
struct Fixture {
    kind: &'static SinkKind,
    directory: tempfile::TempDir,
    target: Target,
    sink: Sink,
    /// Where the pages are that were put last.
    stored: Mutex<BTreeMap<String, Stored>>,
}

impl Fixture {
    fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(Self::of)
    }

    /// Those that save pages.
    fn saving() -> impl Iterator<Item = Self> {
        Self::all().filter(|fixture| fixture.kind.capabilities.saves_pages)
    }

    fn of(kind: &'static SinkKind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("output");
        std::fs::create_dir(&output).unwrap();
        let target = (kind.testing.sample)(&output);
        assert!((kind.accepts)(&target), "{} refuses its own sample", kind.name);
        let sink = (kind.open)(&target).unwrap();
        assert_eq!(sink.capabilities(), kind.capabilities, "{}", kind.name);
        Self { kind, directory, target, sink, stored: Mutex::default() }
    }

    fn output(&self) -> &Path {
        let Target::Directory(path) = &self.target else { panic!("it is no directory") };
        path
    }

    const fn is_directory(&self) -> bool {
        matches!(self.target, Target::Directory(_))
    }

    /// The ways in which this sink takes a page.
    fn ways(&self) -> &'static [Way] {
        match &self.sink {
            Sink::Local(_) => &[Way::Whole, Way::Pieces],
            Sink::Remote(_) => &[Way::Whole],
        }
    }

    /// Puts a page.
    fn put(&self, way: Way, name: &str, body: &[u8]) -> Result<(), SaveError> {
        let (key, body) = (key(name), Bytes::copy_from_slice(body));
        let capture = Capture::of_body(&key, &body);
        let stored = match (&self.sink, way) {
            (Sink::Local(sink), Way::Whole) => sink.put(&capture),
            (Sink::Local(sink), Way::Pieces) => {
                let mut page = sink.begin(&Capture { content: Content::InPieces, ..capture })?;
                body.chunks(3).try_for_each(|piece| page.add(piece))?;
                page.finish(digest::sha256(&body))
            }
            (Sink::Remote(sink), _) => on_a_loop(sink.put(owned(&key, &body))),
        };
        self.stored.lock().unwrap().insert(name.to_owned(), stored?);
        Ok(())
    }

    /// The page of `name` that was put last, as it reads; `None` when it is nowhere.
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let (key, stored) = (key(name), self.stored.lock().unwrap().get(name)?.clone());
        let address = Address::of(&key, &stored)?;
        let mut body = Vec::new();
        let mut page = self.sink.open(address).unwrap().unwrap();
        page.body.read_to_end(&mut body).unwrap();
        let found = self.sink.stat(address).unwrap();
        assert!(found.is_file && found.len == body.len() as u64, "{}", self.kind.name);
        assert_eq!(page.len, found.len, "{}", self.kind.name);
        Some(body)
    }

    /// Whether exactly `pages` are there, as far as the sink saves any.
    #[track_caller]
    fn holds(&self, pages: &[(&str, &[u8])]) {
        for (name, body) in pages {
            let expected = self.kind.capabilities.saves_pages.then(|| body.to_vec());
            assert_eq!(self.read(name), expected, "{} {name}", self.kind.name);
        }
        if self.kind.capabilities.is_addressable {
            let mut expected: Vec<_> = pages.iter().map(|(name, _)| (*name).to_owned()).collect();
            expected.sort();
            assert_eq!(self.names(), expected, "{}", self.kind.name);
        }
        let beside: Vec<_> = std::fs::read_dir(self.directory.path()).unwrap().collect();
        assert_eq!(beside.len(), 1, "{} left its target", self.kind.name);
    }

    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut add = |found: Found<'_>| {
            if let Found::File(name) | Found::Link(name) | Found::Staged(name) = found {
                names.push(name.to_owned());
            }
            Ok(())
        };
        self.sink.list(Depth::All, &mut add).unwrap();
        names.sort();
        names
    }
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Whole,
    Pieces,
}

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn owned(key: &Key, body: &Bytes) -> OwnedCapture {
    let content = OwnedContent::Whole { decoded: body.clone(), sha256: digest::sha256(body) };
    let (key, encoded) = (key.clone(), body.clone());
    OwnedCapture { key, exchange: None, redirects: Vec::new(), encoded, content }
}

fn on_a_loop<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_page_reads_back_as_it_was_put_and_is_replaced_whole() {
    for fixture in Fixture::all() {
        for way in fixture.ways() {
            for body in [&b"the first body"[..], b"second", b"", b"\0\xff\r\n"] {
                fixture.put(*way, "page.html", body).unwrap();
                fixture.holds(&[("page.html", body)]);
            }
        }
    }
}

#[test]
fn folders_are_made_where_keys_have_some() {
    for fixture in Fixture::all() {
        for way in fixture.ways() {
            fixture.put(*way, "a/b/c/page.html", b"deep").unwrap();
            fixture.put(*way, "a/b/other.html", b"less deep").unwrap();
            fixture.put(*way, "a/b/c/page.html", b"again").unwrap();
            fixture.holds(&[("a/b/c/page.html", b"again"), ("a/b/other.html", b"less deep")]);
        }
    }
}

#[test]
fn keys_that_differ_a_little_hold_pages_of_their_own_and_none_leaves_the_target() {
    let long = "x".repeat(200);
    let names = [
        "a", "a.html", ".a", "a ", "a%2Fb", "a?b=c", "-a", "~a", "ä.html", "d/a", "d/a.html",
        "...", "d/...", "%2E%2E/x", "C:", &long,
    ];
    for fixture in Fixture::all() {
        for way in fixture.ways() {
            for name in names {
                fixture.put(*way, name, name.as_bytes()).unwrap();
            }
            fixture.holds(&names.map(|name| (name, name.as_bytes())));
        }
    }
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    for fixture in Fixture::saving() {
        for way in fixture.ways() {
            fixture.put(*way, "folder/page.html", b"body").unwrap();
            fixture.put(*way, "file", b"file").unwrap();
            let kept: &[(&str, &[u8])] = &[("folder/page.html", b"body"), ("file", b"file")];
            match fixture.kind.testing.failure {
                FailingPut::Never => (),
                FailingPut::NameOfFolder => {
                    for name in ["folder", "file/page.html", "file/deeper/page.html"] {
                        let error = fixture.put(*way, name, b"other").unwrap_err();
                        assert!(!error.breaks_run(), "{way:?} {name}: {error:?}");
                    }
                }
                FailingPut::Full(fill) => {
                    fill(&fixture.target, true);
                    let error = fixture.put(*way, "file", b"other").unwrap_err();
                    assert!(error.breaks_run(), "{error:?}");
                    fill(&fixture.target, false);
                }
            }
            fixture.holds(kept);
        }
    }
}

#[test]
fn nothing_is_seen_of_a_page_before_it_is_finished() {
    let names = ["old", "new", "folder/new"];
    for fixture in Fixture::all() {
        let Sink::Local(sink) = &fixture.sink else { continue };
        fixture.put(Way::Whole, "old", b"old").unwrap();
        let (keys, encoded) = (names.map(key), Bytes::new());
        let begin = |key| {
            let capture = Capture::of_body(key, &encoded);
            sink.begin(&Capture { content: Content::InPieces, ..capture }).unwrap()
        };
        let mut pages: Vec<_> = keys.iter().map(begin).collect();
        for page in &mut pages {
            page.add(b"half of ").unwrap();
        }
        fixture.holds_but_staged(&[("old", b"old")]);
        for (name, mut page) in names.into_iter().zip(pages) {
            page.add(b"a page").unwrap();
            let stored = page.finish(digest::sha256(b"half of a page")).unwrap();
            fixture.stored.lock().unwrap().insert(name.to_owned(), stored);
        }
        fixture.holds(&names.map(|name| (name, &b"half of a page"[..])));
    }
}

impl Fixture {
    /// As [`holds`](Self::holds), while pages are half saved.
    fn holds_but_staged(&self, pages: &[(&str, &[u8])]) {
        for (name, body) in pages {
            let expected = self.kind.capabilities.saves_pages.then(|| body.to_vec());
            assert_eq!(self.read(name), expected, "{}", self.kind.name);
        }
        for name in ["new", "folder/new"].map(key) {
            assert!(self.sink.stat(Address::Key(&name)).is_err(), "{}", self.kind.name);
        }
    }
}

#[test]
fn a_page_that_is_not_finished_leaves_nothing_behind() {
    for fixture in Fixture::all() {
        fixture.put(Way::Whole, "old", b"old").unwrap();
        let body = Bytes::from_static(b"half");
        for name in ["old", "new", "folder/new"].map(key) {
            match &fixture.sink {
                Sink::Local(sink) => {
                    let capture = Capture::of_body(&name, &body);
                    let capture = Capture { content: Content::InPieces, ..capture };
                    let mut page = sink.begin(&capture).unwrap();
                    page.add(b"half").unwrap();
                    drop(page);
                    drop(sink.begin(&capture).unwrap());
                }
                Sink::Remote(sink) => {
                    let put = sink.put(owned(&name, &body));
                    assert!(on_a_loop(async { put.now_or_never() }).is_none());
                }
            }
        }
        fixture.holds(&[("old", b"old")]);
    }
}

#[test]
fn readers_see_whole_pages_whoever_writes() {
    const ROUNDS: u8 = 40;
    let bodies = |number: u8| vec![number; 20_000 + usize::from(number)];
    for fixture in Fixture::saving() {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..6)
                .map(|writer| {
                    let fixture = &fixture;
                    scope.spawn(move || {
                        for round in 0..ROUNDS {
                            let ways = fixture.ways();
                            let way = ways[usize::from(round) % ways.len()];
                            fixture.put(way, "shared/page", &bodies(writer)).unwrap();
                            let own = format!("own/{writer}/{round}");
                            fixture.put(way, &own, &bodies(round)).unwrap();
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                let key = key("shared/page");
                while !is_over.load(Ordering::Relaxed) {
                    let stored = fixture.stored.lock().unwrap().get(key.as_str()).cloned();
                    let Some(stored) = stored else { continue };
                    let mut body = Vec::new();
                    let address = Address::of(&key, &stored).unwrap();
                    let mut page = fixture.sink.open(address).unwrap().unwrap();
                    page.body.read_to_end(&mut body).unwrap();
                    assert_eq!(body, bodies(body[0]), "{}", fixture.kind.name);
                }
            });
            let ends: Vec<_> =
                writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            is_over.store(true, Ordering::Relaxed);
            for end in ends {
                end.unwrap();
            }
        });
        let names: Vec<_> = fixture.stored.lock().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), 6 * usize::from(ROUNDS) + 1, "{}", fixture.kind.name);
        for name in &names {
            let body = fixture.read(name).unwrap();
            assert_eq!(body, bodies(body[0]), "{}", fixture.kind.name);
            assert!(name == "shared/page" || name.ends_with(&format!("/{}", body[0])));
        }
        if fixture.kind.capabilities.is_addressable {
            assert_eq!(fixture.names(), names, "{}", fixture.kind.name);
        }
    }
}

#[test]
fn what_a_dead_process_had_on_its_way_is_removed() {
    for fixture in Fixture::saving().filter(Fixture::is_directory) {
        let names = [".fetchpages-12-0.part", ".fetchpages-12-7.part", ".fetchpages-1-2.part"];
        for name in names.iter().chain(&["page", MANIFEST_NAME]) {
            std::fs::File::create_new(fixture.output().join(name)).unwrap();
        }
        fixture.sink.clear_after(12).unwrap();
        assert_eq!(fixture.names(), [names[2], "page"]);
        assert!(fixture.output().join(MANIFEST_NAME).exists());
        fixture.sink.remove_staged(names[2]).unwrap();
        assert_eq!(fixture.names(), ["page"]);
    }
}
