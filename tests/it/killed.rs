//! How a run treats the files that a killed run left.
//!
//! The tests do not kill a run. They leave the same files: a manifest that is cut where the killed
//! run would have ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::canned::{Canned, Reply, html};
use crate::support::{Ended, Place};

/// A server whose pages contain their path and a digit that the test may change.
fn numbered() -> (Canned, Arc<AtomicU32>) {
    let number = Arc::<AtomicU32>::default();
    let now = Arc::clone(&number);
    let server = Canned::start(move |request| {
        Reply::Raw(html(&format!("{} {}", request.path, now.load(Ordering::SeqCst))))
    });
    (server, number)
}

/// Cuts the manifest behind its line number `lines`, counted from 1.
fn cut(place: &Place, lines: usize) {
    let manifest = place.text("pages/manifest.jsonl");
    let kept: String = manifest.split_inclusive('\n').take(lines).collect();
    place.file("pages/manifest.jsonl", kept);
}

fn line_of(place: &Place, kind: &str, number: usize) -> usize {
    let records = place.records();
    let lines = records.iter().enumerate().filter(|(_, record)| record["kind"] == kind);
    lines.map(|(line, _)| line + 1).nth(number - 1).unwrap()
}

fn saved_and_skipped(ended: &Ended) -> (u64, u64) {
    let summary = ended.json();
    (summary["saved"].as_u64().unwrap(), summary["skipped"].as_u64().unwrap())
}

#[test]
fn a_page_that_a_killed_run_replaced_is_not_taken_for_the_one_before() {
    let (server, number) = numbered();
    for option in ["--resume", "--update"] {
        let place = Place::new();
        let urls = ["/a", "/b", "/c"].map(|path| server.url(path));
        let run: Vec<_> = urls.iter().map(String::as_str).chain(["-j", "1", "--json"]).collect();
        number.store(1, Ordering::SeqCst);
        place.run(&run).code(0);
        number.store(2, Ordering::SeqCst);
        place.run(&run).code(0);
        // The run was killed when all three files were replaced and one was recorded.
        cut(&place, line_of(&place, "run", 2) + 1);
        place.run(&["verify", "pages"]).code(5);
        let ended = place.run(&[&run[..], &[option]].concat()).code(0);
        let expected = if option == "--resume" { (2, 1) } else { (3, 0) };
        assert_eq!(saved_and_skipped(&ended), expected);
        place.run(&["verify", "pages"]).code(0);
    }
}

/// A killed run over a list of these pages: it saved all, and recorded the first `recorded`.
fn killed(server: &Canned, paths: &[&str], recorded: usize, more: &[&str]) -> Place {
    let place = Place::new();
    list(&place, server, paths);
    place.run(&[&["-i", "list", "-j", "1"], more].concat()).code(0);
    let run = line_of(&place, "run", 1);
    cut(&place, run + recorded);
    place
}

fn list(place: &Place, server: &Canned, paths: &[&str]) {
    let lines: String = paths.iter().map(|path| server.url(path) + "\n").collect();
    place.file("list", lines);
}

