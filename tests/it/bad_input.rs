//! Bad input gets a clear error that names it, the right exit code, and no panic.

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::{Place, origin};

#[test]
fn an_index_that_cannot_be_had() {
    let place = Place::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let index = format!("http://{free}/");
    place
        .run(&["--index", &index, "--retry", "0"])
        .code(1)
        .says(&[&format!("error: failed to fetch {index} after 1 try\ncaused by: no connection")]);
    // The message names the address behind a redirect too, without the secrets that the server put in.
    let location = format!("Location: http://me:secret@{free}/moved\r\n");
    let server = Canned::always(answer("301 Moved Permanently", &location, ""));
    let ended = place.run(&["--index", &server.url("/"), "--retry", "0"]).code(1);
    assert!(!ended.stderr.contains("secret"), "{ended:?}");
    ended.says(&["no connection: ", &format!(" (redirected to http://{free}/moved)\n")]);
    let refusal = "Please set a user-agent and respect our robot policy.\n";
    let server = Canned::always(answer("403 Forbidden", "Content-Type: text/plain\r\n", refusal));
    place.run(&["--index", &server.url("/list")]).code(1).says(&[
        "/list after 1 try: the server answered 403 Forbidden and said: Please set a user-agent and respect our robot policy.\n",
        "hint: ",
        "--contact",
    ]);
    let page = "<html><head><title>Access denied</title></head><body>no</body></html>";
    let server = Canned::always(answer("404 Not Found", "Content-Type: text/html\r\n", page));
    place
        .run(&["--index", &server.url("/")])
        .code(1)
        .says(&["404 Not Found and said: Access denied"]);
    assert!(!place.path("pages").exists());
}

#[test]
fn an_index_without_links_is_diagnosed() {
    let place = Place::new();
    let cases: &[(Vec<u8>, &[&str])] = &[
        (html(""), &["0 bytes, no title, 0 <a> elements"]),
        (
            answer("200 OK", "Content-Type: image/png\r\n", b"\x89PNG\r\n\x1a\n\0\0\0"),
            &["image/png", "11 bytes"],
        ),
        (
            html("<title>Are you human?</title><a href=x>1</a><a href=y>2</a>"),
            &[
                "status 200, text/html; charset=utf-8",
                "title \"Are you human?\"",
                "2 <a> elements",
                "no element selected by \"td .flagicon + a\"",
            ],
        ),
        (
            html(
                "<td><i class=flagicon></i><a>1</a></td><table><td><i class=flagicon></i><a>1</a><td><i class=flagicon></i><a href='mailto:x@y.z'>",
            ),
            &["2 elements selected", "1 without href, 1 of another scheme"],
        ),
    ];
    for (page, said) in cases {
        let server = Canned::always(page.clone());
        place
            .run(&["--index", &server.url("/")])
            .code(4)
            .says(said)
            .says(&["error: no link found at http://", "hint: "]);
    }
}

#[test]
fn odd_links_are_left_out_and_broken_ones_told() {
    let server = Canned::start(|request| {
        let links = "<a>none</a><a href='javascript:x()'>j</a><a href='mailto:a@b.c'>m</a>\
                     <a href='data:,x'>d</a><a href='//HOST/one'>p</a><a href='http://[bad'>b</a>";
        let host = request.header("host").unwrap();
        Reply::Raw(html(&if request.path == "/" {
            links.replace("HOST", host)
        } else {
            "page".into()
        }))
    });
    let place = Place::new();
    let ended = place.run(&["--index", &server.url("/"), "--select", "a", "--json"]).code(3);
    let summary = ended.json();
    assert_eq!(
        (&summary["found"], &summary["saved"], &summary["invalid"]),
        (&2.into(), &1.into(), &1.into())
    );
    ended.says(&["warning: link 2: \"http://[bad\" is not an http(s) URL: invalid IPv6 address"]);
}

#[test]
fn a_selector_that_does_not_parse_is_a_usage_error_with_its_place() {
    let place = Place::new();
    place.run(&["--demo", "--select", "td >> a"]).code(2).says(&[
        "error: --select: the selector \"td >> a\" does not parse at character 4: \">> a\"",
        "hint: ",
    ]);
}

