//! Documents of a format with a few errors, as careless and hostile servers send them.

use std::fmt;
use std::ops::{Deref, Range};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::encoders::gzip;

/// The largest size of an input in bytes, unless a format sets another: enough for deep
/// nesting and for most limits, and little enough for many cases.
const SIZE: usize = 24 * 1024;
/// The largest number of changes to a document.
const CHANGES: usize = 12;

/// Bytes that have a meaning in at least one format.
const BYTES: &[u8] =
    b"\0\t\n\r \"#$%&'()*+,-./09:;<=>?@AZ[\\]_az{|}~\x7f\x80\xbf\xc0\xe2\xed\xf0\xff";
/// Texts that matter in every format: byte order marks, invisible characters, bytes that
/// are not text, numbers at the ends of their ranges.
const TOKENS: &[&[u8]] = &[
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xe2\x80\xae",
    b"\xe3\x80\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xc3\xa9",
    b"\r\n",
    b"\n\n",
    b"%",
    b"%00",
    b"%zz",
    b"://",
    b"http://a.org/",
    b"http://me:pw@[::1]:81/x?y#z",
    b"0",
    b"-1",
    b"1e999",
    b"0.1",
    b"4294967296",
    b"18446744073709551616",
    b"99999999999999999999999999999999999999999",
];
/// Numbers of four bytes at the ends of their ranges.
const WORDS: &[[u8; 4]] =
    &[[0; 4], [0xff; 4], [0xff, 0xff, 0xff, 0x7f], [0, 0, 0, 0x80], [1, 0, 0, 0]];

/// A format: well written documents, and texts that have a meaning in it.
pub(crate) struct Format {
    documents: Vec<Vec<u8>>,
    tokens: &'static [&'static [u8]],
    size: usize,
}

/// One input. Its `Debug` form is a byte string in which repetitions are written once.
#[derive(Clone)]
pub(crate) struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes: ", self.0.len())?;
        let mut rest = &self.0[..];
        let mut plain = 0;
        while plain < rest.len() {
            if let Some((period, times)) = repetition(&rest[plain..]) {
                let (before, behind) = rest.split_at(plain);
                let (piece, _) = behind.split_at(period);
                let (before, piece) = (before.escape_ascii(), piece.escape_ascii());
                write!(f, "b\"{before}\" + {times} times b\"{piece}\" + ")?;
                rest = &behind[period * times..];
                plain = 0;
            } else {
                plain += 1;
            }
        }
        write!(f, "b\"{}\"", rest.escape_ascii())
    }
}

/// Returns the length of the piece that the start of `bytes` repeats, and the number of
/// repetitions.
fn repetition(bytes: &[u8]) -> Option<(usize, usize)> {
    const LONGEST: usize = 40;
    const MANY: usize = 8;
    (1..=LONGEST.min(bytes.len() / MANY)).find_map(|period| {
        let piece = &bytes[..period];
        let times = bytes.chunks_exact(period).take_while(|chunk| *chunk == piece).count();
        (times >= MANY).then_some((period, times))
    })
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Input {
    /// Returns the input as text; bytes that are not text become U+FFFD.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// Returns the input in pieces, which have the lengths `steps` in turn.
    pub(crate) fn pieces(&self, steps: &[usize]) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        let mut steps = steps.iter().cycle();
        std::iter::from_fn(move || {
            let step = steps.next().copied().unwrap_or(usize::MAX).clamp(1, rest.len().max(1));
            let (piece, behind) = rest.split_at_checked(step)?; // nothing is left
            rest = behind;
            Some(piece)
        })
    }
}

/// Draws lengths for [`Input::pieces`]: mostly short ones, and some long ones.
pub(crate) fn steps() -> impl Strategy<Value = Vec<usize>> {
    let step = prop_oneof![3 => 1..8_usize, 2 => 8..300_usize, 1 => 300..9000_usize];
    prop::collection::vec(step, 1..4)
}

