//! Who gets the user's secrets, case by case.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, header};

use super::*;
use crate::budget::{Budget, Share};
use crate::clock::{Clock, SystemClock};
use crate::fetch::BodyMemory;
use crate::in_flight::ProgressView;

#[test]
fn names_say_which_fields_carry_secrets() {
    for (name, expected) in [
        ("Authorization", true),
        ("Cookie", true),
        ("X-Api-Key", true),
        ("Api-Key", true),
        ("apikey", true),
        ("X-Auth-Token", true),
        ("X-Access-Token", true),
        ("X-Amz-Security-Token", true),
        ("PRIVATE-TOKEN", true),
        ("X-CSRF-Token", true),
        ("X-XSRF", true),
        ("CF-Access-Client-Secret", true),
        ("X-Session-Id", true),
        ("X-User-Password", true),
        ("X-Credential", true),
        ("Signature", true),
        ("Accept-Language", false),
        ("User-Agent", false),
        ("Referer", false),
        ("X-Kind", false),
        ("DNT", false),
        ("Sec-WebSocket-Key", false),
        ("Idempotency-Key", false),
    ] {
        assert_eq!(is_secret(&name.parse().unwrap()), expected, "{name}");
    }
}

#[test]
fn hosts_of_fields_are_hosts_and_nothing_else() {
    for (text, url, expected) in [
        ("a.org", "https://a.org/x", Some(true)),
        ("A.ORG", "https://a.org/x", Some(true)),
        ("a.org", "https://b.a.org/", Some(false)),
        ("a.org", "https://a.org:8443/", Some(false)),
        ("a.org:8443", "https://a.org:8443/", Some(true)),
        ("a.org:443", "https://a.org/", Some(true)),
        ("a.org:80", "https://a.org/", Some(false)),
        ("b\u{fc}cher.ch", "https://xn--bcher-kva.ch/", Some(true)),
        ("127.0.0.1:81", "https://127.0.0.1:81/", Some(true)),
        ("[::1]:81", "https://[::1]:81/", Some(true)),
        ("[::1]", "https://[::1]/", Some(true)),
        ("https://a.org", "https://a.org/", None),
        ("me@a.org", "https://a.org/", None),
        ("a.org/x", "https://a.org/", None),
        ("a.org?x", "https://a.org/", None),
        ("a.org:", "https://a.org/", None),
        ("a.org:99999", "https://a.org/", None),
        ("a b", "https://a.org/", None),
        ("", "https://a.org/", None),
    ] {
        let host = FieldHost::parse(text);
        let found = host.map(|host| host.is_of(&Url::parse(url).unwrap()));
        assert_eq!(found, expected, "{text:?} {url}");
    }
}

#[test]
fn a_folder_is_what_every_server_takes_for_it() {
    for (base, url, expected) in [
        ("https://a.org/docs/x", "https://a.org/docs/y?z", true),
        ("https://a.org/docs/x", "https://a.org/docs/deep/y", true),
        ("https://a.org/docs/", "https://a.org/docs/", true),
        ("https://a.org/docs/x", "https://a.org/logout", false),
        ("https://a.org/docs/x", "https://a.org/docs", false),
        ("https://a.org/docs/x", "https://a.org/docsy/z", false),
        ("https://a.org/docs/x", "https://a.org/docs/../logout", false),
        ("https://a.org/docs/x", "https://a.org/docs/..%2flogout", false),
        ("https://a.org/docs/x", "https://a.org/docs/..;/logout", false),
        ("https://a.org/docs/x", "https://a.org/docs/%252e%252e/logout", false),
        ("https://a.org/docs/x", "https://a.org/docs/y%5C..", false),
        ("https://a.org/docs/x", "https://a.org/docs/%C0%AE%c0%ae/logout", false),
        ("https://a.org/docs/x", "https://a.org/docs/%e0%80%ae./logout", false),
        ("https://a.org/docs/x", "https://a.org/docs/%u002e%u002e/logout", false),
        ("https://a.org/docs/x", "https://a.org/docs/.%00./logout", false),
        ("https://a.org/docs/x", "https://a.org/docs/caf%C3%A9", true),
        ("https://a.org/docs/x", "http://a.org/docs/y", false),
        ("https://a.org/docs/x", "https://a.org:444/docs/y", false),
        ("https://a.org/x", "https://a.org/y", true),
    ] {
        let [base, url] = [base, url].map(|text| Url::parse(text).unwrap());
        assert_eq!(is_below(&url, &base), expected, "{base} {url}");
    }
}

/// What a request carries of `--user`, `--cookie` and an `X-Api-Key`.
#[derive(Debug, PartialEq, Eq)]
enum Gets {
    All,
    Field,
    Nothing,
}

