//! Properties of decoding: bodies that are nearly well encoded, and fields that name their
//! codings.

use std::io::{BufReader, Cursor, Read as _, Write as _};

use bytes::Bytes;
use flate2::Compression;
use proptest::prelude::*;

use super::super::{Codings, decode, gzip, start};
use crate::encoders::{BROTLI, deflate, gzip, zlib, zstd};
use crate::foreign_bytes::{Format, Input, config, within};
use crate::model::Failure;

/// `--max-size` of most cases: less than bombs expand to, and more than bodies do.
const MOST: usize = 16 * 1024;
/// The tables of a decoder; those of Brotli are the largest.
const TABLES: usize = 256 * 1024;
/// The largest window of Brotli, which the stream chooses (RFC 7932, 9.1), and a reserve.
const WINDOW: usize = (16 << 20) + 64 * 1024;

/// The memory of a piece, and of the vector that the test joins pieces in.
const PIECES: usize = 512 * 1024 + 4 * MOST;

fn text() -> Vec<u8> {
    (0..200).flat_map(|line| format!("line {line} of a page\n").into_bytes()).collect()
}

/// Bodies in each coding, in two of them, in several members, and some that expand to a
/// hundred times their size.
fn bodies() -> impl Strategy<Value = Input> {
    let zeros = vec![0; 1 << 20];
    // A member with an extra field, a name, a comment and a checksum of its header.
    let mut fields = flate2::GzBuilder::new()
        .extra("extra")
        .filename("name")
        .comment("comment")
        .write(Vec::new(), Compression::none());
    fields.write_all(b"text").unwrap();
    let skippable = [b"\x50\x2a\x4d\x18\x04\0\0\0skip".to_vec(), zstd(b"text")].concat();
    let documents = [
        gzip(&text()),
        gzip(&zeros),
        [gzip(b"a"), gzip(b"a"), b"rubbish".to_vec()].concat(),
        fields.finish().unwrap(),
        gzip(&gzip(&zeros)),
        zlib(&text()),
        deflate(&zeros),
        zstd(&text()),
        zstd(&zeros),
        skippable,
        gzip(&zstd(&text())),
        BROTLI.to_vec(),
        text(),
    ];
    let tokens: &[&[u8]] = &[
        b"\x1f\x8b",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
        b"\x1f\x8b\x08\x1e\0\0\0\0\0\xff\xff\xff",
        b"\x78\x9c",
        b"\x78\x01",
        b"\x01\0\0\xff\xff",
        b"\0\0\0\xff\xff",
        b"\x03\0",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd\0\xff",
        b"\x28\xb5\x2f\xfd\xe0",
        b"\x50\x2a\x4d\x18\xff\xff\xff\xff",
        b"\x50\x2a\x4d\x18\0\0\0\0",
        b"\x11",
        b"\x91\x81",
        b"\x0b\x02\x80",
    ];
    Format::new(documents, tokens).inputs()
}

fn fields() -> impl Strategy<Value = Input> {
    let documents: [&[u8]; 9] = [
        b"gzip",
        b"gzip, gzip",
        b"zstd, gzip",
        b"deflate",
        b"br",
        b"zstd",
        b"\"x-gzip\";q=1, identity",
        b"utf-8, gzip",
        b"",
    ];
    let tokens: &[&[u8]] =
        &[b", ", b"gzip", b"br", b"deflate", b"zstd", b"compress", b"utf-8", b";q=0", b"\"", b"*"];
    Format::new(documents, tokens).up_to(256).inputs()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bodies_in_codings(input in bodies(), field in fields(), most in 0..2 * MOST) {
        let body = Bytes::copy_from_slice(&input);
        let field = field.text();
        let codings = Codings::parse(Some(&field));
        let window = if field.to_ascii_lowercase().contains("br") { WINDOW } else { 0 };
        // The decoded body may have `most` bytes. Its block grows by doubling, while the
        // block before it still exists. Of several codings, the output of one is the input
        // of the next. Messages quote the field.
        let bound = TABLES + window + 5 * most + 16 * field.len();
        let decoded = within(bound, || decode::decode(&body, &codings, most as u64));
        if let Ok(decoded) = &decoded {
            prop_assert!(decoded.len() <= most);
        }
        let mut buffer = vec![0xff; MOST];
        let again = decode::decode_into(&mut buffer, &body, &codings, most as u64);
        prop_assert_eq!(again.is_ok(), decoded.is_ok());
        if let (Ok(one), Ok(other)) = (again, decoded) {
            prop_assert_eq!(one, &other[..]);
        }
        let start = within(bound, || start::decode_start(&body, &codings, most as u64));
        prop_assert!(start.is_ok_and(|start| start.len() <= most) || body.len() < most);
        gzip::announced_size(&body, &codings);
        if let Some(ignored) = codings.ignored() {
            prop_assert!(!ignored.is_empty() && ignored.len() <= field.len() + 2 * field.matches(',').count());
        }
    }

    #[test]
    fn bodies_in_pieces(input in bodies(), field in fields(), most in 0..4 * MOST, whole in 0..MOST) {
        let (field, body) = (field.text(), &*input);
        let codings = Codings::parse(Some(&field));
        let listed = codings.listed().len();
        let window = if field.to_ascii_lowercase().contains("br") { WINDOW } else { 0 };
        let mut buffer = Vec::new();
        // For each coding its tables, a buffer, and once more for its trial.
        let bound = 5 * whole + PIECES + listed * 3 * (TABLES + window) + 16 * field.len();
        let decoded = within(bound, || {
            let decoded =
                decode::decode_or_pieces(&mut buffer, body, &codings, most as u64, whole as u64);
            match decoded? {
                decode::Decoded::Whole(body) => Ok(body.to_vec()),
                decode::Decoded::InPieces(mut pieces) => {
                    let mut all = Vec::with_capacity(most);
                    while let Some(piece) = pieces.next_piece()? {
                        all.extend_from_slice(piece);
                    }
                    Ok(all)
                }
            }
        });
        let expected = decode::decode(&Bytes::copy_from_slice(body), &codings, most as u64);
        match (decoded, expected) {
            (Ok(one), Ok(other)) => prop_assert_eq!(one, &other[..]),
            (Err::<_, Failure>(_), Err(_)) => (),
            // Where the field may list a coding that was not applied, only a trial of the
            // whole body shows whether it is broken or in no coding.
            (one, other) => prop_assert!(
                listed > 1 || field.contains("deflate") || field.contains("zlib"),
                "{:?} in pieces, {:?} as a whole", one.map(|it| it.len()), other.map(|it| it.len())
            ),
        }
    }

    #[test]
    fn gzip_that_is_read_as_it_comes(input in bodies(), buffer in 1..300_usize) {
        let reader = BufReader::with_capacity(buffer, Cursor::new(input.to_vec()));
        let mut piece = vec![0; 4096];
        // The decoder with its window and its buffer, whatever the input expands to.
        within(TABLES, || {
            let mut plain = gzip::plain_reader(reader).unwrap();
            let most = 1100 * input.len() + 4096;
            let mut read = 0;
            while let Ok(length @ 1..) = plain.read(&mut piece) {
                read += length;
                assert!(read <= most, "deflate makes no more of so little");
            }
        });
    }
}
