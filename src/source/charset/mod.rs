//! The encoding of a page (HTML Living Standard, 13.2.3), and its decoding. Pure.

mod prescan;

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

pub(crate) use prescan::named_in_content;

/// The scan before parsing reads this many bytes (HTML Living Standard, 13.2.3.2, step 5).
const PRESCAN_BYTES: usize = 1024;

/// How sure the encoding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confidence {
    /// A `meta` element that the parser finds may still change it.
    Tentative,
    /// A byte order mark or the header of the answer names it.
    Certain,
}

/// The encoding of a page before it is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sniffed {
    /// The encoding to begin with.
    pub encoding: &'static Encoding,
    /// How sure that encoding is.
    pub confidence: Confidence,
}

/// Finds the encoding of `body` by, in this order: its byte order mark, the charset of
/// `content_type`, the charset that its first bytes name, UTF-8 if it is that,
/// windows-1252 (HTML Living Standard, 13.2.3.2, without guessing by language).
pub(crate) fn sniff(body: &[u8], content_type: Option<&str>) -> Sniffed {
    let certain = Encoding::for_bom(body)
        .map(|(encoding, _)| encoding)
        .or_else(|| of_content_type(content_type?));
    if let Some(encoding) = certain {
        return Sniffed { encoding, confidence: Confidence::Certain };
    }
    let encoding = prescan::prescan(&body[..body.len().min(PRESCAN_BYTES)])
        .unwrap_or_else(|| if std::str::from_utf8(body).is_ok() { UTF_8 } else { WINDOWS_1252 });
    Sniffed { encoding, confidence: Confidence::Tentative }
}

/// Finds the encoding of the XML `body` by, in this order: its byte order mark, the charset
/// of `content_type` (RFC 7303, 3), its first bytes and its declaration (XML 1.0,
/// 4.3.3 and F), UTF-8. White space before the declaration is allowed.
pub(crate) fn sniff_xml(body: &[u8], content_type: Option<&str>) -> &'static Encoding {
    let by_look = || match body {
        [b'<', 0, second, 0, ..] if *second != 0 => Some(UTF_16LE),
        [0, b'<', 0, second, ..] if *second != 0 => Some(UTF_16BE),
        _ => None,
    };
    Encoding::for_bom(body)
        .map(|(encoding, _)| encoding)
        .or_else(|| of_content_type(content_type?))
        .or_else(by_look)
        .or_else(|| {
            let start = body.trim_ascii_start();
            prescan::named_by_declaration(&start[..start.len().min(PRESCAN_BYTES)])
        })
        .unwrap_or(UTF_8)
}

/// Decodes `body` as `encoding`, or as its byte order mark says. Bytes that are not part of a
/// character become U+FFFD.
pub(crate) fn decode<'a>(body: &'a [u8], encoding: &'static Encoding) -> Cow<'a, str> {
    encoding.decode(body).0
}

/// Returns the encoding that replaces `current` when the parser finds a `meta`
/// element that names `named`; `None` when `current` stays
/// (HTML Living Standard, 13.2.3.5).
pub(crate) fn changed(
    current: &'static Encoding,
    named: &'static Encoding,
) -> Option<&'static Encoding> {
    let named = as_meta_means(named);
    let stays = current == UTF_16LE || current == UTF_16BE || current == named;
    (!stays).then_some(named)
}

/// Returns the encoding that the `charset` of a media type names (RFC 9110, 8.3.1).
pub(crate) fn of_content_type(content_type: &str) -> Option<&'static Encoding> {
    let label = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })?;
    Encoding::for_label(label.as_bytes())
}

/// Returns the encoding that a `meta` element means by `named`. A page whose `meta` can be read
/// is not UTF-16, and only a page's own script can read `x-user-defined` (HTML Living Standard,
/// 13.2.3.2 and 13.2.3.5).
fn as_meta_means(named: &'static Encoding) -> &'static Encoding {
    if named == UTF_16LE || named == UTF_16BE {
        UTF_8
    } else if named == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &[u8], content_type: Option<&str>) -> String {
        decode(body, sniff(body, content_type).encoding).into_owned()
    }

    #[test]
    fn the_strongest_word_on_the_charset_counts() {
        for (body, content_type, wanted) in [
            (&b"S\xe3o"[..], Some("text/html; charset=ISO-8859-1"), "São"),
            (b"S\xc3\xa3o", Some("text/html"), "São"),
            (b"S\xe3o", None, "São"),
            (b"\xff\xfeS\0\xe3\0o\0", Some("text/html; charset=utf-8"), "São"),
            (b"\xef\xbb\xbfS\xc3\xa3o", Some("text/html; charset=latin1"), "São"),
            (b"\xe5\x9b\xbd", Some("text/html; charset=\"no-such-charset\""), "国"),
        ] {
            assert_eq!(text(body, content_type), wanted);
        }
        let koi = b"<meta charset=\"koi8-r\"><p>\xcd\xc9\xd2";
        assert!(text(koi, None).ends_with("мир"));
        assert!(text(koi, Some("text/html; charset=latin1")).ends_with("ÍÉÒ"));
        let japanese =
            b"<meta http-equiv=content-type content='text/html; charset=shift_jis'>\x8d\x91";
        assert!(text(japanese, None).ends_with('国'));
    }

    #[test]
    fn only_a_mark_or_the_header_makes_an_encoding_certain() {
        for (body, content_type, wanted) in [
            (&b"\xef\xbb\xbfx"[..], None, Confidence::Certain),
            (b"x", Some("text/html; charset=koi8-r"), Confidence::Certain),
            (b"x", Some("text/html; charset=none"), Confidence::Tentative),
            (b"<meta charset=koi8-r>", None, Confidence::Tentative),
            (b"x", None, Confidence::Tentative),
        ] {
            assert_eq!(sniff(body, content_type).confidence, wanted);
        }
    }

    #[test]
    fn a_meta_that_the_parser_finds_changes_the_encoding() {
        use encoding_rs::{KOI8_R, UTF_16BE};
        for (current, named, wanted) in [
            (WINDOWS_1252, KOI8_R, Some(KOI8_R)),
            (UTF_8, KOI8_R, Some(KOI8_R)),
            (KOI8_R, KOI8_R, None),
            (KOI8_R, UTF_16LE, Some(UTF_8)),
            (UTF_8, UTF_16BE, None),
            (UTF_8, X_USER_DEFINED, Some(WINDOWS_1252)),
            (UTF_16LE, KOI8_R, None),
        ] {
            assert_eq!(changed(current, named), wanted, "{current:?} {named:?}");
        }
    }
}
