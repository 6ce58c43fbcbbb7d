//! Proxies: pages come through them, they take turns, and their secrets stay secret.

use std::collections::BTreeSet;

use fetchpages::origin::{Faults, Options, Origin};
use serde_json::{Value, json};

use crate::support::canned::{Canned, answer, html};
use crate::support::proxy::{Kind, Proxy};
use crate::support::{Place, origin};

/// Returns an address where no server listens.
fn closed() -> std::net::SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn codes(place: &Place) -> Vec<Value> {
    place.pages().iter().map(|page| page["error"]["code"].clone()).collect()
}

#[test]
fn plain_pages_come_through_an_http_proxy_with_credentials() {
    let server = Canned::always(html("page"));
    let proxy = Proxy::http(Kind::For("me:se:cret@"));
    let place = Place::new();
    let address = format!("http://me:se%3Acret%40@{}", proxy.addr());
    let ended = place.run(&[&server.url("/x"), "-x", &address, "-v"]).code(0);
    assert_eq!(place.text("pages/x.html"), "page");
    assert!(proxy.seen()[0].starts_with(&format!("GET {} HTTP/1.1\r\n", server.url("/x"))));
    assert_eq!(server.requests()[0].header("proxy-authorization"), None);
    let line = format!("\nproxy     http://{}  1 request, 0 failed\n", proxy.addr());
    assert!(ended.stdout.contains(&line), "{ended:?}");
    let written = ended.stdout + &ended.stderr + &place.text("pages/manifest.jsonl");
    assert!(!written.contains("cret"), "{written}");
    // Without a scheme, http is meant.
    let bare = format!("me:se%3Acret%40@{}", proxy.addr());
    let summary = place.run(&[&server.url("/x"), "-x", &bare, "--json"]).code(0).json();
    let expected =
        json!([{ "proxy": format!("http://{}", proxy.addr()), "requests": 1, "failed": 0 }]);
    assert_eq!(summary["proxies"], expected);
}

#[test]
fn pages_over_tls_come_through_tunnels() {
    let origin = Origin::start(&Options { pages: 3, tls: true, ..Options::default() }).unwrap();
    let place = Place::new();
    let http = Proxy::http(Kind::For("me:se:cret@"));
    let (https, certificate) = Proxy::https(Kind::For("me:secret"));
    let authorities = format!("{}{certificate}", origin.certificate_pem().unwrap());
    let authority = place.file("ca.pem", authorities);
    let socks = Proxy::socks(Some("me:secret"), Ok(origin.addr()));
    for address in [
        format!("http://me:se%3Acret%40@{}", http.addr()),
        format!("https://me:secret@{}", https.addr()),
        format!("socks5://me:secret@{}", socks.addr()),
        format!("socks5h://me:secret@{}", socks.addr()),
    ] {
        let arguments = ["--index", &origin.index_url(), "--cacert", &authority, "-x", &address];
        place.run(&arguments).code(0);
        assert_eq!(place.pages().last().unwrap()["http"], "2", "{address}");
    }
    for asked in [http.seen(), https.seen()] {
        assert!(asked.iter().all(|head| head.starts_with(&format!("CONNECT {} ", origin.addr()))));
        assert!(asked[0].contains("fetchpages/"), "{asked:?}");
    }
}

#[test]
fn any_2xx_opens_a_tunnel_whatever_comes_with_it() {
    let origin = Origin::start(&Options { pages: 3, tls: true, ..Options::default() }).unwrap();
    let place = Place::new();
    let (index, authority) = (origin.index_url(), origin.certificate_pem().unwrap());
    let authority = place.file("ca.pem", authority);
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(20 * 1024)).leak();
    let lines = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-Line: y\r\n".repeat(300)).leak();
    for said in [
        "HTTP/1.1 201 Created\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 299 \r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 Connection established\r\nFolded: a\r\n b\r\nno field\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200\r\n\r\n",
        long,
        lines,
    ] {
        let proxy = Proxy::http(Kind::Saying(said)).addr().to_string();
        for (mode, version, http) in
            [("hybrid", "auto", "2"), ("threads", "1.1", "1.1"), ("processes", "2", "2")]
        {
            let place = Place::new();
            let source = ["--index", &index, "--cacert", &authority, "-x", &proxy];
            place.run(&[&source[..], &["--mode", mode, "--http", version]].concat()).code(0);
            assert_eq!(place.pages().len(), 3);
            assert!(place.pages().iter().all(|page| page["http"] == http), "{mode}: {said:.60}");
        }
    }
}

