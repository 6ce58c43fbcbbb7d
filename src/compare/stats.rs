//! Robust statistics of small samples.
//!
//! Durations of runs have a lower limit and a long upper tail, so everything here is
//! based on medians: one slow run in ten changes little. No value is dropped.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::random::Rng;

/// With fewer values no interval distinguishes a difference from chance.
pub(crate) const LEAST_VALUES: usize = 3;
/// With fewer values an interval is the whole range, and contains the true median with a
/// probability of less than 94 percent: see [`Bootstrap`].
pub(crate) const ENOUGH_VALUES: usize = 5;
/// With fewer values there are no outliers: two values that are close by chance would
/// make an outlier of any third one.
const LEAST_VALUES_FOR_OUTLIERS: usize = 5;
/// Resamples of each bootstrap: the ends of a 95 percent interval then rest on 250
/// of them (Efron and Tibshirani 1993, 19.3, ask for at least 1,000).
const RESAMPLES: usize = 10_000;
/// The seed is fixed, so that the same samples always give the same interval.
const SEED: u64 = 9_309;
/// The share of the resamples that an interval leaves out on each side.
const TAIL: f64 = 0.025;

/// A summary of the values of one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The median.
    pub median: f64,
    /// The median absolute deviation from it, unscaled.
    pub mad: f64,
    /// The smallest value.
    pub least: f64,
    /// The largest value.
    pub most: f64,
    /// The 95 percent confidence interval of the median.
    pub interval: Interval,
}

impl Spread {
    /// The median absolute deviation as a share of the median, scaled so that it
    /// estimates the standard deviation of a normal distribution: times 1.4826
    /// (Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation",
    /// JASA 88, 1993).
    pub(crate) fn noise(&self) -> f64 {
        1.4826 * self.mad / self.median
    }
}

/// An estimate with its 95 percent confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

#[cfg(test)]
impl Interval {
    /// Whether it contains `value`; both ends belong to it.
    pub(crate) fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// The middle value, or the mean of the two middle values; `None` if there are none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    let high = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { sorted[middle - 1].midpoint(high) } else { high })
}

/// The median absolute deviation from the median, unscaled; `None` if there are no values.
pub(crate) fn mad(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    median(&values.iter().map(|value| (value - middle).abs()).collect::<Vec<_>>())
}

/// The positions of outliers; none if there are fewer than five values.
///
/// An outlier has a modified z-score, 0.6745 times the deviation from the median by the
/// median absolute deviation, of more than 3.5 (Iglewicz and Hoaglin, "How to
/// Detect and Handle Outliers", ASQC 1993). Where more than half of the values are
/// equal that deviation is 0, and 1.2533 times the mean absolute deviation takes
/// the place of 1.4826 (1 / 0.6745) times the median one.
pub(crate) fn outliers(values: &[f64]) -> Vec<usize> {
    let (Some(middle), Some(mad)) = (median(values), mad(values)) else {
        return Vec::new();
    };
    if values.len() < LEAST_VALUES_FOR_OUTLIERS {
        return Vec::new();
    }
    let deviations = || values.iter().map(|value| (value - middle).abs());
    let mean = deviations().sum::<f64>() / values.len() as f64;
    let unit = if mad > 0.0 { mad / 0.6745 } else { 1.253_314 * mean };
    let is_far = |deviation: f64| unit > 0.0 && deviation / unit > 3.5;
    deviations().enumerate().filter(|(_, far)| is_far(*far)).map(|(at, _)| at).collect()
}

/// Confidence intervals of medians by the percentile bootstrap (Efron and
/// Tibshirani, "An Introduction to the Bootstrap", Chapman and Hall 1993, 13.3).
///
/// With up to five values it is the whole range, which contains the true median with a
/// probability of 1 - 2^(1 - n) for `n` values: 75 percent for three, 94 for five.
///
/// Resampling draws positions of sorted values, which depend only on the number of
/// values. A `Bootstrap` therefore draws once for each number and remembers the result:
/// use one for all intervals of a computation.
#[derive(Debug, Default)]
pub(crate) struct Bootstrap {
    drawn: BTreeMap<(usize, Stream), Vec<Middle>>,
}

/// Two independent samples need two independent draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stream {
    First,
    Second,
}

/// The positions of the two values in the middle of a resample: the same one
/// twice where the number of values is odd.
#[derive(Debug, Clone, Copy)]
struct Middle(usize, usize);

impl Bootstrap {
    /// A bootstrap without any draws yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A summary of `values`; `None` if there are none.
    pub(crate) fn spread(&mut self, values: &[f64]) -> Option<Spread> {
        let sorted = sorted(values);
        Some(Spread {
            median: median(&sorted)?,
            mad: mad(&sorted)?,
            least: *sorted.first()?,
            most: *sorted.last()?,
            interval: self.median(&sorted)?,
        })
    }

