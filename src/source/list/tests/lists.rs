//! Lists with and without faults.

use std::io::{BufReader, Cursor};

use super::{TEXT, read_all, read_named};
use crate::encoders::gzip;
use crate::source::Entry;
use crate::source::list::entries::UTF_16_ADVICE;
use crate::source::list::{
    COLUMN_ADVICE, FormatChoice, MEMBER_ADVICE, NO_GZIP_ADVICE, plain, read,
};

fn csv(column: &str) -> FormatChoice {
    FormatChoice::ByName { column: Some(column.into()) }
}

#[test]
fn bom_blank_lines_comments_and_line_ends_are_passed_over() {
    let text =
        "\u{feff}http://a.org/1\r\n\r\n# a comment\n  http://a.org/2#part \n\nhttp://a.org/3";
    assert_eq!(read_all(text, &TEXT), ["http://a.org/1", "http://a.org/2", "http://a.org/3"]);
    assert!(read_all("", &TEXT).is_empty());
}

#[test]
fn what_is_no_url_is_told_with_its_line() {
    let mut text = b"example.org\nftp://a.org/\n\xff\x00\xfe\nhttp://\nhttp://a.org/\n".to_vec();
    text.extend(vec![b'x'; 3 * plain::LINE_LIMIT]);
    text.extend(b"\nhttp://a.org/last");
    assert_eq!(
        read_all(text, &TEXT),
        [
            "line 1: \"example.org\" is not an http(s) URL: it has no http:// or https://",
            "line 2: \"ftp://a.org/\" is not an http(s) URL: its scheme is ftp",
            "line 3: \"\u{fffd}\u{fffd}\u{fffd}\" is not text",
            "line 4: \"http://\" is not an http(s) URL: empty host",
            "http://a.org/",
            "line 6: longer than 65536 bytes",
            "http://a.org/last",
        ]
    );
}

