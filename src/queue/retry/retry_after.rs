//! The `Retry-After` field (RFC 9110, 10.2.3): how long a server asks clients to wait. Pure.

use std::time::{Duration, SystemTime};

/// The longest pause that is returned. With a longer one, moments could not be computed.
const FOR_EVER: Duration = Duration::from_hours(100 * 365 * 24);

/// Returns the pause that `value` asks for, counted from `now`: seconds, or the time to a
/// date.
///
/// A date is compared with the answer's own `Date` when there is one, so that a wrong clock,
/// here or there, does not matter. A date that has passed means zero. The longest of several
/// values counts; an application and its server may send one each.
///
/// Fractions of seconds and a unit behind the number (`1.5`, `2s`) are not in the standard,
/// but their meaning is plain, so they are read.
///
/// Returns `None` when the value is neither; callers act as if the field were absent.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use fetchpages::queue::retry::retry_after;
///
/// let now = SystemTime::UNIX_EPOCH;
/// assert_eq!(retry_after::parse("120", None, now), Some(Duration::from_secs(120)));
///
/// // A date is compared with the server's own clock.
/// let date = Some("Sat, 21 Nov 2026 20:10:00 GMT");
/// let pause = retry_after::parse("Sat, 21 Nov 2026 20:11:00 GMT", date, now);
/// assert_eq!(pause, Some(Duration::from_secs(60)));
///
/// assert_eq!(retry_after::parse("soon", None, now), None);
/// ```
pub fn parse(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let pause = |value: &str| seconds(value).or_else(|| until(value, date, now));
    if let Some(pause) = pause(value.trim()) {
        return Some(pause);
    }
    // A date has a comma of its own: "Sat, 21 Nov 2026 20:11:00 GMT".
    let parts: Vec<_> = value.split(',').map(str::trim).collect();
    let dates = parts.windows(2).map(|pair| format!("{}, {}", pair[0], pair[1]));
    let single = parts.iter().filter_map(|part| pause(part));
    single.chain(dates.filter_map(|date| pause(&date))).max()
}

/// Reads a number of seconds; fractions are rounded up.
fn seconds(value: &str) -> Option<Duration> {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if !matches!(&value[number.len()..], "" | "s" | "sec" | "seconds") {
        return None;
    }
    let number = number.trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let is_more = fraction.bytes().any(|digit| digit != b'0');
    // A number that does not fit is the longest pause, too.
    let seconds = whole.parse::<u64>().ok().and_then(|whole| whole.checked_add(is_more.into()));
    Some(seconds.map_or(FOR_EVER, Duration::from_secs).min(FOR_EVER))
}

/// Returns the time to the date `value`.
fn until(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let at = httpdate::parse_http_date(value).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()).unwrap_or(now);
    Some(at.duration_since(now).unwrap_or(Duration::ZERO).min(FOR_EVER))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_795_291_800;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn seconds(value: &str, date: Option<&str>) -> Option<u64> {
        parse(value, date, at(NOW)).map(|pause| pause.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        for (value, pause) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999999", Some(FOR_EVER.as_secs())),
            ("Sat, 21 Nov 2026 20:11:00 GMT", Some(60)),
            ("Saturday, 21-Nov-26 20:11:00 GMT", Some(60)),
            ("Sat Nov 21 20:11:00 2026", Some(60)),
            ("Sat, 21 Nov 2026 20:09:00 GMT", Some(0)),
            ("", None),
            ("-5", None),
            ("1.5", Some(2)),
            ("2.0", Some(2)),
            ("2s", Some(2)),
            ("90 seconds", Some(90)),
            ("2, 2", Some(2)),
            ("2, 30", Some(30)),
            ("Sat, 21 Nov 2026 20:11:00 GMT, 5", Some(60)),
            ("Sat, 21 Nov 2026 20:11:00 GMT, Sat, 21 Nov 2026 20:12:00 GMT", Some(120)),
            (".5", None),
            ("2m", None),
            ("soon", None),
            ("Sat, 31 Foo 2026 20:11:00 GMT", None),
        ] {
            assert_eq!(seconds(value, None), pause, "{value}");
        }
    }

    #[test]
    fn a_date_is_compared_with_the_servers_own_clock() {
        let (ahead, later) = ("Sat, 21 Nov 2026 22:00:00 GMT", "Sat, 21 Nov 2026 22:00:30 GMT");
        assert_eq!(seconds(later, Some(ahead)), Some(30));
        assert_eq!(seconds("7", Some(ahead)), Some(7));
        assert_eq!(seconds(later, Some("no date")), Some(6_630));
    }

    proptest! {
        #[test]
        fn any_number_of_seconds_is_that_number(pause in any::<u64>()) {
            prop_assert_eq!(seconds(&pause.to_string(), None), Some(pause.min(FOR_EVER.as_secs())));
        }

        #[test]
        fn any_date_is_that_far_away(pause in 0..100_000_000_u64, skew in 0..2_000_000_000_u64) {
            let date = httpdate::fmt_http_date(at(skew));
            let value = httpdate::fmt_http_date(at(skew + pause));
            prop_assert_eq!(seconds(&value, Some(&date)), Some(pause));
        }

        #[test]
        fn any_text_is_survived(value in ".*", date in proptest::option::of(".*")) {
            seconds(&value, date.as_deref());
        }
    }
}