    /// The median with its interval; `None` if there are no values. The values may be
    /// paired ratios.
    pub(crate) fn median(&mut self, values: &[f64]) -> Option<Interval> {
        let medians = self.resampled_medians(values, Stream::First);
        interval(median(values)?, medians)
    }

    /// The ratio of the medians of two independent samples, with its interval;
    /// `None` if one is empty or the second has a value that is not above 0.
    pub(crate) fn ratio(&mut self, above: &[f64], below: &[f64]) -> Option<Interval> {
        if below.iter().any(|value| *value <= 0.0) {
            return None;
        }
        let estimate = median(above)? / median(below)?;
        let above = self.resampled_medians(above, Stream::First);
        let below = self.resampled_medians(below, Stream::Second);
        interval(estimate, above.iter().zip(&below).map(|(above, below)| above / below).collect())
    }

    fn resampled_medians(&mut self, values: &[f64], stream: Stream) -> Vec<f64> {
        let sorted = sorted(values);
        let count = sorted.len();
        let drawn = self.drawn.entry((count, stream)).or_insert_with(|| draw(count, stream));
        drawn.iter().map(|Middle(low, high)| sorted[*low].midpoint(sorted[*high])).collect()
    }
}

/// The middles of all resamples of `count` values; empty if `count` is 0.
fn draw(count: usize, stream: Stream) -> Vec<Middle> {
    let Some(last) = count.checked_sub(1) else {
        return Vec::new();
    };
    let mut rng = Rng::new(SEED + stream as u64);
    let mut positions = vec![0_usize; count];
    let middles = std::iter::repeat_with(|| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a fraction of a length"
        )]
        positions.fill_with(|| ((rng.fraction() * count as f64) as usize).min(last));
        let (lower, high, _) = positions.select_nth_unstable(count / 2);
        let high = *high;
        let low = if count.is_multiple_of(2) { lower.iter().max().copied() } else { None };
        Middle(low.unwrap_or(high), high)
    });
    middles.take(RESAMPLES).collect()
}

