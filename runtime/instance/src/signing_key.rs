//! The key that signs the journal, as files: its private half, and its public half beside it.
//!
//! A next key is written down before it is in force, and takes its file's place after. Between the two a crash leaves both
//! files, and the journal says which of them it needs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_store::durable_file;
use handoff_store::journal::{RealDisk, look};

/// Keys are their owner's alone.
pub const PRIVATE: u32 = 0o600;
pub const PUBLIC: u32 = 0o644;

/// The key that signs the journal in `data`: the one at `path`, unless a rotation was interrupted behind it.
///
/// # Errors
/// When it cannot be read.
pub fn signing(path: &Path, data: &Path) -> anyhow::Result<SigningKey> {
    let next = next_to(path);
    if next.exists()
        && let Ok(key) = read(&next)
        && is_in_force(&key, data)?
    {
        return Ok(key);
    }
    read(path)
}

/// Puts away what an interrupted rotation left. Only for whoever has Handoff open: nobody else is rotating then.
pub fn settle(path: &Path, data: &Path) -> anyhow::Result<()> {
    let next = next_to(path);
    if !next.exists() {
        return Ok(());
    }
    match read(&next) {
        Ok(key) if is_in_force(&key, data)? => promote(path, &key),
        // It never signed anything, or was never whole.
        Ok(_) | Err(_) => fs::remove_file(&next).with_context(|| cannot_write(&next)),
    }
}

/// Both halves of a signing key where there was none.
///
/// # Errors
/// When one of them cannot be written, or is there already.
pub fn establish(path: &Path, key: &SigningKey) -> anyhow::Result<()> {
    durable_file::create(path, private_pem(key)?.as_bytes(), PRIVATE).with_context(|| cannot_write(path))?;
    let public = public_of(path);
    durable_file::create(&public, public_pem(key)?.as_bytes(), PUBLIC).with_context(|| cannot_write(&public))
}

/// Whether it is the one that signs the journal in `data`.
///
/// # Errors
/// When the journal cannot be read.
pub fn is_in_force(key: &SigningKey, data: &Path) -> anyhow::Result<bool> {
    let journal = data.join("journal");
    if !journal.exists() {
        return Ok(false);
    }
    let looked = look(Arc::new(RealDisk::read_only(&journal)?))?;
    Ok(looked.keys.last() == Some(key.verifying_key().as_bytes()))
}

/// The next key's file takes the place of the last one's; its public half follows.
pub fn promote(path: &Path, key: &SigningKey) -> anyhow::Result<()> {
    let promoted = || -> io::Result<()> {
        fs::rename(next_to(path), path)?;
        // Both halves lie in one folder: what makes the second's name durable does so for the first's.
        durable_file::replace(&public_of(path), public_pem(key).map_err(io::Error::other)?.as_bytes(), PUBLIC)
    };
    promoted().with_context(|| {
        let text = format!("the new key signs the journal, but is still in {}", next_to(path).display());
        Failure::new(ErrorCode::ROTATION_UNFINISHED, text)
    })
}

pub fn next_to(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    PathBuf::from(name)
}

pub fn public_of(path: &Path) -> PathBuf {
    path.with_extension("pub")
}

fn read(path: &Path) -> anyhow::Result<SigningKey> {
    let unusable = |text: String| Failure::new(ErrorCode::SIGNING_KEY, text);
    let pem = fs::read_to_string(path)
        .with_context(|| unusable(format!("cannot read the signing key {} (`keys: signing:`)", path.display())))?;
    parse(&pem, path)
}

/// A signing key, read from `path`.
///
/// # Errors
/// When it is none.
pub fn parse(pem: &str, path: &Path) -> anyhow::Result<SigningKey> {
    SigningKey::from_pkcs8_pem(pem).map_err(|_| {
        let text = format!("{} is not an Ed25519 private key in PKCS#8 PEM (`keys: signing:`)", path.display());
        Failure::new(ErrorCode::SIGNING_KEY, text).into()
    })
}

pub fn private_pem(key: &SigningKey) -> anyhow::Result<zeroize::Zeroizing<String>> {
    key.to_pkcs8_pem(LineEnding::LF).context("cannot write the signing key")
}

fn public_pem(key: &SigningKey) -> anyhow::Result<String> {
    key.verifying_key().to_public_key_pem(LineEnding::LF).context("cannot write the public key")
}

pub fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
