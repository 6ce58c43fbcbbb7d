//! The `Content-Encoding` field (RFC 9110, 8.4): which codings it lists, and which of
//! its words are none. Pure.

/// The content codings of IANA's registry
/// (<https://www.iana.org/assignments/http-parameters>, "HTTP Content Coding Registry").
const REGISTERED: [&str; 14] = [
    "aes128gcm",
    "br",
    "compress",
    "dcb",
    "dcz",
    "deflate",
    "exi",
    "gzip",
    "identity",
    "pack200-gzip",
    "x-compress",
    "x-gzip",
    "zstd",
    "*",
];

/// The codings that `field` lists, the one that was applied last first; those that
/// say nothing are left out. Quotes, and what some applications put behind a coding as
/// behind a media type, are no part of it.
pub(super) fn listed(field: Option<&str>) -> impl Iterator<Item = &str> {
    let codings = field.unwrap_or("").rsplit(',').map(|coding| {
        let bare = coding.trim().split([';', ' ', '\t']).next().unwrap_or_default();
        bare.trim_matches('"')
    });
    codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
}

/// Names of codings that are not registered, but in use.
const UNREGISTERED: [&str; 15] = [
    "brotli",
    "zlib",
    "x-deflate",
    "bz2",
    "bzip2",
    "lz4",
    "lzma",
    "sdch",
    "snappy",
    "x-bzip2",
    "x-lzma",
    "x-snappy",
    "x-xz",
    "x-zstd",
    "xz",
];

/// Whether `name` is the name of a coding. Others are labels that an application put
/// into the wrong field, such as `utf-8` and `none`.
pub(super) fn is_coding(name: &str) -> bool {
    let mut known = REGISTERED.iter().chain(&UNREGISTERED);
    known.any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether `body` begins like one in a coding: the signatures of gzip (RFC 1952), zlib
/// (RFC 1950, 2.2, but for `x^`, which text may begin with), compress, Zstandard
/// (RFC 8878), xz, bzip2, lzma and LZ4.
pub(super) fn looks_encoded(body: &[u8]) -> bool {
    const SIGNATURES: [&[u8]; 10] = [
        b"\x78\x01",
        b"\x78\x9c",
        b"\x78\xda",
        b"\x5d\0\0",
        b"\x1f\x8b",
        b"\x1f\x9d",
        b"\x28\xb5\x2f\xfd",
        b"\xfd7zXZ\0",
        b"BZh",
        b"\x04\x22\x4d\x18",
    ];
    SIGNATURES.iter().any(|signature| body.starts_with(signature))
}

/// The words of `field` that are no codings and were passed over, for the record.
pub(crate) fn ignored(field: Option<&str>) -> Option<String> {
    let ignored: Vec<_> = listed(field).filter(|word| !is_coding(word)).collect();
    (!ignored.is_empty()).then(|| ignored.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_told_from_labels() {
        for (field, codings, labels) in [
            (None, &[][..], None),
            (Some(""), &[], None),
            (Some("gzip, "), &["gzip"], None),
            (Some("identity, BR"), &["BR"], None),
            (Some("gzip, zstd"), &["zstd", "gzip"], None),
            (Some("UTF-8"), &["UTF-8"], Some("UTF-8")),
            (Some("gzip;q=1.0"), &["gzip"], None),
            (Some("\"gzip\", br ; x"), &["br", "gzip"], None),
            (Some("gzip utf-8"), &["gzip"], None),
            (Some("none, gzip"), &["gzip", "none"], Some("none")),
        ] {
            assert_eq!(listed(field).collect::<Vec<_>>(), codings);
            assert_eq!(ignored(field).as_deref(), labels);
        }
    }
}