#[test]
fn no_line_is_told_with_its_credentials() {
    for line in [
        &b"http://me:sec/ret@a.org/"[..],
        b"http://me:sec#ret@a.org/",
        b"me:secret@a.org/",
        b"secret:x@a.org/",
        b"http://me:secret@a.org/\xff",
        b"me:sec/ret@a.org/\xff",
    ] {
        let message = read_all(line, &TEXT).remove(0);
        assert!(message.contains("a.org/") && !message.contains("sec"), "{message}");
    }
    let message = read_all("url\n\"http://b.org/\nhttp://me:secret@a.org/\"\n", &csv("url"));
    assert!(message[0].contains("a.org/") && !message[0].contains("secret"), "{}", message[0]);
    let list = read(Cursor::new("http://me:secret@a.org/\n"), "the list".into(), &csv("url"));
    let message = list.err().unwrap().to_string();
    assert_eq!(message, r#"the list has no column "url", only "http://a.org/""#);
}

#[test]
fn gzip_is_recognised_by_its_content() {
    let utf_8 = b"\xef\xbb\xbfhttp://a.org/1\n";
    assert_eq!(read_all(gzip(utf_8), &TEXT), ["http://a.org/1"]);
    let utf_16 = "\u{feff}http://a.org/1\r\n".encode_utf16().flat_map(u16::to_be_bytes);
    assert_eq!(read_all(gzip(&utf_16.collect::<Vec<_>>()), &TEXT), ["http://a.org/1"]);
}

#[test]
fn what_tells_a_format_may_come_byte_by_byte() {
    let choice = FormatChoice::ByName { column: None };
    for (name, text) in [
        ("x.txt", gzip(b"http://a.org/1")),
        ("x.json", b"\xef\xbb\xbf\n \r\n[\n\"http://a.org/1\"]".to_vec()),
        ("x.jsonl", b"\n\n\"http://a.org/1\"".to_vec()),
        ("x.jsonl", b"\n\nhttp://a.org/1".to_vec()),
    ] {
        for step in [1, 2, 5, 100] {
            let reader = BufReader::with_capacity(step, Cursor::new(text.clone()));
            let mut list = read(reader, name.into(), &choice).unwrap();
            let Ok(Some(Entry::Page(url))) = list.next_entry() else { panic!("{name} {step}") };
            assert_eq!(url.as_str(), "http://a.org/1");
            assert!(list.next_entry().unwrap().is_none());
        }
    }
    for blank in ["", "\n", "  \n"] {
        assert!(read_named("x.json", blank, &choice).is_empty());
    }
}

#[test]
fn a_column_of_a_table_is_read() {
    let text = "name,url\n\"a, b\",http://a.org/1\nx\n,,\n\"two\nlines\",http://a.org/2\n";
    assert_eq!(
        read_all(text, &csv("url")),
        ["http://a.org/1", "line 3: the column is empty", "http://a.org/2"]
    );
    let text = "name\turl\na\thttp://a.org/1\n";
    assert_eq!(read_named("x.TSV.gz", text, &csv("url")), ["http://a.org/1"]);
    let text = "{\"url\":\"http://a.org/1\"}\n{\"u\":1}\nrubbish\n";
    let entries = read_named("x.jsonl", text, &csv("url"));
    assert_eq!(entries[..2], ["http://a.org/1", "line 2: no text under \"url\""]);
    assert!(entries[2].starts_with("line 3: not JSON"), "{}", entries[2]);
}

#[test]
fn a_quote_that_never_ends_is_told_and_does_not_swallow_the_list() {
    let text = "url\n\"http://a.org/1\nhttp://a.org/2\n\"\nhttp://a.org/3\n";
    let entries = read_all(text, &csv("url"));
    assert!(entries[0].contains("goes over several lines"), "{}", entries[0]);
    assert_eq!(entries[1..], ["http://a.org/3"]);
    let rows: String =
        (0..100_000).fold(String::new(), |rows, row| rows + &format!("http://a.org/{row}\n"));
    let entries = read_all(format!("url\n\"http://a.org/\n{rows}"), &csv("url"));
    assert_eq!(entries[0], "line 2: a quote is opened and never closed");
    assert_eq!(entries[1..].join("\n") + "\n", rows);
    let text = "n,url\n\"1,http://a.org/1\n2,http://a.org/2\n\"3\",http://a.org/3\n";
    assert_eq!(
        read_all(text, &csv("url")),
        [
            "line 2: a quote is opened and not closed where a value ends",
            "http://a.org/2",
            "http://a.org/3"
        ]
    );
}

#[test]
fn rows_within_a_value_are_read_as_text_with_a_warning() {
    // The quote of line 2 is closed by a row with another stray one.
    let text = "url,t\nhttp://a.org/1,\"an inch\nhttp://a.org/2,b\nhttp://a.org/3,1\"\n";
    assert_eq!(
        read_all(text, &csv("url")),
        ["line 2: 1 line within a value reads like a row; is a quote missing?", "http://a.org/1"]
    );
    let text = "url,t\nhttp://a.org/1,\"some text, and\nmore\n\"\n";
    assert_eq!(read_all(text, &csv("url")), ["http://a.org/1"]);
}

#[test]
fn a_long_record_is_read_and_a_longer_one_is_one_row() {
    let row = |number: u32, bytes: usize| (number, "x".repeat(bytes));
    let rows = [row(1, 1 << 20), row(2, 15 << 20), row(3, 17 << 20), row(4, 9)];
    let entries = |name: &str, head: &str, write: fn(&str, u32) -> String| {
        let rows: String = rows.iter().map(|(number, body)| write(body, *number)).collect();
        read_named(name, format!("{head}{rows}"), &csv("url"))
    };
    let lines = entries("x.jsonl", "", |body, n| {
        format!("{{\"b\":\"{body}\",\"url\":\"http://a.org/{n}\"}}\n")
    });
    let table = entries("x.csv", "b,url\n", |body, n| format!("\"{body}\",http://a.org/{n}\n"));
    let tabs = entries("x.tsv", "b\turl\n", |body, n| format!("{body}\thttp://a.org/{n}\n"));
    let array = entries("x.json", "[", |body, n| {
        format!("{{\"b\":\"{body}\",\"url\":\"http://a.org/{n}\"}},")
    });
    for entries in [&lines, &table, &tabs, &array] {
        assert_eq!(entries[..2], ["http://a.org/1", "http://a.org/2"]);
        assert!(entries[2].contains("longer than 16 MiB"), "{}", entries[2]);
        assert_eq!(entries[3], "http://a.org/4");
    }
    assert_eq!(array[4..], ["x.json: it ends before its array does"]);
}

#[test]
fn rows_that_begin_with_a_number_sign_are_data() {
    let text = "#,url\n#1,http://a.org/1\n\"#2\",http://a.org/2\n";
    assert_eq!(read_all(text, &csv("url")), ["http://a.org/1", "http://a.org/2"]);
    let text = text.replace(',', "\t").replace('"', "");
    assert_eq!(read_named("x.tsv", text, &csv("url")), ["http://a.org/1", "http://a.org/2"]);
}

#[test]
fn skipped_lines_are_counted() {
    for (name, text, choice, count) in [
        ("x", "\u{feff}# a\n\n http://a.org/\n\u{3000}\n  # b\r\r", &TEXT, 5),
        ("x.csv", "\nn,url\n,\n\n1,http://a.org/\n \r\n", &csv("url"), 4),
        ("x.jsonl", "\n{\"url\":\"http://a.org/\"}\n\u{feff} \n", &csv("url"), 2),
    ] {
        let mut list = read(Cursor::new(text), name.into(), choice).unwrap();
        let mut pages = 0;
        while let Some(entry) = list.next_entry().unwrap() {
            assert!(matches!(entry, Entry::Page(_)), "{entry:?}");
            pages += 1;
        }
        assert_eq!((pages, list.skipped_lines()), (1, count), "{text:?}");
    }
}

#[test]
fn a_list_without_pages_says_what_may_help() {
    let utf_16: Vec<u8> =
        "http://a.org/ü\nhttp://國.org/".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let none = FormatChoice::ByName { column: None };
    for (name, text, choice, advice) in [
        ("x.txt", b"url,n\n".to_vec(), &none, Some(COLUMN_ADVICE)),
        ("x.txt", utf_16, &none, Some(UTF_16_ADVICE)),
        ("x.txt.GZ", b"no gzip".to_vec(), &none, Some(NO_GZIP_ADVICE)),
        ("x.json", b"[{}]".to_vec(), &none, Some(MEMBER_ADVICE)),
        ("x.jsonl", b"{}".to_vec(), &csv("url"), None),
        ("x.csv", b"url\nx".to_vec(), &csv("url"), None),
    ] {
        let mut list = read(Cursor::new(text), name.into(), choice).unwrap();
        while list.next_entry().unwrap().is_some() {}
        assert_eq!(list.advice(), advice, "{name}");
    }
    let table = b"u\0r\0l\0\n\0".to_vec();
    let message = read(Cursor::new(table), "x".into(), &csv("url")).err().unwrap().to_string();
    assert!(message.contains("UTF-16"), "{message}");
}

#[test]
fn an_empty_list_names_no_page_in_any_format() {
    for name in ["x", "x.csv", "x.tsv", "x.jsonl", "x.json"] {
        for text in ["", "\n \n", "\u{feff}"] {
            assert!(read_named(name, text, &csv("url")).is_empty(), "{name} {text:?}");
        }
    }
}

#[test]
fn a_missing_column_is_told_with_those_that_are_there() {
    let list = read(Cursor::new("name,link\n"), "the list".into(), &csv("url"));
    let message = list.err().unwrap().to_string();
    assert_eq!(message, r#"the list has no column "url", only "name", "link""#);
}

#[test]
fn a_list_is_read_as_people_have_it() {
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let pages = ["http://a.org/1", "http://a.org/2"];
    for text in [
        utf_16("\u{feff}http://a.org/1\r\nhttp://a.org/2\r\n"),
        b"\xef\xbb\xbfhttp://a.org/1\n\xef\xbb\xbfhttp://a.org/2".to_vec(),
        b"http://a.org/1\rhttp://a.org/2\r".to_vec(),
        "\u{a0}http://a.org/1\u{3000}\n\u{feff}# no\n\u{3000}\nhttp://a.org/2\u{200b}".into(),
    ] {
        assert_eq!(read_all(text, &TEXT), pages);
    }
}
