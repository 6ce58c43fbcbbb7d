//! Which hosts get the user's secrets: those that the user typed, and those that the user allowed.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::{Ended, Place};

/// The arguments of each run.
const SECRETS: &[&str] =
    &["-u", "me:secret", "-b", "session=secret", "-H", "X-Api-Key: secret", "-H", "X-Kind: test"];

/// The modes that send requests in different ways.
const MODES: &[&str] = &["threads", "hybrid", "processes"];

/// Returns the secrets that a host got at each path: user, cookie and key, by their first letters.
type Got = BTreeMap<String, String>;

fn got(server: &Canned) -> Got {
    let mut got = Got::new();
    for request in server.requests() {
        assert_eq!(request.header("x-kind"), Some("test"), "{request:?}");
        let mut sent = String::new();
        for (name, value, letter) in [
            ("authorization", "Basic bWU6c2VjcmV0", 'u'),
            ("cookie", "session=secret", 'c'),
            ("x-api-key", "secret", 'k'),
        ] {
            let Some(found) = request.header(name) else { continue };
            assert_eq!(found, value, "{request:?}");
            sent.push(letter);
        }
        let earlier = got.insert(request.path.clone(), sent.clone());
        assert!(earlier.is_none_or(|earlier| earlier == sent), "{request:?}");
    }
    got
}

fn expect(server: &Canned, expected: &[(&str, &str)], what: &str) {
    let expected: Got =
        expected.iter().map(|(path, sent)| ((*path).to_owned(), (*sent).to_owned())).collect();
    assert_eq!(got(server), expected, "{what}");
}

/// Two sites: `home`, which lists pages of both, and `away`, which sends visitors back.
struct Sites {
    home: Canned,
    away: Canned,
}

fn sites() -> Sites {
    let (home_at, away_at) =
        (Arc::<OnceLock<String>>::default(), Arc::<OnceLock<String>>::default());
    let of = |at: &Arc<OnceLock<String>>| Arc::clone(at);
    let moved = |to: &str| Reply::Raw(answer("302 Found", &format!("Location: {to}\r\n"), ""));
    let away = of(&away_at);
    let home = Canned::start(move |request| {
        let away = away.get().unwrap();
        match &*request.path {
            "/docs/index" => Reply::Raw(html(&format!(
                "<a href=x>x</a><a href=away>y</a><a href=there>z</a><a href='{away}/page'>w</a>"
            ))),
            "/docs/away" => moved(&format!("{away}/logout")),
            "/docs/there" => moved(&format!("{away}/below")),
            "/docs/within" => moved("/login"),
            _ => Reply::Raw(html("home")),
        }
    });
    let back = of(&home_at);
    let away = Canned::start(move |request| {
        let home = back.get().unwrap();
        match &*request.path {
            "/logout" => moved(&format!("{home}/logout")),
            "/below" => moved(&format!("{home}/docs/y")),
            _ => Reply::Raw(html("away")),
        }
    });
    home_at.set(home.url("")).unwrap();
    away_at.set(away.url("")).unwrap();
    Sites { home, away }
}

fn run(place: &Place, mode: &str, arguments: &[&str]) -> Ended {
    place.run(&[arguments, SECRETS, &["--mode", mode]].concat()).code(0)
}

#[test]
fn pages_that_are_typed_get_secrets_and_nobody_on_the_way_does() {
    for mode in MODES {
        let (Sites { home, away }, place) = (sites(), Place::new());
        let urls = ["/docs/x", "/docs/away", "/docs/there", "/docs/within"].map(|it| home.url(it));
        let urls: Vec<_> = urls.iter().map(String::as_str).collect();
        run(&place, mode, &[&urls[..], &["--robots", "obey"]].concat());
        let at_home = [
            ("/robots.txt", "uck"),
            ("/docs/x", "uck"),
            ("/docs/away", "uck"),
            ("/logout", ""),
            ("/docs/there", "uck"),
            ("/docs/y", "uck"),
            ("/docs/within", "uck"),
            ("/login", "uck"),
        ];
        expect(&home, &at_home, mode);
        expect(&away, &[("/robots.txt", ""), ("/logout", ""), ("/below", "")], mode);
        let manifest = place.text("pages/manifest.jsonl");
        assert!(!manifest.contains("secret") && !manifest.contains("bWU6c2VjcmV0"), "{manifest}");
    }
}

#[test]
fn links_of_an_index_get_secrets_on_its_own_site_only() {
    for mode in MODES {
        let (Sites { home, away }, place) = (sites(), Place::new());
        run(&place, mode, &["--index", &home.url("/docs/index"), "--select", "a"]);
        let at_home = [
            ("/docs/index", "uck"),
            ("/robots.txt", "uck"),
            ("/docs/x", "uck"),
            ("/docs/away", "uck"),
            ("/logout", ""),
            ("/docs/there", "uck"),
            ("/docs/y", "uck"),
        ];
        expect(&home, &at_home, mode);
        let at_away = [("/robots.txt", ""), ("/page", ""), ("/logout", ""), ("/below", "")];
        expect(&away, &at_away, mode);
    }
}

