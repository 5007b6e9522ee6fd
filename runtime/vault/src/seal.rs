//! The two primitives of the vault: a keyed name (HMAC-SHA256) and an envelope (XChaCha20-Poly1305).

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clear::Key;

/// 192 random bits: as many envelopes as we like under one key without counting them.
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const SHA256_BLOCK_BYTES: usize = 64;

/// What an envelope adds to its content.
pub(crate) const ENVELOPE_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// The envelope does not open: another key, another place, or damaged bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unopened;

/// The content is beyond what XChaCha20-Poly1305 takes: 256 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Nonce, ciphertext, tag. `place` says where the envelope belongs; it opens nowhere else.
pub(crate) fn close(key: &Key, place: &[u8], content: &[u8], dice: &mut dyn CryptoRng) -> Result<Vec<u8>, TooLong> {
    let mut nonce = [0; NONCE_BYTES];
    dice.fill_bytes(&mut nonce);
    let cipher = XChaCha20Poly1305::new(key.as_bytes().into());
    let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: content, aad: place }).map_err(|_| TooLong)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

pub(crate) fn open(key: &Key, place: &[u8], envelope: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
    let (nonce, sealed) = envelope.split_first_chunk::<NONCE_BYTES>().ok_or(Unopened)?;
    let cipher = XChaCha20Poly1305::new(key.as_bytes().into());
    let content = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: place });
    content.map(Zeroizing::new).map_err(|_| Unopened)
}

/// HMAC-SHA256 over `parts`, each led by its length, so that no two lists of parts read the same.
pub(crate) fn mac(key: &Key, parts: &[&[u8]]) -> [u8; 32] {
    // A key shorter than the block is filled up with zeros (RFC 2104, 2).
    let mut block = Zeroizing::new([0; SHA256_BLOCK_BYTES]);
    block[..Key::BYTES].copy_from_slice(key.as_bytes());
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn an_envelope_opens_with_its_key_in_its_place_and_undamaged() {
        let mut dice = StdRng::seed_from_u64(1);
        let key = Key::new([1; 32]);
        let envelope = close(&key, b"here", b"content", &mut dice).expect("closed");
        assert_eq!(envelope.len(), b"content".len() + ENVELOPE_BYTES);
        assert_eq!(open(&key, b"here", &envelope).as_deref().map(Vec::as_slice), Ok(b"content".as_slice()));
        assert_eq!(open(&key, b"there", &envelope), Err(Unopened));
        assert_eq!(open(&Key::new([2; 32]), b"here", &envelope), Err(Unopened));
        for at in 0..envelope.len() {
            let mut damaged = envelope.clone();
            damaged[at] ^= 1;
            assert_eq!(open(&key, b"here", &damaged), Err(Unopened), "byte {at}");
            assert_eq!(open(&key, b"here", &envelope[..at]), Err(Unopened), "cut at {at}");
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let key = Key::new([1; 32]);
        assert_eq!(mac(&key, &[b"ab", b"c"]), mac(&key, &[b"ab", b"c"]));
        assert_ne!(mac(&key, &[b"ab", b"c"]), mac(&key, &[b"a", b"bc"]));
        assert_ne!(mac(&key, &[b"ab"]), mac(&key, &[b"ab", b""]));
        assert_ne!(mac(&key, &[b"ab"]), mac(&Key::new([2; 32]), &[b"ab"]));
    }
}
