//! Hostile text from every source: it never reaches a terminal raw, and never begins a line.

use fetchpages::foreign::is_shown;
use serde_json::{Value, json};

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::{Ended, Place};

/// Characters that pass where ASCII controls do not: controls of Latin-1, characters that change
/// the direction of writing, invisible ones, line separators.
const ODD: &str =
    "\u{9b}2J\u{85}\u{61c}\u{200b}\u{202e}\u{2066}\u{2028}\u{2029}\u{feff}\u{3164}\u{e0041}";
/// What controls do as well, and a line end with what would look like a line of ours.
const DIRT: &str = "\u{1b}]52;c;QUJD\u{7}\u{1b}[2J\r\u{7f}\u{8}\nINJECTED \u{9b}2J\u{85}\u{61c}\u{200b}\u{202e}\u{2066}\u{2028}\u{2029}\u{feff}\u{3164}\u{e0041}";

/// The beginnings of lines on standard error.
const STARTS: &[&str] = &[
    "error: ",
    "caused by: ",
    "hint: ",
    "warning: ",
    "note: ",
    "failed ",
    "saved ",
    "again in ",
    "robots ",
    "interrupted ",
    "warm-up ",
    "round ",
];

/// Checks everything that was printed, and the exit code.
#[track_caller]
fn clean(ended: Ended, code: i32) -> Ended {
    let ended = ended.code(code);
    for text in [&ended.stdout, &ended.stderr] {
        let raw = text.chars().find(|c| !is_shown(*c) && !matches!(c, '\n' | '\t'));
        assert_eq!(raw, None, "{ended:#?}");
        assert!(!text.lines().any(|line| line.starts_with("INJECTED")), "{ended:#?}");
    }
    assert!(!ended.stdout.contains('\t') || ended.stdout.lines().all(|line| line.contains('\t')));
    ended
}

/// Checks as [`clean`] does, and that each message begins as the program's messages do.
#[track_caller]
fn check(ended: Ended, code: i32) -> Ended {
    let ended = clean(ended, code);
    let is_progress = |line: &str| line.contains(" pages, ") && line.contains(" failed");
    for line in ended.stderr.lines() {
        let is_ours = STARTS.iter().any(|start| line.starts_with(start)) || is_progress(line);
        assert!(is_ours, "{line:?} in {ended:#?}");
    }
    ended
}

/// A server with hostile text in everything that the program may report.
fn hostile() -> Canned {
    Canned::start(|request| {
        let fields = |lines: &str| answer("200 OK", lines, "page");
        Reply::Raw(match &*request.path {
            "/type" => fields(&format!("Content-Type: text/{ODD}\r\nETag: \"{ODD}\"\r\n")),
            "/coding" => fields(&format!("Content-Encoding: gzip, {ODD}\r\n")),
            "/label" => fields("Content-Encoding: utf-8\r\n"),
            "/location" => answer("302 Found", &format!("Location: ftp://a.org/{ODD}\r\n"), ""),
            "/locations" => {
                answer("302 Found", &format!("Location: /a{ODD}\r\nLocation: /b{ODD}\r\n"), "")
            }
            "/moved" => answer("302 Found", &format!("Location: /moved-{ODD}\r\n"), ""),
            "/nowhere" => answer("302 Found", &format!("Location: http://{ODD}/\r\n"), ""),
            "/part" => answer("206 Part", &format!("Content-Range: bytes {ODD}\r\n"), "page"),
            "/reason" => answer(&format!("500 {ODD}"), "", ODD),
            "/later" => answer("500 Later", &format!("Retry-After: {ODD}\r\n"), ""),
            "/length" => format!("HTTP/1.1 200 OK\r\nContent-Length: {ODD}\r\n\r\nx").into(),
            "/escape" => fields(&format!("X: {}\r\n", DIRT.replace('\n', " "))),
            "/status" => format!("HTTP/1.1 2{DIRT}0 OK\r\n\r\nx").into(),
            "/no-http" => DIRT.into(),
            path => html(path),
        })
    })
}

