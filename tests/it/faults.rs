//! A site that misbehaves: every page ends in the state that it must end in.

use fetchpages::exec;
use fetchpages::origin::{FaultKind, Faults, Options, Origin};

use crate::support::Place;

/// The failure of a page whose fault stays.
const fn code(fault: FaultKind) -> &'static str {
    match fault {
        FaultKind::RedirectLoop => "redirects",
        FaultKind::Endless => "too-large",
        FaultKind::BadGzip => "decode",
        FaultKind::WrongLength => "truncated",
        FaultKind::Drip => "read-timeout",
        _ => "a passing fault",
    }
}

fn faulty_origin() -> Origin {
    let shares = [
        "503:4",
        "429:1",
        "429-retry-after:1",
        "reset:4",
        "cut:4",
        "stall:2",
        "redirect-loop:2",
        "endless:2",
        "bad-gzip:2",
        "wrong-length:2",
        "drip:2",
    ];
    let shares = shares.map(|share| share.parse().unwrap());
    let faults = Faults::new(shares).unwrap();
    Origin::start(&Options { pages: 120, seed: 5, faults, ..Options::default() }).unwrap()
}

#[test]
fn every_page_is_saved_or_fails_for_its_own_reason() {
    // Most of the time passes in waits for retries, so the modes run side by side.
    std::thread::scope(|scope| {
        for mode in exec::TABLE {
            scope.spawn(move || check(mode));
        }
    });
}

fn check(mode: &exec::Mode) {
    let origin = faulty_origin();
    let place = Place::new();
    let limits = ["--retry", "4", "--read-timeout", "500ms", "--max-size", "2MB"];
    let run = ["--index", &origin.index_url(), "--mode", mode.name, "-j", "12", "--json"];
    let summary = place.run(&[&run[..], &limits].concat()).code(3).json();
    assert!(origin.counters().faults > 20, "{mode:?}: {:?}", origin.counters());
    let mut saved = 0;
    for page in place.pages() {
        let url = page["url"].as_str().unwrap();
        let path = &url[url.find("/wiki/").unwrap()..];
        if let Some(fault) = origin.permanent_fault(path) {
            assert_eq!(page["error"]["code"], code(fault), "{mode:?} {path} {page:#}");
            continue;
        }
        assert_eq!(page["state"], "saved", "{mode:?} {path} {page:#}");
        let file = place.read(&format!("pages/{}", page["file"].as_str().unwrap()));
        assert!(file == *origin.site().get(path).unwrap().plain(), "{mode:?} {path} differs");
        saved += 1;
    }
    assert!((80..120).contains(&saved), "{mode:?}: {saved} saved");
    assert_eq!((&summary["pages"], &summary["saved"]), (&120.into(), &saved.into()), "{mode:?}");
    assert_eq!(place.names("pages").len(), saved, "{mode:?}");
    place.run(&["verify", "pages"]).code(0);
}
