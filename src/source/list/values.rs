//! Splits a record of a table into its values (RFC 4180). Pure.

use std::borrow::Cow;

pub(super) const QUOTE: u8 = b'"';

/// How values are separated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    /// The byte between values.
    pub(super) separator: u8,
    /// Whether a value in quotes may hold separators and line ends.
    pub(super) has_quotes: bool,
}

/// Returns the values of a record, as they are written.
pub(super) fn values(record: &[u8], syntax: Syntax) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(record);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let from = if syntax.has_quotes { quoted_length(bytes).0 } else { 0 };
        match memchr::memchr(syntax.separator, &bytes[from..]) {
            Some(end) => {
                rest = Some(&bytes[from + end + 1..]);
                Some(&bytes[..from + end])
            }
            None => rest.take(),
        }
    })
}

/// Returns the length of the quoted value at the start of `bytes`, with its quotes, and whether
/// the quotes are closed. The length is 0 when the value has no quotes.
fn quoted_length(bytes: &[u8]) -> (usize, bool) {
    if bytes.first() != Some(&QUOTE) {
        return (0, true);
    }
    let mut from = 1;
    while let Some(quote) = memchr::memchr(QUOTE, &bytes[from..]) {
        from += quote + 1;
        if bytes.get(from) != Some(&QUOTE) {
            return (from, true);
        }
        from += 1;
    }
    (bytes.len(), false)
}

/// Returns the text of a value: without its quotes, and with one quote for two within them.
pub(super) fn said(value: &[u8], syntax: Syntax) -> Cow<'_, [u8]> {
    if !syntax.has_quotes || value.first() != Some(&QUOTE) {
        return Cow::Borrowed(value);
    }
    let (length, is_closed) = quoted_length(value);
    let inner = &value[1..length - usize::from(is_closed)];
    if length == value.len() && memchr::memchr(QUOTE, inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut said = Vec::with_capacity(value.len());
    let mut is_second = false;
    for &byte in inner {
        is_second = byte == QUOTE && !is_second;
        if !is_second {
            said.push(byte);
        }
    }
    // Characters after the closing quote belong to the value, as in most programs.
    said.extend_from_slice(&value[length..]);
    Cow::Owned(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart_outside_of_quotes() {
        let syntax = Syntax { separator: b',', has_quotes: true };
        for (record, expected) in [
            ("", &[""][..]),
            ("a,,b,", &["a", "", "b", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"a \"\"b\"\", c\"", &["a \"b\", c"]),
            ("\"\"\"\",\"\"", &["\"", ""]),
            ("\"a\"b\",c", &["ab\"", "c"]),
            ("a\"b,\"c", &["a\"b", "c"]),
            ("\"a\"\"", &["a\""]),
            ("\"", &[""]),
        ] {
            let said = values(record.as_bytes(), syntax).map(|value| said(value, syntax));
            let said: Vec<_> = said.map(|it| String::from_utf8_lossy(&it).into_owned()).collect();
            assert_eq!(said, expected, "{record}");
        }
        let tabs = Syntax { separator: b'\t', has_quotes: false };
        let plain: Vec<_> = values(b"\"a\tb\"", tabs).map(|value| said(value, tabs)).collect();
        assert_eq!(plain, [&b"\"a"[..], b"b\""]);
    }
}