#[test]
fn a_file_that_came_after_a_kill_is_not_overwritten_by_another_source() {
    let (server, _) = numbered();
    let place = killed(&server, &["/a", "/b"], 1, &[]);
    place.file("pages/mine.html", "mine");
    place.run(&[&server.url("/mine")]).code(0);
    assert_eq!(place.text("pages/mine.html"), "mine");
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn a_file_older_than_the_killed_run_is_not_its_own() {
    let (server, _) = numbered();
    let place = killed(&server, &["/a", "/b"], 1, &[]);
    place.file("pages/b.html", "mine");
    let file = std::fs::File::options().write(true).open(place.path("pages/b.html")).unwrap();
    let before = std::time::SystemTime::now() - std::time::Duration::from_mins(10);
    file.set_modified(before).unwrap();
    place.run(&["-i", "list", "-c"]).code(0);
    assert_eq!(place.text("pages/b.html"), "mine");
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn what_a_whole_resume_leaves_of_a_killed_run_is_nobodys() {
    let (server, _) = numbered();
    let place = killed(&server, &["/a", "/b", "/c", "/d"], 1, &[]);
    place.run(&["verify", "pages"]).code(5);
    list(&place, &server, &["/b", "/a"]);
    let ended = place.run(&["-i", "list", "-c", "--json"]).code(0);
    assert_eq!(saved_and_skipped(&ended), (1, 1));
    assert_eq!(place.names("pages"), ["a.html", "b.html", "c.html", "d.html"]);
    place.run(&["verify", "pages"]).code(0);
    // From here on the files count as unowned, and are reported once.
    place.file("pages/c.html", "mine");
    list(&place, &server, &["/a", "/b", "/c"]);
    place
        .run(&["-i", "list", "-c"])
        .code(0)
        .says(&["a killed run left 2 files that no page of this source owns ("]);
    assert_eq!(place.text("pages/c.html"), "mine");
    let ended = place.run(&["-i", "list", "-c"]).code(0);
    assert!(!ended.stderr.contains("no page of this source owns"), "{ended:?}");
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn what_a_killed_run_left_in_folders_stays_known_to_a_flat_one() {
    let (server, _) = numbered();
    for layout in ["tree", "hash"] {
        let place = killed(&server, &["/a", "/b", "/c"], 1, &["--layout", layout]);
        place.run(&["-i", "list", "-c", "--layout", "flat", "--limit", "1"]).code(0);
        let ended = place.run(&["-i", "list", "-c", "--layout", layout, "--json"]).code(0);
        assert_eq!(saved_and_skipped(&ended), (2, 1));
        let records = place.records();
        let marked =
            records.iter().any(|it| it["file"].as_str().is_some_and(|it| it.contains('~')));
        assert!(!marked, "a page was saved a second time: {records:?}");
        place.run(&["verify", "pages"]).code(0);
    }
}

#[test]
fn where_the_record_of_strangers_is_lost_all_files_are_theirs() {
    let (server, _) = numbered();
    let place = Place::new();
    place.file("pages/a.html", "mine");
    list(&place, &server, &["/a", "/b"]);
    place.run(&["-i", "list"]).code(0);
    cut(&place, line_of(&place, "run", 1));
    let manifest = place.text("pages/manifest.jsonl");
    let (foreign, run) = manifest.split_once('\n').unwrap();
    assert!(foreign.contains("foreign"));
    // Its start still shows that this is a manifest.
    let damaged = format!("{}{}\n{run}", &foreign[..15], "\0".repeat(foreign.len() - 15));
    place.file("pages/manifest.jsonl", damaged);
    place.run(&["-i", "list", "-c"]).code(0).says(&["1 line of manifest.jsonl cannot be read"]);
    assert_eq!(place.text("pages/a.html"), "mine");
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn a_retry_tells_of_pages_that_were_never_fetched() {
    let (server, _) = numbered();
    let place = killed(&server, &["/a", "/b", "/c"], 1, &[]);
    let ended = place.run(&["-i", "list", "--retry-failed"]).code(0);
    ended.says(&["note: 2 pages are neither saved nor failed: fetch them with --resume\n"]);
}

#[test]
fn only_staged_files_are_removed() {
    let (server, _) = numbered();
    let place = Place::new();
    place.file("pages/.fetchpages-notes.part", "mine");
    place.file("pages/.fetchpages-1-1.part", "staged");
    place.file("pages/.fetchpages-1-2.part/file", "mine");
    place.run(&[&server.url("/a")]).code(0);
    let names = [".fetchpages-1-2.part", ".fetchpages-notes.part", "a.html"];
    assert_eq!(place.names("pages"), names);
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn a_manifest_that_cannot_be_read_is_no_usage_error() {
    let place = Place::new();
    place.file("pages/manifest.jsonl/file", "");
    for option in ["--resume", "--update", "--retry-failed"] {
        place.run(&[option]).code(1).says(&["pages/manifest.jsonl exists and is not a manifest"]);
    }
}
