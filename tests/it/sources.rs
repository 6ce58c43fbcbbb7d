//! Sources of pages, tested through the program.

use std::sync::Arc;

use fetchpages::clock::{Clock, SystemClock};
use fetchpages::event::{Event, Events, Observer, ObserverError};
use fetchpages::fetch::{self, Network};
use fetchpages::queue::{self, Queue};
use fetchpages::random::Rng;
use fetchpages::source::{Access, Getter};

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::encoders::gzip;
use crate::support::{Place, origin};

#[test]
fn links_prints_the_plan_and_fetches_no_page() {
    let origin = origin(3);
    let place = Place::new();
    let ended = place.run(&["links", "--index", &origin.index_url()]).code(0);
    let paths: Vec<_> = origin.site().paths().collect();
    let line =
        |path: &&str| format!("{}.html\t{}", path.rsplit('/').next().unwrap(), origin.url(path));
    assert_eq!(
        ended.stdout.lines().collect::<Vec<_>>(),
        paths.iter().map(line).collect::<Vec<_>>()
    );
    assert_eq!(origin.counters().requests, 1);
    assert!(!place.path("pages").exists());
    let ended =
        place.run(&["links", "--json", "--limit", "1", "--index", &origin.index_url()]).code(0);
    assert_eq!(ended.json()["url"], origin.url(paths[0]));
}

#[test]
fn a_list_may_be_text_gzip_table_or_pipe() {
    let place = Place::new();
    let text = "http://a.org/1\nhttp://a.org/2\n";
    let plan = "1.html\thttp://a.org/1\n2.html\thttp://a.org/2\n";
    let text_file = place.file("list", text);
    let zipped = place.file("list.gz", gzip(text));
    let csv = place.file("list.csv", "n,url\n1,http://a.org/1\n2,http://a.org/2\n");
    let tsv = place.file("list.tsv.gz", gzip("n\turl\n1\thttp://a.org/1\n2\thttp://a.org/2\n"));
    let array = place.file("list.json", "[\"http://a.org/1\",\n\"http://a.org/2\"]");
    let lines =
        place.file("list.jsonl", "{\"url\":\"http://a.org/1\"}\n{\"url\":\"http://a.org/2\"}\n");
    for (file, column) in [
        (text_file, None),
        (zipped, None),
        (csv, Some("url")),
        (tsv, Some("url")),
        (lines, Some("url")),
        (array, None),
    ] {
        let mut arguments = vec!["links", "-i", &file];
        arguments.extend(column.iter().flat_map(|column| ["--column", column]));
        assert_eq!(place.run(&arguments).code(0).stdout, plan, "{file}");
    }
    assert_eq!(place.run_with(text.as_bytes(), &["links", "-i", "-"]).code(0).stdout, plan);
    let table = b"url,n\nhttp://a.org/1,1\nhttp://a.org/2,2\n";
    assert_eq!(
        place.run_with(table, &["links", "-i", "-", "--column", "url"]).code(0).stdout,
        plan
    );
}

#[test]
fn the_format_of_a_list_can_be_said() {
    let place = Place::new();
    let plan = "1.html\thttp://a.org/1\n2.html\thttp://a.org/2\n";
    let (one, two) = ("http://a.org/1", "http://a.org/2");
    for (format, column, text) in [
        ("text", None, format!("{one}\n{two}\n")),
        ("csv", Some("url"), format!("n,url\n,{one}\n,{two}\n")),
        ("tsv", Some("url"), format!("n\turl\n\t{one}\n\t{two}\n")),
        ("jsonl", Some("url"), format!("{{\"url\":\"{one}\"}}\n{{\"url\":\"{two}\"}}\n")),
        ("jsonl", None, format!("\"{one}\"\n\"{two}\"\n")),
        ("json", Some("url"), format!("[{{\"url\":\"{one}\"}},{{\"url\":\"{two}\"}}]\n")),
        ("json", None, format!("[\"{one}\",\"{two}\"]\n")),
    ] {
        let mut arguments = vec!["links", "-i", "-", "--input-format", format];
        arguments.extend(column.iter().flat_map(|column| ["--column", column]));
        let ended = place.run_with(text.as_bytes(), &arguments).code(0);
        assert_eq!(ended.stdout, plan, "{format}");
        // The ending of the file name does not matter then.
        let file = place.file("list.tsv", text);
        arguments[2] = &file;
        assert_eq!(place.run(&arguments).code(0).stdout, plan, "{format}");
    }
    for (arguments, said) in [
        (&["-i", "-", "--input-format", "csv"][..], "name it with --column NAME"),
        (&["-i", "-", "--input-format", "text", "--column", "url"], "and no --column"),
        (&["-i", "-", "--input-format", "xls"], "[possible values: text, csv, tsv, jsonl, json]"),
        (&["--input-format", "csv", "http://a.org/"], "--input-format"),
        (&["--input-format", "csv"], "--input-file"),
    ] {
        place.run(arguments).code(2).says(&[said]);
    }
}

