//! What holds when others put links, folders and pipes into the output directory,
//! before a run and during it: nothing is written or read outside.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;

use crate::digest;
use crate::model::Key;
use crate::save::error::SaveError;
use crate::save::history::verify::verify;
use crate::save::history::{Difference, compare};
use crate::save::manifest::{ManifestPath, ManifestWriter, Reader};
use crate::save::names::default_name::PATH_LIMIT;
use crate::save::names::reserved::MANIFEST_NAME;
use crate::save::sink::beneath::Root;
use crate::save::sink::{
    Address, Capture, Content, Depth, Found, LocalSink, SavedPages, Sink, SinkLocation, Target,
};

/// What the pages of the victim hold; no page of ours is as long.
const SECRET: &[u8] = b"what is none of our business";

/// An output directory beside one that is none of its business.
struct Fixture {
    top: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let place = Self { top: tempfile::tempdir().unwrap() };
        fs::create_dir(place.output()).unwrap();
        fs::create_dir_all(place.victim().join("b")).unwrap();
        for name in ["page", "b/page", "b/only-there"] {
            fs::copy(place.file("secret", SECRET), place.victim().join(name)).unwrap();
        }
        place
    }

    fn output(&self) -> PathBuf {
        self.top.path().join("output")
    }

    fn victim(&self) -> PathBuf {
        self.top.path().join("victim")
    }

    fn file(&self, name: &str, body: &[u8]) -> PathBuf {
        let path = self.top.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "what others write is not staged")]
        fs::write(&path, body).unwrap();
        path
    }

    /// A sink that saves pages there.
    fn sink(&self) -> Box<dyn LocalSink> {
        open_sink(&self.output())
    }

    fn manifest(&self) -> ManifestPath {
        ManifestPath::in_directory(&self.output())
    }

    /// The output, opened in both ways of walking paths.
    fn roots(&self) -> [Root; 2] {
        let roots = [(); 2].map(|()| Root::open(&self.output()).unwrap());
        roots[1].step_from_now_on();
        roots
    }

    #[track_caller]
    fn victim_is_untouched(&self) {
        for (folder, names) in [("", &["b", "page"][..]), ("b", &["only-there", "page"])] {
            assert_eq!(names_in(&self.victim().join(folder)), names);
        }
        for name in ["page", "b/page"] {
            assert_eq!(fs::read(self.victim().join(name)).unwrap(), SECRET);
        }
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn key(path: &str) -> Key {
    Key::new(path).unwrap()
}

fn open_sink(directory: &Path) -> Box<dyn LocalSink> {
    let location = SinkLocation::of(&Target::Directory(directory.to_owned()));
    let Sink::Local(sink) = location.open().unwrap().unwrap() else {
        panic!("a directory's sink blocks");
    };
    sink
}

fn put(sink: &dyn LocalSink, key: &Key, in_pieces: bool) -> Result<(), SaveError> {
    let body = Bytes::from_static(b"a page");
    let capture = Capture::of_body(key, &body);
    if !in_pieces {
        return sink.put(&capture).map(drop);
    }
    let mut page = sink.begin(&Capture { content: Content::InPieces, ..capture })?;
    page.add(b"a ")?;
    page.add(b"page")?;
    page.finish(digest::sha256(&body)).map(drop)
}

fn whole(root: &Root, key: &Key) -> Option<Difference> {
    compare(root, Address::Key(key), SECRET.len() as u64, &digest::hex(&digest::sha256(SECRET)))
}

fn pipe(path: &Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
}

#[test]
fn a_link_in_the_place_of_a_folder_is_named_and_not_followed() {
    // The link, whereto it leads, the page, and the place that the error names.
    for (link, target, page, named) in [
        ("a", "victim", "a/page", "a"),
        ("a", "victim", "a/b/page", "a"),
        ("a", "victim", "a/new/page", "a"),
        ("x/a", "victim", "x/a/b/page", "x/a"),
        ("x/y/a", "victim/b", "x/y/a/page", "x/y/a"),
        ("a", "output", "a/page", "a"),
        ("a", "nowhere", "a/page", "a"),
    ] {
        let place = Fixture::new();
        let link = place.output().join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(place.top.path().join(target), &link).unwrap();
        let page = key(page);
        for sink in [place.sink()] {
            for in_pieces in [false, true] {
                let error = put(sink.as_ref(), &page, in_pieces).unwrap_err();
                let SaveError::NotAFolder { path, is_link: true } = &error else {
                    panic!("{page}: {error:?}");
                };
                assert_eq!(*path, place.output().join(named));
                assert!(!error.breaks_run());
            }
        }
        for root in place.roots() {
            assert_eq!(whole(&root, &page), Some(Difference::NoFile));
            let error = root.stat_of(&page).unwrap_err();
            assert!(matches!(error, SaveError::NotAFolder { is_link: true, .. }), "{error:?}");
        }
        assert!(link.is_symlink());
        assert!(names_in(&place.output()).iter().all(|name| !name.contains("part")));
        place.victim_is_untouched();
    }
}

#[test]
fn folders_that_are_nested_without_end_are_looked_into_as_deep_as_pages_lie() {
    const DEEP: usize = 5_000;
    let place = Fixture::new();
    let (top, outer) = (place.output().join("a"), place.top.path().join("outer"));
    fs::create_dir(&top).unwrap();
    place.file("output/a/file", b"");
    // Each is moved into a new one, as no path of the system is as long.
    for _ in 0..DEEP {
        fs::create_dir(&outer).unwrap();
        fs::rename(&top, outer.join("a")).unwrap();
        fs::rename(&outer, &top).unwrap();
    }
    for root in place.roots() {
        let (mut files, mut folders) = (0, Vec::new());
        root.list(Depth::All, &mut |found| {
            match found {
                Found::Folder(path) => folders.push(path.len()),
                _ => files += 1,
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(files, 0);
        assert_eq!(folders.iter().max(), Some(&(PATH_LIMIT + 1)));
        assert_eq!(folders.len(), PATH_LIMIT / 2 + 1);
    }
    // Whoever removes all of it goes as deep.
    for _ in 0..DEEP {
        fs::rename(top.join("a"), &outer).unwrap();
        fs::remove_dir(&top).unwrap();
        fs::rename(&outer, &top).unwrap();
    }
}

#[test]
fn a_file_or_pipe_in_the_place_of_a_folder_is_named() {
    for is_pipe in [false, true] {
        let place = Fixture::new();
        let path = place.output().join("a");
        if is_pipe {
            pipe(&path);
        } else {
            drop(fs::File::create_new(&path).unwrap());
        }
        let page = key("a/b/page");
        let sink = place.sink();
        {
            let error = put(&*sink, &page, false).unwrap_err();
            assert!(!error.breaks_run());
            assert!(matches!(&error, SaveError::NotAFolder { is_link: false, .. }), "{error:?}");
            assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        }
        for root in place.roots() {
            assert_eq!(whole(&root, &page), Some(Difference::NoFile));
        }
    }
}

#[test]
fn a_link_under_a_pages_own_name_is_replaced_and_never_read() {
    for name in ["page", "a/page"] {
        let place = Fixture::new();
        fs::create_dir_all(place.output().join("a")).unwrap();
        let (page, path) = (key(name), place.output().join(name));
        for sink in [place.sink()] {
            for in_pieces in [false, true] {
                symlink(place.victim().join("page"), &path).unwrap();
                for root in place.roots() {
                    assert_eq!(whole(&root, &page), Some(Difference::NoFile));
                    assert!(!root.stat_of(&page).unwrap().is_file);
                }
                put(sink.as_ref(), &page, in_pieces).unwrap();
                assert_eq!(fs::read(&path).unwrap(), b"a page");
                assert!(!path.is_symlink());
                fs::remove_file(&path).unwrap();
            }
        }
        place.victim_is_untouched();
    }
}

#[test]
fn a_pipe_or_link_in_the_place_of_a_file_is_not_opened() {
    let place = Fixture::new();
    for name in ["page", MANIFEST_NAME] {
        let path = place.output().join(name);
        for is_pipe in [true, false] {
            if is_pipe {
                pipe(&path);
            } else {
                symlink(place.file("other", b""), &path).unwrap();
            }
            for root in place.roots() {
                assert!(root.top(name).read().unwrap().is_none());
                assert!(root.top(name).append().unwrap().is_none());
                assert_eq!(whole(&root, &key(name)), Some(Difference::NoFile));
                if name == MANIFEST_NAME {
                    let errors = [
                        ManifestWriter::open(&root, &place.manifest()).err(),
                        Reader::of(&root, &place.manifest()).err(),
                        Reader::open(&place.output()).err(),
                        verify(&Target::Directory(place.output())).err(),
                    ];
                    for error in errors {
                        assert!(matches!(error, Some(SaveError::NotAManifest { .. })), "{error:?}");
                    }
                }
            }
            fs::remove_file(&path).unwrap();
        }
    }
    assert_eq!(fs::read(place.top.path().join("other")).unwrap(), b"");
}

#[test]
fn a_manifest_with_another_name_is_copied_and_that_name_keeps_what_it_has() {
    let whole = manifest("page");
    let torn = format!("{whole}{{\"kind\":\"pa");
    for (content, kept) in [("", ""), (&whole, &whole), (&torn, &whole)] {
        let place = Fixture::new();
        let other = place.file("other", content.as_bytes());
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&other, mode).unwrap();
        let path = place.output().join(MANIFEST_NAME);
        fs::hard_link(&other, &path).unwrap();
        let root = Root::open(&place.output()).unwrap();
        let mut writer = ManifestWriter::open(&root, &place.manifest()).unwrap();
        // Whichever of the two another run has opened, it may not write to it.
        let locked = [&other, &path].map(|path| fs::File::open(path).unwrap().try_lock().is_err());
        assert_eq!(locked, [true, true]);
        writer.record_unowned(&["foreign".to_owned()], &[]).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), content);
        assert!(written.starts_with(kept) && written.ends_with("[\"foreign\"]}\n"), "{written}");
        assert_eq!(written.lines().count(), kept.lines().count() + 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names_in(&place.output()), [MANIFEST_NAME]);
    }
}

#[test]
fn the_output_itself_may_be_a_link() {
    let place = Fixture::new();
    let link = place.top.path().join("link");
    symlink(place.output(), &link).unwrap();
    let root = Root::create(&link).unwrap();
    drop(ManifestWriter::open(&root, &place.manifest()).unwrap());
    put(&*open_sink(&link), &key("a/page"), false).unwrap();
    assert_eq!(root.stat_of(&key("a/page")).unwrap().len, 6);
    assert!(Reader::open(&link).is_ok());
    assert_eq!(names_in(&place.output()), ["a", MANIFEST_NAME]);
}

/// The records of a run that saved `file`, in which the secret is.
fn manifest(file: &str) -> String {
    let sha256 = digest::hex(&digest::sha256(SECRET));
    let file = serde_json::to_string(file).unwrap();
    format!(
        "{{\"kind\":\"run\",\"v\":1,\"started\":\"2026-11-21T20:10:00Z\",\"version\":\"0.1.0\",\
         \"mode\":\"threads\",\"workers\":1,\"source\":\"\",\"args\":[],\"layout\":\"tree\"}}\n\
         {{\"kind\":\"page\",\"seq\":0,\"url\":\"http://a.org/page\",\"state\":\"saved\",\
         \"status\":200,\"file\":{file},\"bytes\":{},\"wire_bytes\":0,\"sha256\":\"{sha256}\",\
         \"attempts\":1,\"wait_ms\":0.0,\"total_ms\":0.0,\"cpu_ms\":0.0}}\n",
        SECRET.len()
    )
}

#[test]
fn a_recorded_file_that_leaves_the_directory_is_not_looked_at() {
    let place = Fixture::new();
    let absolute = place.victim().join("page");
    for (file, whole) in [
        ("a/page", 1),
        ("../victim/page", 0),
        ("a/../../victim/page", 0),
        (absolute.to_str().unwrap(), 0),
        ("a//page", 0),
        ("./a/page", 0),
        ("a/page/", 0),
        ("", 0),
        ("..", 0),
    ] {
        place.file(&format!("output/{MANIFEST_NAME}"), manifest(file).as_bytes());
        fs::create_dir_all(place.output().join("a")).unwrap();
        place.file("output/a/page", SECRET);
        let report = verify(&Target::Directory(place.output())).unwrap();
        assert_eq!((report.whole, report.unsaved), (whole, 1 - whole), "{file}: {report:?}");
    }
}

/// Puts links to the victim in the place of the folder `a`, and the folder back,
/// until it `is_over`; gives how often.
fn swap(place: &Fixture, is_over: &AtomicBool, swaps: &AtomicUsize) {
    let (folder, aside) = (place.output().join("a"), place.top.path().join("aside"));
    while !is_over.load(Ordering::Relaxed) {
        // A writer may have made the folder again in between: then it is that folder's turn.
        if fs::rename(&folder, &aside).is_err() {
            continue;
        }
        if symlink(place.victim(), &folder).is_ok() {
            swaps.fetch_add(1, Ordering::Relaxed);
            std::thread::yield_now();
            fs::remove_file(&folder).unwrap();
        }
        if fs::rename(&aside, &folder).is_err() {
            // A writer that has it open may put one more page there meanwhile.
            while aside.exists() && fs::remove_dir_all(&aside).is_err() {}
        }
    }
}

/// Exchanges the folder `a` with a link to the victim, so that there is always one of them.
#[cfg(target_os = "linux")]
fn exchange(place: &Fixture, is_over: &AtomicBool, swaps: &AtomicUsize) {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

    let (folder, link) = (place.output().join("a"), place.top.path().join("link"));
    symlink(place.victim(), &link).unwrap();
    while !is_over.load(Ordering::Relaxed) {
        let flags = RenameFlags::RENAME_EXCHANGE;
        renameat2(AT_FDCWD, &folder, AT_FDCWD, &link, flags).unwrap();
        swaps.fetch_add(1, Ordering::Relaxed);
        std::thread::yield_now();
    }
}

/// Puts pages below `a`, and looks that nothing of the victim is taken for a page.
fn work(place: &Fixture, number: usize) {
    const ROUNDS: usize = 60;
    let folder = ["a", "a/b", "a/new"][number % 3];
    for round in 0..ROUNDS {
        for sink in [place.sink()] {
            for name in ["page".to_owned(), format!("{number}-{round}")] {
                let page = key(&format!("{folder}/{name}"));
                if let Err(error) = put(sink.as_ref(), &page, round % 2 == 0) {
                    assert!(!error.breaks_run(), "{error:?}");
                }
            }
        }
        for root in place.roots() {
            for page in ["a/page", "a/b/page"].map(key) {
                assert_ne!(whole(&root, &page), None, "{page}");
                let found = root.stat_of(&page);
                assert!(found.is_err() || found.unwrap().len != SECRET.len() as u64, "{page}");
            }
        }
    }
}

/// Looks through the directory and verifies it, until it `is_over`.
fn look(place: &Fixture, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        if let Ok(report) = verify(&Target::Directory(place.output())) {
            assert_eq!(report.whole, 0, "{report:?}");
        }
        let root = Root::open(&place.output()).unwrap();
        let mut has_victim = false;
        // A folder that vanishes in between may be an error.
        let _ = root.list(Depth::All, &mut |found| {
            let path = match found {
                Found::File(it) | Found::Link(it) | Found::Folder(it) | Found::Staged(it) => it,
            };
            has_victim |= path.ends_with("/only-there");
            Ok(())
        });
        assert!(!has_victim);
    }
}

#[test]
fn folders_that_others_swap_for_links_all_the_time_lead_nowhere() {
    let ways: &[fn(&Fixture, &AtomicBool, &AtomicUsize)] = &[
        swap,
        #[cfg(target_os = "linux")]
        exchange,
    ];
    for way in ways {
        let place = Fixture::new();
        fs::create_dir(place.output().join("a")).unwrap();
        place.file(&format!("output/{MANIFEST_NAME}"), manifest("a/page").as_bytes());
        let (is_over, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let (place, is_over, swaps) = (&place, &is_over, &swaps);
            let swapper = scope.spawn(move || way(place, is_over, swaps));
            scope.spawn(move || look(place, is_over));
            while swaps.load(Ordering::Relaxed) == 0 && !swapper.is_finished() {
                std::thread::yield_now();
            }
            let workers = [0, 1, 2].map(|number| scope.spawn(move || work(place, number)));
            let ends = workers.map(std::thread::ScopedJoinHandle::join);
            is_over.store(true, Ordering::Relaxed);
            for end in ends {
                end.unwrap();
            }
        });
        place.victim_is_untouched();
    }
}
