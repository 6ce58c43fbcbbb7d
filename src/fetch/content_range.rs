//! Parses the `Content-Range` field (RFC 9110, 14.4) of parts that are the whole. Pure.

/// Returns the length of the whole if `value` covers all of it: `bytes 0-499/500` gives
/// 500.
pub(super) fn whole(value: &str) -> Option<u64> {
    let (unit, rest) = value.trim().split_once(' ')?;
    let (range, length) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_number)
    };
    let (first, last, length) = (number(first)?, number(last)?, number(length)?);
    let is_all = first == 0 && last.checked_add(1) == Some(length);
    (unit.eq_ignore_ascii_case("bytes") && is_all).then_some(length)
}