#[test]
fn an_index_in_a_file_wants_a_base() {
    let place = Place::new();
    let file = place.file("index.html", "<ul><li data-page='one'><li data-page='/two'></ul>");
    let arguments = ["links", "--index", &file, "--select", "li", "--attr", "data-page"];
    place.run(&arguments).code(2).says(&["is a file", "hint: name that address with --base URL"]);
    let ended = place.run(&[&arguments[..], &["--base", "https://a.org/dir/"]].concat()).code(0);
    assert_eq!(ended.stdout, "one.html\thttps://a.org/dir/one\ntwo.html\thttps://a.org/two\n");
}

#[test]
fn a_sitemap_index_is_read_part_by_part_and_a_missing_part_is_told() {
    let server = Canned::start(|request| {
        let host = request.header("host").unwrap();
        let set =
            |name: &str| format!("<urlset><url><loc>http://{host}/{name}</loc></url></urlset>");
        Reply::Raw(match &*request.path {
            "/sitemap.xml" => {
                let part =
                    |name: &str| format!("<sitemap><loc>http://{host}/{name}</loc></sitemap>");
                let parts = ["a.xml", "gone.xml", "b.xml.gz", "sitemap.xml"].map(part).concat();
                let odd = "<sitemap><loc>ftp://a.org/s.xml</loc></sitemap>";
                answer("200 OK", "", format!("<sitemapindex>{odd}{parts}</sitemapindex>"))
            }
            "/a.xml" => answer("200 OK", "", set("one")),
            "/b.xml.gz" => answer("200 OK", "Content-Type: application/gzip\r\n", gzip(set("two"))),
            "/gone.xml" => answer("404 Not Found", "", ""),
            path => html(path),
        })
    });
    let place = Place::new();
    let ended = place.run(&["--sitemap", &server.url("/sitemap.xml"), "--json"]).code(3);
    assert_eq!(ended.json()["saved"], 2);
    ended.says(&["warning: failed to fetch", "gone.xml", "404", "\"ftp://a.org/s.xml\""]);
    assert_eq!(place.names("pages"), ["one.html", "two.html"]);
}

#[test]
fn a_sitemap_with_a_bad_spot_costs_one_page_and_is_told_with_its_line() {
    let server = Canned::start(|request| {
        let page = |name| format!("http://{}/{name}", request.header("host").unwrap());
        let set = |bad: &str| {
            let loc = |name| format!("<url><loc>{}</loc></url>\n", page(name));
            format!("<urlset>\n{}{bad}\n{}</urlset>", loc("one"), loc("two"))
        };
        Reply::Raw(match &*request.path {
            "/unclosed" => answer("200 OK", "", set("<url><loc>http://a.org/</url>")),
            "/cut" => answer("200 OK", "", set("").replace("</urlset>", "<url><loc>http://a.or")),
            "/bad" => answer("200 OK", "", "<urlset>\n<url><loc>&x;</loc></url></urlset>"),
            "/rss" => {
                let item = |name| format!("<item><link>{}</link></item>", page(name));
                answer("200 OK", "", format!("<rss>{}{}</rss>", item("one"), item("two")))
            }
            "/atom" => {
                let links = "<entry><link href='one'/></entry><entry><link href='two'/></entry>";
                answer("200 OK", "", format!("<feed>{links}</feed>"))
            }
            path => html(path),
        })
    });
    for (path, code, text) in [
        ("/unclosed", 3, "/unclosed, line 3: a page is left out: <loc> is not closed"),
        ("/cut", 3, "/cut, line 5: it ends before </urlset>"),
        ("/rss", 0, ""),
        ("/atom", 0, ""),
    ] {
        let place = Place::new();
        let ended = place.run(&["--sitemap", &server.url(path)]).code(code).says(&[text]);
        assert_eq!(place.names("pages"), ["one.html", "two.html"], "{ended:?}");
        let ended = place.run(&["links", "--sitemap", &server.url(path)]).code(0).says(&[text]);
        assert_eq!(ended.stdout.lines().count(), 2);
    }
    let place = Place::new();
    let text = "line 2: a page is left out: &x; is not defined";
    place.run(&["links", "--sitemap", &server.url("/bad")]).code(1).says(&["error: ", text]);
}

