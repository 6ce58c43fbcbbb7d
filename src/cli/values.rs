//! Reads durations, sizes and numbers as users type them.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::config::Workers;
use crate::duration;
pub(super) use crate::duration::{parse as duration, text as duration_text};
use crate::queue::retry::FailureLimit;
pub(super) use crate::source::spec::page_cost;

/// The units of a size, in bytes. A size is shown in the first unit that divides it.
const SIZE_UNITS: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, bytes) = SIZE_UNITS
            .iter()
            .find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes))
            .unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

/// Requests per second; `None` for no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate(pub Option<f64>);

/// Reads a rate: `20/s`, `100/m`, `500/h`; `none` for no limit.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    if text == "none" {
        return Ok(Rate(None));
    }
    let wrong = || "it should look like 20/s or 100/m, or be the word none".to_owned();
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let unit = duration::UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = number.parse().ok().filter(|_| is_number).ok_or_else(wrong)?;
    let rate = number / unit.1;
    if rate < SLOWEST || !rate.is_finite() {
        return Err("it must be at least one request per day".into());
    }
    Ok(Rate(Some(rate)))
}

/// The lowest rate: one request a day.
const SLOWEST: f64 = 1.0 / 86_400.0;

/// Splits `text` into its number and its unit.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// Reads a time limit: at least a millisecond.
pub(super) fn limit(text: &str) -> Result<Duration, String> {
    let limit = duration(text)?;
    if limit < Duration::from_millis(1) {
        Err("it must be more than zero".into())
    } else {
        Ok(limit)
    }
}

/// The largest number of workers: more threads meet the system's limits, and bring nothing.
const MAX_WORKERS: usize = 4096;

/// Reads a number of workers, or `auto`.
pub(super) fn workers(text: &str) -> Result<Workers, String> {
    if text == "auto" {
        return Ok(Workers::Auto);
    }
    let workers = text.parse().ok().filter(|workers: &NonZeroUsize| workers.get() <= MAX_WORKERS);
    let workers = workers.map(Workers::Exactly);
    workers.ok_or_else(|| format!("it should be a number from 1 to {MAX_WORKERS}, or auto"))
}

/// Reads how many pages may fail: `20`, `2%`, `0.5%`.
pub(super) fn failure_limit(text: &str) -> Result<FailureLimit, String> {
    let limit = match text.strip_suffix('%') {
        Some(percent) => percent
            .parse()
            .ok()
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(FailureLimit::Percent),
        None => text.parse().ok().map(FailureLimit::Pages),
    };
    limit.ok_or_else(|| "it should be a number of pages, or a percentage such as 2%".into())
}

/// Reads a size: `64KiB`, `10MB`; a bare number means bytes.
pub(super) fn size(text: &str) -> Result<Size, String> {
    let (number, unit) = split(text);
    let unit = if unit.is_empty() { "B" } else { unit };
    let wrong = || "it should look like 64KiB or 10MB".to_owned();
    let bytes = SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let (_, bytes) = bytes.ok_or_else(wrong)?;
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let total = number * (*bytes as f64);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked just before"
    )]
    if (1.0..=2_f64.powi(52)).contains(&total) { Ok(Size(total as u64)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_more_than_zero_and_page_costs_have_one() {
        assert!(limit("0s").is_err());
        assert!(page_cost("0s").is_ok() && page_cost("200ms").is_ok());
        assert!(page_cost("201ms").is_err());
    }

    #[test]
    fn rates_read_as_people_write_them() {
        for (text, per_second) in [("20/s", 20.0), ("90/m", 1.5), ("0.5/s", 0.5), ("36/h", 0.01)] {
            assert_eq!(rate(text), Ok(Rate(Some(per_second))), "{text}");
        }
        assert_eq!(rate("none"), Ok(Rate(None)));
        for text in ["", "20", "20/", "/s", "0/s", "-1/s", "x/s", "20/d", "inf/s", "1e9/s", "None"]
        {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn workers_are_a_sensible_number() {
        let most = NonZeroUsize::new(4096).map(Workers::Exactly);
        assert_eq!(workers("4096").ok(), most);
        assert_eq!(workers("auto"), Ok(Workers::Auto));
        for text in ["0", "-1", "4097", "many", "", "Auto"] {
            assert!(workers(text).is_err(), "{text}");
        }
    }

    #[test]
    fn failures_are_limited_by_number_or_by_share() {
        for (text, limit) in [
            ("0", FailureLimit::Pages(0)),
            ("20", FailureLimit::Pages(20)),
            ("2%", FailureLimit::Percent(2.0)),
            ("0.5%", FailureLimit::Percent(0.5)),
        ] {
            assert_eq!(failure_limit(text), Ok(limit), "{text}");
        }
        for text in ["", "%", "-1", "1.5", "101%", "NaN%", "-2%", "2 %"] {
            assert!(failure_limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for bytes in [1, 1_000, 1_024, 10_000_000, 128 << 20, 1_025] {
            assert_eq!(size(&Size(bytes).to_string()), Ok(Size(bytes)));
        }
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        for (text, bytes) in
            [("64KiB", 65_536), ("10MB", 10_000_000), ("1.5GiB", 3 << 29), ("7", 7), ("2kb", 2_000)]
        {
            assert_eq!(size(text), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "MB", "10 MB", "0", "-1MB", "5XB", "9999999999999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