impl Format {
    /// Creates a format with these documents and tokens.
    pub(crate) fn new<D: AsRef<[u8]>>(
        documents: impl IntoIterator<Item = D>,
        tokens: &'static [&'static [u8]],
    ) -> Self {
        let documents = documents.into_iter().map(|it| it.as_ref().to_vec()).collect();
        Self { documents, tokens, size: SIZE }
    }

    /// Limits inputs to `size` bytes.
    pub(crate) fn up_to(self, size: usize) -> Self {
        Self { size, ..self }
    }

    /// Draws inputs: documents of this format with a few changes.
    pub(crate) fn inputs(self) -> impl Strategy<Value = Input> {
        let change = any::<(u8, u16, u16, u16)>();
        (any::<u16>(), prop::collection::vec(change, 0..CHANGES)).prop_map(
            move |(document, changes)| {
                let mut bytes = pick(&self.documents, document).cloned().unwrap_or_default();
                for (kind, at, span, which) in changes {
                    self.change(&mut bytes, Change { kind, at, span, which });
                    bytes.truncate(self.size);
                }
                Input(bytes)
            },
        )
    }

    fn change(&self, bytes: &mut Vec<u8>, change: Change) {
        let range = change.range(bytes.len());
        let at = range.start;
        let token = if change.which.is_multiple_of(4) { TOKENS } else { self.tokens };
        let token = pick(token, change.which / 4).copied().unwrap_or_default();
        match change.kind % 16 {
            0 => {
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (change.which % 8));
            }
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = change.byte()),
            2 => insert(bytes, at, &[change.byte()]),
            3 | 4 => insert(bytes, at, token),
            5 => drop(bytes.splice(range, token.iter().copied())),
            6 => drop(bytes.drain(range)),
            7 => bytes.truncate(at),
            8 => drop(bytes.drain(..at)),
            9 => {
                let piece = bytes[range].to_vec();
                insert(bytes, at, &piece.repeat(self.count(piece.len(), change.which)));
            }
            10 => insert(bytes, at, &token.repeat(self.count(token.len(), change.span))),
            11 => insert(bytes, at, &vec![change.byte(); self.count(1, change.span)]),
            12 => {
                let other = pick(&self.documents, change.which).map_or(&[][..], |it| it);
                let piece = &other[change.range(other.len())];
                insert(bytes, at, piece);
            }
            13 => bytes[range].reverse(),
            14 => {
                let word = pick(WORDS, change.which).copied().unwrap_or_default();
                bytes.iter_mut().skip(at).zip(word).for_each(|(byte, other)| *byte = other);
            }
            _ => wrap(bytes, change.which),
        }
    }

    /// Returns the number of repetitions of a piece of this length: mostly a few, and at most
    /// as many as fit into an input.
    fn count(&self, length: usize, drawn: u16) -> usize {
        skewed(drawn).min(self.size / length.max(1))
    }
}

/// One change; its numbers count as fractions of the input and of the lists to pick from.
#[derive(Debug, Clone, Copy)]
struct Change {
    kind: u8,
    at: u16,
    span: u16,
    which: u16,
}

impl Change {
    fn range(self, length: usize) -> Range<usize> {
        let at = (usize::from(self.at) * (length + 1)) >> 16;
        at..(at + skewed(self.span)).min(length)
    }

    fn byte(self) -> u8 {
        let [byte, which] = self.which.to_be_bytes();
        if which.is_multiple_of(8) { byte } else { BYTES[usize::from(byte) % BYTES.len()] }
    }
}

/// Returns a number from 0 to 65,535, with each number of binary digits equally likely.
fn skewed(drawn: u16) -> usize {
    usize::from(drawn) >> (drawn % 16)
}

fn pick<T>(of: &[T], which: u16) -> Option<&T> {
    of.get(usize::from(which) % of.len().max(1))
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(bytes.splice(at..at, piece.iter().copied()));
}

/// Converts all bytes to another encoding.
fn wrap(bytes: &mut Vec<u8>, which: u16) {
    let text = String::from_utf8_lossy(bytes);
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    *bytes = match which % 4 {
        0 => units.flat_map(u16::to_le_bytes).collect(),
        1 => units.flat_map(u16::to_be_bytes).collect(),
        2 => gzip(bytes),
        _ => bytes.to_ascii_uppercase(),
    };
}

#[test]
fn inputs_differ_stay_within_their_size_and_shrink_to_a_document() {
    let format = Format::new([&b"<one>"[..], b"<two/>"], &[b"<token>"]).up_to(1000);
    let inputs = format.inputs();
    let mut runner = TestRunner::deterministic();
    let mut drawn: Vec<_> = (0..500).map(|_| inputs.new_tree(&mut runner).unwrap()).collect();
    let seen: std::collections::BTreeSet<_> = drawn.iter().map(|it| it.current().0).collect();
    assert!(seen.len() > 400, "{}", seen.len());
    assert!(seen.iter().all(|it| it.len() <= 1000));
    assert!(seen.iter().any(|it| it.len() == 1000));
    for token in [&b"<token>"[..], b"\xef\xbb\xbf", b"\x1f\x8b"] {
        assert!(seen.iter().any(|it| memchr::memmem::find(it, token).is_some()), "{token:?}");
    }
    while drawn[0].simplify() {}
    assert_eq!(drawn[0].current().0, b"<one>");
}

#[test]
fn repetitions_are_shown_once() {
    let input = Input([&b"ab\0"[..], &b"<a>".repeat(1000), &[b' '; 9], b"end"].concat());
    let shown = r#"3015 bytes: b"ab\x00" + 1000 times b"<a>" + b"" + 9 times b" " + b"end""#;
    assert_eq!(format!("{input:?}"), shown);
    assert_eq!(format!("{:?}", Input(Vec::new())), r#"0 bytes: b"""#);
}

#[test]
fn pieces_put_together_are_the_input() {
    let input = Input((0..=255).collect());
    for steps in [&[1][..], &[3, 100], &[1000], &[]] {
        assert_eq!(input.pieces(steps).collect::<Vec<_>>().concat(), *input, "{steps:?}");
        assert!(input.pieces(steps).all(|piece| !piece.is_empty()));
    }
    assert_eq!(Input(Vec::new()).pieces(&[2]).count(), 0);
}