#[test]
fn what_fails_behind_a_tunnel_fails_as_it_does_without_one() {
    let shares = ["cut:10", "endless:5", "bad-gzip:5", "wrong-length:10", "redirect-loop:5"];
    let shares = shares.map(|share| share.parse().unwrap());
    let proxy = Proxy::http(Kind::Open).addr().to_string();
    for version in ["1.1", "2"] {
        let failures = |more: &[&str]| -> Vec<_> {
            let faults = Faults::new(shares).unwrap();
            let options = Options { pages: 40, seed: 5, tls: true, faults, ..Options::default() };
            let (origin, place) = (Origin::start(&options).unwrap(), Place::new());
            let authority = place.file("ca.pem", origin.certificate_pem().unwrap());
            let index = origin.index_url();
            let source = ["--index", &index, "--cacert", &authority, "--http", version];
            let limits = ["--retry", "0", "--max-size", "2MB", "--json"];
            let ended = place.run(&[&source[..], &limits, more].concat());
            let summary = ended.code(3).json();
            assert!(summary["proxies"].as_array().is_none_or(|all| all[0]["failed"] == 0));
            let mut failures = Vec::new();
            for page in place.pages() {
                let path = page["url"].as_str().unwrap().split_once("/wiki/").unwrap().1.to_owned();
                let message = page["error"]["message"].as_str().unwrap_or_default();
                failures.push(format!("{path} {} {message}", page["error"]["code"]));
            }
            failures.sort();
            failures
        };
        let direct = failures(&[]);
        assert!(direct.iter().filter(|it| it.contains("truncated")).count() > 3, "{direct:#?}");
        assert_eq!(failures(&["-x", &proxy]), direct, "HTTP/{version}");
    }
}

#[test]
fn a_proxy_may_be_asked_over_tls_and_is_trusted_like_a_server() {
    let server = Canned::always(html("page"));
    let (proxy, certificate) = Proxy::https(Kind::Open);
    let place = Place::new();
    let authority = place.file("ca.pem", certificate);
    let address = format!("https://{}", proxy.addr());
    place.run(&[&server.url("/x"), "-x", &address, "--cacert", &authority]).code(0);
    assert_eq!(place.text("pages/x.html"), "page");
    for url in [server.url("/y"), server.url("/z").replace("http:", "https:")] {
        let arguments = [&url, "-x", &address, "--retry", "0"];
        place.run(&arguments).code(3).says(&["TLS: ", "--cacert", "(proxy)"]);
    }
    assert_eq!(proxy.seen().len(), 1);
}

#[test]
fn socks5_gets_addresses_and_socks5h_names() {
    let server = Canned::always(html("page"));
    let target = closed().port();
    let url = format!("http://localhost:{target}/x");
    let direct = server.addr();
    let place = Place::new();
    for (scheme, names) in [("socks5", ["127.0.0.1", "::1"]), ("socks5h", ["localhost"; 2])] {
        let proxy = Proxy::socks(None, Ok(direct));
        place.run(&[&url, "-x", &format!("{scheme}://{}", proxy.addr())]).code(0);
        let names = names.map(|host| format!("{host} {target}"));
        assert!(names.contains(&proxy.seen()[0]), "{:?}", proxy.seen());
    }
    // The proxy gets addresses unchanged.
    let proxy = Proxy::socks(None, Ok(direct));
    place.run(&["http://[fd00::1]:81/x", "-x", &format!("socks5://{}", proxy.addr())]).code(0);
    assert_eq!(proxy.seen(), ["fd00::1 81"]);
}

