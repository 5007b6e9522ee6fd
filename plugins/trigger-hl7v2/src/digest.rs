//! A name for bytes that carry none of their own: FNV-1a with 128 bits (draft-eastlake-fnv). Not a protection against
//! forgery: the listener has already settled who sends.

const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// 32 hexadecimal digits.
pub fn of(bytes: &[u8]) -> String {
    of_all([bytes])
}

/// Of these pieces as if they were one.
pub fn of_all<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let hash =
        pieces.into_iter().flatten().fold(OFFSET_BASIS, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}
