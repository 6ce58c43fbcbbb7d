//! Axes with round marks, which clip all values to their ends.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// An axis from the first to the last of its values.
pub(super) struct Axis {
    range: Range<f64>,
    marks: Vec<f64>,
}

impl Axis {
    /// An axis with marks at these values.
    pub(super) fn new(range: Range<f64>, marks: Vec<f64>) -> Self {
        Self { range, marks }
    }

    /// An axis from 0 to `end`, with about `count` marks at round values.
    pub(super) fn from_zero(end: f64, count: u32) -> Self {
        let end = if end.is_finite() && end > 0.0 { end } else { 1.0 };
        let power = 10_f64.powf((end / f64::from(count)).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let is_enough = |step: &f64| end / step <= f64::from(count);
        let step = steps.into_iter().find(is_enough).unwrap_or(end);
        let marks = (0..=count).map(|at| f64::from(at) * step).filter(|mark| *mark <= end);
        Self { range: 0.0..end, marks: marks.collect() }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    /// A value beyond an end is drawn at that end.
    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let Range { start, end } = self.range;
        let share = ((value - start) / (end - start)).clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, reason = "between two i32")]
        let offset = (share * f64::from(last - first)).round() as i32;
        first + offset
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.marks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        for (end, count, marks) in [
            (2.8, 8, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5][..]),
            (2.8, 4, &[0.0, 1.0, 2.0]),
            (0.24, 6, &[0.0, 0.05, 0.1, 0.15, 0.2]),
            (250.0, 5, &[0.0, 50.0, 100.0, 150.0, 200.0, 250.0]),
            (f64::NAN, 2, &[0.0, 0.5, 1.0]),
        ] {
            let axis = Axis::from_zero(end, count);
            let rounded: Vec<_> =
                axis.marks.iter().map(|mark| (mark * 1000.0).round() / 1000.0).collect();
            assert_eq!(rounded, marks, "{end} {count}");
        }
    }

    #[test]
    fn what_lies_beyond_stays_at_the_end() {
        let axis = Axis::new(1.0..3.0, Vec::new());
        for (value, place) in
            [(1.0, 100), (2.0, 50), (3.0, 0), (9.0, 0), (f64::NEG_INFINITY, 100), (f64::NAN, 100)]
        {
            assert_eq!(axis.map(&value, (100, 0)), place, "{value}");
        }
    }
}
