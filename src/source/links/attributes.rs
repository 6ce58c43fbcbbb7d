//! Feeds a page to the tokenizer, and leaves out the attributes that are beyond a tag's limit.
//!
//! For each attribute the tokenizer looks through all attributes of the tag, to find
//! duplicates, and it has no limit. So this file reads each tag first, as the tokenizer reads
//! it (HTML Living Standard, 13.2.5.32 to 13.2.5.39). The tokens that came so far show where
//! tags begin: no token ends within a tag.

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Tokenizer};

use super::bounds::Bounded;
use super::noscript::BodyFirst;

/// The attributes of one tag. Ordinary pages have at most a few dozen.
pub(super) const ATTRIBUTES_LIMIT: usize = 256;

/// Feeds `text` to the tokenizer, with at most `limit` attributes of each tag.
pub(super) fn feed(tokenizer: &Tokenizer<BodyFirst<Bounded>>, text: &str, limit: usize) {
    let whole = StrTendril::from(text);
    let input = BufferQueue::default();
    let sink = &tokenizer.sink.builder;
    let give = |from: usize, to: usize| {
        let place = |at: usize| u32::try_from(at).expect("it is within a tendril");
        if from < to {
            input.push_back(whole.subtendril(place(from), place(to - from)));
            // The tokenizer stops at scripts, which are not run, and at names of encodings.
            while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        }
    };
    let mut feeding = Feeding { limit, inside: Inside::Text, tokens: 0, has_cut: false };
    let mut at = 0;
    while at < text.len() {
        let raw = sink.raw();
        feeding.begin(&text.as_bytes()[at..], raw.as_deref(), sink.tokens());
        let piece = feeding.next(&text.as_bytes()[at..]);
        give(at, at + piece.given);
        give(at + piece.resumed, at + piece.end);
        at += piece.end;
    }
    if feeding.has_cut {
        sink.cut_tag();
    }
}

/// The kind of text around a place.
enum Inside {
    Text,
    /// A comment, a doctype, or other markup that ends with `>` and is not a tag.
    Markup,
    Tag(TagScan),
}

struct Feeding {
    limit: usize,
    inside: Inside,
    /// The number of tokens when `inside` began.
    tokens: u64,
    has_cut: bool,
}

/// A part of the text. The bytes up to `given` and those from `resumed` to `end` are fed.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    given: usize,
    resumed: usize,
    end: usize,
}

impl Feeding {
    /// Decides what begins at the start of `rest`. The tokenizer made `tokens` tokens so far.
    fn begin(&mut self, rest: &[u8], raw: Option<&str>, tokens: u64) {
        if !matches!(self.inside, Inside::Text) && self.tokens == tokens {
            return;
        }
        self.tokens = tokens;
        let is_end_of_raw = |raw: &str| {
            let name = rest.get(2..2 + raw.len()).unwrap_or_default();
            let is_whole = rest.get(2 + raw.len()).is_none_or(|next| !next.is_ascii_alphanumeric());
            rest.starts_with(b"</") && is_whole && name.eq_ignore_ascii_case(raw.as_bytes())
        };
        let tag = |name: usize| Inside::Tag(TagScan::new(name, self.limit));
        self.inside = match (rest, raw) {
            (_, Some(raw)) if is_end_of_raw(raw) => tag(2),
            ([b'<', b'/', next, ..], None) if next.is_ascii_alphabetic() => tag(2),
            ([b'<', next, ..], None) if next.is_ascii_alphabetic() => tag(1),
            ([b'<', b'!' | b'?', ..], None) => Inside::Markup,
            // A tag that ends at once is dropped.
            ([b'<', b'/', next, ..], None) if *next != b'>' => Inside::Markup,
            _ => Inside::Text,
        };
    }

    /// Returns the next piece of `rest`. It ends before a `<`, or after a `>` that may end
    /// markup that is not a tag.
    fn next(&mut self, rest: &[u8]) -> Piece {
        let behind_start = rest.get(1..).unwrap_or_default();
        if matches!(self.inside, Inside::Markup) {
            let end = memchr::memchr(b'>', rest).map_or(rest.len(), |end| end + 1);
            return Piece { given: end, resumed: end, end };
        }
        let end = memchr::memchr(b'<', behind_start).map_or(rest.len(), |at| at + 1);
        let Inside::Tag(scan) = &mut self.inside else {
            return Piece { given: end, resumed: end, end };
        };
        let from = std::mem::take(&mut scan.from).min(end);
        let closed = scan.read(&rest[from..end]).map(|at| from + at);
        let cut = scan.cut.take().map(|at| from + at);
        if scan.is_cutting() {
            // The next piece is left out from its start.
            scan.cut = Some(0);
        }
        if closed.is_some() {
            self.inside = Inside::Text;
        }
        self.has_cut |= cut.is_some();
        let given = cut.unwrap_or(end);
        Piece { given, resumed: if cut.is_some() { closed.unwrap_or(end) } else { end }, end }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    TagName,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Quoted(u8),
    Unquoted,
    AfterQuoted,
}

/// Reads a tag piece by piece, and counts its attributes.
struct TagScan {
    /// Bytes of the first piece before the name.
    from: usize,
    limit: usize,
    state: State,
    attributes: usize,
    /// The place in the current piece where the first attribute beyond the limit begins.
    cut: Option<usize>,
}

impl TagScan {
    const fn new(from: usize, limit: usize) -> Self {
        Self { from, limit, state: State::TagName, attributes: 0, cut: None }
    }

