//! What a record may name, and what it may not name.

use std::collections::BTreeSet;

use clap::Parser;

use super::*;
use crate::cli::args::Cli;
use crate::cli::source;

fn named(words: &[&str]) -> NamedArgs {
    let words = ["fetchpages"].iter().chain(words);
    Cli::try_parse_from(words).unwrap().download.source.named
}

fn taken(args: &[&str], typed: &[&str]) -> Result<Chosen, Unusable> {
    let args: Vec<_> = args.iter().map(|&arg| arg.to_owned()).collect();
    let words = read(&args)?;
    let filter = filter(&words, &named(typed))?;
    chosen(&narrowed(words, &filter), filter)
}

#[test]
fn what_a_run_records_is_taken_and_recorded_again_as_it_was() {
    for line in [
        &["--include=", "--exclude=", "http://a.org/1"],
        &["--include=-x", "--limit", "3", "http://a.org/1", "http://a.org/?a=b c"][..],
        &["--index", "http://a.org/", "--select", "a[href='x y']", "--attr", "src"],
        &["--sitemap", "http://a.org/sitemap.xml"],
        &["--demo", "--latency", "1500ms"],
        &["--demo", "--cpu-per-page", "20ms", "--exclude", "a|b", "--exclude", "-"],
        &[],
    ] {
        let words = ["fetchpages"].iter().chain(line);
        let source = Cli::try_parse_from(words).unwrap().download.source;
        let first = source::chosen(&source).unwrap();
        let args: Vec<_> = first.recorded.args.iter().map(String::as_str).collect();
        let again = taken(&args, &[]).unwrap();
        assert_eq!(again.recorded, first.recorded, "{line:?}");
        assert_eq!(format!("{:?}", again.spec), format!("{:?}", first.spec));
        assert_eq!(format!("{:?}", again.filter), format!("{:?}", first.filter));
    }
}

#[test]
fn a_record_is_no_command() {
    let long = format!("--select={}a{}", ":is(".repeat(1_000), ")".repeat(1_000));
    let filters = ["--include=a"; FILTERS + 1];
    for args in [
        &["--index=https://a.org/", "--output=/home/me"][..],
        &["https://a.org/", "-o/home/me"],
        &["https://a.org/", "--proxy=http://evil/"],
        &["https://a.org/", "--header=X: y"],
        &["https://a.org/", "--insecure"],
        &["https://a.org/", "--"],
        &["https://a.org/", "-"],
        &["verify", "/home/me"],
        &["origin"],
        &["file:///etc/passwd"],
        &["/etc/passwd"],
        &["--sitemap=/etc/passwd"],
        &["--sitemap=file:///etc/passwd"],
        &["--index=http://"],
        &["--index=https://a.org/", "--base=https://a.org/"],
        &["--index=https://a.org/", "https://b.org/"],
        &["--index=https://a.org/", "--index=https://b.org/"],
        &["--index=https://a.org/", "--sitemap=https://b.org/"],
        &["--index=https://a.org/", "--demo"],
        &["--index=https://a.org/", "--column=a"],
        &["https://a.org/", "--select=a"],
        &["https://a.org/", "--latency=1s"],
        &["--demo=1"],
        &["--demo", "--latency=x"],
        &["--demo", "--cpu-per-page=1h"],
        &["--index"],
        &["--limit=3"],
        &["https://a.org/", "--limit=x"],
        &["https://a.org/", "--include=("],
        &["https://a.org/", r"--include=(\pL{1000}){1000}"],
        &["--index=https://a.org/", "--select=["],
        &["--index=https://a.org/", &long],
        &[&["https://a.org/"], &filters[..]].concat(),
    ] {
        let taken = taken(args, &[]);
        assert!(matches!(taken, Err(Unusable::Unknown(_))), "{args:?}: {taken:?}");
    }
    for args in [
        &["--input-file=/etc/passwd"][..],
        &["--input-file=list", "--column=url", "--input-format=csv"],
        &["--index=/etc/passwd", "--base=http://evil/", "--select=[value]", "--attr=value"],
        &["--index=file:///etc/passwd", "--base=http://evil/"],
        &["--index=\u{1}http://a.org/", "--base=http://evil/"],
    ] {
        assert_eq!(taken(args, &[]).unwrap_err(), Unusable::File, "{args:?}");
    }
    assert_eq!(taken(&["--input-file=-"], &[]).unwrap_err(), Unusable::StandardInput);
}

#[test]
fn a_record_brings_no_password() {
    for args in [["http://me:secret@a.org/"], ["--index=http://me:secret@a.org/"]] {
        let shown = format!("{:?}", taken(&args, &[]).unwrap());
        assert!(shown.contains("a.org") && !shown.contains("secret"), "{shown}");
    }
    let refused = taken(&["http://me:sec/ret@a.org/"], &[]).unwrap_err();
    assert_eq!(refused, unknown("http://a.org/"));
}

