//! A vault for this crate's tests.

use std::path::Path;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::{MasterKey, SecureRandom, Vault};

pub fn dice(seed: u64) -> SecureRandom {
    Box::new(StdRng::seed_from_u64(seed))
}

pub fn master() -> MasterKey {
    MasterKey::generate(&mut StdRng::seed_from_u64(1))
}

pub fn vault(dir: &Path) -> Vault {
    Vault::open(dir, master(), dice(2), 0).expect("opened")
}
