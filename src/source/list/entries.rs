//! Makes entries, and warnings for the user, of the texts in the place of addresses.

use crate::message::excerpt_url;
use crate::model::ADDRESS_LIMIT;
use crate::source::Entry;
use crate::source::address::Addresses;
use crate::source::text::{is_margin, trimmed};

/// At most this many warnings of one kind are reported one by one.
pub(super) const WARNINGS_LIMIT: u64 = 20;

/// What the user can do about text in UTF-16 without a byte order mark.
pub(super) const UTF_16_ADVICE: &str =
    "save it as UTF-8, or convert it: iconv -f UTF-16LE -t UTF-8 (or UTF-16BE)";
/// What is wrong with such text.
pub(super) const UTF_16_REASON: &str = "it looks like UTF-16 without a byte order mark";

pub(super) fn invalid(line: u64, reason: String) -> Entry {
    Entry::Invalid { place: format!("line {line}"), reason }
}

/// Makes entries of the texts in the place of addresses.
pub(super) struct Entries {
    addresses: Addresses,
    /// What the user can do about a list that names no page.
    pub(super) advice: Option<&'static str>,
    /// The number of lines that were read as one address and look like two.
    double_lines: u64,
    /// An entry that comes next.
    pub(super) waiting: Option<Entry>,
}

impl Entries {
    pub(super) fn new(advice: Option<&'static str>) -> Self {
        Self { addresses: Addresses::default(), advice, double_lines: 0, waiting: None }
    }

    /// Returns the page that `whole` names, or the reason why it names no page. When it looks
    /// like two addresses, a warning comes before the page.
    pub(super) fn read(&mut self, line: u64, whole: &str) -> Entry {
        let text = trimmed(whole);
        let read = self.addresses.read(text);
        let is_double = text.len() <= ADDRESS_LIMIT && is_double(text);
        let url = match read {
            Ok(url) => url,
            Err(why) => {
                let why = if looks_like_utf_16(text) {
                    self.advice = Some(UTF_16_ADVICE);
                    UTF_16_REASON
                } else if is_double {
                    "it holds two addresses; put each on a line of its own"
                } else {
                    &why
                };
                let shown = if text.is_empty() { whole } else { text };
                let reason = format!("{:?} is not an http(s) URL: {why}", excerpt_url(shown));
                return invalid(line, reason);
            }
        };
        if !is_double {
            return Entry::Page(url);
        }
        self.double_lines += 1;
        if self.double_lines > WARNINGS_LIMIT {
            return Entry::Page(url);
        }
        self.waiting = Some(Entry::Page(url));
        Entry::Warning(format!(
            "line {line}: {:?} is read as one address and looks like two; put each on a line of its own",
            excerpt_url(text)
        ))
    }

    pub(super) fn no_text(&mut self, line: u64, whole: &str) -> Entry {
        let lossy = trimmed(whole);
        let mut reason =
            format!("{:?} is not text", excerpt_url(if lossy.is_empty() { whole } else { lossy }));
        if looks_like_utf_16(lossy) {
            self.advice = Some(UTF_16_ADVICE);
            reason = format!("{reason}: {UTF_16_REASON}");
        }
        invalid(line, reason)
    }

    /// Returns the entry at the end of the list: the number of warnings that were not reported.
    pub(super) fn last_warning(&mut self) -> Option<Entry> {
        let more = std::mem::take(&mut self.double_lines).saturating_sub(WARNINGS_LIMIT);
        let text = || format!("{more} more lines look like two addresses");
        (more > 0).then(|| Entry::Warning(text()))
    }
}

