//! Finds the elements of a JSON array, one after the other, and the next element after a broken
//! one.
//!
//! Values outside of an array are elements as well: JSON lines, the output of `jq`,
//! and several arrays put together with `cat`. This file finds where elements are; `json`
//! reads them.

use std::io::{self, BufRead};
use std::ops::Range;

use serde::de::IgnoredAny;

use super::element_scan::{ElementEnd, ElementScan};
use super::json::{ENDS_EARLY, row_of};
use super::window::{RECORD_LIMIT, Window};
use super::{Row, Rows};
use crate::source::text::without_marks;

/// An element may have this many bytes in any case.
const LEAST_ROOM: usize = 1024;
const TOO_LONG: &str = "longer than 16 MiB";
const UNBALANCED: &str = "not JSON: its brackets or quotes do not match";

/// The addresses in the elements of an array.
pub(super) struct JsonArray {
    elements: Elements,
    column: Option<String>,
}

impl JsonArray {
    pub(super) fn new(reader: Box<dyn BufRead + Send>, column: Option<String>) -> Self {
        Self { elements: Elements::new(reader), column }
    }
}

impl Rows for JsonArray {
    fn next_row(&mut self) -> io::Result<Option<Row<'_>>> {
        let element = self.elements.advance()?;
        let line = self.elements.line;
        Ok(Some(match element {
            Element::Whole(place) => {
                let json = self.elements.bytes(place);
                row_of(json, line, self.column.as_deref())
            }
            Element::Broken(reason) => Row::Invalid { line, reason: reason.to_owned() },
            Element::Cut => Row::Missing("it ends before its array does"),
            Element::End => return Ok(None),
        }))
    }
}

/// What comes next in the list.
#[derive(Debug, PartialEq, Eq)]
enum Element {
    /// An element, with its place in the window.
    Whole(Range<usize>),
    /// A broken element, and what is wrong with it.
    Broken(&'static str),
    /// The end of the input, although the array is not closed.
    Cut,
    /// The end of the list.
    End,
}

struct Elements {
    window: Window,
    /// The line in which the current element begins, counted from 1.
    line: u64,
    /// The line in which the window begins.
    window_line: u64,
    /// The last byte before the window.
    last: u8,
    /// The bytes of the window that the current element takes.
    done: usize,
    is_in_array: bool,
}

impl Elements {
    fn new(reader: Box<dyn BufRead + Send>) -> Self {
        let window = Window::new(reader);
        Self { window, line: 1, window_line: 1, last: 0, done: 0, is_in_array: false }
    }

    /// The bytes at a place in the window.
    fn bytes(&self, place: Range<usize>) -> &[u8] {
        &self.window.bytes()[place]
    }

    /// Reads the next element.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    fn advance(&mut self) -> io::Result<Element> {
        self.consume(self.done);
        self.done = 0;
        self.skip_between()?;
        self.line = self.window_line;
        if self.window.bytes().is_empty() {
            let is_cut = std::mem::take(&mut self.is_in_array);
            return Ok(if is_cut { Element::Cut } else { Element::End });
        }
        let mut scan = ElementScan::default();
        let mut seen = 0;
        loop {
            let bytes = self.window.bytes();
            let room = self.window.room().max(LEAST_ROOM);
            let until = bytes.len().min(room + 1);
            match scan.feed(&bytes[seen..until]) {
                Some(ElementEnd::Behind(length)) => {
                    self.done = seen + length;
                    return Ok(Element::Whole(0..self.done));
                }
                Some(ElementEnd::Before(length)) => {
                    self.done = seen + length;
                    return Ok(Element::Broken(UNBALANCED));
                }
                Some(ElementEnd::Unmatched(length)) => return Ok(self.resume(seen + length)),
                None => seen = until,
            }
            if seen > room {
                let is_element = room == RECORD_LIMIT && is_start_of_json(&bytes[..seen]);
                return if is_element { self.pass_over(seen, scan) } else { Ok(self.resume(seen)) };
            }
            if seen == bytes.len() && !self.window.read()? {
                if scan.is_word() {
                    self.done = seen;
                    return Ok(Element::Whole(0..seen));
                }
                return Ok(self.resume(seen));
            }
        }
    }

