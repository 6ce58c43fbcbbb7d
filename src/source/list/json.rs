//! JSON lines, and the address in a JSON value.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::window::RECORD_LIMIT;
use super::{Row, Rows};
use crate::source::text::{Lines, without_marks};

/// What is wrong with a value that is the beginning of JSON.
pub(super) const ENDS_EARLY: &str = "not JSON: it ends too early";

/// A list with a JSON value in each line (<https://jsonlines.org>).
pub(super) struct JsonLines {
    lines: Lines,
    column: Option<String>,
    skipped_lines: u64,
}

impl JsonLines {
    pub(super) const fn new(reader: Box<dyn BufRead + Send>, column: Option<String>) -> Self {
        Self { lines: Lines::new(reader, RECORD_LIMIT), column, skipped_lines: 0 }
    }
}

impl Rows for JsonLines {
    fn next_row(&mut self) -> io::Result<Option<Row<'_>>> {
        while self.lines.advance()? {
            let line = self.lines.number();
            if self.lines.is_cut() {
                return Ok(Some(Row::Invalid { line, reason: "longer than 16 MiB".into() }));
            }
            if json_of(&self.lines).is_empty() {
                self.skipped_lines += 1;
                continue;
            }
            return Ok(Some(row_of(json_of(&self.lines), line, self.column.as_deref())));
        }
        Ok(None)
    }

    fn skipped_lines(&self) -> u64 {
        self.skipped_lines
    }
}

fn json_of(lines: &Lines) -> &[u8] {
    without_marks(lines.line()).trim_ascii()
}

/// Returns the row of the value `json`, which begins in `line`.
pub(super) fn row_of(json: &[u8], line: u64, column: Option<&str>) -> Row<'static> {
    match text_in(json, line, column) {
        Ok(text) => Row::Text { line, text: Cow::Owned(text) },
        Err(reason) => Row::Invalid { line, reason },
    }
}

/// Returns the address in the value `json`, which begins in `line`, or the reason why it has
/// none. A text is an address itself; an object has the address in its member `column`.
fn text_in(json: &[u8], line: u64, column: Option<&str>) -> Result<String, String> {
    let read = |json: &[u8]| {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let found = deserializer.deserialize_any(Value { member: column })?;
        deserializer.end().map(|()| found)
    };
    let found = match read(json) {
        Err(error) if !error.is_eof() => read(&mended(json)).map_err(|_| error),
        found => found,
    };
    match (found, column) {
        (Ok(Some(text)), _) => Ok(text),
        (Ok(None), Some(member)) => Err(format!("no text under {member:?}")),
        (Ok(None), None) => {
            Err("it is not a text; name the member of an object with --column".into())
        }
        (Err(error), _) if error.is_eof() => Err(ENDS_EARLY.into()),
        (Err(error), _) if error.line() == 1 => {
            Err(format!("not JSON from column {} on", error.column()))
        }
        (Err(error), _) => {
            let line = line + (error.line() as u64).saturating_sub(1);
            Err(format!("not JSON from line {line}, column {} on", error.column()))
        }
    }
}

/// Corrects what widely used programs write although JSON forbids it: `NaN` and `Infinity` become
/// `null`, and control characters in texts are escaped.
fn mended(json: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(json.len());
    let (mut is_text, mut at) = (false, 0);
    while let Some(byte) = json.get(at) {
        let rest = &json[at..];
        let number = [&b"NaN"[..], b"Infinity", b"-Infinity"].into_iter();
        let number = number.filter(|_| !is_text).find(|number| rest.starts_with(number));
        at += number.map_or(1, <[u8]>::len);
        match byte {
            _ if number.is_some() => mended.extend_from_slice(b"null"),
            b'\\' if is_text && rest.len() > 1 => {
                mended.extend_from_slice(&rest[..2]);
                at += 1;
            }
            0..0x20 if is_text => mended.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => {
                is_text ^= *byte == b'"';
                mended.push(*byte);
            }
        }
    }
    mended
}

/// Reads a value and remembers only the text of one member: other members, which may
/// hold whole pages, are skipped. Of several members with that name the last one counts, as
/// in most programs (RFC 8259, 4). A member of a member does not count.
struct Value<'a> {
    member: Option<&'a str>,
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text or an object")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = members.next_key_seed(Name(self.member))? {
            if is_it {
                found = members.next_value_seed(Text)?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// Reads the name of a member: whether it is this one.
struct Name<'a>(Option<&'a str>);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0 == Some(name))
    }
}

/// Reads a value: its text, when it is a text.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(Value { member: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_value_only_the_named_member_counts() {
        let deep = format!("{{\"x\":{}{},\"url\":\"a\"}}", "[".repeat(500), "]".repeat(500));
        let cases: &[(&[u8], Result<&str, &str>)] = &[
            (b"{\"url\":\"a\"}", Ok("a")),
            (b"\"a\"", Ok("a")),
            (b"{\"x\":{\"url\":\"b\"},\"url\":\"\\u0061\",\"y\":[{\"url\":\"c\"}]}", Ok("a")),
            (b"{\"\\u0075rl\":\"a\"}", Ok("a")),
            (b"{\"url\":\"b\",\"url\":\"a\"}", Ok("a")),
            (b"{\"x\":\"\xff\",\"url\":\"a\"}", Ok("a")),
            (b"{\"x\":NaN,\"url\":\"a\",\"y\":[-Infinity,\"NaN\"]}", Ok("a")),
            (b"{\"x\":\"a\tb\\\"\",\"url\":\"a\"}", Ok("a")),
            (b"{\"x\":NaNa,\"url\":\"a\"}", Err("not JSON from column 6 on")),
            (deep.as_bytes(), Ok("a")),
            (b"{\"url\":\"b\",\"url\":null}", Err("no text under \"url\"")),
            (b"{\"url\":[\"a\"]}", Err("no text under \"url\"")),
            (b"{\"x.url\":1}", Err("no text under \"url\"")),
            (b"[\"url\",\"a\"]", Err("no text under \"url\"")),
            (b"17", Err("no text under \"url\"")),
            (b"{\"url\":\"a\"", Err("not JSON: it ends too early")),
            (b"{\"url\":\"a\"}}", Err("not JSON from column 12 on")),
            (b"{\"url\":\"a\",\nx}", Err("not JSON from line 4, column 1 on")),
        ];
        for (json, expected) in cases {
            let found = text_in(json, 3, Some("url"));
            let text = String::from_utf8_lossy(json);
            assert_eq!(found.as_deref().map_err(String::as_str), *expected, "{text}");
        }
        assert_eq!(text_in(b"\"a\"", 1, None).as_deref(), Ok("a"));
        assert!(text_in(b"{\"url\":\"a\"}", 1, None).unwrap_err().contains("--column"));
    }
}
