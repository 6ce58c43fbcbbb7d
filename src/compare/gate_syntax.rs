//! A gate, and how it is written.
//!
//! ```text
//! gate      = [quantity] contender "<=" limit
//! quantity  = "time" | "cpu" | "memory"
//! limit     = number unit | [number "*"] (contender | "baseline")
//! contender = mode ["@" workers]
//! ```
//!
//! A unit follows its number without a blank: `500ms`, `1.5s`, `2m`, `1h` for time and
//! CPU time, `40MB`, `64MiB` and the like for memory. Elsewhere blanks do not matter.

use std::fmt;
use std::str::FromStr;

use crate::exec;

/// A claim: a contender's time, CPU time or memory is at most a limit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gate {
    pub(super) text: String,
    pub(super) quantity: Quantity,
    pub(super) left: Name,
    pub(super) threshold: Threshold,
}

/// What a gate limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// Seconds of the fetch phase.
    Time,
    /// CPU seconds.
    Cpu,
    /// Peak memory, in bytes.
    Memory,
}

/// A contender as a gate names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) mode: String,
    /// `None` for the number that it ran with.
    pub(super) workers: Option<u32>,
}

/// The value that the quantity must not exceed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Threshold {
    /// Seconds or bytes.
    Absolute(f64),
    /// A multiple of what another contender has.
    Times(f64, Reference),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reference {
    Name(Name),
    /// The same contender in the baseline.
    Baseline,
}

/// A text is not written as a gate is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gate {text:?} does not parse {place}: expected {expected}")]
pub(crate) struct GateSyntaxError {
    /// The text.
    text: String,
    /// The place: `at "thread"`, `after "*"`.
    place: String,
    /// What is allowed there.
    expected: String,
}

const TIME_UNITS: &[(&str, f64)] = &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)];
const SIZE_UNITS: &[(&str, f64)] = &[
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1_024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];
/// The word for the same contender in the baseline.
const BASELINE: &str = "baseline";

impl Quantity {
    const ALL: [Self; 3] = [Self::Time, Self::Cpu, Self::Memory];

    /// As a gate spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }

    fn factor_of(self, unit: &str) -> Option<f64> {
        let unit = match self {
            Self::Time | Self::Cpu => TIME_UNITS.iter().find(|(name, _)| *name == unit),
            Self::Memory => SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)),
        };
        unit.map(|(_, factor)| *factor)
    }

    const fn units(self) -> &'static str {
        match self {
            Self::Time | Self::Cpu => "a unit of time: ms, s, m or h",
            Self::Memory => "a unit of size: kB, MB, GB, KiB, MiB or GiB",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.workers {
            Some(workers) => write!(f, "{}@{workers}", self.mode),
            None => f.write_str(&self.mode),
        }
    }
}

impl FromStr for Gate {
    type Err = GateSyntaxError;

    /// Reads `[time|cpu|memory] MODE[@WORKERS] <= LIMIT`. The limit is a value with its
    /// unit (`500ms`, `2s`, `40MB`), or `[FACTOR *] MODE[@WORKERS]`, or `[FACTOR *]
    /// baseline` for the same contender in the baseline. By default the factor is 1 and
    /// the quantity is `time`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).map_err(|Expected { place, expected }| GateSyntaxError {
            text: text.to_owned(),
            place,
            expected,
        })
    }
}

/// What is allowed at a place where something else stands.
struct Expected {
    place: String,
    expected: String,
}

/// `expected` is allowed where `part` stands, or, where nothing stands, at `gap`.
fn expected(part: &str, gap: &str, expected: impl Into<String>) -> Expected {
    let place = if part.is_empty() { gap.to_owned() } else { format!("at {part:?}") };
    Expected { place, expected: expected.into() }
}