/// The secrets of a user who typed these homes, opened `o.org/in/`, and named `f.org` for
/// fields.
fn credentials(homes: &[&str]) -> Credentials {
    let login = [
        (header::AUTHORIZATION, HeaderValue::from_static("Basic x")),
        (header::COOKIE, HeaderValue::from_static("a=1")),
    ];
    let key = HeaderName::from_static("x-api-key");
    let fields = [
        (key.clone(), HeaderValue::from_static("1")),
        (key, HeaderValue::from_static("2")),
        (header::COOKIE, HeaderValue::from_static("b=2")),
    ];
    let fields = fields.into_iter().collect();
    let mut credentials = Credentials::new(login.into_iter().collect(), fields);
    for home in homes {
        credentials.add_home(&Url::parse(home).unwrap());
    }
    credentials.open(&Url::parse("https://o.org/in/").unwrap());
    credentials.open_fields(FieldHost::parse("f.org").unwrap());
    credentials
}

/// Returns what the last request of a chain of redirects carries, if the chain begins
/// with a page of the source.
fn gets(credentials: &Credentials, chain: &[&str], body_limit: BodyLimit) -> Gets {
    let chain: Vec<_> = chain.iter().map(|text| Url::parse(text).unwrap()).collect();
    let progress = ProgressView::default();
    let held = BodyMemory::new(Share::new(&Arc::new(Budget::unlimited())), &SystemClock);
    let mut has_left_home = false;
    let mut fields = HeaderMap::new();
    for (hops, url) in (0..).zip(&chain) {
        let request = Request {
            url,
            start_url: &chain[0],
            validators: None,
            hops,
            spent: Duration::ZERO,
            cookies: &[],
            has_left_home,
            body_limit,
            started: SystemClock.now(),
            progress: &progress,
            memory: &held,
        };
        fields = credentials.fields_for(&request);
        has_left_home = credentials.leaves_home(&request);
    }
    let keys = fields.get_all("x-api-key").iter().count();
    match (fields.get(header::AUTHORIZATION), fields.get(header::COOKIE), keys) {
        (Some(_), Some(cookie), 2) if cookie == "a=1" => Gets::All,
        (None, Some(cookie), 2) if cookie == "b=2" => Gets::Field,
        (None, None, 0) => Gets::Nothing,
        other => panic!("{other:?}"),
    }
}

#[test]
fn secrets_go_where_they_were_meant() {
    use Gets::{All, Field, Nothing};
    let homes = ["https://a.org/docs/x", "https://c.org:81/"];
    for (chain, expected) in [
        // Without a redirect.
        (&["https://a.org/docs/x"][..], All),
        (&["https://a.org/other"], All),
        (&["https://c.org:81/x"], All),
        (&["https://c.org/x"], Nothing),
        (&["http://a.org/docs/x"], Nothing),
        (&["https://b.org/"], Nothing),
        (&["https://o.org/out"], All),
        (&["https://f.org/"], Field),
        (&["http://f.org/"], Nothing),
        // A redirect within the site.
        (&["https://a.org/docs/x", "https://a.org/login"], All),
        // A redirect that leads away, and back.
        (&["https://a.org/docs/x", "https://b.org/"], Nothing),
        (&["https://a.org/docs/x", "http://a.org/docs/x"], Nothing),
        (&["https://a.org/docs/x", "https://b.org/", "https://a.org/logout"], Nothing),
        (&["https://a.org/docs/x", "https://b.org/", "https://a.org/docs/y"], All),
        (
            &["https://a.org/docs/x", "https://b.org/", "https://a.org/docs/y", "https://a.org/z"],
            Nothing,
        ),
        // From one home to the other.
        (&["https://a.org/docs/x", "https://c.org:81/x"], Nothing),
        (&["https://a.org/docs/x", "https://c.org:81/x", "https://a.org/logout"], Nothing),
        // A redirect to an origin that the user opened.
        (&["https://a.org/docs/x", "https://o.org/login"], All),
        (&["https://a.org/docs/x", "https://o.org/login", "https://a.org/back"], All),
        (&["https://b.org/", "https://o.org/out"], Nothing),
        (&["https://b.org/", "https://o.org/in/x"], All),
        (&["https://b.org/", "https://f.org/x"], Field),
        // A link of another site carries no secrets.
        (&["https://b.org/", "https://a.org/docs/x"], Nothing),
    ] {
        assert_eq!(gets(&credentials(&homes), chain, BodyLimit::Whole), expected, "{chain:?}");
    }
}

#[test]
fn rules_are_asked_for_as_pages_of_their_origin_are() {
    let credentials = credentials(&["https://a.org/docs/x"]);
    for (chain, expected) in [
        (&["https://a.org/robots.txt"][..], Gets::All),
        (&["https://b.org/robots.txt"], Gets::Nothing),
        (&["https://a.org/robots.txt", "https://a.org/rules"], Gets::All),
        (&["https://a.org/robots.txt", "https://b.org/", "https://a.org/x"], Gets::Nothing),
    ] {
        assert_eq!(gets(&credentials, chain, BodyLimit::Prefix(1)), expected, "{chain:?}");
    }
}

#[test]
fn fields_go_over_http_where_secrets_do_anyway() {
    for (home, expected) in [("http://a.org/", Gets::Field), ("https://a.org/", Gets::Nothing)] {
        let credentials = credentials(&[home]);
        assert_eq!(gets(&credentials, &["http://f.org/"], BodyLimit::Whole), expected, "{home}");
    }
}
