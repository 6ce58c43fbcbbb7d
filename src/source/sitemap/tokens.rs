//! Splits XML that may be broken into tags and text, each with its place.
//!
//! The parser is set to accept XML that is not well-formed. This file skips what the parser
//! cannot read at all, such as a tag that never ends, and continues at the next `<`.

use quick_xml::Reader;
use quick_xml::errors::{Error, SyntaxError};
use quick_xml::events::{BytesStart, Event};

/// Reading text again may take this many times the time of the whole text.
const RESCANS: usize = 16;

/// A piece of a document.
#[derive(Debug)]
pub(super) enum Token<'a> {
    /// A start tag.
    Start(BytesStart<'a>),
    /// A tag of an element without content.
    Empty(BytesStart<'a>),
    /// An end tag, with its name.
    End(String),
    /// Text as it is written, with unresolved references.
    Text(String),
    /// Text without references.
    Literal(String),
    /// A part that cannot be read.
    Fault(&'static str),
    /// The end of the text.
    Over,
}

/// Returns pieces one after the other. The time is in proportion to the length of the text.
pub(super) struct Tokens<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Where in `text` the reader began.
    base: usize,
    /// Bytes that were read a second time.
    rescanned: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        // The parser would drop a byte order mark without counting its bytes.
        let base = text.len() - text.trim_start_matches('\u{feff}').len();
        Self { text, reader: reader(&text[base..]), base, rescanned: 0 }
    }

    /// Returns the next piece, and where it begins.
    pub(super) fn next(&mut self) -> (usize, Token<'a>) {
        loop {
            let start = self.place();
            let event = self.reader.read_event();
            let token = match event {
                Ok(Event::Start(_) | Event::Empty(_) | Event::End(_)) if self.is_broken(start) => {
                    self.read_on_at_next_tag(start, "a tag is broken, or a < stands for itself")
                }
                Ok(Event::Start(tag)) => Token::Start(tag),
                Ok(Event::Empty(tag)) => Token::Empty(tag),
                Ok(Event::End(tag)) => Token::End(tag.name().as_ref().to_owned()),
                Ok(Event::Text(text)) => Token::Text(text.to_string()),
                Ok(Event::GeneralRef(name)) => Token::Text(format!("&{};", &*name)),
                Ok(Event::CData(text)) => Token::Literal(text.to_string()),
                Ok(Event::Eof) => Token::Over,
                Ok(Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_)) => {
                    continue;
                }
                // A comment is not part of the document, even when it is never closed.
                Err(Error::Syntax(
                    SyntaxError::UnclosedComment
                    | SyntaxError::UnclosedCData
                    | SyntaxError::UnclosedPI
                    | SyntaxError::UnclosedXmlDecl
                    | SyntaxError::UnclosedDoctype,
                )) => {
                    self.go_to(self.text.len());
                    Token::Fault("a comment or the like is not closed")
                }
                Err(Error::Syntax(_)) => self.read_on_at_next_tag(start, "a tag is not closed"),
                Err(_) => Token::Fault("it is not well-formed"),
            };
            return (start, token);
        }
    }

    fn place(&self) -> usize {
        self.base + usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// Whether the tag that was read at `start` is broken. No tag holds a `<`, not even in
    /// an attribute's value (XML 1.0, 3.1): if it does, an earlier part of it never ended. A name
    /// begins with a letter, `_` or `:` (XML 1.0, 2.3).
    fn is_broken(&self, start: usize) -> bool {
        let tag = self.text.get(start..self.place()).unwrap_or_default();
        let inner = tag.get(1..).unwrap_or_default();
        let name = inner.trim_start_matches('/');
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':');
        !is_name || memchr::memchr(b'<', inner.as_bytes()).is_some()
    }

    fn read_on_at_next_tag(&mut self, start: usize, why: &'static str) -> Token<'a> {
        let behind = self.text.as_bytes().get(start + 1..).unwrap_or_default();
        let next = memchr::memchr(b'<', behind).map_or(self.text.len(), |at| start + 1 + at);
        self.rescanned += self.place().saturating_sub(next);
        if self.rescanned > RESCANS * self.text.len() {
            self.go_to(self.text.len());
            return Token::Fault("too much of it is broken");
        }
        self.go_to(next);
        // A text that ends within a tag is cut off. The open elements are reported for that.
        if next == self.text.len() { Token::Over } else { Token::Fault(why) }
    }

    fn go_to(&mut self, place: usize) {
        self.base = place;
        self.reader = reader(&self.text[place..]);
    }
}

fn reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    reader
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let mut tokens = Tokens::new(text);
        let mut read = Vec::new();
        loop {
            let (place, token) = tokens.next();
            let token = match token {
                Token::Start(tag) => format!("<{}>", tag.name().as_ref()),
                Token::Empty(tag) => format!("<{}/>", tag.name().as_ref()),
                Token::End(name) => format!("</{name}>"),
                Token::Text(text) | Token::Literal(text) => text,
                Token::Fault(_) => "fault".into(),
                Token::Over => return read,
            };
            read.push(format!("{place} {token}"));
        }
    }

    #[test]
    fn reading_goes_on_behind_what_cannot_be_read() {
        for (text, wanted) in [
            ("<a>x</a>", &["0 <a>", "3 x", "4 </a>"][..]),
            ("\u{feff}\u{feff}<a/>", &["6 <a/>"]),
            ("<a>1 < 2</a>", &["0 <a>", "3 1 ", "5 fault", "8 </a>"]),
            ("<a>1 <2> 3</a>", &["0 <a>", "3 1 ", "5 fault", "10 </a>"]),
            ("<a b='c><d>e</d><f g='h'/>", &["0 fault", "8 <d>", "11 e", "12 </d>", "16 <f/>"]),
            ("<a><b c=\"d></b></a>", &["0 <a>", "3 fault", "11 </b>", "15 </a>"]),
            ("<a>x</a", &["0 <a>", "3 x"]),
            ("<a>x<", &["0 <a>", "3 x"]),
            ("<a></b></c>", &["0 <a>", "3 </b>", "7 </c>"]),
            (
                "<a>&b;&c&<![CDATA[&d;]]></a>",
                &["0 <a>", "3 &b;", "6 &c", "8 &", "9 &d;", "24 </a>"],
            ),
            ("<a><!x><b/></a>", &["0 <a>", "3 fault", "7 <b/>", "11 </a>"]),
            ("<a><!-- <b/></a>", &["0 <a>", "3 fault"]),
            ("<a><![CDATA[<b/></a>", &["0 <a>", "3 fault"]),
            ("", &[]),
        ] {
            assert_eq!(tokens(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_text_of_faults_takes_no_longer_than_another() {
        for piece in ["<a '", "<a \"", "<", "<!", "<?", "<!-", "</", "&", "<a b='", "<![", "<a><"] {
            let text = piece.repeat(200_000);
            let mut tokens = Tokens::new(&text);
            while !matches!(tokens.next().1, Token::Over) {}
            assert!(tokens.rescanned <= (RESCANS + 1) * text.len(), "{piece}");
        }
    }
}
