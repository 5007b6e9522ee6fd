//! Seals what is the instance's own and no patient's: the accounts of those who work here, and in a backup its signing key.

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::clear::Key;
use crate::seal;

/// Opens what was sealed for one purpose, and nothing else. Derived from the instance's own key: another master key does not
/// change it.
#[derive(Clone, Debug)]
pub struct InstanceSeal {
    pub(crate) key: Key,
    pub(crate) place: &'static [u8],
}

impl InstanceSeal {
    /// Nothing when the content is too long to be sealed.
    pub fn close(&self, content: &[u8], dice: &mut dyn CryptoRng) -> Option<Vec<u8>> {
        seal::close(&self.key, self.place, content, dice).ok()
    }

    /// Nothing when it is damaged, or of another instance.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        seal::open(&self.key, self.place, sealed).ok()
    }
}
