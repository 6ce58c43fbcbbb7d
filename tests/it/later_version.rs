//! A manifest that a later version wrote: this version skips what it does not know, and loses
//! none of it.

use serde_json::Value;

use crate::support::canned::{Canned, Reply, html};
use crate::support::{Ended, Place};

/// SITE stands for the address of the site.
const MANIFEST: &str = r#"{"kind":"run","v":9,"started":"2026-12-01T00:00:00Z","version":"9.0.0","mode":"quantum","workers":3,"source":"SITE","args":["SITE/saved","SITE/failed","SITE/gone","SITE/named"],"layout":"flat","moon":"full"}
{"kind":"weather","sky":"blue","of":{"file":"saved.html"}}
{"kind":"page","seq":0,"url":"SITE/saved","final_url":"SITE/saved","state":"saved","status":200,"file":"saved.html","bytes":6,"wire_bytes":6,"sha256":"SHA256","content_type":null,"etag":null,"last_modified":null,"http":"4","attempts":1,"worker":0,"start_ms":1.0,"wait_ms":1.0,"total_ms":1.0,"cpu_ms":0.1,"error":null,"rendered":true}
{"kind":"page","seq":1,"url":"SITE/failed","state":"failed","status":200,"wire_bytes":6,"attempts":1,"wait_ms":1.0,"total_ms":1.0,"cpu_ms":0.1,"error":{"code":"render-crash","message":"the tab crashed","tab":7}}
{"seq":2,"url":"SITE/gone","state":"gone","status":404,"wire_bytes":0,"attempts":1,"wait_ms":1.0,"total_ms":1.0,"cpu_ms":0.1,"error":{"code":"vanished"},"kind":"page"}
{"kind":"page","seq":3,"url":"SITE/named","state":"mirrored","file":"old-name.html","wire_bytes":0,"attempts":1,"wait_ms":1.0,"total_ms":1.0,"cpu_ms":0.1}
{"kind":"end","pages":4,"saved":1,"failed":1,"unchanged":0,"skipped":0,"robots":0,"interrupted":0,"found":4,"invalid":0,"duplicates":0,"filtered":0,"input_complete":true,"bytes":6,"wire_bytes":12,"seconds":0.1,"gone":1,"mirrored":1}
"#;
/// The content of the saved page at that time.
const BEFORE: &str = "before";

fn place(server: &Canned) -> Place {
    let place = Place::new();
    let digest = fetchpages::digest::hex(&fetchpages::digest::sha256(BEFORE.as_bytes()));
    let site = server.url("");
    let manifest = MANIFEST.replace("SITE", site.trim_end_matches('/')).replace("SHA256", &digest);
    place.file("pages/manifest.jsonl", manifest);
    place.file("pages/saved.html", BEFORE);
    place.file("pages/old-name.html", BEFORE);
    place
}

fn server() -> Canned {
    Canned::start(|request| Reply::Raw(html(&format!("now {}", request.path))))
}

fn counts(ended: &Ended) -> [u64; 3] {
    let summary = ended.json();
    ["pages", "saved", "skipped"].map(|name| summary[name].as_u64().unwrap())
}

#[test]
fn verify_counts_what_a_later_version_recorded() {
    let server = server();
    let place = place(&server);
    let ended = place.run(&["verify", "pages"]).code(0);
    assert_eq!(
        ended.stdout,
        "1 files are as recorded, 0 differ\n3 pages were not saved; --list prints them\n"
    );
    let listed = place.run(&["verify", "pages", "--list"]).code(0).stdout;
    let expected = ["/failed", "/gone", "/named"].map(|path| server.url(path) + "\n");
    assert_eq!(listed, expected.concat());
}

#[test]
fn a_resume_fetches_what_only_a_later_version_knows_to_be_saved() {
    let server = server();
    let place = place(&server);
    let ended = place.run(&["-o", "pages", "--resume", "--json"]).code(0);
    assert_eq!(counts(&ended), [4, 3, 1]);
    assert!(!ended.stderr.contains("no record"), "{}", ended.stderr);
    assert_eq!(place.text("pages/saved.html"), BEFORE);
    assert_eq!(place.text("pages/old-name.html"), "now /named", "it keeps its name");
    let names = ["failed.html", "gone.html", "old-name.html", "saved.html"];
    assert_eq!(place.names("pages"), names);
    let left: Vec<Value> = place.records().into_iter().skip(1).take(1).collect();
    assert_eq!(left[0]["sky"], "blue", "what is not known stays");
}

#[test]
fn a_retry_of_failures_takes_codes_of_later_versions_for_failures() {
    let server = server();
    let place = place(&server);
    let ended = place.run(&["-o", "pages", "--retry-failed=http", "--json"]).code(0);
    assert_eq!(counts(&ended), [4, 0, 4]);
    place.run(&["-o", "pages", "--retry-failed=render-crash"]).code(2).says(&["render-crash"]);
    let ended = place.run(&["-o", "pages", "--retry-failed", "--json"]).code(0);
    assert_eq!(counts(&ended), [4, 1, 3]);
    assert_eq!(place.text("pages/failed.html"), "now /failed");
}

#[test]
fn an_arrangement_of_names_that_is_not_known_is_asked_for() {
    let server = server();
    let place = place(&server);
    let manifest = place.text("pages/manifest.jsonl").replace("\"flat\"", "\"by-date\"");
    place.file("pages/manifest.jsonl", manifest);
    place.run(&["-o", "pages", "--resume"]).code(2).says(&["--layout"]);
    let ended = place.run(&["-o", "pages", "--resume", "--layout=flat", "--json"]).code(0);
    assert_eq!(counts(&ended), [4, 3, 1]);
    place.run(&["verify", "pages"]).code(0);
}
