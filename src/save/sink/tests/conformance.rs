//! What every sink must do, whatever it is: run over the table.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::Key;
use crate::save::error::SaveError;
use crate::save::names::reserved::MANIFEST_NAME;
use crate::save::sink::{Sink, SinkKind, TABLE};

/// A sink of the table in a directory of its own.
struct Fixture {
    row: &'static SinkKind,
    directory: tempfile::TempDir,
    sink: Box<dyn Sink>,
}

impl Fixture {
    fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(Self::of)
    }

    fn of(row: &'static SinkKind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sink = (row.open)(directory.path()).unwrap();
        Self { row, directory, sink }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.path().join(key)
    }

    /// Whether exactly `pages` are there, as far as the sink keeps any.
    #[track_caller]
    fn holds(&self, pages: &[(&str, &[u8])]) {
        let mut expected: Vec<_> =
            pages.iter().map(|(key, body)| ((*key).to_owned(), body.to_vec())).collect();
        if !self.sink.keeps() {
            expected.clear();
        }
        expected.sort();
        assert_eq!(files(self.directory.path()), expected, "{}", self.row.name);
    }

    /// Puts a page in one go or in pieces.
    fn save(&self, way: Way, name: &str, body: &[u8]) -> Result<(), SaveError> {
        match way {
            Way::Whole => self.sink.put(&key(name), body),
            Way::Pieces => {
                let mut page = self.sink.begin(&key(name))?;
                body.chunks(3).try_for_each(|piece| page.add(piece))?;
                page.finish()
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Whole,
    Pieces,
}

const WAYS: [Way; 2] = [Way::Whole, Way::Pieces];

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

/// All files below `directory` and what they hold, in order; a link would be an error.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_page_is_kept_under_its_key_and_replaced_whole() {
    for place in Fixture::all() {
        for way in WAYS {
            place.save(way, "page.html", b"the first body").unwrap();
            place.holds(&[("page.html", b"the first body")]);
            place.save(way, "page.html", b"second").unwrap();
            place.holds(&[("page.html", b"second")]);
            place.save(way, "page.html", b"").unwrap();
            place.holds(&[("page.html", b"")]);
        }
    }
}

#[test]
fn folders_are_made_where_keys_have_some() {
    for way in WAYS {
        for place in Fixture::all() {
            place.save(way, "a/b/c/page.html", b"deep").unwrap();
            place.save(way, "a/b/other.html", b"less deep").unwrap();
            place.save(way, "a/b/c/page.html", b"again").unwrap();
            place.holds(&[("a/b/c/page.html", b"again"), ("a/b/other.html", b"less deep")]);
        }
    }
}

#[test]
fn keys_that_differ_a_little_hold_pages_of_their_own() {
    let long = "x".repeat(200);
    let names = [
        "a", "a.html", ".a", "a ", "a%2Fb", "a?b=c", "-a", "~a", "ä.html", "d/a", "d/a.html", &long,
    ];
    for way in WAYS {
        for place in Fixture::all() {
            for name in names {
                place.save(way, name, name.as_bytes()).unwrap();
            }
            place.holds(&names.map(|name| (name, name.as_bytes())));
        }
    }
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    for way in WAYS {
        for place in Fixture::all().filter(|place| place.sink.keeps()) {
            place.save(way, "folder/page.html", b"body").unwrap();
            place.save(way, "file", b"file").unwrap();
            for name in ["folder", "file/page.html", "file/deeper/page.html"] {
                let error = place.save(way, name, b"other").unwrap_err();
                assert!(!error.breaks_run(), "{way:?} {name}: {error:?}");
            }
            place.holds(&[("folder/page.html", b"body"), ("file", b"file")]);
        }
    }
}

#[test]
fn nothing_is_seen_of_a_page_before_it_is_finished() {
    for place in Fixture::all() {
        place.save(Way::Whole, "old", b"old").unwrap();
        let mut pages: Vec<_> =
            ["old", "new", "folder/new"].map(|name| place.sink.begin(&key(name)).unwrap()).into();
        for page in &mut pages {
            page.add(b"half of ").unwrap();
        }
        for name in ["new", "folder/new"] {
            assert!(!place.path(name).exists(), "{}", place.row.name);
        }
        if place.sink.keeps() {
            assert_eq!(std::fs::read(place.path("old")).unwrap(), b"old");
        }
        for mut page in pages {
            page.add(b"a page").unwrap();
            page.finish().unwrap();
        }
        let whole: &[u8] = b"half of a page";
        place.holds(&[("old", whole), ("new", whole), ("folder/new", whole)]);
    }
}

#[test]
fn a_page_that_is_not_finished_leaves_nothing_behind() {
    for place in Fixture::all() {
        place.save(Way::Whole, "old", b"old").unwrap();
        for name in ["old", "new", "folder/new"] {
            let mut page = place.sink.begin(&key(name)).unwrap();
            page.add(b"half").unwrap();
            drop(page);
            drop(place.sink.begin(&key(name)).unwrap());
        }
        place.holds(&[("old", b"old")]);
    }
}

#[test]
fn readers_see_whole_pages_whoever_writes() {
    const ROUNDS: u8 = 40;
    let bodies = |number: u8| vec![number; 20_000 + usize::from(number)];
    for place in Fixture::all() {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..6)
                .map(|writer| {
                    let place = &place;
                    scope.spawn(move || {
                        for round in 0..ROUNDS {
                            let way = WAYS[usize::from(round % 2)];
                            place.save(way, "shared/page", &bodies(writer)).unwrap();
                            let own = format!("own/{writer}/{round}");
                            place.save(way, &own, &bodies(round)).unwrap();
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    if let Ok(body) = std::fs::read(place.path("shared/page")) {
                        assert_eq!(body, bodies(body[0]), "{}", place.row.name);
                    }
                }
            });
            let ends: Vec<_> =
                writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            is_over.store(true, Ordering::Relaxed);
            for end in ends {
                end.unwrap();
            }
        });
        let found = files(place.directory.path());
        let expected = if place.sink.keeps() { 6 * usize::from(ROUNDS) + 1 } else { 0 };
        assert_eq!(found.len(), expected, "{}", place.row.name);
        assert!(found.iter().all(|(name, body)| {
            name == "shared/page" || name.ends_with(&format!("/{}", body[0]))
        }));
    }
}

#[test]
fn what_a_dead_process_had_on_its_way_is_removed() {
    for place in Fixture::all().filter(|place| place.sink.keeps()) {
        let names = [".fetchpages-12-0.part", ".fetchpages-12-7.part", ".fetchpages-1-2.part"];
        for name in names.iter().chain(&["page", MANIFEST_NAME]) {
            std::fs::File::create_new(place.path(name)).unwrap();
        }
        place.sink.clear_after(12).unwrap();
        place.holds(&[(names[2], b""), ("page", b""), (MANIFEST_NAME, b"")]);
    }
}
