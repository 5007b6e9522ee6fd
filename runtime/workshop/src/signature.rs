//! Whose a plugin is: a minisign signature beside the component, `NAME.wasm.minisig`, that stock `minisign` makes and
//! checks as well (<https://jedisct1.github.io/minisign/>). Checked offline.

use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox, SignatureBox};

use crate::error::WorkshopError;

/// A key whose plugins are trusted, and the file that it was read from.
#[derive(Clone, Debug)]
pub struct Trusted {
    pub name: PathBuf,
    key: PublicKey,
}

/// Why a component is not taken for anybody's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    #[error("there is no signature beside it")]
    Unsigned,
    #[error("its signature is not a minisign signature")]
    Garbled,
    #[error("its signature is by a key that is not listed, or of other bytes")]
    Stranger,
}

impl Trusted {
    /// A public key as `minisign -G` or [`establish`] writes it.
    ///
    /// # Errors
    /// When the file cannot be read or holds none.
    pub fn read(path: &Path) -> Result<Trusted, WorkshopError> {
        let text = fs::read_to_string(path).map_err(WorkshopError::file(path))?;
        let wrong = |_| WorkshopError::Key { path: path.to_owned(), why: "it holds no minisign public key".to_owned() };
        let key = PublicKey::from_file(path).or_else(|_| PublicKey::from_base64(text.trim())).map_err(wrong)?;
        Ok(Trusted { name: path.to_owned(), key })
    }
}

/// Where a component's signature lies.
pub fn beside(component: &Path) -> PathBuf {
    let mut path = component.as_os_str().to_owned();
    path.push(".minisig");
    path.into()
}

/// Makes a pair of keys: `path` for its owner alone, without a password, since a build machine signs unattended; and
/// `path.pub` to give away.
///
/// # Errors
/// When something of that name is there already, or cannot be written.
pub fn establish(path: &Path) -> Result<PathBuf, WorkshopError> {
    if path.exists() {
        return Err(WorkshopError::There(path.to_owned()));
    }
    let wrong = |error: minisign::PError| WorkshopError::Key { path: path.to_owned(), why: error.to_string() };
    let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair().map_err(wrong)?;
    let secret = sk.to_box(None).map_err(wrong)?.to_string();
    let public = pk.to_box().map_err(wrong)?.to_string();
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(WorkshopError::file(path))?;
    file.write_all(secret.as_bytes()).map_err(WorkshopError::file(path))?;
    let beside = path.with_extension("pub");
    fs::write(&beside, public).map_err(WorkshopError::file(&beside))?;
    Ok(beside)
}

/// Signs a component's bytes with the secret key in `key`.
///
/// # Errors
/// When the key cannot be read, or has a password: then stock `minisign` signs with it.
pub fn sign(component: &[u8], comment: &str, key: &Path) -> Result<String, WorkshopError> {
    let wrong = |why: String| WorkshopError::Key { path: key.to_owned(), why };
    let text = fs::read_to_string(key).map_err(WorkshopError::file(key))?;
    let parsed = SecretKeyBox::from_string(&text).map_err(|_| wrong("it holds no minisign secret key".to_owned()))?;
    let secret: SecretKey = parsed.into_unencrypted_secret_key().map_err(|_| {
        wrong(
            "it has a password\n  help: sign with `minisign -Sm NAME.wasm`, or make a key with `handoff plugin key`"
                .to_owned(),
        )
    })?;
    let signed = minisign::sign(None, &secret, Cursor::new(component), Some(comment), Some("handoff plugin"));
    Ok(signed.map_err(|error| wrong(error.to_string()))?.to_string())
}

/// The key among `trusted` that signed these bytes.
///
/// # Errors
/// Why it is nobody's that we know.
pub fn check<'a>(component: &[u8], signature: Option<&str>, trusted: &'a [Trusted]) -> Result<&'a Trusted, Untrusted> {
    let signature = SignatureBox::from_string(signature.ok_or(Untrusted::Unsigned)?).map_err(|_| Untrusted::Garbled)?;
    let signed_by = |trusted: &&Trusted| {
        minisign::verify(&trusted.key, &signature, Cursor::new(component), true, false, false).is_ok()
    };
    trusted.iter().find(signed_by).ok_or(Untrusted::Stranger)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(folder: &Path, name: &str) -> (PathBuf, Trusted) {
        let secret = folder.join(name);
        let public = establish(&secret).expect("a new key");
        (secret, Trusted::read(&public).expect("its public half"))
    }

    #[test]
    fn only_a_listed_key_s_signature_of_these_bytes_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let (ours, our_key) = key(folder.path(), "ours.key");
        let (theirs, _) = key(folder.path(), "theirs.key");
        let trusted = [our_key];
        let signed = sign(b"component", "outreach-acme", &ours).expect("signed");
        assert_eq!(check(b"component", Some(&signed), &trusted).expect("ours").name, trusted[0].name);
        let refused = |bytes: &[u8], signature: Option<&str>| check(bytes, signature, &trusted).map(drop).unwrap_err();
        assert_eq!(refused(b"Component", Some(&signed)), Untrusted::Stranger);
        assert_eq!(refused(b"component", Some(&sign(b"component", "", &theirs).expect("signed"))), Untrusted::Stranger);
        assert_eq!(refused(b"component", Some("untrusted comment: x\nAAAA\n")), Untrusted::Garbled);
        assert_eq!(refused(b"component", None), Untrusted::Unsigned);
    }

    #[test]
    fn a_secret_key_is_its_owner_s_alone_and_never_written_over() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let (secret, _) = key(folder.path(), "ours.key");
        assert_eq!(fs::metadata(&secret).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(matches!(establish(&secret), Err(WorkshopError::There(_))));
    }
}
