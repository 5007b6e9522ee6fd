//! Dice that fall the same way for the same seed.

/// SplitMix64 (Steele, Lea and Flood 2014): a seed is a whole history.
#[derive(Clone, Debug)]
pub struct DiskDice(u64);

impl DiskDice {
    pub fn new(seed: u64) -> DiskDice {
        DiskDice(seed)
    }

    #[allow(clippy::should_implement_trait, reason = "dice never run out")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below the limit; 0 when the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}