#[test]
fn a_proxy_that_fails_is_told_as_such() {
    let server = Canned::always(html("page"));
    let plain = server.url("/x");
    let secure = plain.replace("http://", "https://");
    let place = Place::new();
    let asking = Proxy::http(Kind::For("me:secret")).addr();
    let refusing = Proxy::http(Kind::Refusing("502 Bad Gateway")).addr();
    let silent = Proxy::http(Kind::Ending("HTTP/1.1 200 OK\r\n")).addr();
    let other = Proxy::http(Kind::Ending("220 mail.a.org ESMTP\r\n")).addr();
    let endless = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(50_000)).leak();
    let endless = Proxy::http(Kind::Ending(endless)).addr();
    let locked = Proxy::socks(Some("me:secret"), Err(1)).addr();
    let unreachable = Proxy::socks(None, Err(4)).addr();
    let gone = closed();
    for (proxy, url, said) in [
        (format!("http://{gone}"), &plain, "no connection: Connection refused"),
        (format!("http://{gone}"), &secure, "no connection: Connection refused"),
        (format!("socks5h://{gone}"), &plain, "no connection: Connection refused"),
        ("http://no-such-proxy.invalid:1".into(), &plain, "does not resolve"),
        ("socks5h://no-such-proxy.invalid:1".into(), &plain, "does not resolve"),
        (format!("http://{asking}"), &plain, "it requires a user name and a password"),
        (format!("http://{asking}"), &secure, "it requires a user name and a password"),
        (format!("http://me:word@{asking}"), &plain, "it does not accept the user name"),
        (format!("http://me:word@{asking}"), &secure, "it does not accept the user name"),
        (
            format!("http://{refusing}"),
            &secure,
            "it refuses a tunnel to 127.0.0.1: 502 Bad Gateway",
        ),
        (
            format!("http://{silent}"),
            &secure,
            "it closed the connection before the tunnel to 127.0.0.1",
        ),
        (format!("http://{other}"), &secure, "127.0.0.1: it does not speak HTTP/1"),
        (
            format!("http://{endless}"),
            &secure,
            "the head of its answer takes more than 262144 bytes",
        ),
        (format!("socks5://me:word@{locked}"), &plain, "it refuses a tunnel to 127.0.0.1: cred"),
        (format!("socks5://{unreachable}"), &plain, "it refuses a tunnel to 127.0.0.1: host unre"),
    ] {
        let ended = place.run(&[url, "-x", &proxy, "--retry", "0", "--json"]).code(3);
        assert_eq!(ended.json()["proxies"][0]["failed"], 1, "{proxy}");
        assert!(!ended.stderr.contains("word@"), "{ended:?}");
        ended.says(&[said, ": proxy ", "(proxy)"]);
    }
    assert!(codes(&place).iter().all(|code| *code == "proxy"));
    assert!(server.requests().is_empty());
    // A failure of the target behind a working proxy is not a failure of the proxy.
    let open = Proxy::http(Kind::Open).addr().to_string();
    let summary = place.run(&[&secure, "-x", &open, "--retry", "0", "--json"]).code(3).json();
    assert_eq!(summary["proxies"][0]["failed"], 0);
    let gone = Canned::always(answer("502 Bad Gateway", "", ""));
    let summary =
        place.run(&[&gone.url("/x"), "-x", &open, "--retry", "0", "--json"]).code(3).json();
    assert_eq!(
        (&summary["proxies"][0]["failed"], &summary["failures"]["http"]),
        (&0.into(), &1.into())
    );
}

#[test]
fn proxies_of_a_file_take_turns_and_a_dead_one_rests() {
    let origin = origin(40);
    let (first, second) = (Proxy::http(Kind::Open), Proxy::http(Kind::Open));
    let place = Place::new();
    let list = format!(
        "# mine\n{}\n\n  http://{}  \n{}\n{}\n",
        closed(),
        first.addr(),
        second.addr(),
        second.addr()
    );
    let list = place.file("proxies.txt", list);
    let proxies = format!("@{list}");
    let arguments = ["--index", &origin.index_url(), "-x", &proxies, "-j", "1", "--json"];
    let summary = place.run(&arguments).code(0).json();
    let figures: Vec<_> = summary["proxies"].as_array().unwrap().iter().collect();
    assert_eq!(figures.len(), 3);
    let of = |at: usize, name: &str| figures[at][name].as_u64().unwrap();
    assert!(of(0, "failed") >= 1 && of(0, "failed") == of(0, "requests"), "{summary:#}");
    assert!(of(0, "failed") < 10, "it did not rest: {summary:#}");
    assert!(of(1, "requests").abs_diff(of(2, "requests")) < 10, "{summary:#}");
    assert_eq!((of(1, "failed"), of(2, "failed")), (0, 0));
    assert_eq!(first.seen().len() as u64, of(1, "requests"));
}

