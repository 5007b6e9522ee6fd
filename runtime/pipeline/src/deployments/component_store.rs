//! Components by their digest, below the data folder: what a referral in flight is pinned to is there as long as it is.

use std::fs;
use std::path::{Path, PathBuf};

use handoff_engine::ids::Digest;
use handoff_store::durable_file;

use super::InstallError;

/// A component is no secret: an auditor may read it.
const PUBLIC: u32 = 0o644;

fn path(folder: &Path, digest: &Digest) -> PathBuf {
    folder.join(format!("{digest}.wasm"))
}

/// Keeps a component, unless it is there already, and whole. After a power cut it is whole or not there at all.
pub(super) fn keep(folder: &Path, digest: &Digest, component: &[u8]) -> Result<(), InstallError> {
    let path = path(folder, digest);
    if fs::read(&path).is_ok_and(|kept| Digest::of(&kept) == *digest) {
        return Ok(());
    }
    durable_file::replace(&path, component, PUBLIC).map_err(|source| InstallError::Unkept { path, source })
}

/// Gives a component only if it is the one that was pinned.
///
/// # Errors
/// When it is not there, or its bytes are not those of its name.
pub fn read(folder: &Path, digest: &Digest) -> Result<Vec<u8>, InstallError> {
    let path = path(folder, digest);
    let component = match fs::read(&path) {
        Ok(component) => component,
        Err(source) => return Err(InstallError::Unreadable { path, source }),
    };
    match Digest::of(&component) == *digest {
        true => Ok(component),
        false => Err(InstallError::Damaged { path }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_a_power_cut_tore_is_noticed_and_written_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let component = b"a component";
        let digest = Digest::of(component);
        assert!(matches!(read(folder.path(), &digest), Err(InstallError::Unreadable { .. })));
        for torn in [&b""[..], b"a compo", b"a c0mponent"] {
            fs::write(path(folder.path(), &digest), torn).expect("written");
            assert!(matches!(read(folder.path(), &digest), Err(InstallError::Damaged { .. })), "{torn:?}");
            keep(folder.path(), &digest, component).expect("kept");
            assert_eq!(read(folder.path(), &digest).expect("whole"), component);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no draft is left behind");
    }
}
