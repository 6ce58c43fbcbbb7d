//! SHA-256 of a body, computed with the CPU's own instructions where it has them.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// The bytes of a stream that are in memory at a time.
const PIECE: usize = 64 * 1024;

/// Returns the SHA-256 of `bytes` (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A digest of data that comes piece by piece.
#[derive(Default)]
pub(crate) struct Running(Sha256);

impl Running {
    /// Adds the next piece.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Returns the SHA-256 of all pieces.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// Returns the SHA-256 of `stream`, which is read to its end in pieces.
///
/// # Errors
///
/// Those of reading.
pub(crate) fn sha256_of(stream: &mut impl Read) -> io::Result<[u8; 32]> {
    let (mut digest, mut piece) = (Running::default(), vec![0; PIECE]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(digest.finish()),
            Ok(read) => digest.add(&piece[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
}

/// Returns `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = vec![0; 2 * bytes.len()];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    String::from_utf8(text).expect("digits are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256(b"")), empty);
        assert_eq!(hex(&sha256(b"abc")), abc);
        let long = vec![7; 3 * PIECE + 1];
        assert_eq!(sha256_of(&mut &*long).unwrap(), sha256(&long));
    }
}
