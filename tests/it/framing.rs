//! Answers that look right and are not, and requests that the server did not work on: a site
//! with such faults loses no page, and no part of a page is saved as the whole page.

use fetchpages::exec;
use fetchpages::origin::{Faults, Options, Origin};
use serde_json::Value;

use crate::support::Place;

const PAGES: usize = 40;
/// The seed with which the second and third connections are stale, when two in a hundred are.
const SEED: u64 = 2153;

/// The options of the requests to the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain,
    Tls,
    Http2,
}

const WAYS: [Way; 3] = [Way::Plain, Way::Tls, Way::Http2];
const MODES: [&str; 3] = ["hybrid", "threads", "processes"];

/// A site with one kind of fault, and the options of the requests to it.
struct Site {
    origin: Origin,
    faults: Faults,
    way: Way,
    mode: &'static str,
}

impl Site {
    fn start(fault: &str, way: Way, mode: &'static str) -> Self {
        let faults = faults(fault);
        let tls = way != Way::Plain;
        let options =
            Options { pages: PAGES, seed: SEED, tls, faults: faults.clone(), ..Options::default() };
        Self { origin: Origin::start(&options).unwrap(), faults, way, mode }
    }

    /// Downloads the site, checks that the run ends with `code`, that every page has a record and
    /// that saved pages are complete, and returns the records.
    fn download(&self, place: &Place, options: &[&str], code: i32) -> Vec<Value> {
        let http = if self.way == Way::Http2 { "2" } else { "1.1" };
        let index = self.origin.index_url();
        let run = ["--index", &index, "-k", "--http", http, "--mode", self.mode, "-j", "8"];
        place.run(&[&run[..], options].concat()).code(code);
        place.run(&["verify", "pages"]).code(0);
        let pages = place.pages();
        assert_eq!(pages.len(), PAGES, "{self}");
        let mut saved = 0;
        for page in pages.iter().filter(|page| page["state"] == "saved") {
            let file = place.read(&format!("pages/{}", page["file"].as_str().unwrap()));
            let whole = self.origin.site().get(path(page)).unwrap().plain();
            assert!(file == *whole, "{self}: {page:#} differs");
            assert_eq!(page["http"], http, "{self}: {page:#}");
            saved += 1;
        }
        assert_eq!(place.names("pages").len(), saved, "{self}");
        pages
    }

    /// The number of attempts at a page without a fault.
    fn right_attempt(&self, page: &Value) -> u64 {
        let is_right = |attempt: &u64| self.faults.decide(SEED, path(page), *attempt).is_none();
        (1..10).find(is_right).unwrap()
    }

    fn faults(&self) -> u64 {
        self.origin.counters().faults
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} over {:?} in mode {}", self.faults, self.way, self.mode)
    }
}

fn faults(share: &str) -> Faults {
    Faults::new([share.parse().unwrap()]).unwrap()
}

/// Returns the path of the page of a record.
fn path(page: &Value) -> &str {
    let url = page["url"].as_str().unwrap();
    &url[url.find("/wiki/").unwrap()..]
}

/// Calls `check` with each fault, version and mode. They run side by side, because most of the
/// time passes in waits for retries.
fn in_all_modes(cases: &[(&'static str, Way)], check: fn(&Site)) {
    let modes = MODES.iter().filter(|mode| exec::TABLE.iter().any(|known| known.name == **mode));
    std::thread::scope(|scope| {
        for mode in modes {
            for (fault, way) in cases {
                scope.spawn(move || check(&Site::start(fault, *way, mode)));
            }
        }
    });
}

fn all_are_saved_at_once(site: &Site) {
    let place = Place::new();
    for page in site.download(&place, &["--retry", "0"], 0) {
        assert_eq!((&page["state"], &page["attempts"]), (&"saved".into(), &1.into()), "{site}");
    }
}

const PARTS: [(&str, Way); 4] = [
    ("h2-reset-no-error:20", Way::Http2),
    ("partial-206:20", Way::Plain),
    ("partial-206:20", Way::Tls),
    ("partial-206:20", Way::Http2),
];

#[test]
fn a_part_is_asked_for_again_until_the_page_is_whole() {
    in_all_modes(&PARTS, |site| {
        let place = Place::new();
        let pages = site.download(&place, &["--retry", "8"], 0);
        let mut again = 0;
        for page in &pages {
            let attempt = site.right_attempt(page);
            assert_eq!(page["state"], "saved", "{site}: {page:#}");
            assert_eq!(page["attempts"], attempt, "{site}: {page:#}");
            again += attempt - 1;
        }
        assert!(again > 5, "{site}: {again}");
        assert_eq!(site.faults(), again, "{site}");
    });
}

#[test]
fn a_part_is_truncated_and_nothing_of_it_is_saved() {
    in_all_modes(&PARTS, |site| {
        let place = Place::new();
        for page in site.download(&place, &["--retry", "0"], 3) {
            let (state, code) = match site.right_attempt(&page) {
                1 => ("saved", Value::Null),
                _ => ("failed", "truncated".into()),
            };
            assert_eq!((&page["state"], &page["error"]["code"]), (&state.into(), &code), "{site}");
        }
    });
}

#[test]
fn a_folded_header_keeps_no_page_from_being_saved() {
    let cases = WAYS.map(|way| ("folded-header:100", way));
    in_all_modes(&cases, |site| {
        all_are_saved_at_once(site);
        let expected = if site.way == Way::Http2 { 0 } else { PAGES as u64 };
        assert_eq!(site.faults(), expected, "{site}");
    });
}

#[test]
fn faults_of_streams_are_none_over_http_1_1() {
    for fault in ["h2-reset-no-error:100", "refused-stream:100"] {
        let site = Site::start(fault, Way::Tls, "hybrid");
        all_are_saved_at_once(&site);
        assert_eq!(site.faults(), 0, "{site}");
    }
}

#[test]
fn a_stale_connection_costs_no_attempt() {
    // Over HTTP/1.1 the second request on each connection goes on to a new one.
    in_all_modes(&[Way::Plain, Way::Tls].map(|way| ("stale-connection:100", way)), |site| {
        all_are_saved_at_once(site);
        assert!(site.faults() > PAGES as u64 / 4, "{site}: {}", site.faults());
    });
}

#[test]
fn a_stale_connection_of_http_2_costs_no_attempt() {
    // A page meets each stale connection at most once, and each request is sent again up to three
    // times at once. The first connection is that of the index.
    let few = "stale-connection:2";
    let is_stale = |number: &u64| faults(few).at_connection(SEED, *number).is_some();
    let stale: Vec<u64> = (0..100).filter(is_stale).collect();
    assert_eq!(stale, [1, 2]);
    in_all_modes(&[(few, Way::Http2)], |site| {
        all_are_saved_at_once(site);
        assert!(site.faults() > 0, "{site}");
    });
}

#[test]
fn one_request_at_a_time_finds_each_connection_of_http_2_stale_once() {
    let site = Site::start("stale-connection:100", Way::Http2, "sequential");
    all_are_saved_at_once(&site);
    let counters = site.origin.counters();
    assert!(counters.faults >= PAGES as u64 - 1, "{counters:?}");
}

#[test]
fn a_refused_stream_costs_no_attempt() {
    in_all_modes(&[("refused-stream:30", Way::Http2)], |site| {
        all_are_saved_at_once(site);
        assert!(site.faults() > 5, "{site}: {}", site.faults());
    });
}
