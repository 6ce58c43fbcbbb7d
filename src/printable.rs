//! Text that may be printed on a terminal: complete lines without characters that a
//! terminal obeys.
//!
//! All code that prints takes this type. Only cleaning creates a value of it, so foreign
//! text in a line cannot begin another line.

use std::fmt::{self, Display};
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::foreign::{clean, is_shown};

/// Lines that may be printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Printable(String);

impl Printable {
    /// Creates one line from `text`.
    pub(crate) fn line(text: impl Display) -> Self {
        let mut lines = Self::default();
        lines.add(text);
        lines
    }

    /// Adds a line with `text`.
    pub(crate) fn add(&mut self, text: impl Display) {
        self.0.push_str(&clean(&text.to_string()));
        self.0.push('\n');
    }

    /// Adds a line with `parts`, separated by tabs.
    pub(crate) fn add_row(&mut self, parts: &[&str]) {
        for (at, part) in parts.iter().enumerate() {
            self.0.push_str(if at == 0 { "" } else { "\t" });
            self.0.push_str(&clean(part));
        }
        self.0.push('\n');
    }

    /// Creates lines from a text with line ends of its own. Foreign text in it must be clean
    /// already, so that it cannot begin a line.
    pub(crate) fn laid_out(text: &str) -> Self {
        let mut lines = Self::default();
        text.lines().for_each(|line| lines.add(line));
        lines
    }

    /// Creates lines as [`laid_out`](Self::laid_out) does, and leaves colours in: sequences of
    /// SGR (ECMA-48, 8.3.117).
    pub(crate) fn coloured(text: &str) -> Self {
        let mut lines = Self::default();
        for line in text.lines() {
            let mut parts = line.split(SEQUENCE);
            lines.0.push_str(&clean(parts.next().unwrap_or_default()));
            for part in parts {
                let digits = part.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';');
                let end = digits.count();
                let is_colour = part[end..].starts_with('m');
                lines.0.push_str(if is_colour { SEQUENCE } else { "\u{fffd}[" });
                lines.0.push_str(&clean(part));
            }
            lines.0.push('\n');
        }
        lines
    }

    /// Creates a text that replaces the line of the cursor and has no line end: EL (ECMA-48,
    /// 8.3.41).
    pub(crate) fn in_place(text: impl Display) -> Self {
        Self(format!("\r{SEQUENCE}2K{}", clean(&text.to_string())))
    }

    /// Creates one line of JSON from `value`. Characters that must not be shown are escaped.
    pub(crate) fn json(value: &impl Serialize) -> Self {
        let mut line = Vec::new();
        write_json(&mut line, value).expect("memory takes all, and all keys are texts");
        line.push(b'\n');
        Self(String::from_utf8(line).expect("JSON is text"))
    }

    /// Returns the text, each line with its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The start of a control sequence (ECMA-48, 8.3.16).
const SEQUENCE: &str = "\u{1b}[";

impl Extend<Self> for Printable {
    fn extend<T: IntoIterator<Item = Self>>(&mut self, more: T) {
        more.into_iter().for_each(|lines| self.0.push_str(&lines.0));
    }
}

impl Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes `value` as JSON. Characters that must not be shown are escaped.
///
/// # Errors
///
/// Those of `out`, and an error when a key of `value` is not a text.
pub(crate) fn write_json(out: impl io::Write, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Escaping))
}

/// Compact JSON with more escapes than `serde_json` makes, which escapes only the characters
/// that JSON forbids. RFC 8259, 7, allows any character to be escaped.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| !is_shown(*c)) {
            out.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        let mut lines = Printable::line("a\nb\u{1b}[2J");
        lines.add(format_args!("{}\u{2028}", 7));
        lines.add_row(&["x\ty", "z\u{85}"]);
        assert_eq!(lines.as_str(), "a\u{fffd}b\u{fffd}[2J\n7\u{fffd}\nx\u{fffd}y\tz\u{fffd}\n");
    }

    #[test]
    fn what_is_laid_out_keeps_its_lines_and_colours_only() {
        let text = "\u{1b}[1;32mgood\u{1b}[0m\n  \u{1b}[2J\u{1b}[3\u{7}m\u{1b}]52;\u{9b}m";
        let marked = "  \u{fffd}[2J\u{fffd}[3\u{fffd}m\u{fffd}]52;\u{fffd}m\n";
        let coloured = format!("\u{1b}[1;32mgood\u{1b}[0m\n{marked}");
        assert_eq!(Printable::coloured(text).as_str(), coloured);
        let plain = format!("\u{fffd}[1;32mgood\u{fffd}[0m\n{marked}");
        assert_eq!(Printable::laid_out(text).as_str(), plain);
    }

    #[test]
    fn json_escapes_what_must_not_be_shown_and_reads_back() {
        let text = "ä\n\"\u{7f}\u{9b}\u{61c}\u{2028}\u{e0041}";
        let value = BTreeMap::from([(text, vec![text])]);
        let line = Printable::json(&value);
        let escaped = r#""ä\n\"\u007f\u009b\u061c\u2028\udb40\udc41""#;
        assert_eq!(line.as_str(), format!("{{{escaped}:[{escaped}]}}\n"));
        let back: BTreeMap<String, Vec<String>> = serde_json::from_str(line.as_str()).unwrap();
        assert_eq!(back[text], [text]);
    }
}
