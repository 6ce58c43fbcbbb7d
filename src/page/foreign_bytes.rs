//! Bodies in content codings, nearly well encoded, and what names their codings.

use std::io::{BufReader, Cursor, Read as _, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::{codings, decode};
use crate::foreign_bytes::{Format, Input, config, gzip, within};
use crate::model::Failure;

/// `--max-size` of most cases: less than bombs hold and more than bodies do.
const MOST: usize = 16 * 1024;
/// The tables of a decoder; those of Brotli are the largest.
const TABLES: usize = 256 * 1024;
/// The window of Brotli, which the stream chooses (RFC 7932, 9.1), with some more.
const WINDOW: usize = (16 << 20) + 64 * 1024;

/// A piece, and what it is put together in here.
const PIECES: usize = 512 * 1024 + 4 * MOST;

fn text() -> Vec<u8> {
    (0..200).flat_map(|line| format!("line {line} of a page\n").into_bytes()).collect()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 3).unwrap()
}

/// Bodies in each coding, in two of them, in several members, and some that unfold into
/// a hundred times their size.
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
    // 400 times "hello ", then "end", by Google's encoder.
    let brotli = b"\x1bb\x09\xf8\x8d\x94n\xdeDY\x86\xe6\xd6 dloJ\x93\xdb\xe2\x80(\x02\0R\xc3\x02";
    let documents = [
        gzip(&text()),
        gzip(&zeros),
        [gzip(b"a"), gzip(b"a"), b"rubbish".to_vec()].concat(),
        fields.finish().unwrap(),
        gzip(&gzip(&zeros)),
        zlib(&text()),
        deflated(&zeros),
        zstd(&text()),
        zstd(&zeros),
        skippable,
        gzip(&zstd(&text())),
        brotli.to_vec(),
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
        let window = if field.to_ascii_lowercase().contains("br") { WINDOW } else { 0 };
        // What is decoded may be `most` bytes; the block that it is in grows by doubling,
        // beside the one before it. Of several codings the input of one is the output of
        // another. The field is quoted.
        let bound = TABLES + window + 5 * most + 16 * field.len();
        let decoded = within(bound, || decode::decode(&body, Some(&field), most as u64));
        if let Ok(decoded) = &decoded {
            prop_assert!(decoded.len() <= most);
        }
        let mut room = vec![0xff; MOST];
        let again = decode::decode_into(&mut room, &body, Some(&field), most as u64);
        prop_assert_eq!(again.is_ok(), decoded.is_ok());
        if let (Ok(one), Ok(other)) = (again, decoded) {
            prop_assert_eq!(one, &other[..]);
        }
        let start =
            within(bound, || decode::decode_start(&body, Some(&field), most as u64));
        prop_assert!(start.is_ok_and(|start| start.len() <= most) || body.len() < most);
        decode::told_size(&body, Some(&field));
        if let Some(ignored) = codings::ignored(Some(&field)) {
            prop_assert!(!ignored.is_empty() && ignored.len() <= field.len() + 2 * field.matches(',').count());
        }
    }

    #[test]
    fn bodies_in_pieces(input in bodies(), field in fields(), most in 0..4 * MOST, whole in 0..MOST) {
        let (field, body) = (field.text(), &*input);
        let listed = codings::listed(Some(&field)).count();
        let window = if field.to_ascii_lowercase().contains("br") { WINDOW } else { 0 };
        let mut room = Vec::new();
        // For each coding its tables, a buffer, and once more for its trial.
        let bound = 5 * whole + PIECES + listed.min(6) * 3 * (TABLES + window) + 16 * field.len();
        let decoded = within(bound, || {
            let decoded =
                decode::decode_or_pieces(&mut room, body, Some(&field), most as u64, whole as u64);
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
        let expected = decode::decode(&Bytes::copy_from_slice(body), Some(&field), most as u64);
        match (decoded, expected) {
            (Ok(one), Ok(other)) => prop_assert_eq!(one, &other[..]),
            (Err::<_, Failure>(_), Err(_)) => (),
            // What is broken behind its first bytes, in a coding that may be none, is told
            // from what is none by trying all of it.
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
        // The decoder with its window and what is read ahead, whatever it unfolds into.
        within(TABLES, || {
            let mut plain = decode::plain_reader(reader).unwrap();
            let most = 1100 * input.len() + 4096;
            let mut read = 0;
            while let Ok(length @ 1..) = plain.read(&mut piece) {
                read += length;
                assert!(read <= most, "deflate makes no more of so little");
            }
        });
    }
}