#[test]
fn filters_that_are_typed_take_the_place_of_recorded_ones_of_their_kind() {
    let args = ["https://a.org/", "--include=a", "--exclude=b", "--limit=3"];
    let taken = taken(&args, &["--include", "c", "--limit", "4"]).unwrap();
    let expected = ["https://a.org/", "--include=c", "--exclude=b", "--limit=4"];
    assert_eq!(taken.recorded.args, expected);
    assert_eq!((taken.filter.include.len(), taken.filter.limit), (1, Some(4)));
}

#[test]
fn a_file_is_named_again_by_a_command_that_is_safe_to_type() {
    for (args, expected) in [
        (
            &["--input-file=/a b/list", "--column=the url", "--limit=3"][..],
            Some("go -i '/a b/list' --column 'the url' --limit 3"),
        ),
        (&["--input-file=$(touch x)'`"], Some(r"go -i '$(touch x)'\''`'")),
        (
            &["--input-file=--output=/x", "--exclude=-"],
            Some("go --input-file=--output=/x --exclude=-"),
        ),
        (&["--input-file=~/list", "--exclude==x"], Some("go -i '~/list' --exclude '=x'")),
        (&["--input-file=/\u{1b}[2J\u{202e}\n"], None),
        (&["--input-file=/\u{fffd}"], None),
        (
            &["--index=/x.html", "--base=http://a.org/", "--select=td .flagicon + a", "--attr=src"],
            Some("go --index /x.html --base http://a.org/ --attr src"),
        ),
        (&[&*format!("--input-file=/{}", "x".repeat(COMMAND_LIMIT))], None),
    ] {
        let args: Vec<_> = args.iter().map(|&arg| arg.to_owned()).collect();
        let command = command("go", &read(&args).unwrap());
        assert_eq!(command.as_deref(), expected);
    }
}

#[test]
fn an_output_with_an_odd_name_is_typed_so_that_it_is_taken_for_one() {
    for (directory, expected) in [
        ("pages", " -o pages"),
        ("~", " -o '~'"),
        ("-x", " --output=-x"),
        ("- x", " '--output=- x'"),
    ] {
        assert_eq!(option_word("--output", directory), expected);
    }
}

#[test]
fn all_sites_of_a_record_are_shown_or_counted() {
    let urls: Vec<_> = (0..9).map(|at| format!("https://{}.org/{at}", at % 7)).collect();
    let args: Vec<_> = urls.iter().map(String::as_str).collect();
    assert_eq!(
        shown(&taken(&args, &[]).unwrap()),
        "https://0.org/0 https://1.org/1 https://2.org/2 (and 6 more), at https://0.org, \
         https://1.org, https://2.org, https://3.org, https://4.org and 2 more"
    );
    assert_eq!(shown(&taken(&args[..1], &[]).unwrap()), "https://0.org/0");
    let long = format!("http://a.org/{}", "x".repeat(SHOWN));
    let text = shown(&taken(&[&long, "http://b.org/"], &["--exclude", "\u{1b}"]).unwrap());
    assert!(text.ends_with("x…, at http://a.org, http://b.org"), "{text}");
}

/// Returns the source of the value `spec` of a record; `None` when this version does not read it.
fn taken_as_value(spec: &serde_json::Value) -> Option<Result<Chosen, Unusable>> {
    let words = recorded_words(spec)?;
    let filter = filter(&words, &named(&[]));
    Some(filter.and_then(|filter| chosen(&narrowed(words, &filter), filter)))
}

#[test]
fn the_value_of_a_record_gives_what_its_arguments_give() {
    for args in [
        &["https://a.org/", "http://b.org/?a=b c", "--include=a", "--exclude=b", "--limit=3"][..],
        &["--index=https://a.org", "--select=a[href='x y']", "--attr=src"],
        &["--sitemap=https://a.org/x.xml", "--limit=0"],
        &["--demo", "--latency=1500ms", "--cpu-per-page=20ms"],
        &["--demo", "--latency=0.5ms"],
    ] {
        let first = taken(args, &[]).unwrap();
        let again = taken_as_value(first.recorded.spec.as_ref().unwrap()).unwrap().unwrap();
        assert_eq!((&again.recorded, &again.spec), (&first.recorded, &first.spec), "{args:?}");
    }
    let index = taken(&["--index=https://a.org", "--limit=3"], &[]).unwrap();
    let expected = serde_json::json!({
        "source": {
            "kind": "index",
            "url": "https://a.org",
            "pick": { "select": DEFAULT_SELECTOR, "attr": DEFAULT_ATTRIBUTE },
        },
        "filter": { "limit": 3 },
    });
    assert_eq!(index.recorded.spec, Some(expected));
}

