//! Figures as people read them.

use super::stats::ENOUGH_VALUES;
use crate::message::counted;

/// A number with three significant digits, without zeros at the end.
pub(super) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.09995 => 3,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A time with its unit: `250 ms`, `2.5 s`.
pub(super) fn time(seconds: f64) -> String {
    if seconds < 0.9995 {
        format!("{} ms", number(seconds * 1_000.0))
    } else {
        format!("{} s", number(seconds))
    }
}

/// A size: `20.0 MB`.
pub(super) fn size(bytes: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole bytes")]
    crate::report::human::bytes(bytes.round() as u64)
}

/// A share, from 0 to 1: `4 percent`.
pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.005 {
        return "less than 1 percent".into();
    }
    format!("{:.0} percent", share * 100.0)
}

/// The interval of an estimate, in parentheses: ` (between 3.19 and 3.21 with 95 percent
/// confidence)`. With few rounds it is the range of all rounds. It is empty if both ends
/// read the same.
pub(super) fn certainty(low: &str, high: &str, rounds: usize) -> String {
    match rounds {
        _ if low == high => String::new(),
        rounds if rounds < ENOUGH_VALUES => format!(" (between {low} and {high} in all rounds)"),
        _ => format!(" (between {low} and {high} with 95 percent confidence)"),
    }
}

/// The name of an interval that comes from this number of rounds: few give only a range.
pub(super) fn interval_name(rounds: usize) -> &'static str {
    if rounds < ENOUGH_VALUES { "range" } else { "95% interval" }
}

/// `1 round`, `5 rounds`.
pub(super) fn rounds(count: usize) -> String {
    counted(count as u64, "round")
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: ToString>(names: &[T]) -> String {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    match &names[..] {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        for (value, text) in [
            (0.0, "0"),
            (0.012_34, "0.0123"),
            (0.25, "0.25"),
            (0.310_4, "0.31"),
            (0.999_6, "1"),
            (1.666_7, "1.67"),
            (9.996, "10"),
            (10.04, "10"),
            (99.96, "100"),
            (100.0, "100"),
            (1_234.5, "1234"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn units_fit_the_figure() {
        for (seconds, text) in
            [(0.000_4, "0.4 ms"), (0.010_43, "10.4 ms"), (0.9996, "1 s"), (2.5, "2.5 s")]
        {
            assert_eq!(time(seconds), text);
        }
        assert_eq!(size(20_480.4), "20.5 kB");
        for (share, text) in
            [(0.0, "0 percent"), (0.004, "less than 1 percent"), (0.039, "4 percent")]
        {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn few_rounds_have_a_range() {
        let of = |high, rounds| certainty("3.1", high, rounds);
        assert_eq!(of("3.2", 5), " (between 3.1 and 3.2 with 95 percent confidence)");
        assert_eq!(of("3.2", 4), " (between 3.1 and 3.2 in all rounds)");
        assert_eq!([of("3.1", 5), of("3.1", 3)], ["", ""]);
    }

    #[test]
    fn names_are_joined() {
        let names = ["a", "b", "c"].map(str::to_owned);
        assert_eq!([list(&names[..0]), list(&names[..1])], ["", "a"]);
        assert_eq!([list(&names[..2]), list(&names)], ["a and b", "a, b and c"]);
    }
}
