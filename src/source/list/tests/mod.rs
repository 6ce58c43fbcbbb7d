//! Lists as a whole, in each format.

mod foreign_bytes;
mod lists;

use std::io::Cursor;

use super::{FormatChoice, ListFormat, read};
use crate::source::Entry;

pub(super) fn read_all(text: impl Into<Vec<u8>>, choice: &FormatChoice) -> Vec<String> {
    read_named("the list", text, choice)
}

pub(super) fn read_named(
    name: &str,
    text: impl Into<Vec<u8>>,
    choice: &FormatChoice,
) -> Vec<String> {
    let mut source = read(Cursor::new(text.into()), name.into(), choice).unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = source.next_entry().unwrap() {
        entries.push(match entry {
            Entry::Page(url) => url.to_string(),
            Entry::Invalid { place, reason } => format!("{place}: {reason}"),
            Entry::MissingPart(text) | Entry::Warning(text) => text,
        });
    }
    entries
}

pub(super) const TEXT: FormatChoice = FormatChoice::Is(ListFormat::Text);
