//! Rolls dice whose result depends on the seed and on what they are rolled for, never on what was rolled before.
//!
//! Each person and purpose has its own generator. So it does not matter in which order concurrent requests arrive.

use chrono::Duration;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sha1::{Digest as _, Sha1};

pub(crate) struct Dice(StdRng);

impl Dice {
    /// `nth` tells apart the occasions on which one person does the same thing again.
    pub fn of(seed: u64, person: usize, purpose: &str, nth: u32) -> Dice {
        let digest = Sha1::digest(format!("{seed}/{person}/{purpose}/{nth}"));
        let mut bytes = [0u8; 32];
        bytes[..20].copy_from_slice(&digest);
        Dice(StdRng::from_seed(bytes))
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// Both ends included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// A stretch between so many and so many minutes, with odd seconds so that two people seldom act at one moment.
    pub fn minutes(&mut self, low: i64, high: i64) -> Duration {
        Duration::seconds(self.between(low * 60, high * 60))
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.random_range(0..choices.len())]
    }

    /// Each choice as often as its weight says.
    pub fn weighted<'a, T>(&mut self, choices: &'a [(u32, T)]) -> &'a T {
        let total: u32 = choices.iter().map(|(weight, _)| weight).sum();
        let mut left = self.0.random_range(0..total);
        for (weight, choice) in choices {
            if left < *weight {
                return choice;
            }
            left -= weight;
        }
        &choices[choices.len() - 1].1
    }
}

/// Lower-case hexadecimal digits that name something, the same in every run.
pub(crate) fn name_of(parts: &[&str]) -> String {
    let mut sha = Sha1::new();
    for part in parts {
        sha.update(part.len().to_be_bytes());
        sha.update(part);
    }
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
