//! The program follows the limits of hosts: pace, pauses, robots rules.

use std::sync::atomic::{AtomicU32, Ordering};

use fetchpages::exec;

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::{Ended, Place, origin};

const INDEX: &str = "<a href='/1'>1</a><a href='/2'>2</a><a href='/private/3'>3</a>";

/// A site with an index, this robots.txt, and a page for every other path.
fn site(robots: Vec<u8>) -> Canned {
    Canned::start(move |request| {
        Reply::Raw(match request.path.as_str() {
            "/index" => html(INDEX),
            "/robots.txt" => robots.clone(),
            _ => html("page"),
        })
    })
}

fn index_run(place: &Place, site: &Canned, more: &[&str]) -> Ended {
    let url = site.url("/index");
    place.run(&[&["--index", &url, "--select", "a", "--json", "--retry", "0"], more].concat())
}

#[test]
fn robots_rules_are_read_once_and_kept_for_links_of_an_index() {
    for mode in exec::TABLE {
        let rules = "User-agent: fetch\nDisallow: /\n\nUser-agent: *\nDisallow: /private/\n";
        let site = site(answer("200 OK", "", rules));
        let place = Place::new();
        let summary = index_run(&place, &site, &["--mode", mode.name]).code(0).json();
        assert_eq!((&summary["saved"], &summary["robots"]), (&2.into(), &1.into()), "{mode:?}");
        assert_eq!(site.count("/robots.txt"), 1, "{mode:?}");
        assert_eq!(site.count("/private/3"), 0, "{mode:?}");
        let states: Vec<_> = place.pages().iter().map(|page| page["state"].clone()).collect();
        assert_eq!(states.iter().filter(|state| **state == "robots").count(), 1, "{mode:?}");
    }
}

#[test]
fn robots_rules_are_those_for_the_agent_that_is_sent() {
    let rules = "User-agent: FooBot\nDisallow: /\n\nUser-agent: *\nDisallow:\n";
    let browser_like = "Mozilla/5.0 (compatible; FooBot/2.0; +http://a.org)";
    let header = format!("User-Agent: {browser_like}");
    for (words, is_forbidden) in [
        (&[][..], false),
        (&["-A", "FooBot/2.0"], true),
        (&["-A", browser_like], true),
        (&["-A", "Mozilla/5.0 (X11; FooBot/2.0)"], false),
        (&["-H", &header], true),
        (&["-A", "FooBot/2.0", "-H", "User-Agent: curl/8.1"], false),
    ] {
        for mode in exec::TABLE {
            let (site, place) = (site(answer("200 OK", "", rules)), Place::new());
            let code = if is_forbidden { 3 } else { 0 };
            index_run(&place, &site, &[&["--mode", mode.name], words].concat()).code(code);
            assert_eq!(site.count("/1") == 0, is_forbidden, "{} {words:?}", mode.name);
        }
    }
}

#[test]
fn robots_rules_are_the_users_choice() {
    let forbidding = || site(answer("200 OK", "", "User-agent: *\nDisallow: /\n"));
    for (choice, listed, code, asked) in
        [("auto", false, 3, 1), ("ignore", false, 0, 0), ("auto", true, 0, 0), ("obey", true, 3, 1)]
    {
        let (site, place) = (forbidding(), Place::new());
        if listed {
            place.run(&[&site.url("/1"), "--robots", choice]).code(code);
        } else {
            index_run(&place, &site, &["--robots", choice]).code(code);
        }
        assert_eq!(site.count("/robots.txt"), asked, "{choice} {listed}");
    }
}

#[test]
fn pages_fail_when_a_host_cannot_tell_its_rules() {
    let site = site(answer("500 Internal Server Error", "", ""));
    let place = Place::new();
    let summary = index_run(&place, &site, &[]).code(3).json();
    assert_eq!(summary["failures"]["robots"], 3);
    for page in place.pages() {
        let message = page["error"]["message"].as_str().unwrap();
        assert!(message.contains("robots.txt could not be fetched: 500"), "{message}");
    }
}

#[test]
fn a_redirect_is_no_way_around_the_rules() {
    let site = Canned::start(|request| {
        Reply::Raw(match request.path.as_str() {
            "/robots.txt" => answer("200 OK", "", "User-agent: *\nDisallow: /private/\n"),
            "/1" => answer("302 Found", "Location: /private/1\r\n", ""),
            _ => html("page"),
        })
    });
    let place = Place::new();
    let urls = [site.url("/1"), site.url("/2")];
    let run = place.run(&[&urls[0], &urls[1], "--robots", "obey", "--json"]).code(0);
    assert_eq!((&run.json()["robots"], &run.json()["saved"]), (&1.into(), &1.into()));
    assert_eq!(site.count("/private/1"), 0);
}

#[test]
fn a_host_that_refuses_is_left_alone_and_asked_again() {
    for mode in exec::TABLE {
        let refusals = AtomicU32::new(0);
        let site = Canned::start(move |_| {
            let is_refused = refusals.fetch_add(1, Ordering::SeqCst) < 2;
            Reply::Raw(if is_refused {
                answer("429 Too Many Requests", "Retry-After: 1\r\n", "slow down")
            } else {
                html("page")
            })
        });
        let place = Place::new();
        let urls: Vec<_> = (0..5).map(|i| site.url(&format!("/{i}"))).collect();
        let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
        arguments.extend(["--mode", mode.name, "-j", "3", "--retry", "0", "-v", "--json"]);
        let run = place.run(&arguments).code(0);
        assert_eq!(run.json()["saved"], 5, "{mode:?}");
        let waits: Vec<_> =
            place.pages().iter().filter_map(|page| page.get("waits_ms").cloned()).collect();
        assert!(!waits.is_empty() && waits.len() <= 2, "{mode:?}: {waits:?}");
    }
}

