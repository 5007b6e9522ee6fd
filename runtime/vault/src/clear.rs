//! Patient data in clear, for as long as it is needed: wiped when dropped, and silent in every log.

use std::fmt;

use zeroize::Zeroizing;

/// One revealed value. Neither `Debug` nor any error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Clear(Zeroizing<String>);

impl Clear {
    pub fn new(text: String) -> Clear {
        Clear(Zeroizing::new(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Clear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clear(…)")
    }
}

/// Revealed bytes: a delivery as it came in.
#[derive(Clone, PartialEq, Eq)]
pub struct ClearBytes(Zeroizing<Vec<u8>>);

impl ClearBytes {
    pub fn new(bytes: Vec<u8>) -> ClearBytes {
        ClearBytes(Zeroizing::new(bytes))
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for ClearBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> ClearBytes {
        ClearBytes(bytes)
    }
}

impl fmt::Debug for ClearBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClearBytes(…)")
    }
}

/// 256 bits that open something.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; Key::BYTES]>);

impl Key {
    pub(crate) const BYTES: usize = 32;

    pub(crate) fn new(bytes: [u8; Key::BYTES]) -> Key {
        Key(Zeroizing::new(bytes))
    }

    /// `None` when `bytes` is not exactly 256 bits.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Key> {
        bytes.try_into().ok().map(Key::new)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Key::BYTES] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