#[test]
fn an_argument_that_is_no_url_gets_a_guess() {
    let place = Place::new();
    place.run(&["example.org"]).code(2).says(&[
        "error: URL \"example.org\" is not an http(s) URL: it has no http:// or https://",
        "hint: did you mean https://example.org/?",
    ]);
    place.run(&["ftp://a.org/x"]).code(2).says(&["its scheme is ftp"]);
    place.run(&["--index", "no-such-file.html"]).code(2).says(&["there is no file of this name"]);
    place
        .run(&["--sitemap", "a.org/sitemap.xml"])
        .code(2)
        .says(&["did you mean https://a.org/sitemap.xml?"]);
}

#[test]
fn a_list_that_cannot_be_read() {
    let place = Place::new();
    std::fs::create_dir(place.path("folder")).unwrap();
    let folder = place.path("folder").to_str().unwrap().to_owned();
    place.run(&["-i", &folder]).code(1).says(&["folder: it is a directory"]);
    place
        .run(&["-i", "no-such-list"])
        .code(1)
        .says(&["error: failed to read no-such-list\ncaused by: "]);
    let empty = place.file("empty", "");
    place
        .run(&["-i", &empty])
        .code(4)
        .says(&["error: the source named no page: ", "empty is empty"]);
    let rubbish = place.file("rubbish", (0..=255).cycle().take(300_000).collect::<Vec<u8>>());
    place.run(&["-i", &rubbish]).code(4).says(&[
        "warning: line 1: ",
        "none of the entries of ",
        "rubbish is an http(s) URL",
    ]);
    let csv = place.file("list.csv", "name,link\na,http://a.org/\n");
    place
        .run(&["-i", &csv, "--column", "url"])
        .code(2)
        .says(&["no column \"url\", only \"name\", \"link\""]);
    let cut = place.file("cut.gz", [&b"\x1f\x8b\x08\0\0\0\0\0"[..], b"rubbish"].concat());
    place.run(&["-i", &cut]).code(1).says(&["error: "]);
}

#[test]
fn a_line_that_is_no_url_is_passed_over_and_told() {
    let origin = origin(1);
    let place = Place::new();
    let page = origin.url(origin.site().paths().next().unwrap());
    let list =
        place.file("list", format!("\u{feff}{page}\r\n\r\nexample.org\r\n# no\r\n{page}\r\n"));
    let ended = place.run(&["-i", &list, "--json"]).code(3);
    let summary = ended.json();
    let counts = ["found", "invalid", "duplicates", "skipped_lines", "pages", "saved"]
        .map(|name| summary[name].as_u64().unwrap());
    assert_eq!(counts, [3, 1, 1, 2, 1, 1]);
    ended.says(&["warning: line 3: \"example.org\""]);
    place.run(&["links", "-i", &list]).code(0).says(&["warning: line 3"]);
}