const HOSTILE: [&str; 15] = [
    "/type",
    "/coding",
    "/label",
    "/location",
    "/locations",
    "/moved",
    "/nowhere",
    "/part",
    "/reason",
    "/later",
    "/length",
    "/escape",
    "/status",
    "/no-http",
    "/page",
];

#[test]
fn what_a_server_answers() {
    let server = hostile();
    let urls = HOSTILE.map(|path| server.url(path));
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    for mode in ["threads", "async", "processes"] {
        let place = Place::new();
        let usual = ["--mode", mode, "--retry", "1", "--max-time", "20s", "--deadline", "60s"];
        let run = |more: &[&str]| place.run(&[&urls[..], &usual, more].concat());
        let ended = check(run(&["-v", "--progress", "plain", "--max-redirs", "3"]), 3);
        assert!(ended.stderr.lines().count() >= HOSTILE.len(), "{ended:#?}");
        let summary = clean(run(&["--json", "--trace", "/dev/stderr"]), 3);
        assert!(summary.json()["failed"].as_u64() > Some(5), "{summary:#?}");
    }
}

#[test]
fn what_robots_rules_say() {
    for rules in [
        answer(
            "200 OK",
            "",
            format!("User-agent: *{DIRT}\nCrawl-delay: 1{DIRT}\nDisallow: /{DIRT}"),
        ),
        answer(&format!("500 {ODD}"), "", DIRT),
        answer("302 Found", &format!("Location: http://{ODD}/\r\n"), ""),
        DIRT.into(),
    ] {
        let server = Canned::start(move |request| {
            Reply::Raw(if request.path == "/robots.txt" { rules.clone() } else { html("page") })
        });
        let arguments = [&server.url("/x"), "--robots", "obey", "-v", "--retry", "0"];
        let ended = Place::new().run(&arguments);
        let code = ended.code.unwrap();
        check(ended, code);
    }
}

#[test]
fn what_an_index_says() {
    let title = format!("<title>{DIRT}</title>");
    for (index, more, code) in [
        (html(&format!("{title}<a href='http://[{DIRT}'>x</a>")), &["--select=a"][..], 4),
        (html(&format!("{title}<a href='/x{DIRT}'>x</a>")), &["--select=a"], 0),
        (html(&title), &[], 4),
        (answer("403 No", "Content-Type: text/plain\r\n", DIRT), &[], 1),
        (answer("200 OK", &format!("Content-Type: {ODD}\r\n"), DIRT), &[], 4),
        (answer("200 OK", &format!("Content-Encoding: gzip, {ODD}\r\n"), DIRT), &[], 1),
        (DIRT.into(), &["--retry=0"], 1),
    ] {
        let server = Canned::start(move |request| {
            Reply::Raw(if request.path == "/" { index.clone() } else { html("page") })
        });
        let place = Place::new();
        let address = server.url("/");
        let arguments = [&["--index", &*address][..], more].concat();
        check(place.run(&[&["links"], &arguments[..]].concat()), code);
        check(place.run(&[&["links", "--json"], &arguments[..]].concat()), code);
        check(place.run(&[&arguments[..], &["--robots=ignore", "-v"]].concat()), code);
    }
}

#[test]
fn what_a_sitemap_says() {
    let entry = |loc: &str| format!("<urlset><url><loc>{loc}</loc></url></urlset>");
    for body in [
        entry(&format!("http://[{ODD}]/")),
        entry(&format!("http://a.org/{ODD}&{ODD};")),
        entry(&format!("ftp://a.org/{DIRT}")),
        format!("<urlset><{ODD}></urlset>"),
        format!("<urlset><url><loc>http://a.org/</loc></x{ODD}></urlset>"),
        format!("<{ODD}/>"),
        format!("<sitemapindex><sitemap><loc>http://[{ODD}</loc></sitemap></sitemapindex>"),
        format!("<sitemapindex><sitemap><loc>SITE/{ODD}</loc></sitemap></sitemapindex>"),
        DIRT.into(),
    ] {
        let server = Canned::start(move |request| {
            let site = format!("http://{}", request.header("host").unwrap());
            Reply::Raw(match &*request.path {
                "/map.xml" => answer("200 OK", "", body.replace("SITE", &site)),
                _ => answer(&format!("500 {ODD}"), "", DIRT),
            })
        });
        let map = server.url("/map.xml");
        let ended = Place::new().run(&["links", "--sitemap", &map, "--retry", "0"]);
        let code = ended.code.unwrap();
        check(ended, code);
    }
}

