//! Which characters the bytes of an HTML page stand for. Pure.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// A page may name its charset within so many bytes (HTML Living Standard, 4.2.5.4).
const PRESCAN: usize = 1024;

/// A page as text.
pub struct Decoded<'a> {
    /// The text; bytes that stand for nothing became U+FFFD.
    pub text: Cow<'a, str>,
    /// The charset that was found.
    pub encoding: &'static Encoding,
}

/// Decodes `body` by, in this order: its byte order mark, the charset of
/// `content_type`, the charset that the page itself names, UTF-8 if it is that,
/// windows-1252 (HTML Living Standard, 13.2.3.2, without guessing by language).
pub fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    let encoding = Encoding::for_bom(body)
        .map(|(encoding, _)| encoding)
        .or_else(|| Encoding::for_label(charset_parameter(content_type?)?.as_bytes()))
        .or_else(|| named_in(&body[..body.len().min(PRESCAN)]))
        .unwrap_or_else(|| if std::str::from_utf8(body).is_ok() { UTF_8 } else { WINDOWS_1252 });
    let (text, encoding, _) = encoding.decode(body);
    Decoded { text, encoding }
}

/// The `charset` of a media type (RFC 9110, 8.3.1).
fn charset_parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// The charset that a `meta` element names: what follows the first `charset=`.
fn named_in(head: &[u8]) -> Option<&'static Encoding> {
    let head = head.to_ascii_lowercase();
    let start = memchr::memmem::find(&head, b"charset")? + b"charset".len();
    let rest = head[start..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = rest.iter().position(|byte| b"\"'> ;/".contains(byte)).unwrap_or(rest.len());
    let encoding = Encoding::for_label(&rest[..end])?;
    // A page that can be read so far is not in UTF-16, whatever it says.
    Some(if encoding.is_ascii_compatible() { encoding } else { UTF_8 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_word_on_the_charset_counts() {
        let koi = b"<meta charset=\"koi8-r\"><p>\xcd\xc9\xd2";
        for (body, content_type, text) in [
            (&b"S\xe3o"[..], Some("text/html; charset=ISO-8859-1"), "São"),
            (b"S\xc3\xa3o", Some("text/html"), "São"),
            (b"S\xe3o", None, "São"),
            (b"\xff\xfeS\0\xe3\0o\0", Some("text/html; charset=utf-8"), "São"),
            (b"\xef\xbb\xbfS\xc3\xa3o", Some("text/html; charset=latin1"), "São"),
            (b"\xe5\x9b\xbd", Some("text/html; charset=\"no-such-charset\""), "国"),
        ] {
            assert_eq!(decode(body, content_type).text, text);
        }
        assert!(decode(koi, None).text.ends_with("мир"));
        assert!(
            decode(b"<meta http-equiv=x content='text/html; charset=shift_jis'>\x8d\x91", None)
                .text
                .ends_with('国')
        );
    }
}