    const fn is_cutting(&self) -> bool {
        self.attributes > self.limit
    }

    /// Reads on to the `>` that ends the tag, and returns its place.
    fn read(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            if let State::Quoted(quote) = self.state {
                at += memchr::memchr(quote, &piece[at..])?;
                self.state = State::AfterQuoted;
            } else if byte == b'>' {
                return Some(at);
            } else {
                let is_in_name = self.state == State::Name;
                self.state = self.state.next(byte);
                if self.state == State::Name && !is_in_name {
                    if self.attributes == self.limit {
                        self.cut = Some(at);
                    }
                    self.attributes = self.attributes.saturating_add(1);
                }
            }
            at += 1;
        }
        None
    }
}

impl State {
    /// Returns the state after `byte`, which ends neither the tag nor a value in quotes.
    const fn next(self, byte: u8) -> Self {
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c');
        match (self, byte) {
            (Self::BeforeValue, b'"' | b'\'') => Self::Quoted(byte),
            (Self::BeforeValue, _) if is_space => Self::BeforeValue,
            (Self::BeforeValue, _) => Self::Unquoted,
            (Self::Unquoted, _) if !is_space => Self::Unquoted,
            (Self::TagName, _) if !is_space && byte != b'/' => Self::TagName,
            (Self::Name | Self::AfterName, b'=') => Self::BeforeValue,
            (Self::Name | Self::AfterName, _) if is_space => Self::AfterName,
            (_, b'/') => Self::BeforeName,
            _ if is_space => Self::BeforeName,
            _ => Self::Name,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, test_runner::RngSeed};

    use super::super::document::{parsed, tokenizer};
    use super::super::tests::elements;
    use super::*;

    /// The elements of `text`, each with its attributes.
    fn read(text: &str, limit: usize) -> Vec<String> {
        elements(&parsed(text, limit).finish().0)
    }

    #[test]
    fn a_tag_has_its_first_attributes() {
        let many = |from: usize, count: usize, attribute: &str| -> String {
            (from..from + count).map(|it| attribute.replace('@', &it.to_string())).collect()
        };
        for attribute in ["b@ ", "b@/", "b@='<'", "b@=\">\"\n", "b@ = x\t", "b@<=1 ", "b@=a'b "] {
            let text = many(0, 3 * ATTRIBUTES_LIMIT, attribute);
            let whole = many(0, ATTRIBUTES_LIMIT - 1, attribute);
            for (start, end) in [("<a c=d ", ">x<i>"), ("</p><a c=d ", "<i>x<i>")] {
                let wanted = read(&format!("{start}{whole}>x<i>"), usize::MAX);
                let found = read(&format!("{start}{text}{end}"), ATTRIBUTES_LIMIT);
                assert_eq!(found, wanted, "{attribute:?} {end:?}");
            }
        }
        let end = format!("<p><b></p {}>x<i>", many(0, 1000, "b@ "));
        assert_eq!(read(&end, 2), read("<p><b></p>x<i>", 2));
        let (html, limits) = parsed("<a b c d e='", 2).finish();
        assert_eq!((elements(&html).len(), limits.has_wide_tag), (3, true));
        assert!(!parsed("<a b c>", 2).finish().1.has_wide_tag);
    }

    #[test]
    fn what_is_no_tag_keeps_its_words() {
        for text in [
            "<!-- <a b c d e f --><a g=h>",
            "<!a b c d e ' f><a g=h>",
            "<? <a b c d e f><a g=h>",
            "</ <a b c d e f><a g=h>",
            "</><a g=h>",
            "<script><a b c d e f</script><a g=h>",
            "<title><a b c d e f='</title><a g=h>",
            "<style></stylex b c d e f='></style><a g=h>",
            "<p><!doctype b c d e f><a g=h>",
            "1 < 2 3 4 5 6 <a g=h>",
        ] {
            assert_eq!(read(text, 2), read(text, usize::MAX), "{text}");
            assert!(read(text, 2).iter().any(|it| it.contains("g=h")), "{text}");
            assert!(!parsed(text, 2).finish().1.has_wide_tag, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3_000, rng_seed: RngSeed::Fixed(1325),
            failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_are_read_as_the_whole(
            pieces in proptest::collection::vec(
                "[<>a/='\" !&-]{0,6}|<!--|-->|<script>|</script>|<svg>|<!\\[CDATA\\[|\\]\\]>|<title>|</title>|&lt|<p b='>'>",
                0..12),
        ) {
            let text = pieces.concat();
            let tokenizer = tokenizer(&text);
            let input = BufferQueue::default();
            input.push_back(StrTendril::from(&*text));
            while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
            tokenizer.end();
            let at_once = elements(&tokenizer.sink.builder.finish().0);
            prop_assert_eq!(read(&text, usize::MAX), at_once, "{}", text);
        }

        #[test]
        fn attributes_are_cut_and_elements_stay(
            pieces in proptest::collection::vec(
                "[<>a/='\" !-]{0,6}|<!--|-->|<style>|</style>|<title>|</title>|<p b='>'>| c| d=e",
                0..16),
        ) {
            let text = pieces.concat();
            let names = |elements: Vec<String>| -> Vec<String> {
                elements.iter().map(|it| it.split(' ').next().unwrap_or_default().to_owned()).collect()
            };
            let (cut, whole) = (read(&text, 2), read(&text, usize::MAX));
            prop_assert_eq!(names(cut), names(whole), "{}", text);
        }
    }
}
