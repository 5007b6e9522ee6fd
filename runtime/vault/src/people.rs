//! Seals what is the house's own and no patient's: the accounts of those who work here.

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::clear::Key;
use crate::seal;

/// Opens the accounts, and nothing else. Derived from the house key: another master key does not change it.
#[derive(Clone, Debug)]
pub struct PeopleKey(pub(crate) Key);

const PLACE: &[u8] = b"handoff people";

impl PeopleKey {
    /// Nothing when the content is too long to be sealed.
    pub fn close(&self, content: &[u8], dice: &mut dyn CryptoRng) -> Option<Vec<u8>> {
        seal::close(&self.0, PLACE, content, dice).ok()
    }

    /// Nothing when it is damaged, or of another house.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        seal::open(&self.0, PLACE, sealed).ok()
    }
}