/// Whether another address begins within `text`. Many addresses hold another one
/// in their path or query, so the characters before it decide.
fn is_double(text: &str) -> bool {
    let from = text.len().min("https://".len());
    let path_end = memchr::memchr2(b'?', b'#', text.as_bytes()).unwrap_or(text.len());
    memchr::memchr_iter(b':', &text.as_bytes()[from..]).any(|colon| {
        let (before, after) = text.split_at(from + colon);
        let start_of = |scheme: &str| {
            let start = before.len().checked_sub(scheme.len())?;
            let end = before.get(start..)?;
            end.eq_ignore_ascii_case(scheme).then_some(start)
        };
        let start = start_of("https").or_else(|| start_of("http"));
        after.starts_with("://")
            && start.is_some_and(|start| parts_addresses(&before[..start], start <= path_end))
    })
}

/// Whether `before` ends with a separator of two addresses: white space, or, in a path, a
/// character that separates values, or the end of a name (`cat` puts lists together that have
/// no last line end). Otherwise the second address is a part of the first.
fn parts_addresses(before: &str, is_in_path: bool) -> bool {
    let Some(last) = before.chars().next_back() else {
        return false;
    };
    let is_encoded = before.len() >= 3 && before.as_bytes()[before.len() - 3] == b'%';
    let is_name = last.is_ascii_alphanumeric() && !is_encoded;
    is_margin(last) || (is_in_path && (is_name || ",;|\"'<>".contains(last)))
}

/// Whether about every second character of `text` is NUL, as between Latin letters in UTF-16.
pub(super) fn looks_like_utf_16(text: &str) -> bool {
    let nuls = memchr::memchr_iter(0, text.as_bytes()).count();
    let characters = text.chars().count();
    characters >= 5 && 5 * nuls >= 2 * characters
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TEXT, read_all};

    #[test]
    fn two_addresses_in_a_line_are_warned_of() {
        for double in [
            "http://a.org/1 http://b.org/2",
            "http://a.org/1\u{3000}HTTPS://b.org/2",
            "http://a.org/1\u{feff}http://b.org/2",
            "http://a.org/?q=1 http://b.org/2",
            "http://a.org/1, http://b.org/2",
            "http://a.org/1,http://b.org/2",
            "http://a.org/1http://b.org/2",
        ] {
            let entries = read_all(double, &TEXT);
            assert!(
                entries[0].contains("line 1: ") && entries[0].contains("looks like two"),
                "{entries:?}"
            );
            assert_eq!(entries[1..], [crate::source::page_url(double).unwrap().to_string()]);
        }
        for one in [
            "http://web.archive.org/web/2020/http://b.org/",
            "http://a.org/?u=http://b.org/&v=x,http://c.org/",
            "http://a.org/?u%3Dhttp://b.org/",
            "http://a.org/a b",
            "http://a.org/#http://b.org/",
        ] {
            assert_eq!(read_all(one, &TEXT).len(), 1, "{one}");
        }
        for refused in ["http://a.org/1\thttp://b.org/2", "http://a.org http://b.org/2"] {
            let entries = read_all(refused, &TEXT);
            assert!(entries[0].contains("it holds two addresses"), "{entries:?}");
        }
        let many = read_all("http://a.org/ http://me:secret@b.org/\n".repeat(30), &TEXT);
        assert_eq!(many.len(), 30 + 20 + 1);
        assert_eq!(many[50], "10 more lines look like two addresses");
        assert!(!many[0].contains("secret"), "{}", many[0]);
    }

    #[test]
    fn a_value_that_is_too_long_is_no_address_and_is_not_searched() {
        // Were it searched for a second address, that would take minutes.
        let long = "http://a.org/".repeat(1 << 20);
        let table = crate::source::list::FormatChoice::ByName { column: Some("url".into()) };
        let entries = read_all(format!("url\n{long}\nhttp://b.org/\n"), &table);
        assert!(entries[0].starts_with("line 2: \"http://a.org/http://"), "{}", entries[0]);
        assert!(entries[0].ends_with("is not an http(s) URL: it is longer than 65536 bytes"));
        assert_eq!(entries[1..], ["http://b.org/"]);
    }
}
