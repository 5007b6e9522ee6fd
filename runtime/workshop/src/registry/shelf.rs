//! Where pulled components lie in a plugins folder: `oci/REGISTRY/REPOSITORY/sha256-….wasm` by their manifest's digest, with
//! signature and manifest beside, and a file for each tag that says which digest it was when it was pulled. A tag is so
//! resolved once; and what a digest names can be checked without a network.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use handoff_host::ComponentDigest;
use serde_json::Value;

use super::{COMPONENT, Pulled, Reference, RegistryError};
use crate::signature;

/// Keeps what was pulled, and gives the component's path.
///
/// # Errors
/// When it cannot be written.
pub fn keep(
    folder: &Path,
    reference: &Reference,
    pulled: &Pulled,
    signature: Option<&str>,
) -> Result<PathBuf, RegistryError> {
    let shelf = folder.join(reference.folder());
    fs::create_dir_all(&shelf).map_err(failed(&shelf))?;
    let path = shelf.join(file(&pulled.digest));
    write(&path, &pulled.component)?;
    match signature {
        Some(signature) => write(&signature::beside(&path), signature.as_bytes())?,
        // One that lay there is of other times: what is kept is what came.
        None => drop(fs::remove_file(signature::beside(&path))),
    }
    // With the manifest it counts, and with its tag it is found: so both come last.
    write(&manifest(&path), &pulled.manifest)?;
    if let Some(tag) = reference.tag() {
        write(&shelf.join(tag), pulled.digest.as_bytes())?;
    }
    Ok(path)
}

/// The component that a reference names, where it has been pulled.
///
/// # Errors
/// When it is not what its manifest says, or cannot be read.
pub fn find(folder: &Path, reference: &Reference) -> Result<Option<PathBuf>, RegistryError> {
    let shelf = folder.join(reference.folder());
    let digest = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => digest.to_owned(),
        (None, Some(tag)) => match read(&shelf.join(tag))? {
            Some(digest) => String::from_utf8_lossy(&digest).trim().to_owned(),
            None => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    let path = shelf.join(file(&digest));
    let (Some(component), Some(manifest)) = (read(&path)?, read(&manifest(&path))?) else { return Ok(None) };
    let is_whole = sha256(&manifest) == digest && layer(&manifest).as_ref() == Some(&sha256(&component));
    if is_whole { Ok(Some(path)) } else { Err(RegistryError::Damaged(path)) }
}

/// The digest of the one layer that a manifest has.
pub(super) fn layer(manifest: &[u8]) -> Option<String> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    match manifest["layers"].as_array()?.as_slice() {
        [layer] if layer["mediaType"] == COMPONENT => Some(layer["digest"].as_str()?.to_owned()),
        _ => None,
    }
}

/// As OCI writes digests.
pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", ComponentDigest::of(bytes))
}

fn file(digest: &str) -> String {
    format!("{}.wasm", digest.replace(':', "-"))
}

fn manifest(component: &Path) -> PathBuf {
    component.with_extension("manifest.json")
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, RegistryError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Whole or not at all: an instance may be reading, and the power may go. The store has the same for an instance's own
/// files; who makes plugins has no journal, so it is written out here.
fn write(path: &Path, bytes: &[u8]) -> Result<(), RegistryError> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    let written = || -> io::Result<()> {
        let mut file = File::create(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    written().map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> RegistryError + use<> {
    let path = path.to_owned();
    |source| RegistryError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulled() -> Pulled {
        let component = b"a component".to_vec();
        let layer =
            serde_json::json!({ "mediaType": COMPONENT, "digest": sha256(&component), "size": component.len() });
        let manifest = serde_json::json!({ "schemaVersion": 2, "layers": [layer] }).to_string().into_bytes();
        Pulled { digest: sha256(&manifest), component, manifest, signatures: vec![] }
    }

    #[test]
    fn what_was_pulled_is_found_by_tag_and_by_digest_and_checked() {
        let folder = tempfile::tempdir().expect("a folder");
        let tag: Reference = "oci://registry.example/team/acme:1.2".parse().expect("a reference");
        let pulled = pulled();
        assert_eq!(find(folder.path(), &tag).expect("read"), None);
        let path = keep(folder.path(), &tag, &pulled, Some("signed")).expect("kept");
        assert_eq!(find(folder.path(), &tag).expect("read"), Some(path.clone()));
        assert_eq!(find(folder.path(), &tag.at(&pulled.digest)).expect("read"), Some(path.clone()));
        assert_eq!(find(folder.path(), &tag.tagged("1.3")).expect("read"), None);
        fs::write(&path, b"another").expect("written");
        assert!(matches!(find(folder.path(), &tag), Err(RegistryError::Damaged(_))));
    }
}
