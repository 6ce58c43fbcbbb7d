//! Lists in each format that are nearly correct.

use std::io::{BufReader, Cursor};

use proptest::prelude::*;

use crate::foreign_bytes::{self, Input, config, within};
use crate::source::list::{FormatChoice, ListFormat, read};
use crate::source::{Entry, SourceError};

/// The reader of gzip with its window, the reader of UTF-16, and messages.
const READERS: usize = 256 * 1024;

fn lists(
    documents: &[&[u8]],
    tokens: &'static [&'static [u8]],
) -> impl Strategy<Value = Input> + use<> {
    foreign_bytes::Format::new(documents, tokens).inputs()
}

fn texts() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 2] = [
        b"\xef\xbb\xbfhttp://a.org/1\r\n\r\n# x\n  http://a.org/2#part \rhttps://b.org/?q=http://c.org/\n",
        b"example.org\nftp://a.org/\nhttp://me:pw@a.org/, http://b.org/\nhttp://[::1]:99999/\n",
    ];
    lists(
        &documents,
        &[b"http://a.org/1\n", b"\n#", b"\r", b"\0", b"http://", b", ", b"@", b"\\\\"],
    )
}

fn tables() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 3] = [
        b"name,url\n\"a, b\",http://a.org/1\nx\n,,\n\"two\nlines\",\"http://a.org/2\"\n",
        b"\xef\xbb\xbfurl\ttitle\r\nhttp://a.org/1\t\"\r\n#2\tx\r\n",
        b"url,t\nhttp://a.org/1,\"an inch\nhttp://a.org/2,b\nhttp://a.org/3,1\"\n\"\"\"\",\"\"\n",
    ];
    let tokens: &[&[u8]] = &[
        b"url\n",
        b"url,",
        b"\"",
        b"\"\"",
        b"\",\"",
        b"\"\n\"",
        b"\n",
        b"\r",
        b",",
        b"\t",
        b"http://a.org/1,x\n",
        b"\"http://a.org/2\nhttp://a.org/3,y\n",
    ];
    lists(&documents, tokens)
}

fn values() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 4] = [
        b"{\"url\":\"http://a.org/1\"}\n{\"u\":1,\"url\":\"http:\\/\\/a.org\\/\\u00e9\"}\nrubbish\n\"http://a.org/2\"\n",
        b"[{\"url\":\"http://a.org/1\",\"x\":{\"url\":[1,2.5e3,true,null]}},\n \"http://a.org/2\", 7]",
        b"[\"http://a.org/1\",\"http://a.org/2\"]\n[\"http://a.org/3\"]{\"url\":NaN}",
        b"\xef\xbb\xbf{\"url\":\"\\ud83d\\ude00\"}\r\n\r\n{\"url\":\"a\nb\"}",
    ];
    let tokens: &[&[u8]] = &[
        b"[",
        b"]",
        b"{",
        b"}",
        b"{\"url\":",
        b"{\"a\":",
        b"\"",
        b"\\",
        b"\\ud800",
        b"\\u0000",
        b",",
        b":",
        b"},{",
        b"NaN",
        b"-Infinity",
        b"\"http://a.org/1\",",
        b"\n",
        b"null",
    ];
    lists(&documents, tokens)
}

/// Returns the entries of a list that is read `step` bytes at a time, as texts; `None` when it
/// cannot be read to its end, such as broken gzip.
fn entries(name: &str, input: &[u8], step: usize, choice: &FormatChoice) -> Option<Vec<String>> {
    let reader = BufReader::with_capacity(step, Cursor::new(input.to_vec()));
    let mut source = match read(reader, name.into(), choice) {
        Ok(source) => source,
        Err(SourceError::Read { .. }) => return None,
        Err(error) => return Some(vec![error.to_string()]),
    };
    let mut entries = Vec::new();
    loop {
        match source.next_entry() {
            Ok(Some(Entry::Page(url))) => entries.push(url.into()),
            Ok(Some(Entry::Invalid { place, reason })) => {
                entries.push(format!("{place}: {reason}"));
            }
            Ok(Some(Entry::MissingPart(text) | Entry::Warning(text))) => entries.push(text),
            Ok(None) => break,
            Err(_) => return None,
        }
    }
    assert!(source.next_entry().is_ok_and(|entry| entry.is_none()), "after the end comes the end");
    entries.push(format!("{} lines skipped", source.skipped_lines()));
    Some(entries)
}

/// Reads a list at once and in pieces: both give the same entries, and both end within the
/// memory that a list may take.
fn check(
    name: &str,
    input: &Input,
    step: usize,
    choice: &FormatChoice,
) -> Result<(), TestCaseError> {
    // Deflate makes at most 1,032 bytes of one; the entries of those are the test's own.
    let is_gzip = input.starts_with(b"\x1f\x8b");
    let length = if is_gzip { 1032 * input.len() } else { input.len() };
    // A row is held once as it came, as text, and as the words of what is wrong with it.
    // All of it may be one row, and the test holds the words of all rows: of a row of one
    // byte, those are some 100, in blocks that grow.
    let most = READERS + 400 * length;
    let whole = within(most, || entries(name, input, input.len() + 1, choice));
    let pieces = within(most, || entries(name, input, step, choice));
    let (Some(whole), Some(pieces)) = (whole, pieces) else {
        // How much comes before what is broken depends on the pieces.
        prop_assert!(is_gzip);
        return Ok(());
    };
    prop_assert_eq!(&whole, &pieces);
    // Each takes a byte at least; two belong to the end, and a warning precedes its page.
    prop_assert!(whole.len() <= 2 * length + 3);
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn lines_of_text(input in texts(), step in 1..300_usize) {
        check("x", &input, step, &FormatChoice::Is(ListFormat::Text))?;
    }

    #[test]
    fn tables_of_values(input in tables(), step in 1..300_usize, is_tsv: bool) {
        let name = if is_tsv { "x.tsv" } else { "x.csv" };
        check(name, &input, step, &FormatChoice::ByName { column: Some("url".into()) })?;
    }

    #[test]
    fn lines_of_json(input in values(), step in 1..300_usize, has_column: bool) {
        let choice = FormatChoice::ByName { column: has_column.then(|| "url".into()) };
        check("x.jsonl", &input, step, &choice)?;
    }

    #[test]
    fn arrays_of_json(input in values(), step in 1..300_usize, has_column: bool) {
        let choice = FormatChoice::ByName { column: has_column.then(|| "url".into()) };
        check("x.json.gz", &input, step, &choice)?;
    }
}
