//! The findings of `verify` in an output directory.

use crate::support::Place;
use crate::support::canned::{Canned, html};

/// Pages `a.html` to `d.html`, saved.
fn four_pages() -> (Canned, Place) {
    let server = Canned::start(|request| crate::support::canned::Reply::Raw(html(&request.path)));
    let place = Place::new();
    let urls = ["/a", "/b", "/c", "/d"].map(|path| server.url(path));
    place.run(&urls.each_ref().map(String::as_str)).code(0);
    (server, place)
}

#[test]
fn only_files_are_as_recorded_and_nothing_else_is_opened() {
    let (_server, place) = four_pages();
    let [a, b, c] = ["a", "b", "c"].map(|name| place.path(&format!("pages/{name}.html")));
    // A link to the same bytes, a pipe without a writer, and a folder.
    std::fs::rename(&a, place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", &a).unwrap();
    std::fs::remove_file(&b).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&b).status().unwrap().success());
    std::fs::remove_file(&c).unwrap();
    std::fs::create_dir(&c).unwrap();
    let ended = place.run(&["verify", "pages"]).code(5);
    assert_eq!(
        ended.stdout,
        "no file     a.html\nno file     b.html\nno file     c.html\n\
         1 files are as recorded, 3 differ\n"
    );
}

#[test]
fn a_file_that_differs_from_a_page_in_case_alone_is_known_with_it() {
    let (_server, place) = four_pages();
    place.file("pages/A.html", "mine");
    place.run(&["verify", "pages"]).code(0);
}
