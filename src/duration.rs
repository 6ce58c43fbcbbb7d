//! Durations as users type them and as records store them: `500ms`, `30s`, `5m`, `1.5h`.

use std::time::Duration;

/// The units of a duration, in seconds.
pub(crate) const UNITS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Reads a duration: `500ms`, `30s`, `5m`, `1.5h`; a bare number means seconds.
///
/// # Errors
///
/// A text that says what a duration looks like.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = if unit.is_empty() { "s" } else { unit };
    let seconds = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| seconds);
    let wrong = || "it should look like 500ms, 30s or 5m".to_owned();
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds.ok_or_else(wrong)?).map_err(|_| wrong())
}

/// Returns a duration as a user would type it; [`parse`] reads it back.
pub(crate) fn text(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        _ if !duration.subsec_nanos().is_multiple_of(1_000_000) => {
            format!("{}ms", duration.as_secs_f64() * 1000.0)
        }
        0 => "0ms".to_owned(),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1.5s", 1_500),
            ("2h", 7_200_000),
            ("7", 7_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "5 s", "5x", "-1s", "1.2.3s", "99999999999999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for micros in [0, 1, 500, 100_000, 1_000_000, 30_000_000, 300_000_000, 1_234_567] {
            let time = Duration::from_micros(micros);
            assert!(parse(&text(time)).unwrap().abs_diff(time) <= Duration::from_nanos(1));
        }
        assert_eq!(text(Duration::from_micros(500)), "0.5ms");
        assert_eq!(text(Duration::from_millis(1_500)), "1500ms");
    }
}
