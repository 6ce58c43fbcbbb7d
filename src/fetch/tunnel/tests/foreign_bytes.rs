//! What proxies answer to CONNECT, nearly well written.

use proptest::prelude::*;

use super::super::answer::{AnswerReader, Malformed, Status};
use crate::fetch::head::SIZE_LIMIT;
use crate::foreign_bytes::{Format, Input, config, steps, within};

fn answers() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 4] = [
        b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n\x16\x03",
        b"\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 502 Bad\r\nA: b\r\n  folded\r\n\tso\r\n\r\n",
        b"HTTP/1.1 103\n\nHTTP/1.1 102 x\n\nHTTP/1.1 101 y\n\n",
        b"HTTP/1.1 407 \x1b[2J\r\nProxy-Authenticate: Basic\r\n\r\n",
    ];
    let tokens: &[&[u8]] = &[
        b"HTTP/1.1 ",
        b"HTTP/1.1 102 x\r\n\r\n",
        b"HTTP/2 200\r\n",
        b"\r\n\r\n",
        b"\r\r\n",
        b"\r",
        b"\0",
        b" ",
        b": x\r\n",
        b"\r\n ",
        b"099",
        b"1000",
    ];
    Format::new(documents, tokens).up_to(SIZE_LIMIT as usize + 4096).inputs()
}

/// What an answer comes to, and how many bytes it takes.
fn read(input: &Input, steps: &[usize]) -> Result<Option<(Status, usize)>, Malformed> {
    let limit = SIZE_LIMIT as usize;
    let largest = steps.iter().copied().max().unwrap_or(input.len()).min(input.len());
    // One line is held, within a block that may be twice as large and grows out of another.
    // The words of a status line are made fit for a message before they are shortened:
    // what is no text, or a control character, then takes three bytes, in blocks that grow.
    within(1024 + 24 * largest.max(input.len().min(limit)), || {
        let mut answer = AnswerReader::default();
        let mut before = 0;
        for piece in input.pieces(steps) {
            if let Some((status, used)) = answer.take(piece)? {
                assert!(used <= piece.len() && before + used <= limit);
                return Ok(Some((status, before + used)));
            }
            before += piece.len();
        }
        Ok(None)
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn answers_in_pieces(input in answers(), steps in steps()) {
        match (read(&input, &[]), read(&input, &steps)) {
            // What comes first, a malformed line or its length, depends on the pieces.
            (Err(_), Err(_)) => (),
            (whole, pieces) => prop_assert_eq!(whole, pieces),
        }
    }
}
