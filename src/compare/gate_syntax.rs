//! How a gate is written.
//!
//! ```text
//! gate      = [quantity] contender "<=" limit
//! quantity  = "time" | "cpu" | "memory"
//! limit     = number unit | [number "*"] (contender | "baseline")
//! contender = mode ["@" workers]
//! ```
//!
//! A unit stands right behind its number: `500ms`, `1.5s`, `2m`, `1h` for time and
//! CPU time, `40MB`, `64MiB` and the like for memory. Blanks between the rest do not
//! matter.

use super::gate::{Gate, GateError, Name, Quantity, Reference, Threshold};
use crate::exec;

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

/// Reads a gate.
pub(super) fn parse(text: &str) -> Result<Gate, GateError> {
    let mut reader = Reader { text, tokens: tokens(text), at: 0 };
    let quantity = reader.quantity();
    let left = reader.name()?;
    reader.symbol("<=", "<=")?;
    let limit = reader.limit(quantity)?;
    match reader.next() {
        None => Ok(Gate { text: text.trim().to_owned(), quantity, left, limit }),
        Some(token) => Err(reader.wrong(token.column, "the end of the gate".into())),
    }
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    /// In characters, from 1.
    column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    Symbol,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut column) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let is_part: fn(char) -> bool = match first {
            _ if first.is_ascii_alphabetic() => |c| c.is_ascii_alphanumeric() || "-_".contains(c),
            _ if first.is_ascii_digit() => |c| c.is_ascii_digit() || c == '.',
            _ => |_| false,
        };
        let kind = match first {
            _ if first.is_ascii_alphabetic() => Kind::Word,
            _ if first.is_ascii_digit() => Kind::Number,
            _ => Kind::Symbol,
        };
        let length = match kind {
            Kind::Symbol if rest.starts_with("<=") => 2,
            Kind::Symbol => first.len_utf8(),
            Kind::Word | Kind::Number => rest.find(|c| !is_part(c)).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        if !first.is_whitespace() {
            tokens.push(Token { kind, text: token, column });
        }
        column += token.chars().count();
        rest = after;
    }
    tokens
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    fn next_of(&mut self, kind: Kind) -> Option<Token<'a>> {
        self.peek().filter(|token| token.kind == kind)?;
        self.next()
    }

    /// What stands at `column` is not what should stand there.
    fn wrong(&self, column: usize, expected: String) -> GateError {
        GateError::Syntax { text: self.text.to_owned(), column, expected }
    }

    /// The next token is not what should stand there.
    fn wrong_here(&self, expected: impl Into<String>) -> GateError {
        let end = self.text.trim_end().chars().count() + 1;
        self.wrong(self.peek().map_or(end, |token| token.column), expected.into())
    }

    fn symbol(&mut self, symbol: &str, expected: &str) -> Result<(), GateError> {
        if self.peek().is_none_or(|token| token.text != symbol) {
            return Err(self.wrong_here(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn quantity(&mut self) -> Quantity {
        let word = self.peek().map_or("", |token| token.text);
        let found = Quantity::ALL.into_iter().find(|quantity| quantity.name() == word);
        self.at += usize::from(found.is_some());
        found.unwrap_or(Quantity::Time)
    }

    fn name(&mut self) -> Result<Name, GateError> {
        let Some(mode) = self.next_of(Kind::Word) else {
            return Err(self.wrong_here("a mode"));
        };
        if exec::find(mode.text).is_none() {
            let known: Vec<_> = exec::TABLE.iter().map(|mode| mode.name).collect();
            return Err(self.wrong(mode.column, format!("one of the modes {}", known.join(", "))));
        }
        let mode = mode.text.to_owned();
        if self.peek().is_none_or(|token| token.text != "@") {
            return Ok(Name { mode, workers: None });
        }
        self.at += 1;
        let workers = self.peek().and_then(|token| token.text.parse().ok());
        match workers.filter(|workers| *workers > 0) {
            Some(workers) => {
                self.at += 1;
                Ok(Name { mode, workers: Some(workers) })
            }
            None => Err(self.wrong_here("a number of workers, from 1")),
        }
    }

    fn limit(&mut self, quantity: Quantity) -> Result<Threshold, GateError> {
        if self.peek().is_some_and(|token| token.kind == Kind::Word && !is_no_number(token.text)) {
            return Ok(Threshold::Times(1.0, self.reference()?));
        }
        let expected = format!("a mode, {BASELINE}, or a number above 0");
        let Some(token) = self.next_of(Kind::Number) else {
            return Err(self.wrong_here(expected));
        };
        let number = token.text.parse().ok();
        let Some(number) = number.filter(|number: &f64| number.is_finite() && *number > 0.0) else {
            return Err(self.wrong(token.column, expected));
        };
        let end = token.column + token.text.len();
        let unit = self.peek().filter(|unit| unit.kind == Kind::Word && unit.column == end);
        if let Some(unit) = unit {
            self.at += 1;
            let factor = unit_of(quantity, unit.text)
                .ok_or_else(|| self.wrong(unit.column, units(quantity)))?;
            return Ok(Threshold::Absolute(number * factor));
        }
        if self.peek().is_none_or(|token| token.text != "*") {
            return Err(self.wrong(end, format!("* and a mode, or {}", units(quantity))));
        }
        self.at += 1;
        Ok(Threshold::Times(number, self.reference()?))
    }

    fn reference(&mut self) -> Result<Reference, GateError> {
        if self.peek().is_some_and(|token| token.text == BASELINE) {
            self.at += 1;
            return Ok(Reference::Baseline);
        }
        if self.peek().is_none_or(|token| token.kind != Kind::Word) {
            return Err(self.wrong_here(format!("a mode or {BASELINE}")));
        }
        self.name().map(Reference::Name)
    }
}

/// Words that other programs write for numbers which are none.
fn is_no_number(word: &str) -> bool {
    ["nan", "inf", "infinity"].iter().any(|name| name.eq_ignore_ascii_case(word))
}

fn unit_of(quantity: Quantity, name: &str) -> Option<f64> {
    let unit = match quantity {
        Quantity::Time | Quantity::Cpu => TIME_UNITS.iter().find(|(unit, _)| *unit == name),
        Quantity::Memory => SIZE_UNITS.iter().find(|(unit, _)| unit.eq_ignore_ascii_case(name)),
    };
    unit.map(|(_, factor)| *factor)
}

fn units(quantity: Quantity) -> String {
    match quantity {
        Quantity::Time | Quantity::Cpu => "a unit of time: ms, s, m or h",
        Quantity::Memory => "a unit of size: kB, MB, GB, KiB, MiB or GiB",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn name(mode: &str, workers: Option<u32>) -> Name {
        Name { mode: mode.into(), workers }
    }

    #[test]
    fn gates_read_as_people_write_them() {
        let sequential = || Reference::Name(name("sequential", None));
        let threads = || name("threads", Some(16));
        for (text, quantity, left, limit) in [
            (
                "threads@16 <= 0.25 * sequential",
                Quantity::Time,
                threads(),
                Threshold::Times(0.25, sequential()),
            ),
            (
                "  time threads@16<=0.25*sequential ",
                Quantity::Time,
                threads(),
                Threshold::Times(0.25, sequential()),
            ),
            (
                "cpu async <= threads@16",
                Quantity::Cpu,
                name("async", None),
                Threshold::Times(1.0, Reference::Name(threads())),
            ),
            (
                "hybrid <= 1.1 * baseline",
                Quantity::Time,
                name("hybrid", None),
                Threshold::Times(1.1, Reference::Baseline),
            ),
            (
                "memory rayon@2 <= baseline",
                Quantity::Memory,
                name("rayon", Some(2)),
                Threshold::Times(1.0, Reference::Baseline),
            ),
            ("threads@16 <= 500ms", Quantity::Time, threads(), Threshold::Absolute(0.5)),
            ("threads@16 <= 1.5s", Quantity::Time, threads(), Threshold::Absolute(1.5)),
            ("cpu threads@16 <= 2m", Quantity::Cpu, threads(), Threshold::Absolute(120.0)),
            ("memory threads@16 <= 40MB", Quantity::Memory, threads(), Threshold::Absolute(40e6)),
            (
                "memory threads@16 <= 64mib",
                Quantity::Memory,
                threads(),
                Threshold::Absolute(67_108_864.0),
            ),
        ] {
            let expected = Gate { text: text.trim().into(), quantity, left, limit };
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_does_not_parse_is_told_with_its_place() {
        let modes = "one of the modes sequential, threads, rayon, processes, async, hybrid";
        let number = "a mode, baseline, or a number above 0";
        let time = "a unit of time: ms, s, m or h";
        for (text, column, expected) in [
            ("", 1, "a mode"),
            ("   ", 1, "a mode"),
            ("memory <= 40MB", 8, "a mode"),
            ("thread@16 <= sequential", 1, modes),
            ("baseline <= threads", 1, modes),
            ("threads@0 <= 1s", 9, "a number of workers, from 1"),
            ("threads@auto <= 1s", 9, "a number of workers, from 1"),
            ("threads@1.5 <= 1s", 9, "a number of workers, from 1"),
            ("threads@99999999999 <= 1s", 9, "a number of workers, from 1"),
            ("threads@", 9, "a number of workers, from 1"),
            ("threads", 8, "<="),
            ("threads < sequential", 9, "<="),
            ("threads@16 >= 1s", 12, "<="),
            ("threads <=", 11, number),
            ("threads <= 0 * sequential", 12, number),
            ("threads <= 0.0s", 12, number),
            ("threads <= -1 * sequential", 12, number),
            ("threads <= NaN * sequential", 12, number),
            ("threads <= inf * sequential", 12, number),
            ("threads <= 1.2.3 * sequential", 12, number),
            ("threads <= 0.25", 16, "* and a mode, or a unit of time: ms, s, m or h"),
            ("threads <= 500 ms", 15, "* and a mode, or a unit of time: ms, s, m or h"),
            ("threads <= 500x", 15, time),
            ("threads <= 40MB", 14, time),
            ("memory threads <= 2s", 20, "a unit of size: kB, MB, GB, KiB, MiB or GiB"),
            ("threads@16 <= 0.25 ** sequential", 21, "a mode or baseline"),
            ("threads <= 0.25 * 3", 19, "a mode or baseline"),
            ("threads <= 0.25 *", 18, "a mode or baseline"),
            ("threads <= 0.25 * sequentially", 19, modes),
            ("threads <= sequential and more", 23, "the end of the gate"),
            ("threads <= baseline@2", 20, "the end of the gate"),
            ("threäds <= 1s", 1, modes),
            ("threads@16 <= ½ * sequential", 15, number),
            ("threads@16 <= 2 × sequential", 16, "* and a mode, or a unit of time: ms, s, m or h"),
        ] {
            let wrong = GateError::Syntax { text: text.into(), column, expected: expected.into() };
            assert_eq!(parse(text), Err(wrong), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(25), failure_persistence: None,
            cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_survived(text in "(threads|async@|cpu |[ -~]|\\PC|<=|0\\.5| \\* |ms){0,12}") {
            if let Err(GateError::Syntax { column, .. }) = parse(&text) {
                prop_assert!((1..=text.chars().count() + 1).contains(&column));
            }
        }
    }
}
