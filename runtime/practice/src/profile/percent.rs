//! Chances: percent where people write them, at most 1 where dice are rolled.

use serde::{Deserialize as _, Deserializer, Serializer, de};

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    as_written(from).map(|percent| percent / 100.0)
}

/// Percent that stays percent.
pub(crate) fn as_written<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(f64::deserialize(from)?)
}

pub(crate) fn serialize<S: Serializer>(chance: &f64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(written(*chance))
}

fn within<E: de::Error>(percent: f64) -> Result<f64, E> {
    if (0.0..=100.0).contains(&percent) {
        return Ok(percent);
    }
    Err(E::custom(format!("{percent} is no share: write 0 to 100, in percent")))
}

/// 0.07 times a hundred is a little more than 7: rounded to what anybody would have written.
fn written(chance: f64) -> f64 {
    (chance * 1e8).round() / 1e6
}

/// Several, at least one.
pub(crate) mod list {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        let percents = Vec::<f64>::deserialize(from)?;
        if percents.is_empty() {
            return Err(de::Error::custom("no shares: write at least one, in percent"));
        }
        percents.into_iter().map(|percent| super::within(percent).map(|percent| percent / 100.0)).collect()
    }

    pub(crate) fn serialize<S: Serializer>(chances: &[f64], to: S) -> Result<S::Ok, S::Error> {
        chances.iter().copied().map(super::written).collect::<Vec<f64>>().serialize(to)
    }
}
