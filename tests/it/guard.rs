//! `--untrusted`: requests go to the public internet only, whatever addresses a page names.

use crate::support::Place;
use crate::support::canned::{Canned, Reply, answer, html};
use crate::support::proxy::{Kind, Proxy};

/// An address of the public internet. No test connects to it: a SOCKS proxy leads elsewhere.
const PUBLIC: &str = "93.184.215.14";

#[test]
fn special_addresses_are_never_asked() {
    let server = Canned::always(html("secret"));
    let place = Place::new();
    let port = server.url("/").rsplit(':').next().unwrap().to_owned();
    let hosts = ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "localhost", "[::ffff:7f00:1]"];
    let urls: Vec<_> =
        hosts.iter().enumerate().map(|(at, host)| format!("http://{host}:{port}{at}")).collect();
    let mut arguments: Vec<_> = urls.iter().map(String::as_str).collect();
    arguments.push("--untrusted");
    let ended = place.run(&arguments).code(3);
    let pages = place.pages();
    assert_eq!(pages.len(), hosts.len());
    for page in pages {
        assert_eq!((&page["error"]["code"], &page["attempts"]), (&"blocked".into(), &1.into()));
    }
    assert!(server.requests().is_empty());
    ended.says(&["127.0.0.1 is loopback (RFC 1122) (--untrusted)", "localhost is at "]);
    place
        .run(&["--index", &server.url("/"), "--untrusted"])
        .code(1)
        .says(&["127.0.0.1 is loopback"]);
    place.run(&["--sitemap", &server.url("/"), "--untrusted"]).code(1);
    assert!(server.requests().is_empty());
}

#[test]
fn a_redirect_to_a_special_address_is_refused() {
    let inside = Canned::always(html("secret"));
    let away = inside.url("/admin");
    let server = Canned::start(move |_| {
        Reply::Raw(answer("302 Found", &format!("Location: {away}\r\n"), ""))
    });
    let proxy = Proxy::socks(None, Ok(server.addr()));
    let place = Place::new();
    let index = format!("http://{PUBLIC}/");
    let address = format!("socks5://{}", proxy.addr());
    let arguments = ["--index", &index, "-x", &address, "--untrusted"];
    let message = format!(
        "127.0.0.1 is loopback (RFC 1122) (--untrusted) (redirected to {})",
        inside.url("/admin")
    );
    place.run(&arguments).code(1).says(&[&message]);
    assert_eq!(server.count("/"), 1);
    assert!(inside.requests().is_empty());
}

#[test]
fn a_proxy_with_a_special_address_is_the_users_own_and_nobody_elses() {
    let server = Canned::always(html("page"));
    let proxy = Proxy::socks(None, Ok(server.addr()));
    let place = Place::new();
    let address = format!("socks5://LOCALHOST:{}", proxy.addr().port());
    let pages = [format!("http://{PUBLIC}/x"), "http://localhost/y".into()];
    let arguments = [&pages[0], &pages[1], "-x", &address, "--untrusted", "--json"];
    let ended = place.run(&arguments).code(3);
    assert_eq!(ended.json()["failures"], serde_json::json!({ "blocked": 1 }));
    assert_eq!(place.text("pages/x.html"), "page");
    assert_eq!(proxy.seen(), [format!("{PUBLIC} 80")]);
}

#[test]
fn what_cannot_be_guarded_is_refused_at_once() {
    let place = Place::new();
    let proxy = Proxy::http(Kind::Open).addr();
    for address in
        [format!("http://{proxy}"), format!("https://{proxy}"), format!("socks5h://{proxy}")]
    {
        place.run(&[&format!("http://{PUBLIC}/"), "--untrusted", "-x", &address]).code(2).says(&[
            "--untrusted cannot see the addresses",
            &address,
            "hint: use a socks5:// proxy",
        ]);
    }
    place.run(&["--demo", "--untrusted"]).code(2).says(&["refuses the embedded site"]);
}
