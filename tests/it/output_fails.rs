//! An output that stops taking pages, or one page, in the middle of a run.

use std::collections::BTreeSet;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use fetchpages::exec;

use crate::support::canned::{Canned, Reply, html};
use crate::support::{Ended, Place};

const PAGES: usize = 12;

fn list(place: &Place, server: &Canned) -> String {
    let urls: Vec<_> = (0..PAGES).map(|number| server.url(&format!("/{number}"))).collect();
    place.file("list", urls.join("\n"))
}

/// The files of the pages that the manifest calls saved, and the number of pages with `state`.
fn saved_files(place: &Place, state: &str) -> (BTreeSet<String>, usize) {
    let pages = place.pages();
    let saved = pages.iter().filter(|page| page["state"] == "saved");
    let files = saved.map(|page| page["file"].as_str().unwrap().to_owned()).collect();
    (files, pages.iter().filter(|page| page["state"] == state).count())
}

#[test]
fn an_output_that_can_no_longer_be_written_stops_the_run_and_the_next_one_goes_on() {
    for mode in exec::TABLE {
        let place = Place::new();
        std::fs::create_dir(place.path("pages")).unwrap();
        let (output, requests) = (place.path("pages"), AtomicUsize::new(0));
        let is_closing = Arc::new(Mutex::new(true));
        let closing = Arc::clone(&is_closing);
        // Beginning with the fifth request, no file can be made in the output.
        let server = Canned::start(move |request| {
            if requests.fetch_add(1, Ordering::SeqCst) == 4 && *closing.lock().unwrap() {
                set_permissions(&output, Permissions::from_mode(0o555)).unwrap();
            }
            Reply::Raw(html(&request.path))
        });
        let list = list(&place, &server);
        let run = ["-i", &list, "--mode", mode.name, "-j", "2"];
        let ended = place.run_unprivileged(&run).code(1);
        ended.says(&[
            "\nerror: the run stopped\ncaused by: failed to write ",
            "\ncaused by: Permission denied",
            "\nhint: repair the output; the same command with --resume then fetches the rest\n",
        ]);
        let (files, failed) = saved_files(&place, "failed");
        assert_eq!(place.names("pages"), files.iter().cloned().collect::<Vec<_>>(), "{mode:?}");
        assert!((2..=4).contains(&files.len()), "{mode:?}: {files:?}");
        assert!((1..=2).contains(&failed), "{mode:?}: {failed} failed");
        let urls: BTreeSet<_> = place.pages().iter().map(|page| page["url"].to_string()).collect();
        assert_eq!(urls.len(), place.pages().len(), "{mode:?}: a page has two records");

        *is_closing.lock().unwrap() = false;
        set_permissions(place.path("pages"), Permissions::from_mode(0o755)).unwrap();
        let ended = place.run_unprivileged(&[&run[..], &["--resume", "--json"]].concat()).code(0);
        let summary = ended.json();
        let found = ["saved", "skipped"].map(|key| summary[key].as_u64().unwrap());
        assert_eq!(found, [PAGES - files.len(), files.len()].map(|number| number as u64));
        place.run(&["verify", "pages"]).code(0);
        assert_eq!(place.names("pages").len(), PAGES, "{mode:?}");
    }
}

#[test]
fn a_page_that_cannot_be_stored_fails_and_the_others_are_saved() {
    let server = Canned::start(|request| {
        let size = if request.path == "/7" { 600_000 } else { 100 };
        Reply::Raw(html(&"x".repeat(size)))
    });
    for mode in exec::TABLE {
        let place = Place::new();
        let list = list(&place, &server);
        let mut command = Command::new("sh");
        // No file may have more than 200 blocks. The signal that comes with that is ignored.
        let limited = "trap '' XFSZ && ulimit -f 200 && exec \"$0\" \"$@\"";
        command.args(["-c", limited, env!("CARGO_BIN_EXE_fetchpages")]);
        command.args(["-i", &list, "--mode", mode.name, "-o", "pages"]);
        command.current_dir(place.path("")).stdin(Stdio::null());
        let ended = Ended::of(command.output().unwrap()).code(3);
        ended.says(&["failed ", "failed to write ", "(save)"]);
        let (files, failed) = saved_files(&place, "failed");
        assert_eq!((files.len(), failed), (PAGES - 1, 1), "{mode:?}");
        let page = place.pages().into_iter().find(|page| page["state"] == "failed").unwrap();
        assert!(page["url"].as_str().unwrap().ends_with("/7"), "{mode:?} {page}");
        assert_eq!((&page["error"]["code"], &page["file"]), (&"save".into(), &().into()));
        assert_eq!(place.names("pages"), files.into_iter().collect::<Vec<_>>(), "{mode:?}");
        let run = ["-i", &list, "--mode", mode.name, "--retry-failed=save"];
        place.run(&run).code(0);
        place.run(&["verify", "pages"]).code(0);
    }
}