#[test]
fn filters_narrow_any_source() {
    let place = Place::new();
    let list = place.file(
        "list",
        "http://a.org/1\nhttp://a.org/2\nhttp://b.org/3\nhttp://a.org/1\nhttp://a.org/4\n",
    );
    let plan = |arguments: &[&str]| {
        let ended = place.run(&[&["links", "-i", &list], arguments].concat()).code(0);
        ended
            .stdout
            .lines()
            .map(|line| line.split('.').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(plan(&["--include", "//a\\."]), ["1", "2", "4"]);
    assert_eq!(plan(&["--include", "/1", "--include", "/3"]), ["1", "3"]);
    assert_eq!(plan(&["--exclude", "b\\.org"]), ["1", "2", "4"]);
    assert_eq!(plan(&["--limit", "2"]), ["1", "2"]);
    place
        .run(&["links", "-i", &list, "--include", "nowhere"])
        .code(4)
        .says(&["5 were filtered out"]);
    place.run(&["links", "-i", &list, "--include", "("]).code(2).says(&["--include"]);
}

#[test]
fn one_kind_of_source_at_a_time() {
    let place = Place::new();
    for arguments in [
        &["http://a.org/", "--demo"][..],
        &["-i", "x", "--index", "http://a.org/"],
        &["--sitemap", "http://a.org/", "http://a.org/"],
        &["-i", "x", "--select", "a"],
        &["--column", "x", "http://a.org/"],
    ] {
        place.run(arguments).code(2).says(&["error: "]);
    }
}

#[test]
fn an_index_names_its_own_charset() {
    let page = b"<meta charset=iso-8859-1><a href='/caf\xe9?q=\xe9'>x</a>";
    let server = Canned::always(answer("200 OK", "Content-Type: text/html\r\n", page));
    let place = Place::new();
    let ended = place.run(&["links", "--index", &server.url("/"), "--select", "a"]).code(0);
    assert!(ended.stdout.ends_with("/caf%C3%A9?q=%E9\n"), "{}", ended.stdout);
}

/// Lists the side requests of a run.
#[derive(Default)]
struct SideRequests(Vec<String>);

impl Observer for SideRequests {
    fn on_event(&mut self, event: &Event) -> Result<(), ObserverError> {
        match event {
            Event::SideRequestStarted { start_url, url, .. } => {
                self.0.push(format!("{} asks {}", start_url.path(), url.path()));
            }
            Event::SideRequestEnded { start_url } => {
                self.0.push(format!("{} ended", start_url.path()));
            }
            _ => panic!("this is about no page: {event:?}"),
        }
        Ok(())
    }
}

#[test]
fn what_a_source_asks_for_is_reported_while_it_is_under_way() {
    let server = Canned::start(|request| {
        Reply::Raw(match request.path.as_str() {
            "/moved" => answer("302 Found", "Location: /there\r\n", ""),
            _ => html("page"),
        })
    });
    let url = url::Url::parse(&server.url("/moved")).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let network = Arc::new(Network::new(fetch::Options::default(), Arc::clone(&clock)).unwrap());
    let queue = Arc::new(Queue::new(queue::Options::default(), Rng::new(1), Arc::clone(&clock)));
    let access = Access { network, queue: Arc::clone(&queue), clock: Arc::clone(&clock) };
    let mut getter = Getter::new(access).unwrap();
    getter.get(&url).unwrap();
    let (events, observing) = Events::start(SideRequests::default(), clock, || ()).unwrap();
    queue.observe_with(events);
    getter.get(&url).unwrap();
    let (seen, result) = observing.finish();
    result.unwrap();
    let expected = ["/moved asks /moved", "/moved ended", "/moved asks /there", "/moved ended"];
    assert_eq!(seen.0, expected, "from when there are observers");
}
