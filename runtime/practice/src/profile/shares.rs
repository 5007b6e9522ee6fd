//! A whole, divided: whole percents that add up to a hundred. What is not named has none of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// In the order of `K`, however they were written: the order decides what dice mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "BTreeMap<K, f64>",
    into = "BTreeMap<K, u32>",
    bound(serialize = "K: Ord + Clone + Serialize", deserialize = "K: Ord + Deserialize<'de>")
)]
pub struct Shares<K>(Vec<(u32, K)>);

impl<K> Shares<K> {
    pub(crate) fn of<const N: usize>(shares: [(u32, K); N]) -> Shares<K> {
        Shares(shares.into())
    }

    /// Weights, as dice want them.
    pub(crate) fn weights(&self) -> &[(u32, K)] {
        &self.0
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Undivided {
    #[error("{0} is no whole percentage: write 0 to 100 without a fraction")]
    Fraction(f64),
    #[error("the shares add up to {0} %: write them so that they add up to 100")]
    Sum(u32),
}

impl<K: Ord> TryFrom<BTreeMap<K, f64>> for Shares<K> {
    type Error = Undivided;

    fn try_from(written: BTreeMap<K, f64>) -> Result<Shares<K>, Undivided> {
        let whole = |percent: f64| percent.fract() == 0.0 && (0.0..=100.0).contains(&percent);
        if let Some(percent) = written.values().find(|percent| !whole(**percent)) {
            return Err(Undivided::Fraction(*percent));
        }
        // Whole and at most a hundred, so nothing is lost.
        let shares: Vec<(u32, K)> = written.into_iter().map(|(kind, percent)| (percent as u32, kind)).collect();
        match shares.iter().map(|(percent, _)| percent).sum() {
            100 => Ok(Shares(shares)),
            sum => Err(Undivided::Sum(sum)),
        }
    }
}

impl<K: Ord> From<Shares<K>> for BTreeMap<K, u32> {
    fn from(shares: Shares<K>) -> BTreeMap<K, u32> {
        shares.0.into_iter().map(|(percent, kind)| (kind, percent)).collect()
    }
}