#[test]
fn a_host_that_is_opened_gets_what_it_is_opened_for() {
    for mode in MODES {
        for (option, is_url, at_away, back) in
            [("--credentials-for", true, "uck", "uck"), ("--header-for", false, "k", "")]
        {
            let (Sites { home, away }, place) = (sites(), Place::new());
            let address = if is_url { away.url("/") } else { away.addr().to_string() };
            let urls = [home.url("/docs/away"), away.url("/page")];

            run(&place, mode, &[&urls[0], option, &address]);
            expect(&away, &[("/logout", at_away)], mode);
            expect(&home, &[("/docs/away", "uck"), ("/logout", back)], mode);
        }
        // The user did not type the addresses of a list; over http the field goes to typed hosts.
        for (option, is_url, sent, says) in [
            ("", false, "", "are not sent --user, --cookie, --header x-api-key: open one with"),
            ("--credentials-for", true, "uck", ""),
            ("--header-for", false, "", "are not sent --user, --cookie: open one with"),
        ] {
            let (Sites { away, .. }, place) = (sites(), Place::new());
            let list = place.file("list", away.url("/page"));
            let address = if is_url { away.url("/") } else { away.addr().to_string() };
            let opened: &[&str] = if option.is_empty() { &[] } else { &[option, &address] };
            run(&place, mode, &[&["-i", &list][..], opened].concat()).says(&[says]);
            expect(&away, &[("/page", sent)], &format!("{mode} {option}"));
        }
    }
}

#[test]
fn a_record_alone_sends_no_secrets() {
    for mode in MODES {
        for options in [&["--index", "/docs/index", "--select", "a[href=x]"][..], &["/docs/x"]] {
            let (Sites { home, .. }, place) = (sites(), Place::new());
            let options: Vec<_> = options
                .iter()
                .map(|it| if it.starts_with('/') { home.url(it) } else { (*it).to_owned() })
                .collect();
            let options: Vec<_> = options.iter().map(String::as_str).collect();
            place
                .run(&[&options[..], &["-H", "X-Kind: test", "--robots", "ignore"]].concat())
                .code(0);
            let before = home.requests().len();
            std::fs::remove_file(place.path("pages/x.html")).unwrap();
            let ended = run(&place, mode, &["-c", "--robots", "ignore"]);
            let open = format!("open one with --credentials-for {}\n", home.url("/"));
            ended.says(&["note: continuing with ", "the last run's record", &open]);
            let sent = |requests: &[crate::support::canned::Request]| {
                assert!(!requests.is_empty());
                let names = ["authorization", "cookie", "x-api-key"];
                names
                    .iter()
                    .map(|name| requests.iter().filter(|it| it.header(name).is_some()).count())
                    .collect::<Vec<_>>()
            };
            assert_eq!(sent(&home.requests()[before..]), [0, 0, 0], "{mode} {options:?}");
            let before = home.requests().len();
            std::fs::remove_file(place.path("pages/x.html")).unwrap();
            run(&place, mode, &["-c", "--robots", "ignore", "--credentials-for", &home.url("/")]);
            let requests = home.requests().len() - before;
            assert_eq!(sent(&home.requests()[before..]), [requests; 3], "{mode} {options:?}");
        }
    }
}

#[test]
fn a_password_in_an_address_does_not_come_back_from_elsewhere() {
    for mode in MODES {
        let (Sites { home, .. }, place) = (sites(), Place::new());
        let urls = ["/docs/away", "/docs/there", "/docs/within"]
            .map(|path| home.url(path).replace("http://", "http://me:secret@"));
        let urls: Vec<_> = urls.iter().map(String::as_str).collect();
        place.run(&[&urls[..], &["--mode", mode, "-H", "X-Kind: test"]].concat()).code(0);
        let expected = [
            ("/docs/away", "u"),
            ("/logout", ""),
            ("/docs/there", "u"),
            ("/docs/y", "u"),
            ("/docs/within", "u"),
            ("/login", "u"),
        ];
        expect(&home, &expected, mode);
    }
}

#[test]
fn what_is_for_a_proxy_goes_to_no_server() {
    let (server, place) = (Canned::always(html("x")), Place::new());
    let ended = place.run(&[&server.url("/x"), "-H", "Proxy-Authorization: Basic secret"]).code(2);
    ended.says(&[
        "hint: name the password of the proxy with --proxy http://user:password@host:port",
    ]);
    assert!(server.requests().is_empty());
}