#[test]
fn a_host_that_asks_for_hours_is_left_for_another_run() {
    let site = Canned::start(|request| {
        Reply::Raw(if request.path == "/1" {
            html("page")
        } else {
            answer("429 Too Many Requests", "Retry-After: 7200\r\n", "")
        })
    });
    let place = Place::new();
    let urls = ["/1", "/2", "/3", "/4"].map(|path| site.url(path));
    let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    arguments.extend(["-j", "1", "--json"]);
    let run = place.run(&arguments).code(3);
    let counts = ["saved", "interrupted", "failed"].map(|name| run.json()[name].as_u64().unwrap());
    assert_eq!(counts, [1, 3, 0]);
    run.says(&["asks for a pause of 7200 s (429, Retry-After 7200)", "not before 20"]);
    assert_eq!(site.requests().len(), 2);
}

#[test]
fn open_requests_for_a_host_stay_within_what_was_asked() {
    for mode in exec::TABLE {
        let origin = origin(60);
        let place = Place::new();
        let limits = ["--mode", mode.name, "-j", "12", "--per-host", "3"];
        place.run(&[&["--index", &origin.index_url()][..], &limits].concat()).code(0);
        let peak = origin.counters().open_peak;
        assert!((1..=3).contains(&peak), "{mode:?}: {peak}");
    }
}

#[test]
fn a_crawl_delay_is_told_and_a_rate_must_make_sense() {
    let site = site(answer("200 OK", "", "User-agent: *\nCrawl-delay: 0.01\n"));
    let place = Place::new();
    index_run(&place, &site, &[]).code(0).says(&["0.01 s between requests by its robots.txt"]);
    for rate in ["0/s", "20", "fast"] {
        place.run(&["http://a.org/", "--rate", rate]).code(2).says(&["--rate"]);
    }
}

/// A sitemap index of two parts: the first names six pages, the second is `part`.
fn sitemap_site(part: Vec<u8>) -> Canned {
    Canned::start(move |request| {
        let host = request.header("host").unwrap();
        let list = |root: &str, tag: &str, paths: &[&str]| {
            let one = |path: &&str| format!("<{tag}><loc>http://{host}{path}</loc></{tag}>");
            let all = paths.iter().map(one).collect::<String>();
            html(&format!("<{root}>{all}</{root}>"))
        };
        Reply::Raw(match request.path.as_str() {
            "/sm.xml" => list("sitemapindex", "sitemap", &["/part1.xml", "/part2.xml"]),
            "/part1.xml" => list("urlset", "url", &["/1", "/2", "/3", "/4", "/5", "/6"]),
            "/part2.xml" => part.clone(),
            "/robots.txt" => answer("404 Not Found", "", ""),
            _ => html("page"),
        })
    })
}

#[test]
fn a_part_of_a_sitemap_that_asks_for_hours_ends_its_host_with_every_page_recorded() {
    let site = sitemap_site(answer("429 Too Many Requests", "Retry-After: 7200\r\n", ""));
    let place = Place::new();
    let run =
        place.run(&["--sitemap", &site.url("/sm.xml"), "-j", "1", "--rate", "20/s", "--json"]);
    let summary = run.code(3).json();
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(count("saved") + count("interrupted"), 6);
    assert!(count("interrupted") > 0);
    assert_eq!(place.pages().len(), 6);
}

#[test]
fn rules_are_read_as_far_as_they_count_whatever_follows() {
    let long = format!("User-agent: *\nDisallow: /private/\n{}", "# filler\n".repeat(200_000));
    let site = site(answer("200 OK", "", long));
    let place = Place::new();
    let summary = index_run(&place, &site, &["--max-size", "20kB"]).code(0).json();
    assert_eq!((&summary["saved"], &summary["robots"]), (&2.into(), &1.into()));
}

#[test]
fn rules_behind_a_redirect_hold_although_pages_may_have_none() {
    let site = Canned::start(|request| {
        Reply::Raw(match request.path.as_str() {
            "/index" => html(INDEX),
            "/robots.txt" => answer("301 Moved Permanently", "Location: /rules\r\n", ""),
            "/rules" => answer("200 OK", "", "User-agent: *\nDisallow: /private/\n"),
            _ => html("page"),
        })
    });
    let place = Place::new();
    let summary = index_run(&place, &site, &["--max-redirs", "0"]).code(0).json();
    assert_eq!((&summary["saved"], &summary["robots"]), (&2.into(), &1.into()));
}

#[test]
fn an_index_that_asks_for_hours_is_one_that_cannot_be_had() {
    let refusing = answer("429 Too Many Requests", "Retry-After: 7200\r\n", "come back later");
    let site = Canned::always(refusing);
    let place = Place::new();
    let run = place.run(&["--index", &site.url("/index")]).code(1);
    run.says(&["the server answered 429 Too Many Requests", "asks for a pause of 7200 s"]);
    assert_eq!(site.requests().len(), 1);
}