    /// Skips what is between elements.
    fn skip_between(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.window.bytes();
            let marked = bytes.len() - without_marks(bytes).len();
            let may_be_mark = marked == 0 && bytes.len() < 3 && bytes.first() == Some(&0xef);
            match bytes.first() {
                _ if marked > 0 => self.consume(marked),
                Some(b' ' | b'\t' | b'\n' | b'\r' | b',') => {
                    let is_between =
                        |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',');
                    let length = bytes.iter().position(|byte| !is_between(byte));
                    self.consume(length.unwrap_or(bytes.len()));
                }
                Some(b'[') if !self.is_in_array => {
                    self.is_in_array = true;
                    self.consume(1);
                }
                Some(b']') => {
                    self.is_in_array = false;
                    self.consume(1);
                }
                Some(_) if !may_be_mark => return Ok(()),
                _ => {
                    if !self.window.read()? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn consume(&mut self, length: usize) {
        let bytes = &self.window.bytes()[..length];
        let before = |at: usize| if at == 0 { self.last } else { bytes[at - 1] };
        let is_second = |at: usize| bytes[at] == b'\n' && before(at) == b'\r';
        let ends = memchr::memchr2_iter(b'\n', b'\r', bytes);
        self.window_line += ends.filter(|at| !is_second(*at)).count() as u64;
        self.last = bytes.last().copied().unwrap_or(self.last);
        self.window.consume(length);
    }

    /// Continues with the next element within the first `seen` bytes, or after them.
    fn resume(&mut self, seen: usize) -> Element {
        let bytes = &self.window.bytes()[..seen];
        // An element that is only cut off holds no other element.
        let is_cut = is_start_of_json(bytes);
        let next = if is_cut { None } else { next_object(bytes) };
        self.window.give_up(seen);
        self.done = next.unwrap_or(seen);
        Element::Broken(if is_cut { ENDS_EARLY } else { UNBALANCED })
    }

    /// Skips the element without holding it. `scan` has seen its first `seen` bytes.
    fn pass_over(&mut self, seen: usize, mut scan: ElementScan) -> io::Result<Element> {
        self.consume(seen);
        loop {
            let bytes = self.window.bytes();
            let end = scan.feed(bytes);
            let length = match end {
                Some(
                    ElementEnd::Behind(length)
                    | ElementEnd::Before(length)
                    | ElementEnd::Unmatched(length),
                ) => length,
                None => bytes.len(),
            };
            self.consume(length);
            if end.is_some() || !self.window.read()? {
                return Ok(Element::Broken(TOO_LONG));
            }
        }
    }
}

/// Whether `bytes` are JSON, or the beginning of JSON.
fn is_start_of_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).map_or_else(|error| error.is_eof(), |_| true)
}

