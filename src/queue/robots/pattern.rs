//! How a pattern of a robots.txt and the path of a URL are compared. Pure.

/// The characters of a path that stay as they are, besides the unreserved ones: the reserved
/// ones of RFC 3986, 2.2 except `*` and `$`, and a `%` that begins no escape.
pub(super) const LITERAL_IN_PATH: &[u8] = b":/?#[]@!&'()+,;=%";
/// The same for a pattern, where `*` is a wildcard.
pub(super) const LITERAL_IN_PATTERN: &[u8] = b"*:/?#[]@!&'()+,;=%";

/// Appends `octets` in the one spelling in which both sides are compared (RFC 9309, 2.2.2).
///
/// Escapes of unreserved characters are decoded, the hex digits of others made
/// upper case, and octets that no URI may hold are encoded, invalid UTF-8 as
/// well. A reserved character and its escape stay different (RFC 3986, 2.2):
/// `/a%2Fb` is not `/a/b`. RFC 9309 would encode reserved ones, but cannot mean
/// all, as "/" is one. Those that are not `literal` are encoded: `$`, and in a
/// path `*`, so that a rule can name them by `%24` and `%2A` (2.2.3). The result is printable
/// ASCII.
pub(super) fn normalise(octets: &[u8], literal: &[u8], into: &mut String) {
    let digit = |four: u8| char::from(b"0123456789ABCDEF"[usize::from(four)]);
    let mut rest = octets;
    while let [octet, ..] = rest {
        let decoded = escaped(rest);
        let octet = decoded.unwrap_or(*octet);
        let is_unreserved = octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
        if is_unreserved || decoded.is_none() && literal.contains(&octet) {
            into.push(char::from(octet));
        } else {
            into.extend(['%', digit(octet >> 4), digit(octet & 15)]);
        }
        rest = &rest[if decoded.is_some() { 3 } else { 1 }..];
    }
}

/// Returns the octet that an escape at the start of `text` stands for.
fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let digit = |octet: u8| char::from(octet).to_digit(16);
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok() // two digits always fit
}

/// Whether `pattern` matches `path` from its start, both normalised; adds to
/// `searched` the octets that wildcards make it look through.
///
/// A piece between two wildcards is taken where it comes first: a later place
/// would leave the others less room, so nothing is tried twice. `str::find` is
/// linear (Crochemore and Perrin, "Two-way string-matching", 1991), so this is.
pub(super) fn matches(pattern: &str, path: &str, searched: &mut usize) -> bool {
    let (pattern, is_anchored) =
        pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let Some((head, tail)) = pattern.split_once('*') else {
        return if is_anchored { path == pattern } else { path.starts_with(pattern) };
    };
    let Some(mut rest) = path.strip_prefix(head) else { return false };
    *searched += tail.len() + rest.len();
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    for piece in middle.split('*') {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    if is_anchored { rest.ends_with(last) } else { rest.contains(last) }
}