#[test]
fn a_list_of_proxies_is_checked_before_anything_is_asked() {
    let place = Place::new();
    let bad = place.file("bad.txt", "a:1\n\nme:secret@[b:2\n");
    let empty = place.file("empty.txt", "# none\n");
    for (proxy, said) in [
        (format!("@{bad}"), format!("--proxy: {bad}, line 3: \"[b:2\" is not a proxy")),
        (format!("@{empty}"), format!("{empty} names no proxy")),
        ("@nowhere.txt".into(), "failed to read nowhere.txt: ".into()),
        ("ftp://me:secret@a.org".into(), "--proxy: \"ftp://a.org\" is not a proxy".into()),
    ] {
        let ended = place.run(&["http://a.org/", "-x", &proxy]).code(2).says(&[&said, "hint: "]);
        assert!(!ended.stderr.contains("secret"), "{ended:?}");
    }
}

#[test]
fn the_environment_names_proxies_unless_the_command_line_does() {
    let server = Canned::always(html("page"));
    let place = Place::new();
    let url = server.url("/x");
    let gone = closed().to_string();
    let proxy = Proxy::http(Kind::Open);
    let here = proxy.addr().to_string();
    let run = |set: &[(&str, &str)], more: &[&str]| {
        let arguments = [&[&*url, "--retry", "0"], more].concat();
        place.run_in(set, &arguments).code.unwrap()
    };
    for (set, more, code) in [
        (&[("http_proxy", &*here)][..], &[][..], 0),
        (&[("http_proxy", &gone)], &[], 3),
        (&[("HTTP_PROXY", &gone)], &[], 0),
        (&[("https_proxy", &gone)], &[], 0),
        (&[("ALL_PROXY", &gone)], &[], 3),
        (&[("http_proxy", ""), ("all_proxy", &gone)], &[], 3),
        (&[("http_proxy", &gone)], &["-x", &here], 0),
        (&[("http_proxy", &gone)], &["-x", ""], 0),
        (&[("http_proxy", &gone), ("no_proxy", "127.0.0.0/8")], &[], 0),
        (&[("NO_PROXY", "*")], &["-x", &gone], 0),
        (&[("no_proxy", "a.org"), ("NO_PROXY", "*")], &["-x", &gone], 3),
    ] {
        assert_eq!(run(set, more), code, "{set:?} {more:?}");
    }
    assert_eq!(proxy.seen().len(), 2);
    // The embedded site is on this machine, but a proxy that the user names is used all the same.
    let demo = ["--demo", "--latency", "0", "--limit", "2"];
    place.run_in(&[("http_proxy", &gone)], &demo).code(0);
    place.run(&[&demo[..], &["-x", &here]].concat()).code(0);
    // The index, robots.txt and two pages.
    assert_eq!(proxy.seen().len(), 2 + 4);
    let ended = place.run_in(&[("http_proxy", "ftp://me:secret@h")], &[&url]).code(2);
    assert!(ended.stderr.contains("http_proxy") && !ended.stderr.contains("secret"), "{ended:?}");
}

#[test]
fn links_are_planned_through_proxies_too() {
    let origin = origin(1);
    let proxy = Proxy::http(Kind::Open);
    let place = Place::new();
    let address = proxy.addr().to_string();
    place.run(&["links", "--index", &origin.index_url(), "-x", &address]).code(0);
    let asked: BTreeSet<_> = proxy.seen().into_iter().collect();
    assert_eq!(asked.len(), 1);
}
