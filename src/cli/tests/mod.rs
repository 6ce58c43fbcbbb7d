//! Tests of this folder's files together.

mod foreign_bytes;

use super::*;

#[test]
fn robots_rules_are_looked_up_by_the_agent_that_is_sent() {
    let index = "--index=http://a.org/";
    for (words, token) in [
        (&[][..], "fetchpages"),
        (&["--contact=me@b.org"], "fetchpages"),
        (&["-AFooBot/2.0"], "FooBot"),
        (&["--user-agent="], "fetchpages"),
        (&["-HUser-Agent: FooBot/2.0"], "FooBot"),
        (&["-Hx: y", "-Huser-agent:FooBot", "-HUser-Agent: BarBot", "-ABazBot"], "FooBot"),
        (&["-HUser-Agent:", "-AFooBot"], "fetchpages"),
    ] {
        let agent = |command: &[&str]| {
            let line = [&["fetchpages"], command, &[index], words].concat();
            match read(line.into_iter().map(OsString::from)).unwrap() {
                Command::Download(download) => download.plan.queue.agent,
                Command::Links { plan, .. } => plan.queue.agent,
                Command::Compare(comparison) => comparison.plan.queue.agent,
                other => panic!("{other:?}"),
            }
        };
        for command in [&[][..], &["links"], &["compare"]] {
            assert_eq!(agent(command).as_str(), token, "{command:?} {words:?}");
        }
    }
}

#[test]
fn a_contact_is_asked_for_where_the_agent_names_none() {
    let page = "https://en.wikipedia.org/wiki/India";
    for (word, is_asked) in [
        ("--contact=", env!("CARGO_PKG_REPOSITORY").is_empty()),
        ("--contact=me@a.org", false),
        ("--user-agent=FooBot (me@a.org)", false),
        ("--header=User-Agent: FooBot (me@a.org)", false),
    ] {
        let line = ["fetchpages", page, word].map(OsString::from);
        let Ok(Command::Download(download)) = read(line) else { panic!("{word}") };
        let asks = |note: &String| note.contains("--contact");
        assert_eq!(download.notes.iter().any(asks), is_asked, "{word}");
    }
}

#[test]
fn what_was_decided_shows_no_secret() {
    let typed = [
        "fetchpages",
        "http://a.org/",
        "--proxy=http://me:secret@gate:1",
        "--user=me:secret",
        "--cookie=session=secret",
        "--header=Authorization: secret",
    ];
    let command = read(typed.map(OsString::from)).unwrap();
    let shown = format!("{command:?}");
    assert!(shown.contains("Proxy(http://gate:1)"), "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("bWU6c2VjcmV0"), "{shown}");
}