fn interval(estimate: f64, mut resampled: Vec<f64>) -> Option<Interval> {
    resampled.sort_unstable_by(f64::total_cmp);
    Some(Interval {
        estimate,
        low: percentile_of_sorted(&resampled, TAIL)?,
        high: percentile_of_sorted(&resampled, 1.0 - TAIL)?,
    })
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Returns the value below which this `share` (0 to 1) of the values lies, interpolated
/// between the two nearest; `None` if there are no values.
///
/// Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages",
/// The American Statistician 50, 1996.
fn percentile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = share.clamp(0.0, 1.0) * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length"
    )]
    let below = (position as usize).min(last);
    let above = (below + 1).min(last);
    Some(sorted[below] + (position - below as f64) * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    #[test]
    fn medians_and_deviations() {
        for (values, middle, deviation) in [
            (&[][..], None, None),
            (&[3.0], Some(3.0), Some(0.0)),
            (&[4.0, 1.0], Some(2.5), Some(1.5)),
            (&[1.0, 2.0, 100.0], Some(2.0), Some(1.0)),
            // Deviations from 2: 1, 1, 0, 0, 2, 4, 7 (Wikipedia's example of the MAD).
            (&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0], Some(2.0), Some(1.0)),
        ] {
            assert_eq!((median(values), mad(values)), (middle, deviation), "{values:?}");
        }
    }

    #[test]
    fn percentiles_are_of_definition_7() {
        // R: quantile(c(15, 20, 35, 40, 50), c(0, .05, .3, .4, .5, 1), type = 7)
        let values = [40.0, 15.0, 50.0, 20.0, 35.0];
        for (share, expected) in
            [(0.0, 15.0), (0.05, 16.0), (0.3, 23.0), (0.4, 29.0), (0.5, 35.0), (1.0, 50.0)]
        {
            let is = percentile_of_sorted(&sorted(&values), share).unwrap();
            assert!((is - expected).abs() < 1e-12, "{share}: {is}");
        }
        assert_eq!(percentile_of_sorted(&[], 0.5), None);
    }

    #[test]
    fn outliers_are_those_of_the_modified_z_score() {
        for (values, far) in [
            (&[][..], &[][..]),
            // Median 2.6, MAD 0.2 (0.4, 0.1, 0.2, 0, 0.5, 0.1): 3.5 / 0.6745 * 0.1 = 0.52.
            (&[2.2, 2.5, 2.8, 2.6, 3.1, 2.7, 2.6], &[]),
            (&[2.5, 2.5, 2.6, 2.7, 2.7, 3.2], &[5]),
            (&[9.0, 1.0, 1.1, 1.2, 1.1, 0.9], &[0]),
            // The MAD is 0; the mean deviation is 0.2, and 1 / 0.2507 = 3.99.
            (&[1.0, 1.0, 2.0, 1.0, 1.0], &[2]),
            (&[1.0, 1.0, 1.0, 1.0, 1.0], &[]),
            (&[1.0, 1.0, 1.0, 9.0], &[]),
        ] {
            assert_eq!(outliers(values), far, "{values:?}");
        }
    }

    #[test]
    fn up_to_five_values_the_interval_is_the_whole_range() {
        let mut bootstrap = Bootstrap::new();
        for (values, expected) in [
            (&[7.0][..], (7.0, 7.0, 7.0)),
            (&[7.0, 5.0], (6.0, 5.0, 7.0)),
            (&[7.0, 5.0, 6.5], (6.5, 5.0, 7.0)),
            (&[7.0, 5.0, 6.5, 6.0], (6.25, 5.0, 7.0)),
            (&[7.0, 5.0, 6.5, 6.0, 1.0], (6.0, 1.0, 7.0)),
        ] {
            let is = bootstrap.median(values).unwrap();
            assert_eq!((is.estimate, is.low, is.high), expected, "{values:?}");
        }
        assert_eq!(bootstrap.median(&[]), None);
        assert_eq!(bootstrap.spread(&[]), None);
    }

    #[test]
    fn the_interval_is_that_of_the_exact_bootstrap() {
        // Of 1 to 11 the median of a resample is the k-th or less with the probability
        // that 6 or more of 11 draws are: 0.0072 for 2, 0.0512 for 3 (scipy.stats.binom.sf
        // (5, 11, k / 11)). So 0.025 is met at 3, and by symmetry 0.975 at 9.
        let values: Vec<f64> = (1..=11).map(f64::from).collect();
        let is = Bootstrap::new().median(&values).unwrap();
        assert_eq!((is.low, is.estimate, is.high), (3.0, 6.0, 9.0));
        let spread = Bootstrap::new().spread(&values).unwrap();
        assert_eq!((spread.median, spread.mad), (6.0, 3.0));
        assert_eq!((spread.least, spread.most), (1.0, 11.0));
        assert_eq!(spread.interval, is);
    }

    #[test]
    fn two_samples_are_drawn_from_apart() {
        let (now, then) = ([2.0, 2.1, 2.2, 2.3, 2.4], [1.0, 1.1, 1.2, 1.3, 1.4]);
        let mut bootstrap = Bootstrap::new();
        let is = bootstrap.ratio(&now, &then).unwrap();
        assert!((is.estimate - 2.2 / 1.2).abs() < 1e-12);
        // Drawn together the two would rise and fall together: 2.0 / 1.0 to 2.4 / 1.4.
        assert!(is.low < 2.4 / 1.4 && is.high > 2.0, "{is:?}");
        assert_eq!(bootstrap.ratio(&now, &[0.0, 1.0]), None);
        assert_eq!(bootstrap.ratio(&now, &[]), None);
        assert_eq!(bootstrap.ratio(&[], &then), None);
        assert!(bootstrap.ratio(&now, &then[..2]).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1993), failure_persistence: None,
            cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn an_interval_holds_its_estimate_and_lies_in_the_range(
            values in prop::collection::vec(0.001..1_000.0_f64, 1..40),
        ) {
            let is = Bootstrap::new().spread(&values).unwrap();
            prop_assert!(is.interval.contains(is.median), "{is:?}");
            prop_assert!(is.least <= is.interval.low && is.interval.high <= is.most, "{is:?}");
        }

        #[test]
        fn neither_the_order_nor_the_unit_matters(
            values in prop::collection::vec(0.001..1_000.0_f64, 1..20), turn in 0..20_usize,
        ) {
            let mut bootstrap = Bootstrap::new();
            let is = bootstrap.median(&values).unwrap();
            let mut turned = values.clone();
            turned.rotate_left(turn % values.len());
            turned.reverse();
            prop_assert_eq!(bootstrap.median(&turned).unwrap(), is);
            // A power of two, which no rounding disturbs.
            let scaled: Vec<f64> = values.iter().map(|value| value * 1024.0).collect();
            let scaled = bootstrap.median(&scaled).unwrap();
            prop_assert_eq!((scaled.low, scaled.high), (is.low * 1024.0, is.high * 1024.0));
            prop_assert_eq!(outliers(&values).len(), outliers(&turned).len());
        }

        #[test]
        fn what_was_drawn_before_does_not_matter(
            values in prop::collection::vec(0.001..1_000.0_f64, 1..20), before in 1..20_usize,
        ) {
            let mut used = Bootstrap::new();
            used.median(&vec![1.0; before]);
            used.ratio(&vec![1.0; before], &values);
            prop_assert_eq!(used.median(&values), Bootstrap::new().median(&values));
        }

        #[test]
        fn any_numbers_are_survived(
            values in prop::collection::vec(any::<f64>(), 0..12),
            others in prop::collection::vec(any::<f64>(), 0..12),
        ) {
            let mut bootstrap = Bootstrap::new();
            bootstrap.spread(&values);
            bootstrap.ratio(&values, &others);
            outliers(&values);
        }
    }
}
