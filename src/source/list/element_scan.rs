//! Finds where an element of a JSON array ends. Pure.

/// Where an element ends, counted from the piece that is looked at.
pub(super) enum ElementEnd {
    /// Behind its last byte.
    Behind(usize),
    /// Where another element begins, although this one is not over.
    Before(usize),
    /// At a bracket that closes none of its own.
    Unmatched(usize),
}

/// Looks at an element for its end, piece by piece. Where quotes and brackets match,
/// that is all that counts: a reader of JSON decides on the rest.
#[derive(Default)]
pub(super) struct ElementScan {
    /// The brackets that close those that are open.
    closing: Vec<u8>,
    is_in_text: bool,
    is_escaped: bool,
    /// The element is a number or a word, and ends where another byte comes.
    is_word: bool,
    /// The last byte outside of texts that is no white space.
    last: u8,
}

impl ElementScan {
    /// Looks at the next `piece`; returns where the element ends, once that is known.
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

    /// The length of what `piece` begins with and belongs to the present text.
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
                // No text goes over several lines, so a quote was forgotten before.
                self.is_in_text = false;
                return at;
            }
        }
        at
    }
}