fn read(text: &str) -> Result<Gate, Expected> {
    let text = text.trim();
    let (before, after) = text.split_once("<=").ok_or_else(|| {
        let other = text.find(['<', '>', '=']).map_or("", |at| &text[at..]);
        let what = if text.is_empty() { "MODE <= LIMIT" } else { "<= LIMIT" };
        expected(other, "at its end", what)
    })?;
    let before = before.trim();
    let first = before.split_whitespace().next().unwrap_or_default();
    let quantity = Quantity::ALL.into_iter().find(|quantity| quantity.name() == first);
    let left = if quantity.is_some() { &before[first.len()..] } else { before };
    let quantity = quantity.unwrap_or(Quantity::Time);
    Ok(Gate {
        text: text.to_owned(),
        quantity,
        left: name(left.trim(), r#"before "<=""#, "a mode")?,
        threshold: threshold(after.trim(), quantity)?,
    })
}

/// Reads `MODE[@WORKERS]`; where it is missing, at `gap`, `what` is allowed.
fn name(text: &str, gap: &str, what: &str) -> Result<Name, Expected> {
    let (mode, workers) = match text.split_once('@') {
        Some((mode, workers)) => (mode.trim_end(), Some(workers.trim_start())),
        None => (text, None),
    };
    if mode.is_empty() {
        return Err(expected(text, gap, what));
    }
    if exec::find(mode).is_none() {
        let known: Vec<_> = exec::TABLE.iter().map(|mode| mode.name).collect();
        return Err(expected(mode, gap, format!("one of the modes {}", known.join(", "))));
    }
    let count = |digits: &str| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let count = digits.parse().ok().filter(|count| is_number && *count > 0);
        count.ok_or_else(|| expected(digits, r#"after "@""#, "a number of workers, from 1"))
    };
    Ok(Name { mode: mode.to_owned(), workers: workers.map(count).transpose()? })
}

fn threshold(text: &str, quantity: Quantity) -> Result<Threshold, Expected> {
    let what = || format!("MODE, {BASELINE}, or a number above 0");
    let gap = r#"after "<=""#;
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(Threshold::Times(1.0, reference(text, gap)?));
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let is_number = number.starts_with(|c: char| c.is_ascii_digit());
    let value = number.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0);
    let value = value.filter(|_| is_number).ok_or_else(|| expected(text, gap, what()))?;
    if let Some(other) = rest.trim_start().strip_prefix('*') {
        return Ok(Threshold::Times(value, reference(other.trim_start(), r#"after "*""#)?));
    }
    let (unit, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match quantity.factor_of(unit) {
        Some(factor) if more.is_empty() => return Ok(Threshold::Absolute(value * factor)),
        Some(_) => return Err(expected(more.trim_start(), gap, "the end of the gate")),
        None => (),
    }
    Err(expected(rest.trim_start(), "at its end", format!("* MODE, or {}", quantity.units())))
}

fn reference(text: &str, gap: &str) -> Result<Reference, Expected> {
    match text {
        BASELINE => Ok(Reference::Baseline),
        _ => name(text, gap, &format!("a mode or {BASELINE}")).map(Reference::Name),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn gates_read_as_people_write_them() {
        let name = |mode: &str, workers| Name { mode: mode.into(), workers };
        let threads = || name("threads", Some(16));
        let times = |factor, of| Threshold::Times(factor, Reference::Name(of));
        let sequential = |factor| times(factor, name("sequential", None));
        let baseline = |factor| Threshold::Times(factor, Reference::Baseline);
        let absolute = Threshold::Absolute;
        for (text, quantity, left, threshold) in [
            ("threads@16 <= 0.25 * sequential", Quantity::Time, threads(), sequential(0.25)),
            ("  time threads@16<=0.25*sequential ", Quantity::Time, threads(), sequential(0.25)),
            ("threads @ 016 <= 1. * sequential", Quantity::Time, threads(), sequential(1.0)),
            ("cpu async <= threads@16", Quantity::Cpu, name("async", None), times(1.0, threads())),
            ("hybrid <= 1.1 * baseline", Quantity::Time, name("hybrid", None), baseline(1.1)),
            ("memory rayon@2<=baseline", Quantity::Memory, name("rayon", Some(2)), baseline(1.0)),
            ("threads@16 <= 500ms", Quantity::Time, threads(), absolute(0.5)),
            ("threads@16 <= 1.5s", Quantity::Time, threads(), absolute(1.5)),
            ("cpu threads@16 <= 2m", Quantity::Cpu, threads(), absolute(120.0)),
            ("memory threads@16 <= 40MB", Quantity::Memory, threads(), absolute(40e6)),
            ("memory threads@16 <= 64mib", Quantity::Memory, threads(), absolute(67_108_864.0)),
        ] {
            let expected = Gate { text: text.trim().into(), quantity, left, threshold };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_parse_is_reported_with_its_place() {
        let modes = "one of the modes sequential, threads, rayon, processes, async, hybrid";
        let workers = "a number of workers, from 1";
        let number = "MODE, baseline, or a number above 0";
        let factor = "* MODE, or a unit of time: ms, s, m or h";
        for (text, place, expected) in [
            ("", "at its end", "MODE <= LIMIT"),
            ("threads", "at its end", "<= LIMIT"),
            ("threads@16 >= 1s", r#"at ">= 1s""#, "<= LIMIT"),
            ("threads < 1s", r#"at "< 1s""#, "<= LIMIT"),
            ("hybrid>>threads", r#"at ">>threads""#, "<= LIMIT"),
            ("memory <= 40MB", r#"before "<=""#, "a mode"),
            ("cpu @2 <= 1s", r#"at "@2""#, "a mode"),
            ("thread@16 <= sequential", r#"at "thread""#, modes),
            ("cputhreads <= 1s", r#"at "cputhreads""#, modes),
            ("baseline <= threads", r#"at "baseline""#, modes),
            ("threäds <= 1s", r#"at "threäds""#, modes),
            ("threads x <= 1s", r#"at "threads x""#, modes),
            ("threads@0 <= 1s", r#"at "0""#, workers),
            ("threads@auto <= 1s", r#"at "auto""#, workers),
            ("threads@+5 <= 1s", r#"at "+5""#, workers),
            ("threads@1 6 <= 1s", r#"at "1 6""#, workers),
            ("threads@99999999999 <= 1s", r#"at "99999999999""#, workers),
            ("threads@ <= 1s", r#"after "@""#, workers),
            ("threads <=", r#"after "<=""#, number),
            ("threads <= 0 * sequential", r#"at "0 * sequential""#, number),
            ("threads <= .5s", r#"at ".5s""#, number),
            ("threads <= -1 * sequential", r#"at "-1 * sequential""#, number),
            ("threads <= 1.2.3 * sequential", r#"at "1.2.3 * sequential""#, number),
            ("threads@16 <= ½ * sequential", r#"at "½ * sequential""#, number),
            ("threads <= NaN * sequential", r#"at "NaN * sequential""#, modes),
            ("threads <= 0.25", "at its end", factor),
            ("threads <= 500 ms", r#"at "ms""#, factor),
            ("threads <= 40MB", r#"at "MB""#, factor),
            ("threads <= 2s more", r#"at "more""#, "the end of the gate"),
            ("threads@16 <= 2 × sequential", r#"at "× sequential""#, factor),
            (
                "memory threads <= 2s",
                r#"at "s""#,
                "* MODE, or a unit of size: kB, MB, GB, KiB, MiB or GiB",
            ),
            ("threads@16 <= 0.25 ** sequential", r#"at "* sequential""#, modes),
            ("threads <= 0.25 *", r#"after "*""#, "a mode or baseline"),
            ("threads <= 0.25 * sequentially", r#"at "sequentially""#, modes),
            ("threads <= sequential and more", r#"at "sequential and more""#, modes),
            ("threads <= baseline@2", r#"at "baseline""#, modes),
        ] {
            let wrong = GateSyntaxError {
                text: text.into(),
                place: place.into(),
                expected: expected.into(),
            };
            assert_eq!(text.parse::<Gate>(), Err(wrong), "{text}");
        }
        let error = "threads <= 0.25 *".parse::<Gate>().unwrap_err();
        let sentence =
            r#"gate "threads <= 0.25 *" does not parse after "*": expected a mode or baseline"#;
        assert_eq!(error.to_string(), sentence);
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(25), failure_persistence: None,
            cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_survived(text in "(threads|async@|cpu |[ -~]|\\PC|<=|0\\.5| \\* |ms){0,12}") {
            if let Ok(gate) = text.parse::<Gate>() {
                prop_assert_eq!(gate.text.parse(), Ok(gate));
            }
        }
    }
}
