//! Finds where an element of a JSON array ends. Pure.

/// Where an element ends, counted from the start of the piece.
pub(super) enum ElementEnd {
    /// After its last byte.
    Behind(usize),
    /// Where another element begins, although this one has not ended.
    Before(usize),
    /// At a bracket that closes no bracket of its own.
    Unmatched(usize),
}

/// Looks for the end of an element, piece by piece. It only checks that quotes and brackets
/// match; the reader of JSON checks the rest.
#[derive(Default)]
pub(super) struct ElementScan {
    /// The closing brackets that are expected, the innermost last.
    closing: Vec<u8>,
    is_in_text: bool,
    is_escaped: bool,
    /// The element is a number or a word, and ends before a byte of another kind.
    is_word: bool,
    /// The last byte outside of texts that is not white space.
    last: u8,
}

impl ElementScan {
    /// Looks at the next piece, and returns where the element ends, once that is known.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Option<ElementEnd> {
        let mut at = 0;
        while at < piece.len() {
            if self.is_in_text {
                at += self.text(&piece[at..]);
                if !self.is_in_text && self.closing.is_empty() {
                    return Some(ElementEnd::Behind(at));
                }
                continue;
            }
            let byte = piece[at];
            if self.is_word || (self.closing.is_empty() && !matches!(byte, b'"' | b'{' | b'[')) {
                if self.is_word && (byte.is_ascii_whitespace() || b"\",[]{}".contains(&byte)) {
                    return Some(ElementEnd::Behind(at));
                }
                self.is_word = true;
                at += 1;
                continue;
            }
            // Within an object, another one is the value of a member.
            let is_misplaced = self.closing.last() == Some(&b'}') && self.last != b':';
            match byte {
                b'{' if is_misplaced => return Some(ElementEnd::Before(at)),
                b'"' => self.is_in_text = true,
                b'{' => self.closing.push(b'}'),
                b'[' => self.closing.push(b']'),
                b'}' | b']' => {
                    let Some(open) = self.closing.iter().rposition(|closing| *closing == byte)
                    else {
                        return Some(ElementEnd::Unmatched(at));
                    };
                    self.closing.truncate(open);
                    if open == 0 {
                        return Some(ElementEnd::Behind(at + 1));
                    }
                }
                _ => (),
            }
            if !byte.is_ascii_whitespace() {
                self.last = byte;
            }
            at += 1;
        }
        None
    }

    /// Whether the element is a number or a word, which the end of the input ends too.
    pub(super) const fn is_word(&self) -> bool {
        self.is_word
    }

    /// The number of bytes at the start of `piece` that belong to the current text.
    fn text(&mut self, piece: &[u8]) -> usize {
        let mut at = 0;
        while at < piece.len() {
            if std::mem::take(&mut self.is_escaped) {
                at += 1;
                continue;
            }
            let Some(length) = memchr::memchr3(b'"', b'\\', b'\n', &piece[at..]) else {
                return piece.len();
            };
            at += length + 1;
            if piece[at - 1] == b'\\' {
                self.is_escaped = true;
            } else {
                // A JSON text never has several lines, so a closing quote is missing.
                self.is_in_text = false;
                return at;
            }
        }
        at
    }
}
