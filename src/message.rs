//! The wording of errors, addresses, statuses and counts for people.
//!
//! Text from a server or a file may harm a terminal, and text from a user may contain a
//! password, so both are cleaned here.

use std::borrow::Cow;
use std::error::Error;

use url::Url;

use crate::foreign::clean;

/// The largest number of characters of foreign text in a message.
const EXCERPT: usize = 80;

/// Returns the texts of an error and of its causes, the outermost first.
pub(crate) fn chain(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}

/// Returns an error and its causes in one line.
pub(crate) fn one_line(error: &dyn Error) -> String {
    chain(error).join(": ")
}

/// Returns `text` as a part of a message: one line, at most 80 characters, [clean].
pub(crate) fn excerpt(text: &str) -> String {
    clean(&shortened(text, EXCERPT)).into_owned()
}

/// Returns the first `characters` of `text`, and an ellipsis when there are more.
pub(crate) fn shortened(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// Returns the [`excerpt`] of a text that should be a URL, without user name and password.
pub(crate) fn excerpt_url(text: &str) -> String {
    excerpt(&without_credentials(text))
}

/// Returns `text` without user name and password, whether it is a complete URL or not.
///
/// A password that is not percent-encoded may contain any character that ends a host
/// in a URL. So the text stays as it is only when it is a complete URL without
/// credentials; otherwise everything between the scheme and the last `@` is removed.
pub(crate) fn without_credentials(text: &str) -> Cow<'_, str> {
    let Some(at) = text.rfind('@').filter(|_| !is_plain_url(text)) else {
        return Cow::Borrowed(text);
    };
    let scheme = text[..at].find("://").map_or("", |end| &text[..end]);
    let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let start = if is_scheme && !scheme.is_empty() { scheme.len() + "://".len() } else { 0 };
    Cow::Owned(format!("{}{}", &text[..start], &text[at + 1..]))
}

/// Whether `text` is a URL of a known kind, with a host and without credentials.
fn is_plain_url(text: &str) -> bool {
    // The parser for URLs drops line ends, and would join several lines to one URL. It also
    // accepts a host without slashes before it, where a user meant a name and a password.
    let is_one =
        text.contains("://") && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let url = Url::parse(text).ok().filter(Url::is_special);
    is_one && url.is_some_and(|url| url.username().is_empty() && url.password().is_none())
}

/// Returns a count with its noun, in the plural unless the count is 1: `1 page`, `2 pages`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {}", plural(count, noun))
}

/// Returns `noun`, in the plural unless `count` is 1: `page`, `pages`, `switches`.
pub(crate) fn plural(count: u64, noun: &str) -> Cow<'_, str> {
    let ending = match count {
        1 => return Cow::Borrowed(noun),
        _ if noun.ends_with("ch") => "es",
        _ => "s",
    };
    Cow::Owned(format!("{noun}{ending}"))
}

/// Returns a status with its standard name: `404 Not Found`.
pub(crate) fn status(code: u16) -> String {
    let name = http::StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    name.map_or_else(|| format!("status {code}"), |name| format!("{code} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_in_the_singular() {
        for (count, noun, text) in [
            (0, "page", "0 pages"),
            (1, "page", "1 page"),
            (2, "page", "2 pages"),
            (3, "context switch", "3 context switches"),
        ] {
            assert_eq!(counted(count, noun), text);
        }
    }

    #[test]
    fn foreign_text_stays_on_its_line() {
        assert_eq!(excerpt("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
        assert_eq!(excerpt(&"x".repeat(80)), "x".repeat(80));
        assert_eq!(excerpt(&"x".repeat(81)), "x".repeat(80) + "…");
    }

    #[test]
    fn credentials_are_left_out_of_what_is_hardly_a_url() {
        for (text, expected) in [
            ("ftp://me:secret@a.org/x", "ftp://a.org/x"),
            ("http:///me:secret@a.org:99999/x", "http://a.org:99999/x"),
            (r"http:\\me:secret@a.org:99999/x", "a.org:99999/x"),
            ("http:/me:secret@a.org/x", "a.org/x"),
            ("http://me:sec/ret@a.org/x", "http://a.org/x"),
            ("http://me:sec?ret@a.org/x", "http://a.org/x"),
            ("http://me:sec#ret@a.org/x", "http://a.org/x"),
            ("http://me:sec@r/et@a.org/x", "http://a.org/x"),
            ("me:p//secret@a.org:x", "a.org:x"),
            ("me:p://secret@a.org:x", "a.org:x"),
            ("http:m//e:secret@a.org:81", "a.org:81"),
            ("http:me/secret@a.org", "a.org"),
            ("http://a.org/\nhttp://me:secret@b.org/", "http://b.org/"),
            ("http://me:sec@ret@[bad", "http://[bad"),
            ("me:secret@a.org/x", "a.org/x"),
            ("//me@a.org", "a.org"),
            ("https://a.org/@user", "https://a.org/@user"),
            ("https://a.org:8080/?to=me@b.org#@", "https://a.org:8080/?to=me@b.org#@"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_credentials(text), expected);
        }
    }

    #[test]
    fn statuses_have_names() {
        assert_eq!(status(404), "404 Not Found");
        assert_eq!(status(599), "status 599");
    }
}
