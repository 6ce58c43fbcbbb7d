//! What a run does about files that a killed run left.
//!
//! Kills are told by what they leave: the manifest is cut where it would have ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::canned::{Canned, Reply, html};
use crate::support::{Ended, Place};

/// A server whose pages say their path and a digit, which the test may change.
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
        // Killed when all three were replaced and one was recorded.
        cut(&place, line_of(&place, "run", 2) + 1);
        place.run(&["verify", "pages"]).code(5);
        let ended = place.run(&[&run[..], &[option]].concat()).code(0);
        let expected = if option == "--resume" { (2, 1) } else { (3, 0) };
        assert_eq!(saved_and_skipped(&ended), expected);
        place.run(&["verify", "pages"]).code(0);
    }
}
