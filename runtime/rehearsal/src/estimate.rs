//! How sure a number is that comes from so many patients and no more.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

/// Both ends included; 95 of a hundred intervals drawn like this hold the true value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The 0.975 quantile of the normal distribution: two and a half in a hundred are left out at each end.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;
const TAIL: f64 = 0.025;

/// The ends of a percentile interval want a thousand resamples at least (Efron and Tibshirani, An Introduction to the
/// Bootstrap, 1993, section 13.3).
pub const RESAMPLES: usize = 2000;

impl Interval {
    fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// A difference of which this is the interval might be none.
    pub fn includes_zero(&self) -> bool {
        self.holds(0.0)
    }
}

/// The score interval of a share; none of nothing. E. B. Wilson, Probable inference, the law of succession, and statistical
/// inference, Journal of the American Statistical Association 22 (1927), 209-212.
pub fn wilson(count: u64, of: u64) -> Option<Interval> {
    if of == 0 {
        return None;
    }
    // Counts of a practice are far below 2^52, so nothing is lost.
    let (count, of) = (count as f64, of as f64);
    let (share, z2) = (count / of, NORMAL_QUANTILE * NORMAL_QUANTILE);
    let middle = (share + z2 / (2.0 * of)) / (1.0 + z2 / of);
    let half = NORMAL_QUANTILE / (1.0 + z2 / of) * (share * (1.0 - share) / of + z2 / (4.0 * of * of)).sqrt();
    // None and all of them are ends themselves; rounding must not put them outside.
    let low = if count == 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if count == of { 1.0 } else { (middle + half).min(1.0) };
    Some(Interval { low, high })
}

/// What one patient adds to a ratio such as a share or a mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EstimatePart {
    pub count: f64,
    pub of: f64,
}

pub fn ratio(parts: impl IntoIterator<Item = EstimatePart>) -> Option<f64> {
    let sum = parts.into_iter().fold(EstimatePart::default(), |sum, part| EstimatePart {
        count: sum.count + part.count,
        of: sum.of + part.of,
    });
    (sum.of > 0.0).then(|| sum.count / sum.of)
}

/// The interval of the difference of two ratios over the same patients, the first less the second: the paired percentile
/// bootstrap. Patients are drawn, each with what came of them both times.
pub fn difference(pairs: &[(EstimatePart, EstimatePart)], seed: u64) -> Option<Interval> {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut differences: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let (mut left, mut right) = (EstimatePart::default(), EstimatePart::default());
            for _ in 0..pairs.len() {
                let (first, second) = pairs[dice.random_range(0..pairs.len())];
                left = EstimatePart { count: left.count + first.count, of: left.of + first.of };
                right = EstimatePart { count: right.count + second.count, of: right.of + second.of };
            }
            Some(ratio([left])? - ratio([right])?)
        })
        .collect();
    differences.sort_by(f64::total_cmp);
    let cut = (differences.len() as f64 * TAIL) as usize;
    let last = differences.len().checked_sub(1)?;
    Some(Interval { low: differences[cut], high: differences[last - cut] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Interval, low: f64, high: f64) -> bool {
        (found.low - low).abs() < 5e-4 && (found.high - high).abs() < 5e-4
    }

    /// R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
    #[test]
    fn shares_have_the_intervals_of_the_literature() {
        for (count, of, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let found = wilson(count, of).expect("an interval");
            assert!(near(found, low, high), "{count} of {of}: {found:?}");
        }
        assert_eq!(wilson(20, 20).map(|found| found.high), Some(1.0));
        assert_eq!(wilson(0, 0), None);
    }

    fn answers(first: impl Fn(usize) -> bool, second: impl Fn(usize) -> bool) -> Vec<(EstimatePart, EstimatePart)> {
        let part = |counts| EstimatePart { count: f64::from(u8::from(counts)), of: 1.0 };
        (0..400).map(|patient| (part(first(patient)), part(second(patient)))).collect()
    }

    #[test]
    fn the_same_twice_is_no_difference() {
        let same = answers(|patient| patient % 3 == 0, |patient| patient % 3 == 0);
        assert_eq!(difference(&same, 1), Some(Interval { low: 0.0, high: 0.0 }));
    }

    #[test]
    fn a_difference_is_seen_where_there_is_one_and_pairing_sharpens_it() {
        // Half of those who did not answer the first time answer the second time: a tenth more.
        let paired = answers(|patient| patient % 10 < 8, |patient| patient % 10 < 9);
        let found = difference(&paired, 1).expect("an interval");
        assert!(found.holds(-0.1) && !found.includes_zero(), "{found:?}");
        // For pairs that differ in a tenth of 400 patients: the square root of 0.1 * 0.9 / 400.
        let half = NORMAL_QUANTILE * (0.09f64 / 400.0).sqrt();
        assert!((found.high - found.low - 2.0 * half).abs() < 0.01, "{found:?}");
        assert_eq!(difference(&paired, 1), Some(found), "the same seed");
    }

    #[test]
    fn nobody_says_nothing() {
        assert_eq!(difference(&[], 1), None);
        assert_eq!(difference(&[(EstimatePart::default(), EstimatePart::default())], 1), None);
    }
}