#[test]
fn what_a_list_and_its_name_say() {
    let place = Place::new();
    let quoted = json!(DIRT).to_string();
    let lines = format!("{DIRT}\nhttp://[{DIRT}\nhttp://a.org:{ODD}/\n\u{feff}{ODD}\n");
    let files = [
        ("txt", lines, &[][..]),
        ("csv", format!("\"{DIRT}\",x\nhttp://[{DIRT},y\n"), &["--column=url"]),
        ("csv", format!("\"{DIRT}\",url\ny,\"http://[{DIRT}\"\n"), &["--column=url"]),
        ("tsv", format!("url\n{DIRT}\n"), &["--column=url"]),
        ("jsonl", format!("{{\"url\":{quoted}}}\n{{{quoted}:1}}\n{DIRT}\n"), &["--column=url"]),
        ("jsonl", format!("{{{quoted}:{{\"a\":{quoted}}}}}\n"), &["--column=url"]),
        ("json", format!("[{{\"url\":{quoted}}}, {{{quoted}:1}}, {DIRT}]"), &["--column=url"]),
    ];
    let column = format!("--column={DIRT}");
    for (ending, content, more) in files {
        let name = place.file(&format!("list {DIRT}.{ending}"), content);
        for more in [more, &[&*column], &["--input-format=json"], &[]] {
            for command in [&["links", "-i", &*name][..], &["-i", &*name, "--json"]] {
                let ended = place.run(&[command, more].concat());
                let code = ended.code.unwrap();
                assert_ne!(code, 0, "{ended:#?}");
                check(ended, code);
            }
        }
    }
    check(place.run(&["-i", &format!("no-such-{DIRT}")]), 1);
    let input = format!("{DIRT}\n");
    check(place.run_with(input.as_bytes(), &["links", "-i", "-"]), 4);
}

/// A record as a line of a manifest, its kind first, as runs write it.
fn line(record: &Value) -> String {
    let mut fields = record.clone();
    let kind = fields.as_object_mut().unwrap().remove("kind").unwrap();
    format!("{{\"kind\":{kind},{}\n", &fields.to_string()[1..])
}