/// Finds where in `bytes`, after the first byte, an object begins that follows another object.
fn next_object(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'{', bytes).find(|start| {
        let before = bytes[..*start].trim_ascii_end().strip_suffix(b",");
        before.is_some_and(|before| before.trim_ascii_end().ends_with(b"}"))
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use proptest::{prelude::*, test_runner::RngSeed};

    use super::*;

    fn elements(text: &[u8], step: usize) -> Vec<(u64, String)> {
        let reader = BufReader::with_capacity(step, Cursor::new(text.to_vec()));
        let mut elements = Elements::new(Box::new(reader));
        let mut read = Vec::new();
        loop {
            let element = match elements.advance().unwrap() {
                Element::End => return read,
                Element::Cut => "cut".to_owned(),
                Element::Broken(_) => "broken".to_owned(),
                Element::Whole(place) => {
                    String::from_utf8_lossy(elements.bytes(place)).into_owned()
                }
            };
            read.push((elements.line, element));
        }
    }

    #[test]
    fn a_broken_element_costs_no_other() {
        let cases: &[(&str, &[(u64, &str)])] = &[
            ("", &[]),
            ("[]", &[]),
            ("\u{feff}[\n\"a\" ,\r\n\"b]\\\"\",\r]", &[(2, "\"a\""), (3, "\"b]\\\"\"")]),
            (
                "[{\"a\":[1,{}]},{\n},\n 17,null]",
                &[(1, "{\"a\":[1,{}]}"), (1, "{\n}"), (3, "17"), (3, "null")],
            ),
            // Outside of an array, and in several.
            ("{\"a\":1}\n{\"b\":2}\n", &[(1, "{\"a\":1}"), (2, "{\"b\":2}")]),
            ("[1]\n\u{feff}[2]x", &[(1, "1"), (2, "2"), (2, "x")]),
            // A comma too many or too few.
            ("[{},{},]", &[(1, "{}"), (1, "{}")]),
            ("[{}\n{}]", &[(1, "{}"), (2, "{}")]),
            // A bracket or a quote that is not closed.
            ("[{\"a\":1,\n{\"b\":2},{}]", &[(1, "broken"), (2, "{\"b\":2}"), (2, "{}")]),
            ("{\"a\":1\n{\"b\":2}", &[(1, "broken"), (2, "{\"b\":2}")]),
            ("[{\"a\":[1},{}]", &[(1, "{\"a\":[1}"), (1, "{}")]),
            ("[{\"a\":1,\"b\":[{}]]", &[(1, "broken")]),
            ("[{\"a\":\"12\" pipe\"},\n{\"b\":2}]", &[(1, "broken"), (2, "{\"b\":2}")]),
            ("[{\"a\":\"12\" pipe\"},{\"b\":2},{}]", &[(1, "broken"), (1, "{\"b\":2}"), (1, "{}")]),
            ("[\"a,\n\"b\"]", &[(1, "\"a,\n"), (2, "\"b\"")]),
            // The end is missing.
            ("[{}, ", &[(1, "{}"), (1, "cut")]),
            ("[{},\n{\"a\":[{\"b\":1},{\"c\":2}", &[(1, "{}"), (2, "broken"), (2, "cut")]),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> =
                expected.iter().map(|(line, element)| (*line, (*element).to_owned())).collect();
            for step in [1, 2, 3, 7, 1024] {
                assert_eq!(elements(text.as_bytes(), step), expected, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn an_element_that_is_too_long_is_passed_over() {
        let long = "x\\\"".repeat(RECORD_LIMIT / 3 + 1);
        let text = format!("[{{\"a\":\"{long}\",\n\"b\":[]}},\n{{}}]");
        assert_eq!(elements(text.as_bytes(), 1 << 18), [(1, "broken".into()), (3, "{}".into())]);
    }

    #[test]
    fn an_array_that_is_broken_all_over_takes_no_square_of_its_length() {
        let text = "{\"a\":[{\"b\":\"x\n".repeat(1 << 18);
        let broken = elements(text.as_bytes(), 1 << 18);
        assert!(broken.iter().all(|(_, element)| element == "broken"), "{}", broken.len());
    }

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(Into::into),
            "[\\[\\]{},:\"\\\\\n a\u{fc}]{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
                proptest::collection::vec(("[a{\"]{0,3}", inner), 0..3)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, rng_seed: RngSeed::Fixed(8259),
            failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_elements_of_an_array_are_those_that_others_read(
            array in proptest::collection::vec(values(), 0..5),
            is_pretty in any::<bool>(),
            step in 1_usize..9,
        ) {
            let write = if is_pretty { serde_json::to_string_pretty } else { serde_json::to_string };
            let text = write(&array).unwrap();
            let read: Vec<serde_json::Value> = elements(text.as_bytes(), step)
                .iter()
                .map(|(_, element)| serde_json::from_str(element).unwrap())
                .collect();
            prop_assert_eq!(read, array);
        }

        #[test]
        fn rubbish_comes_to_an_end(text in "[\\[\\]{},:\"\\\\\n\r a]{0,40}", step in 1_usize..9) {
            let lines: Vec<_> = elements(text.as_bytes(), step).iter().map(|it| it.0).collect();
            prop_assert!(lines.is_sorted(), "{:?}", lines);
        }
    }
}