#[test]
fn the_value_of_a_record_names_no_file_and_brings_no_password() {
    let pick = serde_json::json!({ "select": "a", "attr": "href" });
    for (source, refused) in [
        (serde_json::json!({ "kind": "list", "path": "/etc/passwd" }), Unusable::File),
        (serde_json::json!({ "kind": "list", "path": "-" }), Unusable::StandardInput),
        (
            serde_json::json!({
                "kind": "index-file", "path": "/etc/passwd", "base": "http://evil/", "pick": pick,
            }),
            Unusable::File,
        ),
    ] {
        let taken = taken_as_value(&serde_json::json!({ "source": source })).unwrap();
        assert_eq!(taken.unwrap_err(), refused, "{source}");
    }
    let long = serde_json::json!({ "select": ":is(".repeat(1_000), "attr": "href" });
    for source in [
        serde_json::json!({ "kind": "command", "args": ["-o", "/home/me"] }),
        serde_json::json!({ "kind": "sitemap", "url": "/etc/passwd" }),
        serde_json::json!({ "kind": "sitemap", "url": "file:///etc/passwd" }),
        serde_json::json!({ "kind": "sitemap", "url": "http://a.org/", "output": "/home/me" }),
        serde_json::json!({ "kind": "index", "url": "http://a.org/", "pick": long }),
        serde_json::json!({
            "kind": "demo", "site": { "latency": "1s", "cpu_per_page": "1h" }, "pick": pick,
        }),
    ] {
        assert!(recorded_words(&serde_json::json!({ "source": source })).is_none(), "{source}");
    }
    let source = serde_json::json!({ "kind": "urls", "urls": ["http://me:secret@a.org/"] });
    let taken = taken_as_value(&serde_json::json!({ "source": source })).unwrap().unwrap();
    assert!(!format!("{taken:?}").contains("secret"), "{taken:?}");
    let filter = serde_json::json!({ "include": ["("] });
    let source = serde_json::json!({ "kind": "urls", "urls": ["http://a.org/"] });
    let taken = taken_as_value(&serde_json::json!({ "source": source, "filter": filter })).unwrap();
    assert!(matches!(taken, Err(Unusable::Unknown(_))), "{taken:?}");
}

/// Runs as the program recorded them while records had no `spec`, for each kind of source that
/// there was.
const VERSION_1: &str = include_str!("version_1.jsonl");

#[test]
fn records_of_arguments_alone_are_read_for_each_kind_of_source() {
    let standard_input = "name the source, such as -i FILE, or pipe it in again with -i -";
    let list = "name it again: go -i /home/me/list.csv --column url --input-format tsv --limit 5";
    let index = "name it again: go --index /home/me/saved.html --base https://a.org/x \
                 --select 'main a' --attr data-href";
    let of_demo = serde_json::json!({ "select": DEFAULT_SELECTOR, "attr": DEFAULT_ATTRIBUTE });
    let expected = [
        Ok(serde_json::json!({
            "source": { "kind": "urls", "urls": ["https://a.org/1", "https://a.org/?a=b c"] },
            "filter": { "exclude": ["x"] },
        })),
        Err(list),
        Err(standard_input),
        Ok(serde_json::json!({
            "source": {
                "kind": "index",
                "url": "https://a.org/contents",
                "pick": { "select": "ul a", "attr": "href" },
            },
            "filter": { "include": ["/wiki/"] },
        })),
        Err(index),
        Ok(serde_json::json!({
            "source": { "kind": "sitemap", "url": "https://a.org/sitemap.xml" },
        })),
        Ok(serde_json::json!({
            "source": {
                "kind": "demo",
                "site": { "latency": "100ms", "cpu_per_page": "20ms" },
                "pick": of_demo,
            },
        })),
    ];
    assert_eq!(VERSION_1.lines().count(), expected.len());
    let mut kinds = BTreeSet::new();
    for (line, expected) in VERSION_1.lines().zip(expected) {
        let output = tempfile::tempdir().unwrap();
        #[expect(clippy::disallowed_methods, reason = "it is no page")]
        std::fs::write(output.path().join("manifest.jsonl"), format!("{line}\n")).unwrap();
        let at = ManifestPath::in_directory(output.path());
        let read_back = source(&named(&[]), &at, &|_| "go".into());
        let found = match &read_back {
            Ok(LastRun { chosen, run }) => {
                let args = &chosen.recorded.args;
                assert!(run.args.iter().all(|arg| args.contains(arg)), "{args:?}");
                assert_eq!(chosen.recorded.is_redacted, run.is_redacted);
                Ok(chosen.recorded.spec.clone().unwrap())
            }
            Err(NoCommand::Usage(UsageError { hint: Some(hint), .. })) => Err(&**hint),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{line}");
        let run = manifest::last_run(&at).unwrap().unwrap();
        let kind = SourceKind::of(&read(&run.args).unwrap());
        kinds.insert((kind.option, kind.options));
    }
    // Later kinds are recorded with a value.
    assert_eq!(kinds.len(), 6);
}