/// A manifest that an attacker wrote: all its texts are hostile.
fn manifest(server: &Canned) -> String {
    let page = |url: &str, more: Value| {
        let mut record = json!({
            "kind": "page", "seq": 0, "url": url, "final_url": null, "state": "saved",
            "status": 200, "file": null, "bytes": 5, "wire_bytes": 5, "sha256": "00",
            "content_type": DIRT, "etag": DIRT, "last_modified": DIRT, "http": DIRT,
            "attempts": 1, "worker": null, "start_ms": null, "wait_ms": 0.0, "total_ms": 0.0,
            "cpu_ms": 0.0, "error": null, "note": DIRT,
        });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    let error = json!({ "code": DIRT, "message": DIRT });
    let records = [
        json!({
            "kind": "run", "v": 1, "started": DIRT, "version": DIRT, "mode": DIRT, "workers": 1,
            "source": DIRT, "args": [server.url("/page"), format!("--exclude=x{ODD}\n\u{7}")],
        }),
        json!({ "kind": "foreign", "files": [DIRT] }),
        json!({ "kind": "orphans", "files": [format!("orphan {DIRT}")] }),
        page(&format!("http://h/{DIRT}http://127.0.0.1:1/injected"), json!({})),
        page(&format!("http://h/{ODD}"), json!({ "file": "odd.html" })),
        page("javascript:alert(1)", json!({ "state": "failed", "error": error })),
        page(&server.url("/named"), json!({ "file": format!("named {DIRT}.html") })),
        page(&server.url("/lost"), json!({ "file": format!("lost {DIRT}.html") })),
        page(&server.url("/broken"), json!({ "state": "failed", "error": error })),
        page(&server.url("/state"), json!({ "state": DIRT })),
        page(&server.url("/way"), json!({ "final_url": format!("http://h/{DIRT}") })),
    ];
    records.iter().map(line).collect()
}

#[test]
fn what_a_manifest_and_its_directory_say() {
    let server = Canned::start(|request| Reply::Raw(html(&request.path)));
    let text = manifest(&server);
    let place = || {
        let place = Place::new();
        place.file("pages/manifest.jsonl", &text);
        place.file(&format!("pages/named {DIRT}.html"), "other");
        place.file(&format!("pages/stranger {DIRT}.html"), "other");
        place.file(&format!("pages/orphan {DIRT}"), "other");
        place
    };
    let ended = check(place().run(&["verify", "pages"]), 5);
    assert!(ended.stdout.ends_with("\n4 lines of the manifest cannot be read\n"), "{ended:#?}");
    let kinds = ["changed ", "missing ", "foreign ", "foreign ", "foreign "];
    let count = ended.stdout.lines().filter(|line| kinds.iter().any(|it| line.starts_with(it)));
    assert_eq!(count.count(), 4, "{ended:#?}");
    let listed = check(place().run(&["verify", "pages", "--list"]), 5);
    let expected = ["/named", "/lost", "/broken", "/state"].map(|path| server.url(path) + "\n");
    assert_eq!(listed.stdout, expected.concat());

    for refetch in ["-c", "-N", "--retry-failed"] {
        // The recorded source is named in a note.
        check(place().run(&[refetch, "-v", "--progress", "plain"]), 0)
            .says(&["note: continuing with"]);
        let place = place();
        let urls = ["/named", "/lost", "/broken", "/state", "/way"].map(|path| server.url(path));
        let urls: Vec<_> = urls.iter().map(String::as_str).collect();
        let ended = check(place.run(&[&urls[..], &[refetch, "-v"]].concat()), 0);
        assert!(ended.stderr.contains("4 lines of manifest.jsonl cannot be read"), "{ended:#?}");
        let ended = place.run(&["verify", "pages"]);
        let code = ended.code.unwrap();
        check(ended, code);
    }
    assert!(!server.requests().iter().any(|request| request.path.contains("injected")));
}

#[test]
fn what_the_last_run_recorded_of_its_source() {
    for args in
        [json!([]), json!([DIRT]), json!([format!("--no-such={DIRT}")]), json!(["-i", DIRT])]
    {
        let place = Place::new();
        let run = json!({
            "kind": "run", "v": 1, "started": "2026-11-21T20:10:00Z", "version": "0.1.0",
            "mode": "threads", "workers": 1, "source": DIRT, "args": args,
        });
        place.file("pages/manifest.jsonl", line(&run));
        let ended = place.run(&["--resume"]);
        let code = ended.code.unwrap();
        assert!(code == 1 || code == 2, "{ended:#?}");
        check(ended, code);
    }
}

/// Options that refuse such a value, those of a source first.
const OPTIONS: &str = "|--index=|--index=http://[|--sitemap=|--base=|--select=|--include=(|\
    --limit=|--mode=|--workers=|--rate=|--deadline=|--max-failures=|--user-agent=|--contact=|\
    --header=|--header=x: |--cookie=a=|--user=|--proxy=ftp://|--proxy=@|--cacert=|--http=|\
    --retry-failed=|--layout=|--progress=|--no-such|--json=|-Z|--credentials-for=|--header-for=";

#[test]
fn what_is_typed() {
    let place = Place::new();
    let list = place.file("list", "http://127.0.0.1:1/\n");
    for (number, option) in OPTIONS.split('|').enumerate() {
        let argument = format!("{option}{DIRT}");
        let source = if number < 5 { &[][..] } else { &["-i", &*list] };
        let ended = clean(place.run(&[&[&*argument][..], source].concat()), 2);
        assert!(ended.stderr.starts_with("error: "), "{ended:#?}");
    }
    for arguments in [
        &["man", DIRT][..],
        &["completions", DIRT],
        &["compare", "--modes", DIRT],
        &["compare", "--gate", DIRT],
        &["compare", "--export", DIRT],
        &["verify", "a", DIRT],
        &[DIRT, "verify"],
        &["origin", "--fault", DIRT],
    ] {
        let ended = clean(place.run(arguments), 2);
        assert!(ended.stderr.starts_with("error: "), "{ended:#?}");
    }
}

#[test]
fn how_files_are_called() {
    let place = Place::new();
    let list = place.file("list", "http://127.0.0.1:1/\n");
    let file = place.file(&format!("file {DIRT}"), DIRT);
    let inside = format!("{file}/inside");
    for arguments in [
        &["-i", &list, "-o", &inside][..],
        &["-i", &list, "-o", &file],
        &["-i", &list, "--trace", &inside],
        &["-i", &inside],
        &["verify", &file],
        &["verify", &inside],
        &["compare", "--baseline", &file, "-i", &list],
        &["compare", "--baseline", &inside, "-i", &list],
        &["compare", "-o", &inside],
        &["compare", "--export", &format!("{inside}.json")],
    ] {
        check(place.run(arguments), 1);
    }
}

#[test]
fn what_the_environment_says() {
    let place = Place::new();
    for name in ["FETCHPAGES_CONTACT", "http_proxy", "all_proxy"] {
        let arguments = ["http://127.0.0.1:1/", "--retry", "0"];
        let ended = place.run_in(&[(name, DIRT)], &arguments);
        check(ended, 2);
        clean(place.run_in(&[(name, DIRT)], &["--help"]), 0);
    }
}

#[test]
fn what_a_comparison_shows() {
    let server = Canned::start(|request| Reply::Raw(html(&request.path)));
    let place = Place::new();
    let list = place.file(&format!("list {DIRT}"), server.url("/x") + "\n");
    let own = ["compare", "-i", &list, "--modes=sequential", "--rounds=1", "--no-save"];
    let names = ["json", "csv", "md", "html", "svg"].map(|it| format!("--export={DIRT}.{it}"));
    let exports: Vec<_> = names.iter().map(String::as_str).collect();
    check(place.run(&[&own[..], &exports, &["-A", "me"]].concat()), 0);
    let read = |ending: &str| place.text(&format!("{DIRT}.{ending}"));
    for ending in ["json", "csv", "md", "html", "svg"] {
        let raw = read(ending).chars().find(|c| !is_shown(*c) && *c != '\n');
        assert_eq!(raw, None, "{ending}");
    }
    let stdout = check(place.run(&[&own[..], &["--json", "-A", "me"]].concat()), 0).json();
    assert!(stdout["job"]["source"].as_str().unwrap().contains('\u{9b}'), "{stdout:#}");

    // A baseline with hostile text where the two differ, and where they do not.
    let mut then: Value = serde_json::from_str(&read("json")).unwrap();
    for place in ["/version", "/started", "/machine/cpu", "/machine/system", "/job/source"] {
        *then.pointer_mut(place).unwrap() = DIRT.into();
    }
    let same = place.file("same.json", then.to_string());
    check(place.run(&[&own[..], &["-A", "me", "--baseline", &same]].concat()), 0);
    then["job"]["options"] = json!([DIRT]);
    then["job"]["pages_sha256"] = DIRT.into();
    then["design"]["contenders"][0]["mode"] = DIRT.into();
    then["samples"][0]["mode"] = DIRT.into();
    let other = place.file("other.json", then.to_string());
    check(place.run(&[&own[..], &["-A", "me", "--baseline", &other]].concat()), 2);
    then["end"] = json!({ "state": DIRT });
    let broken = place.file("broken.json", then.to_string());
    check(place.run(&[&own[..], &["--baseline", &broken]].concat()), 1);
}