#[test]
fn a_source_without_pages_is_named_with_a_hint_that_fits() {
    let place = Place::new();
    let zipped = place.file("list.txt.gz", "no gzip");
    let table = place.file("list.jsonl", "{\"page\":{\"url\":\"http://a.org/\"}}\n");
    let server =
        Canned::always(answer("200 OK", "", "<urlset><url><loc>/relative</loc></url></urlset>"));
    let sitemap = server.url("/sitemap.xml");
    for (arguments, said, is_hinted) in [
        (&["-i", &zipped][..], "list.txt.gz is an http(s) URL\nhint: its name ends in .gz", true),
        (&["-i", &table, "--column", "url"], "list.jsonl is an http(s) URL\n", false),
        (&["--sitemap", &sitemap, "--robots", "ignore"], "/sitemap.xml is an http(s) URL\n", false),
        (&["-i", "-"], "standard input is empty\n", false),
    ] {
        let ended = place.run(&[&["links"], arguments].concat()).code(4).says(&[said]);
        assert_eq!(ended.stderr.contains("hint: "), is_hinted, "{ended:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written() {
    let origin = origin(1);
    let place = Place::new();
    let file = place.file("taken", "mine");
    place
        .run(&["--index", &origin.index_url(), "-o", &file])
        .code(1)
        .says(&["taken exists and is not a directory", "hint: "]);
    let below = format!("{file}/below");
    place
        .run(&["--index", &origin.index_url(), "-o", &below])
        .code(1)
        .says(&["failed to create the directory", "caused by: "]);
    assert_eq!(place.text("taken"), "mine");
    place.run(&["--demo", "-o", "x.warc.gz"]).code(2).says(&["directories only"]);
    place.run(&["verify", "nowhere"]).code(1).says(&["there is no manifest.jsonl in nowhere"]);
}

#[test]
fn an_index_that_comes_at_the_second_try() {
    let origin = origin(1);
    let link = format!("<a href='{}'>x</a>", origin.url(origin.site().paths().next().unwrap()));
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = Canned::start(move |_| {
        let is_first = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        Reply::Raw(if is_first { answer("503 Busy", "", "") } else { html(&link) })
    });
    let place = Place::new();
    place.run(&["--index", &server.url("/"), "--select", "a"]).code(0);
    assert_eq!(server.count("/"), 2);
}

#[test]
fn a_manifest_that_is_none_is_left_alone() {
    let origin = origin(1);
    let place = Place::new();
    place.file("pages/manifest.jsonl", "my notes, without a line end");
    place
        .run(&["--index", &origin.index_url()])
        .code(1)
        .says(&["is not a manifest", "hint: move it away"]);
    assert_eq!(place.text("pages/manifest.jsonl"), "my notes, without a line end");
    place.run(&["verify", "pages"]).code(1).says(&["is not a manifest"]);
    // The start of a manifest, as a killed run may leave it, is repaired.
    place.file("pages/manifest.jsonl", "{\"kind\":\"ru");
    place.run(&["--index", &origin.index_url()]).code(0);
    place.run(&["verify", "pages"]).code(0);
    std::fs::create_dir(place.path("other")).unwrap();
    std::os::unix::fs::symlink("../outside", place.path("other/manifest.jsonl")).unwrap();
    place
        .run(&["--index", &origin.index_url(), "-o", "other"])
        .code(1)
        .says(&["is not a manifest"]);
    assert!(!place.path("outside").exists());
}

#[test]
fn a_link_to_a_folder_is_never_followed() {
    let server = Canned::start(|request| Reply::Raw(html(&request.path)));
    let place = Place::new();
    let arguments = [server.url("/q/a"), server.url("/q/b")];
    let arguments = [&arguments[0], &arguments[1], "--layout", "tree"];
    place.run(&arguments).code(0);
    let host = place.names("pages").remove(0);
    let folder = place.path(&format!("pages/{host}/q"));
    std::fs::remove_dir_all(&folder).unwrap();
    place.file("outside/a.html", "mine");
    std::os::unix::fs::symlink(place.path("outside"), folder).unwrap();
    place.run(&arguments).code(0);
    assert_eq!(place.text("outside/a.html"), "mine");
    assert_eq!(place.names("outside"), ["a.html"]);
}

#[test]
fn what_a_server_sends_never_moves_the_cursor() {
    let place = Place::new();
    let page = "<title>\u{1b}[2J\u{7}cleared</title><a href='http://[\u{1b}[31mbad'>x</a>";
    let server = Canned::always(html(page));
    let plain =
        Canned::always(answer("403 Forbidden", "Content-Type: text/plain\r\n", "\u{1b}[2Jno"));
    for ended in [
        place.run(&["--index", &server.url("/")]).code(4),
        place.run(&["--index", &server.url("/"), "--select", "a"]).code(4),
        place.run(&["--index", &plain.url("/")]).code(1),
    ] {
        assert!(!ended.stderr.contains(['\u{1b}', '\u{7}']), "{ended:?}");
    }
}

#[test]
fn a_page_whose_place_is_taken_by_a_folder_gets_another_name() {
    let origin = origin(1);
    let place = Place::new();
    let name = origin.site().paths().next().unwrap().rsplit('/').next().unwrap().to_owned();
    std::fs::create_dir_all(place.path(&format!("pages/{name}.html"))).unwrap();
    place.run(&["--index", &origin.index_url()]).code(0);
    assert_eq!(place.names("pages").len(), 2);
}

#[test]
fn two_urls_with_one_name_and_names_that_no_file_system_takes() {
    let server = Canned::start(|request| Reply::Raw(html(&request.path)));
    let place = Place::new();
    let long = format!("/{}", "x".repeat(400));
    let paths =
        ["/a/p", "/b/p", "/b/P", "/%2e%2e/", "/...", &long, "/a%2Fb", "/n%00l", "/q?x=../../y"];
    let urls: Vec<_> = paths.iter().map(|path| server.url(path)).collect();
    let arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    place.run(&arguments).code(0);
    assert_eq!(place.names("pages").len(), paths.len());
    assert_eq!(crate::support::names_in(&place.path("")), ["pages"]);
    place.run(&["verify", "pages"]).code(0);
}

#[test]
fn options_that_make_no_sense() {
    let place = Place::new();
    let pem = place.file("not.pem", "rubbish");
    for (arguments, said) in [
        (&["--workers", "0"][..], "from 1 to 4096"),
        (&["-j", "99999"], "from 1 to 4096"),
        (&["--mode", "warp"], "sequential, threads, rayon"),
        (&["--read-timeout", "5 parsecs"], "500ms, 30s or 5m"),
        (&["--max-size", "big"], "64KiB or 10MB"),
        (&["-H", "no colon"], "has no colon"),
        (&["-H", "Bad Name: x"], "before the colon is not a header name"),
        (&["-H", "Host: x"], "fetchpages sets host itself"),
        (&["-u", "me"], "name:password"),
        (&["-b", "cookies.txt"], "name=value"),
        (&["--cacert", &pem], "has no PEM certificate"),
        (&["--cacert", "no-such.pem"], "failed to read certificates from no-such.pem"),
        (&["-q", "--json"], "--json"),
    ] {
        place.run(&[&["--demo"], arguments].concat()).code(2).says(&["error: ", said]);
    }
}

#[test]
fn verify_finds_what_differs() {
    let origin = origin(5);
    let place = Place::new();
    place.run(&["--index", &origin.index_url()]).code(0);
    let names = place.names("pages");
    let page = |at: usize| format!("pages/{}", names[at]);
    std::fs::remove_file(place.path(&page(0))).unwrap();
    place.file(&page(1), "short");
    let mut body = place.read(&page(2));
    body[0] ^= 1;
    place.file(&page(2), body);
    place.file("pages/extra.html", "mine");
    let ended = place.run(&["verify", "pages"]).code(5);
    for line in [
        format!("missing     {}", names[0]),
        format!("size        {}: 5 bytes, recorded ", names[1]),
        format!("changed     {}", names[2]),
        "foreign     extra.html".into(),
        "2 files are as recorded, 4 differ".into(),
    ] {
        assert!(ended.stdout.contains(&line), "{line:?} is not in {}", ended.stdout);
    }
    let ended = place.run(&["verify", "pages", "--list"]).code(5);
    assert_eq!(ended.stdout.lines().count(), 3);
    assert!(ended.stdout.lines().all(|line| line.starts_with("http://127.0.0.1:")));
}

#[test]
fn an_address_in_the_place_of_a_list_tells_no_password() {
    let ended = Place::new().run(&["-i", "http://me:secret@a.org/list"]).code(1);
    assert!(ended.stderr.contains("http://a.org/list"), "{ended:?}");
    assert!(!ended.stderr.contains("secret"), "{ended:?}");
}

#[test]
fn a_known_site_is_told_that_a_contact_is_wanted_however_it_is_named() {
    // No request is sent: no server listens on this port.
    let page = "http://en.wikipedia.org/wiki/India";
    let run = Place::new().run(&[page, "-x", "http://127.0.0.1:1", "--retry", "0"]).code(3);
    run.says(&["en.wikipedia.org refuses agents that name no contact", "at most 9 open and 19/s"]);
}
